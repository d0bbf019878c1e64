"""Labels that no command reads: scores on a part of the responses, or under another name."""

from functools import lru_cache
from typing import Any

from real_cli.records.record import Record

# In lower case and without `is_`.
LABELS = frozenset(
    {
        *("label", "labels", "preferred", "preference", "winner", "better", "best", "choice", "selected", "kto_tag"),
        *("score", "scores", "rating", "ratings", "reward", "rewards", "grade", "vote", "votes", "rank", "ranking"),
    }
)
IN_PART = "with scores on a part of the responses"


def label_notes(record: Record) -> list[str]:
    """Say that responses have no label, or only some have, though a field may hold one.

    Args:
        record: A checked record.

    Returns:
        A note to be counted, or nothing.

    Example:
        >>> label_notes({"prompt": "q", "responses": [{"text": "a", "Score": 2}, {"text": "b", "Score": 1}]})
        ["without a label, though 'Score' may hold one"]
        >>> label_notes({"prompt": "q", "responses": [{"text": "a", "score": 2}, {"text": "b"}]})
        ['with scores on a part of the responses']
    """
    responses: Any = record.get("responses")
    if (
        not isinstance(responses, list)
        or len(responses) < 2
        or not all(isinstance(response, dict) for response in responses)
    ):
        return []  # `dsat` reads turns, and has not looked at responses
    scores = [response.get("score") for response in responses]
    if None not in scores or None not in [response.get("rank") for response in responses]:
        return []
    if scores.count(None) < len(scores):
        return [IN_PART]
    # Responses have the same fields, but for a first or a last row without one.
    names = filter(_names_label, dict.fromkeys((*responses[0], *responses[-1], *record)))
    for field in names:
        values = [record.get(field), *(response.get(field) for response in responses)]
        if any(isinstance(value, bool | int | float | str | list) and value not in ("", []) for value in values):
            return [f"without a label, though {field!r} may hold one"]
    return []


@lru_cache(maxsize=1024)  # called for every field of every record
def _names_label(field: str) -> bool:
    return field.lower().removeprefix("is_") in LABELS
