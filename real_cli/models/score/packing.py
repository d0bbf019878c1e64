"""Attention in the packed layout: each group of a row looks at itself alone.

transformers looks attention functions up by name. Ours goes by the name of another with `PACKED` before it, and runs
that one on a group at a time, with masks as small as the group. So nothing grows with the square of the row, and what
becomes of softcaps and sinks is what the other makes of them. Flex attention takes the row whole, and skips its blocks.
"""

import sys
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor

from real_cli.models.load.device import PACKED, attention_name
from real_cli.models.load.resolve import quiet_libraries
from real_cli.models.score.masks import added_to_scores, for_each_window, visible
from real_cli.models.score.sequences import PROMPT_SEGMENT
from real_cli.records.choices import Attention

# Places of a row that flex attention computes, or skips, at a time.
BLOCK = 128


def pack_attention(model: Any) -> None:
    """Have a model's attention take packed rows.

    Raises:
        ValueError: It does not ask transformers' table of attention functions.
    """
    name = PACKED + attention_name(model)
    _register(name)
    with quiet_libraries():
        model.set_attn_implementation(name)
    if model.config.get_text_config()._attn_implementation != name:
        raise ValueError("its attention function cannot be exchanged")


def unpack_attention(model: Any) -> None:
    """Give a model the attention that it had before `pack_attention`."""
    with quiet_libraries():
        model.set_attn_implementation(attention_name(model))


def packed_mask(model: Any, segments: Tensor, positions: Tensor, group_lengths: Sequence[int]) -> Any:
    """Make the mask of a packed row.

    Args:
        model: Prepared by `pack_attention`.
        segments: 0 for tokens of a prompt, k for those of its response k; shape (1, seq).
        positions: Places in the text, counted as if each response stood alone after its prompt; shape (1, seq).
        group_lengths: Tokens of each group, in order.

    Returns:
        The mask; where layers differ, one for each kind. Models hand on a tensor of four dimensions unread: it is an
        empty one, and its attribute `group_masks` lists each group's places in the row and its mask, of shape
        (1, 1, seq, seq). For flex attention it is a BlockMask.
    """
    if attention_name(model) == Attention.flex:
        numbers = torch.arange(len(group_lengths), device=segments.device)
        groups = numbers.repeat_interleave(torch.tensor(group_lengths, device=segments.device))
        return for_each_window(model, lambda window: flex_mask(segments[0], positions[0], groups, window))
    spans = [slice(*ends) for ends in pairwise(accumulate(group_lengths, initial=0))]

    def make(window: int | None) -> Any:
        carrier: Any = torch.empty(1, 1, 0, 0, device=segments.device)
        carrier.group_masks = [
            (span, added_to_scores(model, visible(segments[:, span], positions[:, span], window))) for span in spans
        ]
        return carrier

    return for_each_window(model, make)


def flex_mask(segments: Tensor, positions: Tensor, groups: Tensor, window: int | None) -> Any:
    """Make flex attention's mask of a packed row, from numbers a token and none a pair of tokens.

    Args:
        segments: 0 for tokens of a prompt, k for those of its response k; shape (seq,).
        positions: Places in the text; shape (seq,).
        groups: Number of each token's group, ascending; shape (seq,).
        window: Only tokens less than this far back are seen; None for all.

    Returns:
        A BlockMask that visits the blocks of keys whose groups reach into those of the queries, and its rule.
    """
    from torch.nn.attention.flex_attention import BlockMask

    def sees(row: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        seen = (groups[query] == groups[key]) & (key <= query)
        seen = seen & ((segments[key] == PROMPT_SEGMENT) | (segments[key] == segments[query]))
        return seen if window is None else seen & (positions[query] - positions[key] < window)

    length = len(groups)
    starts = torch.arange(0, length, BLOCK, device=groups.device)
    first, last = groups[starts], groups[(starts + BLOCK - 1).clamp(max=length - 1)]
    is_visited = (last[None, :] >= first[:, None]) & (starts[None, :] <= starts[:, None])  # (blocks, blocks)
    order = is_visited.int().argsort(dim=-1, descending=True, stable=True).int()
    counts = is_visited.sum(dim=-1).int()
    return BlockMask.from_kv_blocks(
        counts[None, None], order[None, None], BLOCK_SIZE=BLOCK, mask_mod=sees, seq_lengths=(length, length)
    )


def _register(name: str) -> None:
    """Put our function into transformers' tables; rows that are not packed take the mask of the function below."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS

    AttentionInterface.register(name, _attend)
    AttentionMaskInterface.register(name, ALL_MASK_ATTENTION_FUNCTIONS[name.removeprefix(PACKED)])


def _attend(
    module: Any, query: Tensor, key: Tensor, value: Tensor, attention_mask: Any, *args: Any, **options: Any
) -> tuple[Tensor, Any]:
    """Attend as transformers' functions do: from (rows, heads, seq, dim) to (rows, seq, heads, dim)."""
    attend = _function_below(module)
    group_masks = getattr(attention_mask, "group_masks", None)
    if group_masks is None:
        if module.config._attn_implementation == PACKED + Attention.flex:
            for tensor in (query, key, value):  # a graph for each new length would take seconds to compile
                torch._dynamo.maybe_mark_dynamic(tensor, 2)
        result: tuple[Tensor, Any] = attend(module, query, key, value, attention_mask, *args, **options)
        return result
    outputs = [
        attend(module, query[:, :, span], key[:, :, span], value[:, :, span], mask, *args, **options)[0]
        for span, mask in group_masks
    ]
    return torch.cat(outputs, dim=1), None


def _function_below(module: Any) -> Any:
    """Look up an attention function as the module's own file does; there 'eager' is defined."""
    name = module.config._attn_implementation.removeprefix(PACKED)
    files = (sys.modules[kind.__module__] for kind in type(module).__mro__)
    file: Any = next(file for file in files if hasattr(file, "ALL_ATTENTION_FUNCTIONS"))
    return file.ALL_ATTENTION_FUNCTIONS.get_interface(name, getattr(file, "eager_attention_forward", None))
