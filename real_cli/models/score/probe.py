"""Whether a model can take the shared layout: both layouts are tried on load, and their numbers compared."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from real_cli.errors import ModelError
from real_cli.models.load.policies import Policy
from real_cli.models.score.scoring import group_logps
from real_cli.models.score.sequences import Group
from real_cli.records.choices import TokenLayout

# How far the sums of a few tokens may lie apart, in nats. A response that sees the other one is off by far more.
TOLERANCE = 2e-3
# Where there is no room for a look in float32, numbers of 16 bits must do, whose rounding hides what is smaller.
HALF_TOLERANCE = 0.1
RESPONSE_LENGTHS = ((16, 9), (7, 18))
# Layers whose mask is made here. Others (linear, chunked, convolutions) carry one response into the next.
KNOWN_LAYERS = {"full_attention", "sliding_attention"}
# Names under which configurations say how far back a layer sees.
WINDOW_FIELDS = ("sliding_window", "window_size", "attention_chunk_size", "local_attention_window", "attention_window")


def settle_layout(
    policy: Policy, name: str, wanted: TokenLayout, *, max_length: int, tell: Callable[[str], None]
) -> Policy:
    """Decide how a policy's sequences are laid out.

    Args:
        policy: As loaded.
        name: The name the user gave, for messages.
        wanted: `auto` takes the shared layout where it gives the same numbers as the plain one.
        max_length: Most tokens of prompt and response; a sliding window shorter than that is probed too.
        tell: Gets a line if the model cannot take the shared layout.

    Returns:
        The policy with its layout.

    Raises:
        ModelError: If the shared layout is demanded and the model cannot take it.
    """
    if wanted is TokenLayout.plain:
        return policy._replace(layout=TokenLayout.plain)
    problem = shared_layout_problem(policy, max_length)
    if problem and wanted is TokenLayout.shared:
        raise ModelError(f"model '{name}': --layout shared: {problem}; leave the option out")
    if problem:
        tell(f"{name}: plain layout, each prompt is run once for each response: {problem}")
    return policy._replace(layout=TokenLayout.plain if problem else TokenLayout.shared)


def shared_layout_problem(policy: Policy, max_length: int) -> str:
    """Score two prompts in both layouts, and say what speaks against the shared one.

    Args:
        policy: As loaded.
        max_length: Most tokens of prompt and response in the run.

    Returns:
        A few words; empty if the numbers agree.
    """
    config = policy.model.config.get_text_config()
    foreign = set(getattr(config, "layer_types", None) or ()) - KNOWN_LAYERS
    if foreign:
        return f"it has layers of another kind ({', '.join(sorted(foreign))})"
    groups = _probe_groups(policy, max_length)
    try:
        apart, tolerance = _distance(policy, groups)
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # a model that does not know such a mask fails in its own way
        lines = str(error).strip().splitlines()
        return f"it refuses the mask ({lines[0][:80] if lines else type(error).__name__})"
    within = apart <= tolerance  # False for NaN too
    return "" if within else f"a response's log-probability moves by {apart:.2g} nats when another stands beside it"


def _distance(policy: Policy, groups: list[Group]) -> tuple[float, float]:
    """Return how far the layouts lie apart, and how far they may."""
    try:
        with _float32(policy.model):
            return _apart(policy, groups), TOLERANCE
    except torch.OutOfMemoryError:
        if policy.model.dtype == torch.float32:
            raise
    return _apart(policy, groups), HALF_TOLERANCE


def _apart(policy: Policy, groups: list[Group]) -> float:
    # Without autocast: in float32, where the weights are, the two layouts agree to the last digits or not at all.
    plain, shared = (group_logps(policy, groups, layout) for layout in (TokenLayout.plain, TokenLayout.shared))
    return float((torch.tensor(plain) - torch.tensor(shared)).abs().max())  # NaN stays NaN


@contextmanager
def _float32(model: Any) -> Iterator[None]:
    """Let a model compute in float32 for a moment; its own weights are put back, bit by bit."""
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
    """Make two prompts of other lengths, so that padding is tried, with two responses each."""
    config = policy.model.config.get_text_config()
    windows = [getattr(config, name, None) for name in WINDOW_FIELDS]
    short = [window for window in windows if isinstance(window, int) and window < max_length]
    room = max(2, max_length - max(map(max, RESPONSE_LENGTHS)))
    # Beyond its window a model is another one: the prompt must be longer, if prompts of this run can be.
    prompt_lengths = (5, min(room, max(short, default=0) + 2))
    draw = torch.Generator().manual_seed(0)
    size = policy.model.get_input_embeddings().num_embeddings

    def ids(length: int) -> tuple[int, ...]:
        return tuple(torch.randint(size, (length,), generator=draw).tolist())

    return [
        Group(ids(length), [ids(response_length) for response_length in lengths], [])
        for length, lengths in zip(prompt_lengths, RESPONSE_LENGTHS, strict=True)
    ]
