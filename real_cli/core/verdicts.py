"""What a judge's words say: JSON where the server holds it to a schema, tolerant reading where not."""

import re
from collections.abc import Callable
from typing import Any

import orjson

from real_cli.core.texts import is_number
from real_cli.errors import RecordError, clip

NOT_APPLICABLE = "N/A"
# "A" alone must not match the article in "a better answer", nor the echo of "A, B or tie" as the format asked for.
VERDICT = re.compile(
    r"(?:\b(?:verdict|answer|winner|preferred|choice|preference)\b(?:\s+(?:response|answer|one))?[\"'*_\s]*(?:is|:|=)[\"'*_\s]*"
    r"(?:(?:response|answer|assistant)[\"'*_\s]*)?\b(A|B|tie)\b"
    r"|\b(?:response|answer|assistant)\s+[\"'*_(\[]*(A|B)[\"'*_)\]]*\s+"
    r"(?:wins|(?:is|was)\s+(?:(?:the|clearly|slightly|much|overall)\s+)*(?:better|best|preferred|superior|winner)\b))"
    r"(?![\"'*_\s]*(?:,|/|\||\bor\b)[\"'*_\s]*(?:A|B|tie)\b)",
    re.IGNORECASE,
)
MARKED_VERDICT = re.compile(r"\[\[\s*(A|B|C|tie)\s*\]\]", re.IGNORECASE)
BARE_VERDICT = re.compile(r"[\"'*_(\[\s]*(?:response\s+|answer\s+)?(A|B|tie)[\"'*_)\].:!\s]*", re.IGNORECASE)
RATING = re.compile(
    r"\b(?:overall\s+score|rating|score)\b[\"'*_\s]*(?:is|of|:|=)?[\"'*_\s\[]*(N/A|-?\d+(?:\.\d+)?)", re.IGNORECASE
)
BARE_RATING = re.compile(r"[\"'*_\[\s]*(N/A|-?\d+(?:\.\d+)?)(?:\s*/\s*\d+)?[\"'*_\].\s]*", re.IGNORECASE)
NUMBERED = re.compile(r"\b(?:response|text|output|answer)\s*#?\s*(\d+)\b", re.IGNORECASE)


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
    found = None
    start = text.find("{")
    while start >= 0:
        end = _closing(text, start)
        if end is None:
            start = text.find("{", start + 1)
            continue
        try:
            value = orjson.loads(text[start:end])
            found = value if isinstance(value, dict) else found
        except orjson.JSONDecodeError:
            end = start + 1
        start = text.find("{", end)
    return found


def _closing(text: str, start: int) -> int | None:
    """Find the end of the object that opens at `start`; braces in its strings do not count."""
    depth, quoted, escaped = 0, False, False
    for place in range(start, len(text)):
        sign = text[place]
        if quoted:
            quoted = escaped or sign != '"'
            escaped = sign == "\\" and not escaped
        elif sign == '"':
            quoted, escaped = True, False
        elif sign in "{}":
            depth += 1 if sign == "{" else -1
            if depth == 0:
                return place + 1
    return None


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
    found = find_json(text)
    if isinstance(found, dict) and isinstance(found.get("verdict"), str):
        match = BARE_VERDICT.fullmatch(found["verdict"])
        if match:
            return _verdict(match[1])
    match = BARE_VERDICT.fullmatch(text)
    if match:
        return _verdict(match[1])
    marked = MARKED_VERDICT.findall(text)
    if marked:
        return _verdict(marked[-1])
    named = {_verdict(next(filter(None, groups))) for groups in VERDICT.findall(text)}
    if len(named) == 1:
        return named.pop()
    raise RecordError(f"the answer names no verdict (A, B or tie): {clip(text)}")


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
        found = find_json(text)
        if isinstance(found, dict):
            for name in ("score", "rating", "overall_score"):
                if name in found:
                    return check_rating(found[name], low, high, not_applicable=not_applicable)
        match = BARE_RATING.fullmatch(text)
        named = [match[1]] if match else RATING.findall(text)
        if not named:
            raise RecordError(f"the answer names no rating from {low:g} to {high:g}: {clip(text)}")
        return check_rating(named[-1], low, high, not_applicable=not_applicable)

    return read


def check_rating(value: Any, low: float, high: float, *, not_applicable: bool) -> float | str:
    """Check one rating; a numeral is a number.

    Args:
        value: A number, a numeral, or "N/A".
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
    try:
        number = float(value) if isinstance(value, str) or is_number(value) else float("nan")
    except ValueError:
        number = float("nan")
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
        Takes an answer's text: JSON {"ratings": [{"response": 1, "rationale": ..., "rating": ...}, ...]}, or
        paragraphs that say "Response 1 ... Rating: 4"; gives each response's rating and rationale, in the order shown.
        Raises RecordError if one is missing, out of range, or there twice.

    Example:
        >>> read = read_ratings(2, 1, 5, not_applicable=True)
        >>> read("Response 1\\nRating: 4\\n\\nResponse 2\\nRating: N/A")
        [(4, 'Rating: 4'), ('N/A', 'Rating: N/A')]
    """

    def read(text: str) -> list[tuple[float | str, str]]:
        found = find_json(text)
        rows = found.get("ratings") if isinstance(found, dict) else None
        named = _rows(rows) if isinstance(rows, list) else _paragraphs(text)
        if sorted(named) != list(range(1, count + 1)):
            raise RecordError(
                f"the answer rates the responses {sorted(named)}; each of 1 to {count} is needed once: {clip(text)}"
            )
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
        if not isinstance(number, int) or number in named:
            raise RecordError(f"rating {place} of the answer is for response {clip(number)}: no number, or there twice")
        named[number] = row.get("rating", row.get("score")), str(row.get("rationale") or "")
    return named


def _paragraphs(text: str) -> dict[int, tuple[Any, str]]:
    """Read "Response 1 ... Rating: 4"; what a judge says of a response before the next heading is its own."""
    named: dict[int, tuple[Any, str]] = {}
    starts = list(NUMBERED.finditer(text))
    for place, start in enumerate(starts):
        end = starts[place + 1].start() if place + 1 < len(starts) else len(text)
        rating = RATING.search(text, start.end(), end)
        if rating and int(start[1]) not in named:
            named[int(start[1])] = rating[1], text[start.end() : end].strip(" \t\n:*#")
    return named
