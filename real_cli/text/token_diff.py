"""In which tokens two responses differ: what BMC weighs."""

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

# English words of grammar: an edit that only exchanges these changes no content.
FUNCTION_WORDS = frozenset(
    """a about after again all also am an and any are as at be because been before being between both but by can could
    did do does doing down during each few for from further had has have having he her here hers him his how i if in
    into is it its itself just may me might more most must my no nor not now of off on once only or other our ours out
    over own same shall she should so some such than that the their theirs them then there these they this those
    through to too under until up upon us very was we were what when where which while who whom whose why will with
    would you your yours""".split()  # noqa: SIM905 - a list of words reads as words
)


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


def function_tokens(vocabulary: Iterable[tuple[int, str]]) -> frozenset[int]:
    """Find the tokens that are a word of grammar, with or without a space before it.

    Args:
        vocabulary: Token ids and their texts.

    Returns:
        Ids.

    Example:
        >>> sorted(function_tokens([(0, "the"), (1, " The"), (2, "theme"), (3, " mat")]))
        [0, 1]
    """
    return frozenset(token for token, text in vocabulary if text.strip().lower() in FUNCTION_WORDS)
