"""Which of two responses an answer prefers: what in it states a verdict, formally or in a sentence."""

import re
from collections.abc import Iterator
from typing import Any

from real_cli.llm.embedded_json import located_objects
from real_cli.llm.statements import Statement, blanked, spelling

KEYS = frozenset({"verdict", "winner", "answer", "choice", "preference", "preferred"})
# Each of these patterns takes time that grows with a text's length alone: next to each other stand no two repeats that
# could share what they match, but for possessive ones.
# "A" must not match the article, in "the answer is a good one" or "Answer: A better one would", nor the echo of "A, B
# or tie" as the format asked for, nor a question.
LETTER = (
    r"((?-i:\b[AB]\b)(?![ \t]+(?!(?:because|since|as|by|for|with|over|due)\b)(?-i:[a-z]))|\btie\b)"
    r"(?![\"'*_\s]*(?:,|/|\||\bor\b)[\"'*_\s]*(?-i:\b[AB]\b|tie\b))(?![\"'*_)\s]*\?)"
)
# "The answer is A" may be said of the task; "Answer: A" has the form of a verdict.
FORMAL = re.compile(
    r"\b(?:verdict|winner|(?P<word>answer|preferred|choice|preference))\b(?:\s+(?:response|answer|one))?"
    r"[\"'*_\s]*(?:(?P<link>is)|:|=)[\"'*_\s]*"
    rf"(?:(?:response|answer|assistant)[\"'*_\s]*)?{LETTER}",
    re.IGNORECASE,
)
LOOSE = re.compile(
    r"\b(?:response|answer|assistant)\s+[\"'*_(\[]*((?-i:[AB]))[\"'*_)\]]*\s+"
    r"(?:wins|(?:is|was)\s+(?:(?:the|clearly|slightly|much|overall)\s+)*(?:better|best|preferred|superior|winner)\b)",
    re.IGNORECASE,
)
MARKED = re.compile(
    r"\[\[\s*(A|B|C|tie)\s*\]\]|\\boxed\{\s*(?:\\text\{\s*)?(A|B|tie)\s*\}"
    r"|<(?:verdict|winner|choice|preference|(?:final_?)?answer)>\s*(A|B|tie)\s*</",
    re.IGNORECASE,
)
# "[[A]], [[B]] or [[C]]" is the echo of a format asked for.
ECHO = re.compile(r"\[\[\w+\]\](?:(?:\s|,|/|\||\bor\b)++\[\[\w+\]\])+", re.IGNORECASE)
BARE = re.compile(r"[\"'*_(\[\s]*(?:(?:response|answer|assistant)\s+)?(A|B|tie)[\"'*_)\].:!\s]*", re.IGNORECASE)


def formal_verdicts(text: str) -> Iterator[Statement[str]]:
    """List what a text states by a form: JSON, [[A]], or a name and a letter.

    Args:
        text: Any text.

    Yields:
        "A", "B" or "tie" for each.

    Example:
        >>> [one.value for one in formal_verdicts('{"verdict": "A"} or [[B]]. Winner: tie')]
        ['A', 'B', 'tie']
    """
    objects = []
    for start, end, found in located_objects(text):
        stated = [one for key, value in found.items() if key.casefold() in KEYS for one in _of_field(key, value)]
        objects += [(start, end)] * bool(stated)
        for value, words in stated:
            yield Statement(value, words if len(found) == 1 else spelling(text[start:end]), start, end)
    prose = ECHO.sub(lambda match: " " * len(match[0]), blanked(text, objects))
    yield from map(_statement, MARKED.finditer(prose))
    yield from (_statement(match) for match in FORMAL.finditer(prose) if not _is_loose(match))


def _of_field(key: str, value: Any) -> list[tuple[str, str]]:
    """Read a field that holds a verdict: a letter, or a sentence."""
    if not isinstance(value, str):
        return []
    match = BARE.fullmatch(value)
    if match:
        return [(verdict_named(match[1]), _field_words(key, value))]
    words = f"verdict: {value}"
    stated = [*FORMAL.finditer(words), *MARKED.finditer(value)] or [*LOOSE.finditer(value)]
    return [(_statement(match).value, _field_words(key, value)) for match in stated]


def _field_words(key: str, value: str) -> str:
    """Write a field as it would be quoted without its braces."""
    return spelling(f'{key}": "{value}')


def loose_verdicts(text: str) -> Iterator[Statement[str]]:
    """List what a text states in sentences, which count where nothing is stated by a form.

    Args:
        text: Any text.

    Yields:
        "A" or "B" for each.

    Example:
        >>> [one.value for one in loose_verdicts("Response A is better.")]
        ['A']
    """
    yield from (_statement(match) for match in FORMAL.finditer(text) if _is_loose(match))
    yield from map(_statement, LOOSE.finditer(text))


def _is_loose(match: re.Match[str]) -> bool:
    return bool(match["word"] and match["link"])


def _statement(match: re.Match[str]) -> Statement[str]:
    name = next(group for group in reversed(match.groups()) if group)
    return Statement(verdict_named(name), spelling(match[0]), *match.span())


def verdict_named(name: str) -> str:
    """Return the verdict that a letter or a word names.

    Args:
        name: "A", "b", "C", "Tie".

    Returns:
        "A", "B" or "tie".

    Example:
        >>> verdict_named("b"), verdict_named("C")
        ('B', 'tie')
    """
    return {"a": "A", "b": "B"}.get(name.lower(), "tie")
