"""What would fit: the largest passes, and what the options that save memory would leave."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple, TypeAlias

import torch

from real_cli.models.load.device import Place
from real_cli.records.record import Record
from real_cli.train.estimate.simulation import BY_FORMULA, Beside, Passes, Usage, num_tokens, simulate
from real_cli.train.estimate.weightless import ModelPlan, Setup
from real_cli.train.objective import Need

STEP_OF_TOKENS = 64
# A pass is followed with so many budgets at most; one that gains less than a twentieth is not worth another.
MOST_TRIES, LEAST_GAIN = 5, 1.05


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

    def enough(self, longest: int) -> int:
        """Return the tokens of a pass that takes any batch whole."""
        return max(self.whole_batch, longest)

    def largest_pass(self, usage: Usage, passes: Passes) -> int | None:
        """Return the largest `--batch-tokens` that fits; None if the longest pair alone does not."""
        now = num_tokens(passes.first, passes.layout)
        longest = max(num_tokens([group], passes.layout) for group in passes.first)
        tokens = int(now + self.left(usage) / max(1.0, usage.bytes_per_token))
        if tokens < longest:
            return None
        tokens = min(tokens, self.enough(longest))
        is_rounded = STEP_OF_TOKENS < tokens < self.enough(longest)
        return tokens // STEP_OF_TOKENS * STEP_OF_TOKENS if is_rounded else tokens


# What is followed with a budget of tokens, and the memory that there is.
Followed: TypeAlias = tuple[Usage, Passes, Room]
Follow: TypeAlias = Callable[[int], Followed]


def largest_budget(follow: Follow, start: int, most: int | None) -> int | None:
    """Find the largest `--batch-tokens` that fits, by following passes that are made with it.

    A line through what is followed says where to look next; only what was followed itself, and fits, is returned.

    Args:
        follow: Follows the passes of a budget of tokens; also tells what memory there is.
        start: The first budget to try, in tokens.
        most: No budget is larger; None where only memory is the limit.

    Returns:
        Tokens of a pass; None if none was found that fits.

    Example:
        A token takes 10 bytes, of which there are 1,000; the largest batch has 500 tokens. Budgets go by 64.

        >>> from collections import Counter
        >>> from real_cli.train.estimate.live_memory import MemoryPart
        >>> from real_cli.models.score.sequences import Group
        >>> from real_cli.records.choices import TokenLayout
        >>> group = Group((1,) * 4, [(2,)], [])
        >>> def follow(tokens):
        ...     count = min(tokens, 500) // 5
        ...     usage = Usage(Counter({MemoryPart.activations: count * 50}), 10.0, 0, "simulated")
        ...     return usage, Passes(TokenLayout.shared, [group] * count), Room(1000, 0, 0, 500)
        >>> largest_budget(follow, 50, None), largest_budget(follow, 500, None), largest_budget(follow, 50, 50)
        (64, 64, 50)
    """
    tokens, fitting, refused = start, 0, 0
    for _ in range(MOST_TRIES):
        usage, passes, room = follow(tokens)
        if room.left(usage) >= 0:
            fitting = tokens
        else:
            refused = tokens
        reached = room.largest_pass(usage, passes) or 0
        reached = reached if most is None else min(reached, most)
        if fitting and refused and not fitting < reached < refused:  # memory does not grow along a line
            reached = (fitting + refused) // 2 // STEP_OF_TOKENS * STEP_OF_TOKENS
        if reached <= fitting * LEAST_GAIN:
            break
        tokens = reached
    return fitting or None


def row_of(options: str, usage: Usage, room: Room, passes: Passes) -> Record:
    """Make one row of the table of what would fit."""
    tokens = room.largest_pass(usage, passes)
    return {
        "options": options,
        "peak_bytes": usage.peak + room.held + room.beside,
        "fits": room.left(usage) >= 0,
        "largest_batch_tokens": tokens,
        "takes_whole_batches": tokens is not None and tokens >= room.whole_batch,
    }


def unknown_row(options: str) -> Record:
    """Make the row of options whose memory nothing tells."""
    nothing = ("peak_bytes", "fits", "largest_batch_tokens", "takes_whole_batches")
    return {"options": options} | dict.fromkeys(nothing)


def alternatives(
    name: str, plan: ModelPlan, setup: Setup, passes: Passes, *, stored: int | None, beside: Beside, room: Room
) -> Iterator[Record]:
    """Estimate each option that saves memory and is not in use."""
    for options, other in _others(setup):
        # At its full depth: the moment of the peak is another one in a shallow model, and gaps do not grow by layers.
        usage = simulate(name, plan, other, passes, stored=stored, beside=beside, briefly=True)
        # The formula knows nothing of what the options save.
        yield unknown_row(options) if usage.method == BY_FORMULA else row_of(options, usage, room, passes)


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
