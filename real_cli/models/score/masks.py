"""The attention mask of a prompt and its responses in one row, in the form that a model's attention takes."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from real_cli.models.score.sequences import PROMPT_SEGMENT
from real_cli.records.choices import Attention

SLIDING = "sliding_attention"


def visible(segments: Tensor, positions: Tensor, window: int | None = None) -> Tensor:
    """Say which token sees which: those before it, of the prompt or of its own response.

    Args:
        segments: 0 for the prompt's tokens, k for those of response k, -1 for padding; shape (rows, seq).
        positions: Places in the text, counted as if each response stood alone after the prompt; shape (rows, seq).
        window: Only tokens less than this far back are seen; None for all.

    Returns:
        True where query i sees key j, shape (rows, 1, seq, seq). A padding token sees itself, as softmax needs
        something to look at; no other token sees it, because it comes last.

    Example:
        >>> visible(torch.tensor([[0, 1, 2]]), torch.tensor([[0, 1, 1]]))[0, 0].int().tolist()
        [[1, 0, 0], [1, 1, 0], [1, 0, 1]]
    """
    index = torch.arange(segments.shape[1], device=segments.device)
    seen = (segments[:, None, :] == PROMPT_SEGMENT) | (segments[:, None, :] == segments[:, :, None])
    seen = seen & (index[None, :] <= index[:, None])
    if window is not None:
        near = (positions[:, :, None] - positions[:, None, :]) < window
        seen = seen & (near | (index[None, :] == index[:, None]))
    return seen[:, None]


def attention_mask(model: Any, segments: Tensor, positions: Tensor) -> Any:
    """Make the mask that a transformers model takes as it is; it has four dimensions."""
    return for_each_window(model, lambda window: _as_taken(model, visible(segments, positions, window)))


def for_each_window(model: Any, make: Callable[[int | None], Any]) -> Any:
    """Make a mask by how far back a layer sees, None for all the way.

    Where layers differ (Gemma, say), there is one for each kind of layer, by transformers' names.
    """
    config = model.config.get_text_config()
    window = getattr(config, "sliding_window", None)
    kinds = set(getattr(config, "layer_types", None) or ())
    if SLIDING in kinds:
        return {"full_attention": make(None), SLIDING: make(window)}
    return make(None if kinds else window)


def _as_taken(model: Any, seen: Tensor) -> Any:
    """Give the mask the form that the model's attention takes."""
    if model.config.get_text_config()._attn_implementation == Attention.flex:
        return _block_mask(seen)
    return added_to_scores(model, seen)


def added_to_scores(model: Any, seen: Tensor) -> Tensor:
    """Make the mask that is added to the scores of attention."""
    # Added to attention scores: eager attention takes nothing else, and sdpa converts every other form to it.
    kind = seen.device.type
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else model.dtype
    return torch.zeros(seen.shape, dtype=dtype, device=seen.device).masked_fill_(~seen, torch.finfo(dtype).min)


def _block_mask(seen: Tensor) -> Any:
    """Make flex attention's mask, which skips blocks where nothing is visible."""
    from torch.nn.attention.flex_attention import create_block_mask

    def sees(row: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return seen[row, 0, query, key]

    rows, _, width, _ = seen.shape
    return create_block_mask(sees, rows, None, width, width, device=seen.device)
