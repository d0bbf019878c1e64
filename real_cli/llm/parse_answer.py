"""What a judge's words say: JSON where the server holds it to a schema, tolerant reading where not."""

import re
from collections import deque
from collections.abc import Callable
from typing import Any

from real_cli.errors import RecordError, clip
from real_cli.llm.embedded_json import json_objects
from real_cli.records.messages import is_number

NOT_APPLICABLE = "N/A"
THOUGHTS = re.compile(r"\A\s*<think(?:ing)?>.*</think(?:ing)?>", re.DOTALL)
# Each of these patterns takes time that grows with a text's length alone: next to each other stand no two repeats that
# could share what they match, but for possessive ones.
# "A" must not match the article, in "the answer is a good one" or "Answer: A better one would", nor the echo of "A, B
# or tie" as the format asked for.
LETTER = (
    r"((?-i:\b[AB]\b)(?!\s+(?!(?:because|since|as|by|for|with|over|due)\b)[a-z])|\btie\b)"
    r"(?![\"'*_\s]*(?:,|/|\||\bor\b)[\"'*_\s]*(?-i:\b[AB]\b|tie\b))"
)
VERDICT = re.compile(
    r"\b(?:verdict|answer|winner|preferred|choice|preference)\b(?:\s+(?:response|answer|one))?[\"'*_\s]*(?:is|:|=)[\"'*_\s]*"
    rf"(?:(?:response|answer|assistant)[\"'*_\s]*)?{LETTER}"
    r"|\b(?:response|answer|assistant)\s+[\"'*_(\[]*((?-i:[AB]))[\"'*_)\]]*\s+"
    r"(?:wins|(?:is|was)\s+(?:(?:the|clearly|slightly|much|overall)\s+)*(?:better|best|preferred|superior|winner)\b)",
    re.IGNORECASE,
)
MARKED_VERDICT = re.compile(r"\[\[\s*(A|B|C|tie)\s*\]\]", re.IGNORECASE)
BARE_VERDICT = re.compile(r"[\"'*_(\[\s]*(?:(?:response|answer|assistant)\s+)?(A|B|tie)[\"'*_)\].:!\s]*", re.IGNORECASE)
NUMBER = r"(N/A|-?\d++(?:\.\d++)?+)"
SCALE = r"(?:\s*(?:/|out\s+of)\s*(\d++))?+"
# "Rating: 1-5" and "Score: 1 to 10" echo the format asked for.
RATING = re.compile(
    rf"\b(?:overall\s+score|rating|score)\b[\"'*_\s]*+(?:is|of|:|=)?+[\"'*_\s\[]*+{NUMBER}{SCALE}"
    r"(?!\s*(?:-|\u2013|\bto\b|\bor\b|,)\s*(?:\d|N/A))",
    re.IGNORECASE,
)
BARE_RATING = re.compile(rf"[\"'*_\[\s]*{NUMBER}{SCALE}[\"'*_\].\s]*", re.IGNORECASE)
# At the start of a line: what is said of response 1 may name response 2.
NUMBERED = re.compile(
    r"(?:\A|(?<![\s#*_>-])(?:[^\S\n]|[#*_>-])*+\n)(?P<line>)[\s#*_>-]*+"
    r"(?:output\s+for\s+)?(?:response|text|output|answer)\s*+#?+\s*+(?P<number>\d{1,9})\b",
    re.IGNORECASE,
)


def find_json(text: str) -> Any:
    """Find the JSON object in an answer: all of it, in a code fence, or among words.

    Args:
        text: What a model wrote.

    Returns:
        The last whole object at the outermost level; None if there is none.

    Example:
        >>> find_json('Sure! ```json\\n{"verdict": "A"}\\n``` Hope this helps.')
        {'verdict': 'A'}
        >>> find_json('{"verdict": "A"') is None
        True
    """
    return next(iter(deque(json_objects(text), maxlen=1)), None)


def read_verdict(text: str) -> str:
    """Read which of two responses a judge prefers.

    Args:
        text: JSON with `verdict`, a bare letter, `[[A]]`, or a sentence that says it.

    Returns:
        "A", "B" or "tie".

    Raises:
        RecordError: If none is named, or a sentence names both.

    Example:
        >>> read_verdict('{"verdict": "B"}'), read_verdict("[[C]]"), read_verdict("Response A is better.")
        ('B', 'tie', 'A')
    """
    said = spoken(text)
    found = find_json(said)
    if isinstance(found, dict) and isinstance(found.get("verdict"), str):
        match = BARE_VERDICT.fullmatch(found["verdict"])
        if match:
            return _verdict(match[1])
    match = BARE_VERDICT.fullmatch(said)
    if match:
        return _verdict(match[1])
    marked = MARKED_VERDICT.findall(said)
    if marked:
        return _verdict(marked[-1])
    named = {_verdict(next(filter(None, groups))) for groups in VERDICT.findall(said)}
    if len(named) == 1:
        return named.pop()
    raise RecordError(f"the answer names no verdict (A, B or tie): {clip(text)}")


def spoken(text: str) -> str:
    """Leave out what a model wrote to itself before its answer.

    Args:
        text: What a model wrote.

    Returns:
        The text after its thoughts.

    Example:
        >>> spoken("<think>Is it A?</think> B").strip()
        'B'
    """
    return THOUGHTS.sub("", text)


def _verdict(name: str) -> str:
    return {"a": "A", "b": "B"}.get(name.lower(), "tie")


