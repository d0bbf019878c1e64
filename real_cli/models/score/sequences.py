"""Responses grouped by their prompt, and the tensors that a model reads.

In the *shared* layout a group is one row: the prompt, then every response. A response sees the prompt and itself, and
its positions go on from the prompt's end, so it is scored as if it stood there alone. In the *plain* layout every
response is a row of its own, with the prompt before it. In the *packed* layout all groups of a pass are one row, one
after another without padding: a token sees its own group as in the shared layout, and nothing of the others.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, NamedTuple, TypeAlias

import torch

from real_cli.models.score.batching import packed_batches, token_batches
from real_cli.models.score.contexts import is_scored, token_id
from real_cli.models.score.tokens import TokenizedExample
from real_cli.records.choices import TokenLayout

# The segment of the prompt's tokens; the first response is 1.
PROMPT_SEGMENT = 0


# Token ids as a key.
Ids: TypeAlias = tuple[int, ...]


class Member(NamedTuple):
    """An item of a batch (a pair, say) and which responses of its group it holds, in its own order."""

    item: int
    responses: tuple[int, ...]


class Group(NamedTuple):
    """A prompt, its distinct responses, and the items that are made of them."""

    prompt: Ids
    responses: list[Ids]
    members: list[Member]


def group_by_prompt(examples: Iterable[TokenizedExample]) -> list[Group]:
    """Group examples by their prompt, in order; a response that occurs twice is there once.

    An example's place is its item number.

    >>> told = [([5], [[7], [8]]), ([6], [[7], [8]]), ([5], [[7], [9]])]
    >>> first, second = group_by_prompt([TokenizedExample(*example) for example in told])
    >>> first
    Group(prompt=(5,), responses=[(7,), (8,), (9,)], members=[Member(item=0, responses=(0, 1)), \
Member(item=2, responses=(0, 2))])
    """
    groups: dict[Ids, Group] = {}
    numbers: dict[Ids, dict[Ids, int]] = {}
    for item, example in enumerate(examples):
        prompt = tuple(example.prompt)
        group = groups.setdefault(prompt, Group(prompt, [], []))
        known = numbers.setdefault(prompt, {})
        places = tuple(known.setdefault(tuple(ids), len(known)) for ids in example.responses)
        group.responses[:] = known
        group.members.append(Member(item, places))
    return list(groups.values())


def split_group(group: Group, layout: TokenLayout, budget: int) -> list[Group]:
    """Split a group that takes more than `budget` tokens; one item alone may take more."""
    num_rows, width = shape(group, layout)
    if len(group.members) < 2 or num_rows * width <= budget:
        return [group]
    middle = len(group.members) // 2
    halves = (_part(group, group.members[:middle]), _part(group, group.members[middle:]))
    return [part for half in halves for part in split_group(half, layout, budget)]


def _part(group: Group, members: list[Member]) -> Group:
    used = sorted({place for member in members for place in member.responses})
    members = [Member(item, tuple(used.index(place) for place in places)) for item, places in members]
    return Group(group.prompt, [group.responses[place] for place in used], members)


def rows_of(groups: Sequence[Group], layout: TokenLayout) -> list[Group]:
    """Split groups into what stands alone in a batch, in order: a group (shared, packed) or a response (plain)."""
    if layout is not TokenLayout.plain:
        return list(groups)
    return [Group(group.prompt, [response], []) for group in groups for response in group.responses]


def shape(group: Group, layout: TokenLayout) -> tuple[int, int]:
    """Return a group's rows in a batch, and the tokens of the longest."""
    lengths = [len(row.prompt) + sum(map(len, row.responses)) for row in rows_of([group], layout)]
    return len(lengths), max(lengths)


def group_batches(groups: Sequence[Group], layout: TokenLayout, budget: int) -> Iterator[list[int]]:
    """Yield the indices of groups whose batch stays within a token budget; a larger group stands alone."""
    rows, widths = zip(*(shape(group, layout) for group in groups), strict=True)
    yield from packed_batches(widths, budget) if layout is TokenLayout.packed else token_batches(widths, budget, rows)


