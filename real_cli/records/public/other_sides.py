"""Data sets' names for the two sides of a pair, other than `chosen` and `rejected`."""

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
    """Rename the sides of a pair to `chosen` and `rejected`, in place; a record with both stays as it is.

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
