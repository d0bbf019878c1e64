"""English function words, as words and as tokens."""

from collections.abc import Callable, Iterable

# English function words: an edit that only swaps these changes no content.
FUNCTION_WORDS = frozenset(
    """a about after again all also am an and any are as at be because been before being between both but by can could
    did do does doing down during each few for from further had has have having he her here hers him his how i if in
    into is it its itself just may me might more most must my no nor not now of off on once only or other our ours out
    over own same shall she should so some such than that the their theirs them then there these they this those
    through to too under until up upon us very was we were what when where which while who whom whose why will with
    would you your yours""".split()  # noqa: SIM905 - a list of words reads as words
)


def function_tokens(vocabulary: Iterable[tuple[int, str]]) -> frozenset[int]:
    """Find the tokens that are a function word, with or without a space before it.

    >>> sorted(function_tokens([(0, "the"), (1, " The"), (2, "theme"), (3, " mat")]))
    [0, 1]
    """
    return frozenset(token for token, text in vocabulary if text.strip().lower() in FUNCTION_WORDS)


def code_stop_tokens(words: Iterable[str], encode: Callable[[str], list[int]]) -> frozenset[int]:
    """Find the tokens that BMC's official code takes for stop words: bare words, without a space before.

    >>> sorted(code_stop_tokens(["of", "a"], lambda word: {"of": [1], "Of": [2], "a": [3], "A": [4]}[word]))
    [1, 2, 3]

    References:
        BMC's code, repository YJiangcm/BMC.
    """
    listed = sorted(words)
    both = [*listed, *(word.capitalize() for word in listed if len(word) > 1)]
    return frozenset(ids[0] for ids in map(encode, both) if len(ids) == 1)
