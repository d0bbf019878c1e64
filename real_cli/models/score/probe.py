"""Whether a model can take a layout: on load it is tried beside the plain one, and their numbers are compared."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from real_cli.errors import ModelError
from real_cli.models.load.policies import Policy
from real_cli.models.score.packing import pack_attention, unpack_attention
from real_cli.models.score.scoring import group_logps
from real_cli.models.score.sequences import Group
from real_cli.records.choices import TokenLayout

# How far apart sums over a few tokens may lie, in nats. A response that sees the other one is off by far more.
TOLERANCE = 2e-3
# Where float32 does not fit, 16-bit numbers must do; their rounding hides smaller differences.
HALF_TOLERANCE = 0.1
RESPONSE_LENGTHS = ((16, 9), (7, 18))
# Layers that take our mask. Others (linear, chunked, convolutions) carry one response into the next.
KNOWN_LAYERS = {"full_attention", "sliding_attention"}
# Config fields that say how far back a layer sees.
WINDOW_FIELDS = ("sliding_window", "window_size", "attention_chunk_size", "local_attention_window", "attention_window")


def settle_layout(
    policy: Policy, name: str, wanted: TokenLayout, *, max_length: int, tell: Callable[[str], None]
) -> Policy:
    """Decide how a policy's sequences are laid out; `auto` shares where that changes no numbers.

    A sliding window shorter than `max_length` is probed too. `tell` hears why a model cannot share a prompt; a
    model of which that is demanded is refused. One that cannot be packed shares if it can, and `tell` hears why.
    """
    if wanted is TokenLayout.plain:
        return policy._replace(layout=TokenLayout.plain)
    if wanted is TokenLayout.packed:
        return _settle_packed(policy, name, max_length, tell)
    problem = layout_problem(policy, TokenLayout.shared, max_length)
    if problem and wanted is TokenLayout.shared:
        raise ModelError(f"model '{name}': --layout shared: {problem}; leave the option out")
    if problem:
        tell(f"{name}: plain layout, each prompt is run once for each response: {problem}")
    return policy._replace(layout=TokenLayout.plain if problem else TokenLayout.shared)


def _settle_packed(policy: Policy, name: str, max_length: int, tell: Callable[[str], None]) -> Policy:
    problem = layout_problem(policy, TokenLayout.packed, max_length)
    if not problem:
        return policy._replace(layout=TokenLayout.packed)
    can_share = not layout_problem(policy, TokenLayout.shared, max_length)
    layout = TokenLayout.shared if can_share else TokenLayout.plain
    tell(f"{name}: {layout} layout, prompts are not packed: {problem}")
    return policy._replace(layout=layout)


def layout_problem(policy: Policy, layout: TokenLayout, max_length: int) -> str:
    """Score two prompts in this layout and in the plain one; say what speaks against it, or nothing.

    A model that can be packed is left so.
    """
    config = policy.model.config.get_text_config()
    foreign = set(getattr(config, "layer_types", None) or ()) - KNOWN_LAYERS
    if foreign:
        return f"it has layers of another kind ({', '.join(sorted(foreign))})"
    groups = _probe_groups(policy, max_length)
    problem = ""
    try:
        apart, tolerance = _distance(policy, groups, layout)
        if not apart <= tolerance:  # NaN is not either
            problem = f"a response's log-probability moves by {apart:.2g} nats when another stands beside it"
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # models that cannot take such a mask fail in any way
        lines = str(error).strip().splitlines()
        problem = f"it refuses the mask ({lines[0][:80] if lines else type(error).__name__})"
    if problem and layout is TokenLayout.packed:
        unpack_attention(policy.model)
    return problem


def _distance(policy: Policy, groups: list[Group], layout: TokenLayout) -> tuple[float, float]:
    """Return how far the layouts lie apart, and how far they may."""
    try:
        with _float32(policy.model):
            return _apart(policy, groups, layout), TOLERANCE
    except torch.OutOfMemoryError:
        if policy.model.dtype == torch.float32:
            raise
    return _apart(policy, groups, layout), HALF_TOLERANCE


def _apart(policy: Policy, groups: list[Group], layout: TokenLayout) -> float:
    # Without autocast: in float32, where the weights are, the two layouts agree to the last digits or not at all.
    plain = group_logps(policy, groups, TokenLayout.plain)
    if layout is TokenLayout.packed:
        pack_attention(policy.model)
    other = group_logps(policy, groups, layout)
    return float((torch.tensor(plain) - torch.tensor(other)).abs().max())  # NaN stays NaN


@contextmanager
def _float32(model: Any) -> Iterator[None]:
    """Compute in float32 for a moment; the model's weights are put back bit by bit."""
    kept = []
    try:
        for tensor in [*model.parameters(), *model.buffers()]:
            if tensor.is_floating_point() and tensor.dtype != torch.float32:
                kept.append((tensor, tensor.data))
                tensor.data = tensor.data.float()
        yield
    finally:
        for tensor, data in kept:
            tensor.data = data


def _probe_groups(policy: Policy, max_length: int) -> list[Group]:
    """Make two prompts of different lengths, so that padding is tried, with two responses each."""
    config = policy.model.config.get_text_config()
    windows = [getattr(config, name, None) for name in WINDOW_FIELDS]
    short = [window for window in windows if isinstance(window, int) and window < max_length]
    room = max(2, max_length - max(map(max, RESPONSE_LENGTHS)))
    # A model behaves differently beyond its window: the prompt must be longer, if this run's prompts can be.
    prompt_lengths = (5, min(room, max(short, default=0) + 2))
    draw = torch.Generator().manual_seed(0)
    size = policy.model.get_input_embeddings().num_embeddings

    def ids(length: int) -> tuple[int, ...]:
        return tuple(torch.randint(size, (length,), generator=draw).tolist())

    return [
        Group(ids(length), [ids(response_length) for response_length in lengths], [])
        for length, lengths in zip(prompt_lengths, RESPONSE_LENGTHS, strict=True)
    ]
