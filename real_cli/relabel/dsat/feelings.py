"""What a judge says of a user's turn."""

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum

from real_cli.errors import RecordError, clip
from real_cli.llm.embedded_json import json_objects, located_objects
from real_cli.llm.statements import Statement, blanked, settle, spelling
from real_cli.llm.thoughts import spoken, unwrapped

FEELING_WORD = re.compile(r"\b(?:dissatisfied|satisfied|neither)\b", re.IGNORECASE)
LABEL = re.compile(
    r"\blabel\b[\"'*_\s]*+(?:is\b|:|=)[\"'*_\s]*+(dissatisfied|satisfied|neither)\b"
    r"(?![\"'*_\s]*+(?:,|/|\||or\b))",
    re.IGNORECASE,
)
DENIED = re.compile(r"\b(?:not|n't|never|hardly|n\u2019t)\s+(?:at all\s+|really\s+)?(?:dis)?satisfied\b", re.IGNORECASE)


class Feeling(StrEnum):
    """What a user's turn says of the reply before it."""

    dissatisfied = "dissatisfied"
    satisfied = "satisfied"
    neither = "neither"


def read_feeling(text: str, shown: Sequence[str] = ()) -> tuple[Feeling, str]:
    """Read what a judge says of a turn.

    Args:
        text: JSON with `label` and `reason`, or words that name one of the three.
        shown: What the judge was shown: a word that stands there is quoted, unless it is the whole answer.

    Returns:
        The feeling and the reason.

    Raises:
        RecordError: If none is named, or several are.

    Example:
        >>> read_feeling('{"reason": "It thanks.", "label": "satisfied"}')[0].value
        'satisfied'
    """
    said = spoken(text, shown)
    bare = unwrapped(said).strip("\"'*_`.: ").lower()
    named = [Feeling(bare)] if bare in list(Feeling) else settle(said, shown, _labels) or settle(said, shown, _words)
    if len(named) != 1:
        raise RecordError(f"the answer names not one of {', '.join(Feeling)}: {clip(text)}")
    objects = [found for found in json_objects(said) if found.get("label") == named[0]]
    reasons = [str(found.get("reason") or "") for found in objects]
    return named[0], reasons[-1] if reasons else said.strip()


def _labels(text: str) -> Iterator[Statement[Feeling]]:
    """List what is stated by a form."""
    objects = []
    for start, end, found in located_objects(text):
        if found.get("label") in list(Feeling):
            objects.append((start, end))
            words = text[start:end] if len(found) > 1 else f'label": "{found["label"]}'
            yield Statement(Feeling(found["label"]), spelling(words), start, end)
    for match in LABEL.finditer(blanked(text, objects)):
        yield Statement(Feeling(match[1].lower()), spelling(match[0]), *match.span())


def _words(text: str) -> Iterator[Statement[Feeling]]:
    """List the words that stand for themselves; "not satisfied" is left to nobody's guess."""
    for match in FEELING_WORD.finditer(text):
        yield Statement(Feeling(match[0].lower()), match[0].lower(), *match.span())
    for match in DENIED.finditer(text):
        yield Statement(Feeling.neither, "", *match.span())
