"""What would fit: the largest passes, and what the options that save memory would leave."""

import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import torch

from real_cli.models.load.device import Place
from real_cli.records.record import Record
from real_cli.train.estimate.live_memory import MemoryPart
from real_cli.train.estimate.simulation import Beside, Passes, Usage, num_tokens, simulate
from real_cli.train.estimate.weightless import ModelPlan, Setup
from real_cli.train.objective import Need

# Alternatives are followed at two depths, and what a layer adds between them counts for every other layer.
SHALLOW, DEEPER = 2, 4
STEP_OF_TOKENS = 64


class Room(NamedTuple):
    """What memory there is.

    Attributes:
        available: Bytes that the process could still get.
        held: Bytes that it holds already, and are no part of what was followed.
        beside: Bytes that it takes beside what was followed, and does not hold yet.
        whole_batch: Tokens of the largest batch: larger passes change nothing.
    """

    available: int
    held: int
    beside: int
    whole_batch: int

    def left(self, usage: Usage) -> int:
        """Return the bytes that would be left; negative if it does not fit."""
        return self.available - self.beside - usage.peak

    def largest_pass(self, usage: Usage, passes: Passes) -> int | None:
        """Return the largest `--batch-tokens` that fits; None if the longest pair alone does not."""
        now = num_tokens(passes.first, passes.layout)
        tokens = int(now + self.left(usage) / max(1.0, usage.bytes_per_token))
        if tokens < _longest(passes):
            return None
        return _in_steps(min(tokens, max(self.whole_batch, _longest(passes))))

    def whole_pass(self, passes: Passes) -> int:
        """Return the `--batch-tokens` that the largest batch needs, rounded as those that fit are."""
        return _in_steps(max(self.whole_batch, _longest(passes)))


def _longest(passes: Passes) -> int:
    """Count the tokens of the longest pair."""
    return max(num_tokens([group], passes.layout) for group in passes.first)


def _in_steps(tokens: int) -> int:
    return tokens // STEP_OF_TOKENS * STEP_OF_TOKENS if tokens > STEP_OF_TOKENS else tokens


def row_of(options: str, usage: Usage, room: Room, passes: Passes) -> Record:
    """Make one row of the table of what would fit."""
    largest = room.largest_pass(usage, passes)
    return {
        "options": options,
        "peak_bytes": usage.peak + room.held + room.beside,
        "fits": room.left(usage) >= 0,
        "largest_batch_tokens": largest,
        "has_whole_batch": largest is not None and largest >= room.whole_pass(passes),
    }


def alternatives(
    name: str, plan: ModelPlan, setup: Setup, passes: Passes, *, stored: int | None, beside: Beside, room: Room
) -> Iterator[Record]:
    """Estimate each option that saves memory and is not in use."""
    for options, other in _others(setup):
        usage = _by_depth(name, plan, other, passes, stored, beside)
        yield row_of(options, usage, room, passes)


def _others(setup: Setup) -> Iterator[tuple[str, Setup]]:
    settings = setup.settings
    checkpointed = replace(setup, gradient_checkpointing=True)
    if not setup.gradient_checkpointing:
        yield "--gradient-checkpointing", checkpointed
    if setup.dtype == torch.float32:
        half = Place(setup.place.device, torch.bfloat16)
        yield "--dtype bfloat16", replace(setup, dtype=torch.bfloat16, place=half)
    if Need.degrees in settings.mixture.needs or settings.qlora:
        return
    if not settings.adapts:
        adapted = replace(settings, lora=True)
        yield "--lora", replace(setup, settings=adapted)
        yield "--lora --gradient-checkpointing", replace(checkpointed, settings=adapted)
    in_4_bits = replace(settings, lora=False, qlora=True)
    yield "--qlora", replace(setup, settings=in_4_bits, dtype=setup.place.dtype)


def _by_depth(name: str, plan: ModelPlan, setup: Setup, passes: Passes, stored: int | None, beside: Beside) -> Usage:
    depth = getattr(plan.config.get_text_config(), "num_hidden_layers", 0)
    if depth <= DEEPER:
        return simulate(name, plan, setup, passes, stored=stored, beside=beside, briefly=True)
    few, more = (
        simulate(name, plan._replace(config=_cut(plan.config, layers)), setup, passes, stored=None, briefly=True)
        for layers in (SHALLOW, DEEPER)
    )

    def grown(low: float, high: float) -> float:
        return max(0.0, low + (high - low) / (DEEPER - SHALLOW) * (depth - SHALLOW))

    parts = {part: int(grown(few.parts[part], more.parts[part])) for part in {*few.parts, *more.parts}}
    parts[MemoryPart.reference] = beside.held
    weights = int(grown(few.weights, more.weights))
    slope = grown(few.bytes_per_token, more.bytes_per_token)
    return Usage(Counter(parts), slope, weights, "from two depths")


def _cut(config: Any, layers: int) -> Any:
    """Copy a config with its first layers alone."""
    shallow = copy.deepcopy(config)
    text = shallow.get_text_config()
    text.num_hidden_layers = layers
    if getattr(text, "layer_types", None):
        text.layer_types = text.layer_types[:layers]
    return shallow
