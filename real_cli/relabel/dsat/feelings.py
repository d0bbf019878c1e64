"""Read what a judge says about a user's turn."""

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum

from real_cli.errors import RecordError, clip
from real_cli.llm.embedded_json import json_objects, located_objects
from real_cli.llm.reversals import segments
from real_cli.llm.row_names import words_of
from real_cli.llm.statements import (
    CLAUSE_END,
    Statement,
    blanked,
    is_doubted,
    sentence_before,
    sentence_behind,
    settle,
    spelling,
)
from real_cli.llm.thoughts import spoken, unwrapped
from real_cli.llm.verdict_fields import SWAPPED
from real_cli.llm.wording import plain_answer
from real_cli.records.record import Record

FEELING_WORD = re.compile(r"\b(?:dissatisfied|satisfied|neither)\b", re.IGNORECASE)
LABEL = re.compile(
    r"\blabel\b[\"'*_\s]*+(?:is\b|:|=)[\"'*_\s]*+(dissatisfied|satisfied|neither)\b"
    r"(?![\"'*_\s]*+(?:,[\"'*_\s]*+(?:or\s+)?(?:dissatisfied|satisfied|neither)\b|/|\||\?|->|\u2192|(?:or|to)\b))",
    re.IGNORECASE,
)
# A clause with such a word states neither that a user is satisfied nor the opposite.
DOUBTED = re.compile(
    r"\b(?:not|never|no|nobody|none|cannot|hardly|if|unless|whether|without|may|might|could|would|should|far\s+from"
    r"|less\s+than|doubt|perhaps|possibly|maybe|wrong|false)\b|n['\u2019]t\b",
    re.IGNORECASE,
)
CONDITION = re.compile(r"\W*(?:if|unless|had)\b", re.IGNORECASE)
# "Satisfied: no", `satisfied = 0`: the word is what was asked.
ANSWERED = re.compile(
    r"[\"'*_`)]*\s*(?:[:=]\s*\S|[-\u2013\u2014|]+\s*(?:no|not|yes|true|false|[01])\b"
    r"|\s(?:is\s+|would\s+be\s+)?(?:no|not|false|untrue|wrong|incorrect)\b|\s(?:does\s+not|doesn['\u2019]t|cannot)\b)",
    re.IGNORECASE,
)
DENIED = re.compile(r"[\"'*_`)]*\s+(?:is|would\s+be)\s+(?:not|wrong|incorrect|false)\b", re.IGNORECASE)
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
    objects = [record for record in json_objects(answer) if named[0] in _of_object(record)]
    reasons = [str(record.get("reason") or "") for record in objects]
    return named[0], reasons[-1] if reasons else answer.strip()


def _labels(text: str) -> Iterator[Statement[Feeling | None]]:
    """Yield the labels stated formally, and those below them; None where one is denied."""
    objects, ends = [], []
    for start, end, record in located_objects(text):
        for feeling in (stated := _of_object(record)):
            words = text[start:end] if len(record) > 1 else f'label": "{feeling}'
            yield Statement(feeling, spelling(words), start, end)
        objects += [(start, end)] * bool(stated)
        ends += [end] * bool(stated)
    prose = blanked(text, objects)
    for match in LABEL.finditer(prose):
        feeling = _feeling(match[1])
        others = {_feeling(word[0]) for word in FEELING_WORD.finditer(sentence_behind(prose, match.end()))}
        unclear = is_doubted(prose, match.start()) or others - {feeling} or DENIED.match(prose, match.end())
        ends.append(match.end())
        yield Statement(None if unclear else feeling, spelling(match[0]), *match.span())
    for start, inner, end in segments(prose, min(ends)) if ends else ():
        if feeling := _feeling(prose[start:end]) or _feeling(prose[inner:end]):
            yield Statement(feeling, spelling(prose[start:end]), start, end)


def _feeling(words: object) -> Feeling | None:
    """Return the label that a text is, None for any other text."""
    bare = words.strip("\"'*_`.,: \t\n").lower() if isinstance(words, str) else ""
    return Feeling(bare) if bare in list(Feeling) else None


def _of_object(record: Record) -> list[Feeling | None]:
    """Read the labels of an object; None where a label is not clear, or a name is answered with yes or no."""
    stated: list[Feeling | None] = []
    for key, value in record.items():
        words = words_of(key)
        denied = (value is True and SWAPPED.search(key)) or (value is False and words & {"correct", "valid"})
        if words & set(Feeling) or denied:
            stated.append(None)
        elif "label" in words or _feeling(value):
            stated.append(_feeling(value))
    if stated:
        return stated
    inner = [held for value in record.values() for held in (value if isinstance(value, list) else [value])]
    labels = [label for held in inner if isinstance(held, dict) for label in _of_object(held)]
    return labels if len(labels) < 2 and not any(isinstance(value, list) for value in record.values()) else [None]


def _words(text: str) -> Iterator[Statement[Feeling | None]]:
    """Yield the labels in running text; None for "not satisfied", "satisfied: no" and their kind."""
    for match in FEELING_WORD.finditer(text):
        sentence = sentence_before(text, match.start())
        unclear = (
            CONDITION.match(sentence)
            or DOUBTED.search(CLAUSE_END.split(sentence)[-1])
            or ASKED.match(text, match.end())
            or ANSWERED.match(text, match.end())
        )
        yield Statement(None if unclear else Feeling(match[0].lower()), match[0].lower(), *match.span())
