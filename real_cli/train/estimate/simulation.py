"""The memory of a training run, from running its largest passes without numbers: forward, backward, optimizer step."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch

from real_cli.models.load.device import BYTES_PER_HIDDEN, BYTES_PER_INNER, Place
from real_cli.models.score.forward import CPU_LOGIT_BYTES, LOGIT_BYTES
from real_cli.models.score.packing import pack_attention
from real_cli.models.score.sequences import Group, lay_out, shape
from real_cli.records.choices import TokenLayout
from real_cli.train.choices import Optimizer
from real_cli.train.estimate.live_memory import LiveMemory, MemoryPart
from real_cli.train.estimate.weightless import (
    ModelPlan,
    Setup,
    Weightless,
    build_weightless,
    largest_dequantized,
    put_on,
    without_numbers,
)

# How layers fail that ask for numbers, or cannot take a layout.
FAILURES = (RuntimeError, ValueError, TypeError, AttributeError, LookupError, NotImplementedError)
# Of a parameter in bitsandbytes' 8-bit AdamW: two moments, and their scales.
BYTES_OF_8_BIT_STATES = 2 + 2 * 4 / 256


class Passes(NamedTuple):
    """The passes that decide: the largest of all, and the largest that follows another one in its step.

    A pass that is not the first of its step finds gradients in memory. `second` is None if every step is one pass.
    """

    layout: TokenLayout
    first: Sequence[Group]
    second: Sequence[Group] | None = None


class Beside(NamedTuple):
    """Bytes of a reference: one that stays in memory because every step asks it, and one that is loaded and freed."""

    held: int = 0
    passing: int = 0


@dataclass(frozen=True)
class Usage:
    """What a run takes on the device that trains.

    Attributes:
        parts: Bytes of each part when most is taken.
        bytes_per_token: What a token more in the largest pass adds.
        weights: Bytes of the weights, adapters included.
        method: How activations were found.
    """

    parts: Counter[MemoryPart]
    bytes_per_token: float
    weights: int
    method: str

    @property
    def peak(self) -> int:
        """Bytes of all parts."""
        return self.parts.total()


NOTHING_BESIDE = Beside()
BY_FORMULA = "by formula"


def simulate(
    name: str,
    plan: ModelPlan,
    setup: Setup,
    passes: Passes,
    *,
    stored: int | None,
    beside: Beside = NOTHING_BESIDE,
    briefly: bool = False,
) -> Usage:
    """Follow a run through loading, its first step and its second.

    Args:
        name: As the user named the model.
        plan: What describes it.
        setup: How it is trained.
        passes: The largest of the run.
        stored: Bytes of its files; None if they are not known.
        beside: The reference.
        briefly: Follow one step, on states that are there already: half the time, and seldom another peak.

    Returns:
        The peak. A model whose layers cannot run without numbers in float32 is followed in bfloat16 and counted
        twofold, one that cannot be followed at all is counted by the formula of `tokens_that_fit`.
    """
    for tried, scale, laid, method in _tries(setup, passes):
        try:
            there = Beside(beside.held // scale, beside.passing // scale)
            usage = _simulate(name, plan, tried, laid, stored and stored // scale, there, briefly=briefly)
        except FAILURES:
            continue
        parts = Counter({part: num_bytes * scale for part, num_bytes in usage.parts.items()})
        return Usage(parts, usage.bytes_per_token * scale, usage.weights * scale, method)
    return _by_formula(name, plan, setup, passes, beside)


def _tries(setup: Setup, passes: Passes) -> Iterator[tuple[Setup, int, Passes, str]]:
    """Yield ways to follow a run: as asked, then as a run falls back where a model refuses a layout."""
    fallbacks = [TokenLayout.shared, TokenLayout.plain] if passes.layout is TokenLayout.packed else [TokenLayout.plain]
    layouts = [passes, *(passes._replace(layout=layout) for layout in fallbacks if layout is not passes.layout)]
    for laid in layouts:
        yield setup, 1, laid, "simulated"
    if setup.dtype == torch.float32 == setup.place.dtype:  # experts' kernels take no float32 without numbers
        half = replace(setup, dtype=torch.bfloat16, place=Place(setup.place.device, torch.bfloat16))
        for laid in layouts:
            yield half, 2, laid, "simulated in bfloat16"


def _simulate(
    name: str, plan: ModelPlan, setup: Setup, passes: Passes, stored: int | None, beside: Beside, *, briefly: bool
) -> Usage:
    on_cpu = setup.place.device.type == "cpu"
    built = build_weightless(name, plan, setup)
    if passes.layout is TokenLayout.packed:
        pack_attention(built.model)
    with without_numbers() as mode:
        put_on(built.model, setup.place.device)
        weights = sum(built.weights)
        memory = LiveMemory(plan.config.get_text_config().vocab_size, has_gaps=on_cpu)
        memory.leave_out([*built.model.parameters(), *built.model.buffers()])
        # Files in the format of the weights are mapped, and stand outside the heap.
        is_mapped = on_cpu and stored is not None and abs(stored - built.weights_loaded) < 0.02 * weights
        memory.hold([max(0, weights - stored)] if is_mapped and stored else built.weights, MemoryPart.weights)
        if passes.layout is not TokenLayout.plain and setup.dtype != torch.float32:
            # Layouts are compared in float32: on load, a copy of each tensor.
            memory.pass_through([4 * weight.numel() for weight in built.model.parameters()], MemoryPart.weights)
        if beside.passing:
            memory.pass_through([beside.passing], MemoryPart.reference)
        if beside.held:
            memory.hold([beside.held], MemoryPart.reference)
        slopes = _train(memory, built, setup, passes, mode, briefly=briefly)
    parts = Counter(memory.peak)
    if is_mapped and stored:
        parts[MemoryPart.weights] += stored
    elif on_cpu and stored and stored + weights > parts.total():
        parts = Counter({MemoryPart.weights: weights, MemoryPart.loading: stored})
    return Usage(parts, max(slopes), weights, "simulated")


def _train(
    memory: LiveMemory, built: Weightless, setup: Setup, passes: Passes, mode: Any, *, briefly: bool
) -> list[float]:
    """Run two steps; return the bytes that a token of each pass takes."""
    if setup.settings.qlora:
        memory.hold([largest_dequantized(built.model)], MemoryPart.activations)
    for weight in built.trained:
        weight.register_post_accumulate_grad_hook(lambda trained: memory.relabel(trained.grad, MemoryPart.gradients))
    optimizer = _optimizer(memory, built.trained, setup)
    second = [] if passes.second is None else [passes.second]
    if briefly:
        _step_first(memory, built.trained, optimizer)
    steps = [[passes.first, *second]] * (1 if briefly else 2)
    slopes = []
    for groups_of_step in steps:
        for groups in groups_of_step:
            slopes.append(_one_pass(memory, built.model, setup, passes.layout, groups, mode))
        with memory, memory.counting_as(MemoryPart.optimizer):
            torch.nn.utils.clip_grad_norm_(built.trained, 1.0)
            optimizer.step()
            optimizer.zero_grad()
    return slopes


def _step_first(memory: LiveMemory, weights: list[Any], optimizer: Any) -> None:
    """Take a step on empty gradients, after which the optimizer has its states."""
    with memory:
        with memory.counting_as(MemoryPart.gradients):
            for weight in weights:
                weight.grad = torch.empty_like(weight)
        with memory.counting_as(MemoryPart.optimizer):
            optimizer.step()
            optimizer.zero_grad()


def _one_pass(
    memory: LiveMemory, model: Any, setup: Setup, layout: TokenLayout, groups: Sequence[Group], mode: Any
) -> float:
    device, before = setup.place.device, memory.live.total()
    batch = {
        key: mode.from_tensor(value).to(device) if torch.is_tensor(value) else value
        for key, value in lay_out(groups, layout, 0).items()
    }
    autocast = torch.autocast(device.type, dtype=setup.place.dtype, enabled=setup.dtype != setup.place.dtype)
    with memory:
        with autocast:
            loss = model(**batch).logps.sum()
        kept = memory.live.total() - before
        loss.backward()
    return kept / max(1, num_tokens(groups, layout))


def _optimizer(memory: LiveMemory, weights: list[Any], setup: Setup) -> Any:
    """Make the optimizer of the run; what cannot be followed is counted."""
    kind, apart = setup.settings.optimizer, {"foreach": setup.place.device.type != "cpu"}
    if kind is Optimizer.adafactor:
        from transformers.optimization import Adafactor

        return Adafactor(weights, lr=1e-6, scale_parameter=False, relative_step=False)
    if kind is Optimizer.adamw:
        return torch.optim.AdamW(weights, lr=1e-6, fused=True)
    if kind is Optimizer.rmsprop:
        return torch.optim.RMSprop(weights, lr=1e-6, **apart)
    if kind is Optimizer.adamw_8bit:
        memory.hold([int(weight.numel() * BYTES_OF_8_BIT_STATES) for weight in weights], MemoryPart.optimizer)
    return torch.optim.SGD(weights, lr=1e-6, **apart)


# Moments of a parameter, in its own format.
STATES = {Optimizer.adamw: 2.0, Optimizer.rmsprop: 1.0, Optimizer.adafactor: 0.01, Optimizer.sgd: 0.0}


def _by_formula(name: str, plan: ModelPlan, setup: Setup, passes: Passes, beside: Beside) -> Usage:
    built = build_weightless(name, plan, setup)
    gradients = sum(weight.numel() * weight.element_size() for weight in built.trained)
    trained = sum(weight.numel() for weight in built.trained)
    config = plan.config.get_text_config()
    optimizer = setup.settings.optimizer
    states = trained * BYTES_OF_8_BIT_STATES if optimizer not in STATES else gradients * STATES[optimizer]
    inner = getattr(config, "intermediate_size", None) or 4 * config.hidden_size
    per_token = config.num_hidden_layers * (BYTES_PER_HIDDEN * config.hidden_size + BYTES_PER_INNER * inner)
    per_token *= 2 if setup.place.dtype == torch.float32 else 1
    chunk = CPU_LOGIT_BYTES if setup.place.device.type == "cpu" else LOGIT_BYTES
    parts = {
        MemoryPart.weights: sum(built.weights),
        MemoryPart.reference: beside.held,
        MemoryPart.gradients: gradients,
        MemoryPart.optimizer: int(states),
        MemoryPart.activations: per_token * num_tokens(passes.first, passes.layout),
        MemoryPart.logits: 3 * chunk,
    }
    return Usage(Counter(parts), per_token, sum(built.weights), BY_FORMULA)


def num_tokens(groups: Sequence[Group], layout: TokenLayout) -> int:
    """Count the tokens of a pass, padding counted."""
    shapes = [shape(group, layout) for group in groups]
    if layout is TokenLayout.packed:
        return sum(width for _, width in shapes)
    return sum(rows for rows, _ in shapes) * max((width for _, width in shapes), default=0)
