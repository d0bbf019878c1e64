"""Which response each row of a judge's ratings is about; rows that cannot be told apart for sure are refused."""

import re
from collections.abc import Iterator
from typing import Any

from real_cli.errors import RecordError, clip
from real_cli.llm.verdict_fields import REVISED, SWAPPED, WORD
from real_cli.records.record import Record

NOUN = r"(?:response|text|output|answer|candidate|completion|assistant|model|option|reply)"
NAMED = re.compile(rf"\W*(?:(?:the\s+)?{NOUN}[\s_#-]*)?(\d{{1,9}})\W*", re.IGNORECASE | re.ASCII)
LETTERED = re.compile(rf"\W*(?:(?:the\s+)?{NOUN}[\s_#-]*)?([A-H])\W*", re.IGNORECASE)
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
ORDINAL = re.compile(rf"\W*(?:the\s+)?({'|'.join(ORDINALS)})(?:\s+(?:{NOUN}|one))?\W*", re.IGNORECASE)
# "Response 2 is right" begins a reason.
OPENING = re.compile(rf"\W*{NOUN}[\s_#-]*(\d{{1,9}})\b", re.IGNORECASE | re.ASCII)
# A field whose name has no other words names a response.
ID_WORDS = frozenset(
    {"response", "output", "candidate", "text", "answer", "completion", "model", "assistant", "which", "item", "key"}
    | {"idx", "index", "num", "number", "no", "nr", "id", "name", "title", "choice", "option", "label", "reply"}
)
RATINGS = frozenset({"rating", "ratings", "score", "scores"})
PENALTIES = frozenset({"penalty", "penalties", "deduction", "deductions", "bonus", "adjustment", "malus", "after"})
RANKS = frozenset({"rank", "ranking", "ranks", "place", "position"})
REASONS = frozenset(
    {"rationale", "reason", "reasons", "explanation", "feedback", "comment", "justification", "critique"}
)


def words_of(key: str) -> frozenset[str]:
    """Split the name of a field: "responseId" is "response" and "id".

    >>> sorted(words_of("responseId"))
    ['id', 'response']
    """
    return frozenset(word.casefold() for word in WORD.findall(key))


def response_number(value: Any) -> int | None:
    """Read the name of a response: 2, "Response 2", "B", "the second".

    >>> [response_number(name) for name in (2, "response_2", "B", "the second one", "blue")]
    [2, 2, 2, 2, None]
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        return None
    if match := NAMED.fullmatch(value):
        return int(match[1])
    if match := LETTERED.fullmatch(value):
        return ord(match[1].upper()) - ord("A") + 1
    match = ORDINAL.fullmatch(value)
    return ORDINALS.index(match[1].lower()) + 1 if match else None


def row_numbers(rows: list[Record]) -> list[int]:
    """Return the number of the response of each row; without a name in the rows, its position.

    >>> row_numbers([{"response_id": 2, "rating": 5}, {"response_id": 1, "rating": 3}])
    [2, 1]
    """
    positions = list(range(1, len(rows) + 1))
    named: list[list[int]] = []
    for key in dict.fromkeys(key for row in rows for key in row):
        words, values = words_of(key), [row.get(key) for row in rows]
        if words <= ID_WORDS:
            numbers = [number for value in values if (number := response_number(value)) is not None]
            if len(numbers) == len(rows):
                named.append(numbers)
            elif len(set(map(repr, values))) > 1 or key in ("response", "id"):
                raise RecordError(f"the answer's ratings are for {clip(values)}; which responses is not clear")
    if any(numbers != named[0] for numbers in named):
        raise RecordError(f"the answer's ratings have names that differ: {clip(named)}")
    _check_order(rows, named[0] if named else [])
    return named[0] if named else positions


def _check_order(rows: list[Record], named: list[int]) -> None:
    """Refuse rows of which another field says something else than their names, or their positions without any."""
    for key, numbers in _other_orders(rows):
        if numbers != (named or list(range(1, len(rows) + 1))) and not (named and isinstance(rows[0][key], int)):
            raise RecordError(f"the answer's ratings may be in another order, by {clip(key)}: {clip(numbers)}")
    if not named and any(_names_within(row) for row in rows):
        raise RecordError(f"the answer's ratings name their responses in inner objects: {clip(rows)}")
    if not named and any(words_of(key) & RANKS for row in rows for key in row) and len(rows) > 1:
        raise RecordError("the answer's ratings are ranked and name no response")


def _names_within(row: Record) -> bool:
    return any(words_of(key) <= ID_WORDS for value in row.values() if isinstance(value, dict) for key in value)


def _other_orders(rows: list[Record]) -> Iterator[tuple[str, list[int]]]:
    """Yield the fields of any other name whose values could be the names of all responses."""
    for key in rows[0] if rows else ():
        words = words_of(key)
        if not words <= ID_WORDS and not words & (RATINGS | RANKS | REASONS):
            numbers = [response_number(row.get(key)) for row in rows]
            if sorted(number or 0 for number in numbers) == list(range(1, len(rows) + 1)):
                yield key, [number or 0 for number in numbers]
        openings = [OPENING.match(str(row.get(key) or "")) for row in rows]
        opened = [int(match[1]) for match in openings if match]
        if sorted(opened) == list(range(1, len(rows) + 1)):
            yield key, opened


def is_revised_key(key: str) -> bool:
    """Tell whether a field changes a rating: "final_score", "score_after_penalty", "deduction".

    >>> [key for key in ("adjusted_score", "penalty", "style_score") if is_revised_key(key)]
    ['adjusted_score', 'penalty']
    """
    words = words_of(key)
    changes = bool(words & PENALTIES and words <= PENALTIES | RATINGS | {"for", "total"})
    return changes or (bool(words & REVISED) and words - REVISED <= RATINGS | {"overall", "grade"})


def rating_of(row: Record) -> Any:
    """Return the rating of a row, None if there is none; two that differ raise RecordError.

    >>> rating_of({"Rating": 4, "why": "Short."})
    4
    """
    held = [(words_of(key), value) for key, value in row.items()]
    ratings = [value for words, value in held if words in ({"rating"}, {"score"})]
    revised = [value for key, value in row.items() if is_revised_key(key) and value]
    if len({repr(value) for value in (*ratings, *revised)}) > 1:
        raise RecordError(f"the answer rates a response in several ways: {clip(row)}")
    return ratings[0] if ratings else None


def has_rating(row: Record) -> bool:
    """Tell whether an object rates a response.

    >>> has_rating({"Score": 4}), has_rating({"style_score": 4})
    (True, False)
    """
    return any(words_of(key) in ({"rating"}, {"score"}) for key in row)


def contradicting_list(record: Record, ratings: list[Any]) -> str | None:
    """Return the name of a list beside the ratings that gives them another order, or revises them.

    >>> contradicting_list({"order": [2, 1], "ratings": [5, 1]}, [5, 1])
    'order'
    """
    for key, value in record.items():
        if value is True and SWAPPED.search(key):
            return key
        if not isinstance(value, list) or len(value) != len(ratings) or value == ratings or words_of(key) & RANKS:
            continue
        words = words_of(key)
        numbers = [response_number(other) for other in value]
        if (words & RATINGS and words & REVISED) or (
            None not in numbers and numbers != list(range(1, len(value) + 1)) and not words & RATINGS
        ):
            return key
    return None
