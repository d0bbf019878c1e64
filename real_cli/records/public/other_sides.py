"""What data sets call the two sides of a pair, where it is not `chosen` and `rejected`."""

from real_cli.records.messages import is_text
from real_cli.records.record import Record

OTHER_SIDES = (
    ("chosen_response", "rejected_response"),
    ("response_chosen", "response_rejected"),
    ("chosen_conversations", "rejected_conversations"),
    ("chosen_conversations", "reject_conversations"),
    ("chosen_conversation", "rejected_conversation"),
    ("chosen_messages", "rejected_messages"),
    ("accepted", "rejected"),
    ("chosen", "reject"),
    ("preferred", "dispreferred"),
    ("preferred_response", "dispreferred_response"),
)


def with_usual_sides(record: Record) -> Record:
    """Give the sides of a pair the names `chosen` and `rejected`.

    Args:
        record: One JSON object.

    Returns:
        A record with its fields in their order; the record itself if it has both names, or no others.

    Example:
        >>> with_usual_sides({"prompt": "q", "accepted": "a", "rejected": "b"})
        {'prompt': 'q', 'chosen': 'a', 'rejected': 'b'}
    """
    if {"chosen", "rejected"} <= record.keys():
        return record
    for names in OTHER_SIDES:
        if all(is_text(record.get(name)) for name in names):
            usual = dict(zip(names, ("chosen", "rejected"), strict=True))
            if not any(name in record for name in usual.values() if name not in names):
                return {usual.get(name, name): value for name, value in record.items()}
    return record
