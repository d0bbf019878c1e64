"""Labels that no command reads: scores on a part of the responses, or under another name."""

from typing import Any

from real_cli.records.messages import is_number
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
    if not isinstance(responses, list) or len(responses) < 2:
        return []
    scored = [is_number(response.get("score")) for response in responses]
    ranked = [is_number(response.get("rank")) for response in responses]
    if all(scored) or all(ranked):
        return []
    if any(scored):
        return [IN_PART]
    for holder in (*responses, record):
        for field, value in holder.items():
            if _is_label(field, value):
                return [f"without a label, though {field!r} may hold one"]
    return []


def _is_label(field: str, value: Any) -> bool:
    is_named = field.lower().removeprefix("is_") in LABELS
    return is_named and isinstance(value, bool | int | float | str | list) and value not in ("", [])
