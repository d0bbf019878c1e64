"""In which tokens two responses differ: what BMC weighs."""

from collections.abc import Sequence
from difflib import SequenceMatcher


def differing_tokens(responses: Sequence[Sequence[int]], ignored: frozenset[int] = frozenset()) -> list[list[bool]]:
    """Mark the tokens of the first two responses that the other one has not at that place.

    Args:
        responses: Token ids: chosen, rejected, and others, which stay unmarked.
        ignored: Tokens that are never marked.

    Returns:
        For each response one mark a token.

    Example:
        >>> differing_tokens([[5, 6, 7, 8], [5, 9, 7]])
        [[False, True, False, True], [False, True, False]]

    References:
        BMC's code: `replace` and `delete` mark the rejected, `replace` and `insert` the chosen response.
    """
    chosen, rejected, *others = responses
    marks = [[False] * len(ids) for ids in (chosen, rejected)]
    matcher = SequenceMatcher(None, chosen, rejected, autojunk=False)
    for operation, *ends in matcher.get_opcodes():
        if operation != "equal":
            for own, ids, (start, end) in zip(marks, (chosen, rejected), (ends[:2], ends[2:]), strict=True):
                own[start:end] = [token not in ignored for token in ids[start:end]]
    return marks + [[False] * len(ids) for ids in others]
