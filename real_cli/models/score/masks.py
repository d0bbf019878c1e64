"""The attention mask of the shared layout, in the form that a model's attention takes."""

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
    """Make the mask that a transformers model takes as it is.

    It has four dimensions; where layers differ (Gemma, say), there is one for each kind of layer, by transformers'
    names.
    """
    config = model.config.get_text_config()
    window = getattr(config, "sliding_window", None)
    kinds = set(getattr(config, "layer_types", None) or ())
    whole = visible(segments, positions)
    if SLIDING in kinds:
        near = visible(segments, positions, window)
        return {"full_attention": _as_taken(model, whole), SLIDING: _as_taken(model, near)}
    if window is not None and not kinds:
        return _as_taken(model, visible(segments, positions, window))
    return _as_taken(model, whole)


def _as_taken(model: Any, seen: Tensor) -> Any:
    """Give the mask the form that the model's attention takes."""
    if model.config.get_text_config()._attn_implementation == Attention.flex:
        return _block_mask(seen)
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
