"""The scale that an answer gives its rating, and words behind a rating that revise it."""

import re
from collections.abc import Iterator
from typing import Any

from real_cli.errors import RecordError, clip
from real_cli.llm.embedded_json import json_objects
from real_cli.llm.verdict_fields import WORD
from real_cli.records.messages import is_number

SCALE_NAMES = frozenset(
    map(
        frozenset,
        [
            ["scale"], ["max"], ["maximum"], ["out", "of"], ["outof"], ["of"], ["range"], ["denominator"], ["highest"],
            ["max", "score"], ["maximum", "score"], ["max", "rating"], ["maximum", "rating"], ["rating", "scale"],
            ["score", "scale"], ["score", "range"], ["rating", "range"], ["scale", "max"], ["max", "points"],
        ],
    )
)  # fmt: skip
INTEGER = re.compile(r"\d{1,9}(?:\.\d{1,9})?")
TOLD = re.compile(
    r"\bscale\s*(?:of|from|is|:)?\s*\d{1,3}\s*(?:-|\u2013|to)\s*(\d{1,9})|\b(\d{1,9})(?:-|\s)points?\s+(?:likert\s+)?scale\b"
    r"|\bmax(?:imum|\.)?(?:\s+(?:possible|score|rating|points?|is|of))*\s*[:=]?\s*(\d{1,9})"
    r"|\(\s*\d{1,3}\s*(?:-|\u2013|to)\s*(\d{1,9})\s*\)|\bscale\s+of\s+(\d{1,9})\b(?!\s*(?:-|\u2013|to)\s*\d)",
    re.IGNORECASE,
)
AMOUNT = r"(\d{1,9}(?:\.\d{1,9})?)"
CHANGED = (
    r"(?:adjust|revis|correct|lower|rais|chang|updat|amend|reduc|increas|downgrad|upgrad|bump|drop)\w*"
    r"(?:\s+(?:it|that|this|the|my|rating|score|down|up|(?:response|text|output|answer)(?:\s+\d{1,9})?)){0,4}\s+(?:to|at)"
)
# "The sum should be 6" is a reason; these words speak of the rating, or have no subject.
REVISES = re.compile(
    rf"(?:(?:\A|[.,;:(!\n])\s*(?:hmm,?\s+|so\s+|and\s+)?|\b(?:rating|score|I|will|would|then)\s+)"
    rf"(?:{CHANGED}|mak(?:e|ing)\s+(?:that|it)|should\s+(?:rather\s+)?be|(?:more|rather)\s+like|minus|(?:I\s+)?mean(?:t)?"
    rf"|(?:let['\u2019]s|I['\u2019]d)\s+say|(?:it|this|that)\s+should\s+(?:rather\s+)?be"
    rf"|after\s+(?:the\s+|this\s+)?(?:penalty|deduction|revision|review)\s*[,:]?)"
    rf"\s+(?:an?\s+)?{AMOUNT}(?![.,]?\d|\s+[a-z]{{3,}}s\b)"
    rf"|\b{AMOUNT}\s+(?:is|would\s+be)\s+(?:fairer|more\s+fitting)\b",
    re.IGNORECASE,
)
LINE_WIDTH = 400


def check_scale(answer: str, high: float, stated: Any = None) -> None:
    """Refuse an answer whose JSON names a scale that does not end where it should.

    >>> check_scale('{"score": 4, "max": 5}', 5)
    """
    for record in json_objects(answer):
        for name, value in _fields(record):
            words = frozenset(word.casefold() for word in WORD.findall(name))
            numbers = INTEGER.findall(str(value)) if is_number(value) or isinstance(value, str) else []
            is_total = words == {"total"} and stated is not None and str(value) != str(stated)
            if numbers and (words in SCALE_NAMES or is_total) and float(numbers[-1]) != high:
                raise RecordError(f"the answer's '{name}' is {clip(value)}; the scale ends at {high:g}: {clip(answer)}")


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _fields(inner)


def is_of_other_scale(text: str, start: int, end: int, high: float) -> bool:
    """Tell whether the line of a rating names another scale: "(on a scale of 1 to 5)".

    >>> text = "Rating: 4 (max 5)"
    >>> is_of_other_scale(text, 0, 9, 10), is_of_other_scale(text, 0, 9, 5)
    (True, False)
    """
    begin = max(text.rfind("\n", 0, start) + 1, start - LINE_WIDTH)
    stop = text.find("\n", end)
    line = text[begin : min(stop if stop >= 0 else len(text), end + LINE_WIDTH)]
    stated = [number for match in TOLD.finditer(line) for number in match.groups() if number]
    return any(float(number) != high for number in stated)


def revisions(text: str, start: int = 0) -> list[str]:
    """List the numbers to which words of a text change a rating.

    >>> revisions("Rating: 9. Hmm, make that 6.")
    ['6']
    """
    return [amount for match in REVISES.finditer(text, start) for amount in match.groups() if amount]


def is_revised(text: str, start: int, rating: Any) -> bool:
    """Tell whether words behind a rating change it.

    >>> is_revised("Rating: 9. Hmm, make that 6.", 9, 9)
    True
    """
    return any(float(amount) != rating for amount in revisions(text, start))
