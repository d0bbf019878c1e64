"""Read what a judge says about a user's turn."""

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum

from real_cli.errors import RecordError, clip
from real_cli.llm.embedded_json import json_objects, located_objects
from real_cli.llm.statements import CLAUSE_END, Statement, blanked, is_doubted, sentence_before, settle, spelling
from real_cli.llm.thoughts import spoken, unwrapped
from real_cli.llm.wording import plain_answer

FEELING_WORD = re.compile(r"\b(?:dissatisfied|satisfied|neither)\b", re.IGNORECASE)
LABEL = re.compile(
    r"\blabel\b[\"'*_\s]*+(?:is\b|:|=)[\"'*_\s]*+(dissatisfied|satisfied|neither)\b"
    r"(?![\"'*_\s]*+(?:,|/|\||\?|->|\u2192|(?:or|to)\b))",
    re.IGNORECASE,
)
# A clause with such a word states neither that a user is satisfied nor the opposite.
DOUBTED = re.compile(
    r"\b(?:not|never|no|nobody|none|cannot|hardly|if|unless|whether|without|may|might|could|would|should|far\s+from"
    r"|less\s+than|doubt|perhaps|possibly|maybe|wrong|false)\b|n['\u2019]t\b",
    re.IGNORECASE,
)
CONDITION = re.compile(r"\W*(?:if|unless|had)\b", re.IGNORECASE)
ASKED = re.compile(r"[\"'*_`)]*\s*\?")


class Feeling(StrEnum):
    """What a user's turn says about the reply before it."""

    dissatisfied = "dissatisfied"
    satisfied = "satisfied"
    neither = "neither"


def read_feeling(text: str, shown: Sequence[str] = ()) -> tuple[Feeling, str]:
    """Read a judge's label of a turn and its reason; no label, or several, raise RecordError.

    >>> read_feeling('{"reason": "It thanks.", "label": "satisfied"}')[0].value
    'satisfied'
    """
    answer = plain_answer(spoken(text, shown))
    bare = unwrapped(answer).strip("\"'*_`.: ").lower()
    named: list[Feeling | None]
    named = (
        [Feeling(bare)] if bare in list(Feeling) else settle(answer, shown, _labels) or settle(answer, shown, _words)
    )
    if len(named) != 1 or named[0] is None:
        raise RecordError(f"the answer does not name exactly one of {', '.join(Feeling)}: {clip(text)}")
    objects = [record for record in json_objects(answer) if record.get("label") == named[0]]
    reasons = [str(record.get("reason") or "") for record in objects]
    return named[0], reasons[-1] if reasons else answer.strip()


def _labels(text: str) -> Iterator[Statement[Feeling | None]]:
    """Yield the labels stated formally; None where one is denied."""
    objects = []
    for start, end, record in located_objects(text):
        if record.get("label") in list(Feeling):
            objects.append((start, end))
            words = text[start:end] if len(record) > 1 else f'label": "{record["label"]}'
            yield Statement(Feeling(record["label"]), spelling(words), start, end)
    for match in LABEL.finditer(blanked(text, objects)):
        feeling = None if is_doubted(text, match.start()) else Feeling(match[1].lower())
        yield Statement(feeling, spelling(match[0]), *match.span())


def _words(text: str) -> Iterator[Statement[Feeling | None]]:
    """Yield the labels in running text; None for "not satisfied", "may be satisfied" and their kind."""
    for match in FEELING_WORD.finditer(text):
        sentence = sentence_before(text, match.start())
        unclear = (
            CONDITION.match(sentence)
            or DOUBTED.search(CLAUSE_END.split(sentence)[-1])
            or ASKED.match(text, match.end())
        )
        yield Statement(None if unclear else Feeling(match[0].lower()), match[0].lower(), *match.span())
