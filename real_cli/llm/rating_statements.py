"""Which rating an answer gives: what in it states a number."""

import re
from collections.abc import Iterator, Sequence
from enum import IntEnum
from functools import partial
from typing import Any, NamedTuple

from real_cli.llm.embedded_json import located_objects
from real_cli.llm.statements import Statement, blanked, settle, spelling
from real_cli.records.messages import is_number

KEYS = ("score", "rating", "overall_score")
NUMBER = r"(N/A|-?\d++(?:\.\d++)?+)"
SCALE = r"(?:\s*(?:/|out\s+of)\s*(\d++))?+"
# "Rating: 1-5" and "Score: 1 to 10" echo the format asked for.
RATING = re.compile(
    r"(?:(?P<whole>\b(?:overall|final|total)\s+)|(?P<part>\b[a-z]++(?<!\bthe)(?<!\bmy)(?<!\bthis)(?<!\ba)[ \t]++))?"
    rf"(?P<name>\b(?:score|rating)\b)[\"'*_\s]*+(?P<link>is|of|:|=)?+[\"'*_\s\[]*+(?P<number>{NUMBER[1:-1]})"
    r"(?:\s*(?:/|out\s+of)\s*(?P<scale>\d++))?+"
    r"(?!\s*(?:-|\u2013|\bto\b|\bor\b|,)\s*(?:\d|N/A))",
    re.IGNORECASE,
)
BARE = re.compile(rf"[\"'*_\[\s]*{NUMBER}{SCALE}[\"'*_\].\s]*", re.IGNORECASE)


class Weight(IntEnum):
    """How much a statement of a rating counts; where there is a weightier one, a lighter one is of a part."""

    loose = 0
    plain = 1
    whole = 2
    form = 3


class Rated(NamedTuple):
    """A statement of a rating, and its weight."""

    statement: Statement[Any]
    weight: Weight


def rating_statements(text: str) -> Iterator[Rated]:
    """List what a text states of a rating.

    Args:
        text: Any text.

    Yields:
        Ratings as they are written: of JSON the value, else a numeral, "4/5" or "N/A".

    Example:
        >>> [(one.statement.value, one.weight.name) for one in rating_statements("Style score: 5. Overall score: 7/10")]
        [('5', 'loose'), ('7/10', 'whole')]
    """
    objects = []
    for start, end, found in located_objects(text):
        named = [(key, found[key]) for key in KEYS if key in found]
        named = [(key, value) for key, value in named if _is_rating(value)] or named[:1]
        objects += [(start, end)] * bool(named)
        for key, value in named:
            words = f'{key}": {value}' if len(found) == 1 else text[start:end]
            yield Rated(Statement(_hashable(value), spelling(words), start, end), Weight.form)
    for match in RATING.finditer(blanked(text, objects)):
        value = f"{match['number']}/{match['scale']}" if match["scale"] else match["number"]
        yield Rated(Statement(value, spelling(text[match.start("name") : match.end()]), *match.span()), _weight(match))


def settled_ratings(text: str, shown: Sequence[str], *, formal: bool = False) -> list[Any]:
    """Work out which rating an answer gives.

    Args:
        text: The answer.
        shown: What the model was shown and may quote.
        formal: Leave out what is said in passing, also where nothing else is said.

    Returns:
        Ratings as they are written: none, one, or several if the answer contradicts itself. Parts of a rating, and
        what is said in passing, count where nothing else is.

    Example:
        >>> settled_ratings("Style score: 5. Overall score: 7/10", [])
        ['7/10']
    """
    whole = any(one.weight is Weight.whole for one in rating_statements(text))
    first = {Weight.form, Weight.whole} if whole else {Weight.form, Weight.plain}
    for weights in (first, {Weight.plain}, {Weight.loose})[: 1 if formal else 3]:
        found = settle(text, shown, partial(_of_weights, weights=weights), partial(_of_weights, weights=set(Weight)))
        if found:
            return found
    return []


def _of_weights(text: str, weights: set[Weight]) -> Iterator[Statement[Any]]:
    return (one.statement for one in rating_statements(text) if one.weight in weights)


def _weight(match: re.Match[str]) -> Weight:
    if match["whole"]:
        return Weight.whole
    return Weight.loose if match["part"] or (match["link"] or "of").lower() == "of" else Weight.plain


def _is_rating(value: Any) -> bool:
    return is_number(value) or (isinstance(value, str) and BARE.fullmatch(value) is not None)


def _hashable(value: Any) -> Any:
    """Let values be told apart: 1 is not true, and a list or an object is its words."""
    return value if isinstance(value, str) or is_number(value) else str(value)
