"""A table's row with an empty prompt: the column shows that what its answers share is no prompt."""

from collections.abc import Collection

from real_cli.errors import RecordError
from real_cli.records.public.chat_forms import read_forms
from real_cli.records.public.field_words import asks_by_name
from real_cli.records.public.layout_readers import split_texts
from real_cli.records.public.layout_table import LAYOUTS
from real_cli.records.public.named_prompts import KNOWN_EXTRAS, TURN_FIELDS, WORD_FIELDS
from real_cli.records.public.other_sides import with_usual_sides
from real_cli.records.record import Record


def with_empty_prompt(record: Record, columns: Collection[str], empty: str | None) -> Record:
    """Give a row the empty prompt that its table has, lest the words its answers share be taken for one.

    Args:
        record: A row, without the fields that are empty.
        columns: All that the table has.
        empty: What an empty prompt is: "" in text, None for a null, which is refused like one in a JSON line.

    Returns:
        The record itself if it has a prompt, or its answers hold it; otherwise one with the first such column.

    Example:
        >>> with_empty_prompt({"chosen": "a b", "rejected": "a c"}, ["prompt", "chosen", "rejected"], "")
        {'prompt': '', 'chosen': 'a b', 'rejected': 'a c'}
    """
    named = [field for field in ("prompt", *WORD_FIELDS) if field in columns]
    named += [field for field in columns if asks_by_name(field) and field not in (*named, *KNOWN_EXTRAS)]
    usual = with_usual_sides(record)
    if not named or not {"chosen", "rejected"} <= usual.keys():
        return record
    if any(field in record for field in (*named, *WORD_FIELDS, *TURN_FIELDS)):
        return record
    try:
        read = read_forms(usual)
    except RecordError:
        return record  # reported where it is adapted
    layout = next((layout for layout in LAYOUTS if layout.matches(read)), None)
    return {named[0]: empty, **record} if layout and layout.adapt is split_texts else record