def read_rating(low: float, high: float, *, not_applicable: bool) -> Callable[[str], float | str]:
    """Make a reader of one rating.

    Args:
        low: The lowest rating there is.
        high: The highest.
        not_applicable: Whether "N/A" is an answer.

    Returns:
        Takes an answer's text (JSON with `score` or `rating`, a bare number, "Overall Score: 7", "7/10"), gives the
        rating, a number or "N/A"; raises RecordError if there is none or it is out of range.

    Example:
        >>> read = read_rating(1, 10, not_applicable=False)
        >>> read('{"feedback": "Good.", "score": 8}'), read("Fine work. Overall Score: 7/10")
        (8, 7)
    """

    def read(text: str) -> float | str:
        said = spoken(text)
        found = find_json(said)
        if isinstance(found, dict):
            for name in ("score", "rating", "overall_score"):
                if name in found:
                    return check_rating(found[name], low, high, not_applicable=not_applicable)
        named = [match] if (match := BARE_RATING.fullmatch(said)) else list(RATING.finditer(said))
        if not named:
            raise RecordError(f"the answer names no rating from {low:g} to {high:g}: {clip(text)}")
        return check_rating(_on_scale(named[-1]), low, high, not_applicable=not_applicable)

    return read


def _on_scale(match: re.Match[str]) -> str:
    """Give a rating as it was written: 8, or 8/10."""
    return f"{match[1]}/{match[2]}" if match[2] else match[1]


def check_rating(value: Any, low: float, high: float, *, not_applicable: bool) -> float | str:
    """Check one rating; a numeral is a number.

    Args:
        value: A number, a numeral (also "4/5", of a scale that ends at 5), or "N/A".
        low: The lowest rating there is.
        high: The highest.
        not_applicable: Whether "N/A" is an answer.

    Returns:
        The number, whole ones as int; or "N/A".

    Raises:
        RecordError: If it is out of range, or no rating.

    Example:
        >>> check_rating("4", 1, 5, not_applicable=True), check_rating("n/a", 1, 5, not_applicable=True)
        (4, 'N/A')
    """
    if not_applicable and isinstance(value, str) and value.strip().upper() in ("N/A", "NA"):
        return NOT_APPLICABLE
    number = float(value) if is_number(value) else float("nan")
    match = BARE_RATING.fullmatch(value) if isinstance(value, str) else None
    # 4/10 is no rating from 1 to 5.
    if match and match[1].upper() != NOT_APPLICABLE and (match[2] is None or float(match[2]) == high):
        number = float(match[1])
    if not low <= number <= high:
        also = " or N/A" if not_applicable else ""
        raise RecordError(f"the rating {clip(value)} is not from {low:g} to {high:g}{also}")
    return int(number) if number.is_integer() else number


def read_ratings(
    count: int, low: float, high: float, *, not_applicable: bool
) -> Callable[[str], list[tuple[float | str, str]]]:
    """Make a reader of the ratings of several responses in one answer.

    Args:
        count: How many responses were shown.
        low: The lowest rating there is.
        high: The highest.
        not_applicable: Whether "N/A" is an answer.

    Returns:
        Takes an answer's text: JSON {"ratings": [{"response": 1, "rationale": ..., "rating": ...}, ...]}, the list
        alone, or paragraphs that say "Response 1 ... Rating: 4"; gives each response's rating and rationale, in the
        order shown. Raises RecordError if one is missing, out of range, or there twice.

    Example:
        >>> read = read_ratings(2, 1, 5, not_applicable=True)
        >>> read("Response 1\\nRating: 4\\n\\nResponse 2\\nRating: N/A")
        [(4, 'Rating: 4'), ('N/A', 'Rating: N/A')]
    """

    def read(text: str) -> list[tuple[float | str, str]]:
        said = spoken(text)
        found = list(json_objects(said))
        rows = found[-1].get("ratings") if found else None
        if not isinstance(rows, list):
            rows = [row for row in found if "rating" in row or "score" in row]
        named = _rows(rows) if rows else _paragraphs(said)
        if sorted(named) != list(range(1, count + 1)):
            rated = f"{clip(sorted(named))}; each of 1 to {count} is needed once"
            raise RecordError(f"the answer rates the responses {rated}: {clip(text)}")
        return [
            (check_rating(named[number][0], low, high, not_applicable=not_applicable), named[number][1])
            for number in sorted(named)
        ]

    return read


def _rows(rows: list[Any]) -> dict[int, tuple[Any, str]]:
    named: dict[int, tuple[Any, str]] = {}
    for place, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise RecordError(f"rating {place} of the answer is {clip(row)}; an object is needed")
        number = row.get("response", place)
        if isinstance(number, str) and (match := re.fullmatch(r"\D*(\d{1,9})\s*", number, re.ASCII)):
            number = int(match[1])
        if not isinstance(number, int) or number in named:
            raise RecordError(f"rating {place} of the answer is for response {clip(number)}: no number, or there twice")
        named[number] = row.get("rating", row.get("score")), str(row.get("rationale") or "")
    return named


def _paragraphs(text: str) -> dict[int, tuple[Any, str]]:
    """Read "Response 1 ... Rating: 4"; what a judge says of a response before the next heading is its own."""
    named: dict[int, tuple[Any, str]] = {}
    starts = list(NUMBERED.finditer(text))
    for place, start in enumerate(starts):
        end = starts[place + 1].start("line") if place + 1 < len(starts) else len(text)
        rating = RATING.search(text, start.end(), end)
        number = int(start["number"])
        if rating and number in named:
            raise RecordError(f"the answer rates response {number} twice: {clip(text)}")
        if rating:
            named[number] = _on_scale(rating), text[start.end() : end].strip(" \t\n:*#")
    return named
