"""How probable a model made each verdict where it named one: from the log-probabilities that a server gives."""

import math
from collections.abc import Iterator
from typing import Any

from real_cli.records.messages import is_number
from real_cli.records.questions import WordOdds
from real_cli.records.verdicts import TIE

# The most that OpenAI and vLLM give: beside a letter stand its forms with a space, a quote or a bracket.
TOP_LOGPROBS = 20
# Around a word within one token, by the tokenizer's whim.
AROUND = " \t\r\n\"'`*_[](){}<>:.,\u2581\u0120"
# Where less of the probability lies on verdicts the word was none: "A good answer".
LEAST_SHARE = 0.5
# Rounded log-probabilities sum to a little more than 1.
MOST_SHARE = 1.001


def word_of(token: str) -> str | None:
    """Return the verdict that a token is or begins.

    Args:
        token: A token as a server shows it, with the space, quote or bracket that it may hold.

    Returns:
        "A", "B" or "tie"; None for any other token.

    Example:
        >>> word_of(' "A'), word_of("tie"), word_of("t"), word_of("An")
        ('A', 'tie', 'tie', None)
    """
    word = token.strip(AROUND)
    if word in ("A", "B"):
        return word
    return TIE if word and TIE.startswith(word.lower()) and word[0] == word[0].lower() else None


def read_odds(logprobs: Any) -> tuple[WordOdds, ...]:
    """Find the tokens of a choice's `logprobs` that name a verdict; what is not as it should be is left out.

    Args:
        logprobs: As in OpenAI's chat completions: `content` lists tokens, each with its `top_logprobs`.

    Returns:
        The verdicts in the order of the text, each with the probabilities of all three at its place.

    Example:
        >>> likeliest = [{"token": "A", "logprob": -0.5}, {"token": "B", "logprob": -1.0}]
        >>> read_odds({"content": [{"token": "A", "top_logprobs": likeliest}]})
        (WordOdds(word='A', odds={'A': 0.6065306597126334, 'B': 0.36787944117144233, 'tie': 0.0}),)
        >>> read_odds({"content": [{"token": "So", "top_logprobs": likeliest}]}), read_odds(None)
        ((), ())
    """
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    return tuple(_words(content)) if isinstance(content, list) else ()


def _words(content: list[Any]) -> Iterator[WordOdds]:
    for step in content:
        token = step.get("token") if isinstance(step, dict) else None
        word = word_of(token) if isinstance(token, str) else None
        others = step.get("top_logprobs") if word is not None else None
        if word is None or not isinstance(others, list):
            continue
        odds = {"A": 0.0, "B": 0.0, TIE: 0.0}
        for other in others:
            given = other.get("token") if isinstance(other, dict) else None
            named = word_of(given) if isinstance(given, str) else None
            logprob: Any = other.get("logprob") if named is not None else None
            if named is not None and is_number(logprob) and logprob <= 0:
                odds[named] += math.exp(logprob)
        if is_distribution(odds):
            yield WordOdds(word, odds)


def is_distribution(odds: Any) -> bool:
    """Tell whether odds are numbers for each verdict, and hold most of the probability.

    Args:
        odds: A value, as of a cache.

    Returns:
        Whether it can be read as probabilities.

    Example:
        >>> is_distribution({"A": 0.6, "B": 0.3, "tie": 0.0}), is_distribution({"A": 0.1, "B": 0.3, "tie": 0.0})
        (True, False)
    """
    if not isinstance(odds, dict) or list(odds) != ["A", "B", TIE] or not all(map(is_number, odds.values())):
        return False
    return LEAST_SHARE <= sum(odds.values()) <= MOST_SHARE and min(odds.values()) >= 0


def chance_of(verdict: str, odds: tuple[WordOdds, ...]) -> float | None:
    """Return how probable it was that A is better, a tie counting 1/2, where the verdict was named last.

    Args:
        verdict: "A", "B" or "tie", as it was read from the answer.
        odds: The verdicts in the answer.

    Returns:
        A probability, shared among the three; None where the answer's verdict is not among its tokens.

    Example:
        >>> chance_of("A", (WordOdds("A", {"A": 0.5, "B": 0.25, "tie": 0.25}),))
        0.625
        >>> chance_of("B", (WordOdds("A", {"A": 1.0, "B": 0.0, "tie": 0.0}),)) is None
        True
    """
    last = next((word.odds for word in reversed(odds) if word.word == verdict), None)
    if last is None:
        return None
    return (last["A"] + last[TIE] / 2) / sum(last.values())
