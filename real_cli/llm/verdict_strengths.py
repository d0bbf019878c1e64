"""How strong a verdict is, where an answer says so: a strength below 0, or of 0, leaves open whom it is for."""

import re
from collections.abc import Iterator
from typing import Any

from real_cli.llm.verdict_fields import KEYS, NOUNS, WORD
from real_cli.records.messages import is_number
from real_cli.records.verdicts import TIE

SIZES = frozenset({"strength", "margin", "difference", "delta", "gap", "advantage", "magnitude", "intensity", "degree"})
SURENESS = frozenset({"confidence", "certainty"})
SCORES = frozenset({"score", "rating", "level", "value", "points"})
# Beside these, a size is not of the verdict: "length_difference".
AROUND = KEYS | NOUNS | frozenset({"of", "relative", "signed", "win", "victory", "quality", "how", "by"})
NONE = frozenset({"none", "zero", "no", "no preference", "equal", "nil"})
NUMBER = re.compile(r"\s*([-+\u2212\u2013]?)\s*(\d+(?:\.\d*)?|\.\d+)(?!\s*[-\u2013]\s*\d)")
MINUS = "-\u2212\u2013"
# A label in running text: "Preference strength: -3", "(margin = -2)", a cell; not "its profit margin is -2%".
WORDED = re.compile(
    r"(?:\A|[\n(,;|.]|\b(?:preference|verdict|overall|relative|my))[\s\"'*_#-]{0,20}+"
    r"(?:strength|margin|difference|advantage|confidence|certainty|magnitude|intensity)\b"
    r"[\"'*_\s]{0,20}+(?:of\b|is\b|[:=|])?[\"'*_\s(]{0,20}+"
    r"(?:[-\u2212\u2013](?:\d|\.\d)|0(?:\.0*)?(?![\d.]*\d))",
    re.IGNORECASE,
)
LETTERED = re.compile(r"(?<![\w'])(?:A|B)\b[\"'*_\]]{0,20}\s{0,20}(?:[(:,]\s{0,20})?[-\u2212](?:\d|\.\d)")


def is_unsigned(text: str, objects: list[Any], verdict: str) -> bool:
    """Tell whether an answer gives its verdict a strength that may as well be the other's, or none.

    A negative strength is for the first response in some scales, and for the second in others.

    >>> is_unsigned("", [{"preference": "A", "preference_strength": -3}], "A")
    True
    >>> is_unsigned("Verdict: A (strength: 3)", [], "A")
    False
    """
    sizes = [size for record in objects for size in _sizes_of(record)]
    if verdict == TIE:
        return any(number >= 1 for number, is_size in sizes if is_size)
    worded = [*WORDED.finditer(text), *LETTERED.finditer(text)]
    return any(number < 0 or not number for number, _ in sizes) or bool(worded)


def _sizes_of(value: Any) -> Iterator[tuple[float, bool]]:
    """Yield each strength in a JSON value, and whether it is more than how sure the judge is."""
    if isinstance(value, list):
        for item in value:
            yield from _sizes_of(item)
    if not isinstance(value, dict):
        return
    for key, held in value.items():
        words = {word.casefold() for word in WORD.findall(key)}
        kinds = SIZES | SURENESS | SCORES
        number = _number(held) if words & kinds and words <= kinds | AROUND else None
        if number is not None and (number < 0 or words & (SIZES | SURENESS)):
            yield number, bool(words & SIZES)
        yield from _sizes_of(held)


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        if value.strip().casefold() in NONE:
            return 0.0
        match = NUMBER.match(value)
        return None if match is None else float(match[2]) * (-1 if match[1] and match[1] in MINUS else 1)
    return float(value) if is_number(value) else None
