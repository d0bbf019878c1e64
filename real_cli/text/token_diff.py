"""The tokens in which two responses differ: BMC weighs these."""

from collections.abc import Sequence
from difflib import SequenceMatcher


def differing_tokens(responses: Sequence[Sequence[int]], ignored: frozenset[int] = frozenset()) -> list[list[bool]]:
    """Mark the tokens of the first two responses that the other one lacks at that place.

    >>> differing_tokens([[5, 6, 7, 8], [5, 9, 7]])
    [[False, True, False, True], [False, True, False]]

    References:
        Jiang et al., 2024, BMC, arXiv:2408.07471; the code's own marks are those of `code_differing_tokens`.
    """
    chosen, rejected, *others = responses
    marks = [[False] * len(ids) for ids in (chosen, rejected)]
    matcher = SequenceMatcher(None, chosen, rejected, autojunk=False)
    for operation, *ends in matcher.get_opcodes():
        if operation != "equal":
            for side, ids, (start, end) in zip(marks, (chosen, rejected), (ends[:2], ends[2:]), strict=True):
                side[start:end] = [token not in ignored for token in ids[start:end]]
    return marks + [[False] * len(ids) for ids in others]


def code_differing_tokens(
    prompt: Sequence[int],
    responses: Sequence[Sequence[int]],
    ignored: frozenset[int] = frozenset(),
    *,
    pad: int,
) -> list[list[bool]]:
    """Mark tokens as BMC's official code does: from the rejected to the chosen, prompt and padding included.

    Which of several equal matches is taken depends on the direction, and from 200 tokens on SequenceMatcher ignores
    popular tokens. The code pads to the longest of a device's batch; here a pair is padded to its longer side, so
    that its marks do not depend on its neighbors.

    >>> code_differing_tokens([], [[2, 1], [1, 2, 3, 1]], pad=0)
    [[True, False], [False, True, True, True]]

    References:
        BMC's code, repository YJiangcm/BMC: `replace` and `delete` mark the rejected, `replace` and `insert` the chosen
        response.
    """
    chosen, rejected, *others = responses
    length = len(prompt) + max(len(chosen), len(rejected))
    sides = [[*prompt, *ids, *[pad] * (length - len(prompt) - len(ids))] for ids in (rejected, chosen)]
    marks = [[False] * length for _ in sides]
    matcher = SequenceMatcher(None, sides[0], sides[1])
    for operation, *ends in matcher.get_opcodes():
        if operation != "equal":
            for side, ids, (start, end) in zip(marks, sides, (ends[:2], ends[2:]), strict=True):
                side[start:end] = [token not in ignored for token in ids[start:end]]
    first, second = (side[len(prompt) :] for side in marks)
    return [second[: len(chosen)], first[: len(rejected)], *([False] * len(ids) for ids in others)]