def lay_out(groups: Sequence[Group], layout: TokenLayout, pad_token_id: int) -> dict[str, Any]:
    """Make the tensors of one forward pass.

    Args:
        groups: Prompts with responses.
        layout: How they lie.
        pad_token_id: What rows are filled up with, on the right; no other token sees it.

    Returns:
        Arguments of a model that `attach_scorer` prepared: `input_ids`; `position_ids` and `segments` (shared and
        packed) or `attention_mask` (plain), all of shape (rows, seq); `group_lengths`, the tokens of each group
        (packed, a list); and for every response token that something predicts,
        `predictors` (the place that predicts it, in the flattened batch), `targets` (its id) and `owners` (the number
        of its response), shape (tokens,), the responses one after another; `places` and `place_owners` of every
        response token, predicted or not; `num_responses`. Context inside a response (`~id`) is read, and is in none.

    Example:
        >>> batch = lay_out([Group((5, 6), [(7, 1), (8,)], [])], TokenLayout.shared, 0)
        >>> batch["input_ids"].tolist(), batch["position_ids"].tolist(), batch["segments"].tolist()
        ([[5, 6, 7, 1, 8]], [[0, 1, 2, 3, 2]], [[0, 0, 1, 1, 2]])
        >>> batch["predictors"].tolist(), batch["targets"].tolist(), batch["owners"].tolist()
        ([1, 2, 1], [7, 1, 8], [0, 0, 1])
    """
    rows = rows_of(groups, layout)
    lengths = [len(row.prompt) + sum(map(len, row.responses)) for row in rows]
    if layout is TokenLayout.packed:
        offsets = list(accumulate(lengths[:-1], initial=0))
        batch = _packed_tensors(rows) | {"group_lengths": lengths}
    else:
        offsets = [number * max(lengths) for number in range(len(rows))]
        batch = _padded_tensors(rows, layout, max(lengths), pad_token_id)
    return batch | _response_tensors(rows, offsets)


def _packed_tensors(rows: Sequence[Group]) -> dict[str, Any]:
    """Make what the model reads where all groups are one row."""
    makers = {"input_ids": _row_ids, "position_ids": _row_positions, "segments": _row_segments}
    return {name: torch.tensor([[value for row in rows for value in make(row)]]) for name, make in makers.items()}


def _padded_tensors(rows: Sequence[Group], layout: TokenLayout, width: int, pad_token_id: int) -> dict[str, Any]:
    """Make what the model reads where each row is filled up to the longest."""
    batch = {"input_ids": _padded([_row_ids(row) for row in rows], width, pad_token_id)}
    if layout is TokenLayout.plain:
        lengths = [len(row.prompt) + sum(map(len, row.responses)) for row in rows]
        return batch | {"attention_mask": _padded([[1] * length for length in lengths], width, 0)}
    batch["position_ids"] = _padded([_row_positions(row) for row in rows], width, 0)
    return batch | {"segments": _padded([_row_segments(row) for row in rows], width, -1)}


def _response_tensors(rows: Sequence[Group], offsets: Sequence[int]) -> dict[str, Any]:
    """Find the response tokens of a batch, and what predicts them; `offsets` say where each row begins when flat."""
    predictors: list[int] = []
    targets: list[int] = []
    owners: list[int] = []
    own_places: list[int] = []
    place_owners: list[int] = []
    number = 0
    for row, offset in zip(rows, offsets, strict=True):
        starts = accumulate(map(len, row.responses), initial=len(row.prompt))
        for response, start in zip(row.responses, starts, strict=False):
            # The prompt's last token predicts the first of every response. Without a prompt nothing does.
            places = [len(row.prompt) - 1, *range(start, start + len(response) - 1)][: len(response)]
            scored = [index for index in range(len(response)) if is_scored(response[index])]
            counted = [index for index in scored if places[index] >= 0]
            predictors += [offset + places[index] for index in counted]
            targets += [response[index] for index in counted]
            owners += [number] * len(counted)
            own_places += [offset + start + index for index in scored]
            place_owners += [number] * len(scored)
            number += 1
    lists = {"predictors": predictors, "targets": targets, "owners": owners}
    lists |= {"places": own_places, "place_owners": place_owners}
    tensors = {name: torch.tensor(values, dtype=torch.long) for name, values in lists.items()}
    return tensors | {"num_responses": number}


def member_responses(groups: Sequence[Group]) -> tuple[list[int], list[tuple[int, ...]]]:
    """List the item numbers of a batch, and for each the numbers of its responses there."""
    offsets = accumulate((len(group.responses) for group in groups), initial=0)
    placed = [
        (member.item, tuple(offset + place for place in member.responses))
        for group, offset in zip(groups, offsets, strict=False)
        for member in group.members
    ]
    return [item for item, _ in placed], [places for _, places in placed]


def _row_ids(row: Group) -> list[int]:
    return [*row.prompt, *(token_id(value) for response in row.responses for value in response)]


def _row_positions(row: Group) -> list[int]:
    start = len(row.prompt)
    return [*range(start), *(place for ids in row.responses for place in range(start, start + len(ids)))]


def _row_segments(row: Group) -> list[int]:
    segments = (number for number, ids in enumerate(row.responses, PROMPT_SEGMENT + 1) for _ in ids)
    return [PROMPT_SEGMENT] * len(row.prompt) + list(segments)


def _padded(rows: list[list[int]], width: int, filler: int) -> torch.Tensor:
    return torch.tensor([row + [filler] * (width - len(row)) for row in rows], dtype=torch.long)
