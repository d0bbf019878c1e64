"""Verdicts in the fields of a JSON object, and which of its fields name one."""

import re
from collections.abc import Callable
from typing import Any

from real_cli.llm.reversals import speaks_against
from real_cli.records.messages import is_number
from real_cli.records.record import Record

# The value of a statement that speaks of a verdict and gives no clear one: it makes the answer unreadable.
UNCLEAR = "something unclear"
KEYS = frozenset(
    {"verdict", "winner", "answer", "choice", "preference", "preferred", "better", "best", "decision"}
    | {"judgment", "judgement", "result", "outcome", "selection", "overall"}
)
# Stripped from a field's name: "final_verdict", "better_response".
AROUND_KEY = re.compile(r"\A(?:final|overall|my|the)[\s_-]+|[\s_-]+(?:response|answer|one|assistant|model)\Z")
# A field of such a name takes the place of a verdict.
REVISED = frozenset(
    {"final", "finally", "corrected", "correction", "revised", "revision", "adjusted", "updated", "amended", "actual"}
    | {"new", "reconsidered", "conclusion", "concluded", "definitive", "changed", "true", "real"}
)
LOSERS = frozenset({"worse", "worst", "loser", "losing", "rejected", "inferior", "weaker", "dispreferred"})
NOUNS = frozenset({"response", "answer", "one", "assistant", "model", "option"})
# Around a verdict, these say nothing of a part.
CONTAINERS = frozenset({"evaluation", "assessment", "comparison", "output", "response", "data", "json", "arguments"})
SWAPPED = re.compile(r"swap|revers|invert|flipped|negat|\bis_worse", re.IGNORECASE)
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
OTHER = {"A": "B", "B": "A"}


def is_verdict_key(key: str) -> bool:
    """Tell whether a field names a verdict: "winner", "finalVerdict", "revised".

    >>> [key for key in ("better_response", "finalVerdict", "style_winner") if is_verdict_key(key)]
    ['better_response', 'finalVerdict']
    """
    words = [word.casefold() for word in WORD.findall(key)]
    spelled = AROUND_KEY.sub("", AROUND_KEY.sub("", "_".join(words)))
    rest = set(words) - REVISED - NOUNS
    return spelled in KEYS or (bool(REVISED & set(words)) and rest <= KEYS)


def field_verdicts(
    record: Record, read: Callable[[str, Any], list[tuple[str, str]]], whole: Callable[[str], str | None]
) -> list[tuple[str, str]]:
    """Read the verdicts of an object, each with its wording; several, or an unclear one, make it unreadable.

    Behind a verdict, a field that names another response contradicts it; before it, one may rate a criterion.
    """
    stated: list[tuple[str, str]] = []
    for key, value in record.items():
        if is_verdict_key(key):
            stated += read(key, value)
        elif isinstance(value, str):
            words = {word.casefold() for word in WORD.findall(key)}
            loser = whole(value) if words & LOSERS and words <= LOSERS | NOUNS else None
            if loser:
                stated += [(OTHER[loser], value)] if loser in OTHER and stated else []
            elif stated:
                stated += [(verdict, wording) for verdict, wording in read(key, value) if verdict != UNCLEAR]
                stated += [(UNCLEAR, value)] * speaks_against(value, 0, stated[0][0])
        elif isinstance(value, dict | list):
            stated += [(best, key)] if (best := _best_of(key, value, whole)) and stated else []
        elif value is True and SWAPPED.search(key):
            stated += [(UNCLEAR, key)] * bool(stated)
    return stated or _nested(record, read, whole)


def _best_of(key: str, value: Any, whole: Callable[[str], str | None]) -> str | None:
    """Return the response that scores or a ranking beside a verdict prefer; None where they do not say."""
    words = {word.casefold() for word in WORD.findall(key)}
    if isinstance(value, list):
        names = [whole(name) if isinstance(name, str) else None for name in value]
        return names[0] if words & {"ranking", "rank", "order"} and set(names) == {"A", "B"} else None
    if not words & {"score", "scores", "rating", "ratings", "points"}:
        return None
    scores = {whole(name): score for name, score in value.items() if is_number(score)}
    if set(scores) != {"A", "B"} or scores["A"] == scores["B"]:
        return None
    return "A" if scores["A"] > scores["B"] else "B"


def _nested(
    record: Record, read: Callable[[str, Any], list[tuple[str, str]]], whole: Callable[[str], str | None]
) -> list[tuple[str, str]]:
    """Read the verdicts of inner objects, unclear where they are those of criteria."""
    inner = [(key, held) for key, value in record.items() for held in _objects_of(value)]
    stated = [(key, verdicts) for key, held in inner if (verdicts := field_verdicts(held, read, whole))]
    if len(inner) == len(stated) == 1 and (is_verdict_key(inner[0][0]) or inner[0][0].casefold() in CONTAINERS):
        return stated[0][1]
    return [(UNCLEAR, words) for _, verdicts in stated for _, words in verdicts]


def _objects_of(value: Any) -> list[Record]:
    return [held for held in (value if isinstance(value, list) else [value]) if isinstance(held, dict)]
