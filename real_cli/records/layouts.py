"""From a record of any layout that people really have to candidates or preference.

Conversations are read in whatever form they are written; the first row of LAYOUTS that matches says what the fields
mean; then the system message leads the prompt, and a prompt that its responses repeat is taken off. A record that
matches no row is an error that names its fields. Detection looks at each record.
"""

from collections.abc import Callable
from typing import NamedTuple

from real_cli.errors import RecordError, clip
from real_cli.records.field_names import is_score_already, with_known_names, with_score
from real_cli.records.messages import is_empty, is_text
from real_cli.records.prefills import CONTINUED, is_prefilled
from real_cli.records.public.beside_prompts import check_one_question, check_one_shape, unread_beside
from real_cli.records.public.chat_forms import read_forms
from real_cli.records.public.layout import Layout
from real_cli.records.public.layout_table import LAYOUTS, PROMPT, possible_layouts
from real_cli.records.public.leading_turns import lead_with_history, lead_with_system
from real_cli.records.public.message_checks import check_media
from real_cli.records.public.named_prompts import check_asks, named_prompt
from real_cli.records.public.near_layouts import nearest
from real_cli.records.public.plain_records import plain_layout
from real_cli.records.public.rendered_chats import as_turn
from real_cli.records.public.repeated_prompts import IN_HALF, refuse_half, take_off_prompt
from real_cli.records.record import Record, check_candidates, check_preference, is_preference
from real_cli.records.rows import join_rows, parting_field, same_prompt

__all__ = [
    "LAYOUTS",
    "PROMPT",
    "Adapted",
    "Layout",
    "adapt",
    "adapt_prompt",
    "join_rows",
    "parting_field",
    "same_prompt",
    "with_score_of",
]


class Adapted(NamedTuple):
    """A record in one of our two shapes, the layout it came in, and notes on its texts, to be counted."""

    record: Record
    layout: Layout
    notes: tuple[str, ...] = ()


def adapt(record: Record, *, reads_text: bool = True, refuse_halves: bool = True) -> Adapted:
    """Turn a record of any known layout into candidates or preference.

    Args:
        record: One JSON object.
        reads_text: Whether its texts will be read; then images and the like are refused.
        refuse_halves: Whether a prompt that stands in only some of the responses again is refused, or noted.

    Returns:
        The checked record, its layout's row, and notes.

    Raises:
        RecordError: If no layout fits, or the record breaks its layout's rules.

    Example:
        >>> dialogue = "\\n\\nHuman: Hi\\n\\nAssistant:"
        >>> adapt({"chosen": dialogue + " Hello", "rejected": dialogue + " Go"}).record
        {'prompt': '\\n\\nHuman: Hi\\n\\nAssistant:', 'chosen': ' Hello', 'rejected': ' Go'}
    """
    plain = plain_layout(record)
    adapted, layout = (record, plain) if plain is not None else _read_layout(record, reads_text)
    adapted, note = take_off_prompt(adapted)
    if plain is not None and not note:
        return Adapted(record, plain)
    if refuse_halves:
        refuse_half(note)
    if note != IN_HALF:
        check_one_question(adapted)
    notes = _notes(adapted, is_named="prompt" in record and not layout.holds_turns)
    return Adapted(adapted, layout, (*([note] if note else []), *notes))


def _read_layout(record: Record, reads_text: bool) -> tuple[Record, Layout]:
    """Read a record by the first layout that matches it, and check what comes of it."""
    record = read_forms(record)
    if record.get("prompt") == "":
        named_prompt(record)
    for layout in possible_layouts(tuple(record)):
        if layout.matches(record):
            adapted = layout.adapt(record)
            # What stood within another field may be a conversation written as text.
            adapted = lead_with_system(lead_with_history(adapted if adapted is record else read_forms(adapted)))
            check_one_shape(adapted, record)
            if "responses" in adapted:
                check_candidates(adapted)
                adapted = _in_form(adapted)
            else:
                adapted = with_known_names(adapted)
                check_preference(adapted)
            if reads_text:
                check_media(adapted)
            return adapted, layout
    raise RecordError(nearest(record))


def _in_form(record: Record) -> Record:
    """Make a prompt in words a message where a response is messages: a pair has one form."""
    if isinstance(record["prompt"], str) and any(type(response["text"]) is list for response in record["responses"]):
        return record | {"prompt": as_turn(record["prompt"])}
    return record


def adapt_alone(record: Record) -> Adapted:
    """Turn a record into candidates or preference for a command that reads each row of one response by itself.

    Args:
        record: One JSON object.

    Returns:
        As `adapt`; neighboring rows of one prompt are not joined.

    Raises:
        RecordError: As `adapt`.

    Example:
        >>> adapt_alone({"prompt": "q", "completion": "a", "label": False}).record
        {'prompt': 'q', 'responses': [{'text': 'a', 'score': 0, 'label': False}]}
    """
    adapted = adapt(record)
    return adapted._replace(layout=adapted.layout._replace(one_response_a_row=False))


def adapt_unread(record: Record) -> Adapted:
    """Turn a record into candidates or preference for a command that reads its numbers and never its texts.

    Args:
        record: One JSON object.

    Returns:
        As `adapt`; images may be among its texts.

    Raises:
        RecordError: As `adapt`.
    """
    return adapt(record, reads_text=False)


def adapt_prompt(record: Record) -> Adapted:
    """Accept a record for its prompt alone; other layouts are adapted as usual.

    Args:
        record: One JSON object.

    Returns:
        The record and its layout's row.

    Raises:
        RecordError: If there is no prompt.

    Example:
        >>> adapt_prompt({"id": 1, "prompt": "q"}).record
        {'id': 1, 'prompt': 'q'}
    """
    if not {"responses", "chosen", "rejected"} & record.keys():
        read = read_forms(record)
        if is_text(read.get("prompt")) and not any(row.holds_turns and row.matches(read) for row in LAYOUTS):
            return _alone(read)
        if "prompt" not in read and not any(layout.matches(read) for layout in LAYOUTS):
            named = named_prompt(read)
            if named is None:
                raise RecordError(f"no known layout has the fields {clip(sorted(record))}; each record needs 'prompt'")
            check_asks(named)
            others = {field: value for field, value in read.items() if field not in named.uses}
            return _alone({"prompt": named.prompt, **others})
    return adapt(record)


def with_score_of(read: Callable[[Record], Adapted], field: str | None) -> Callable[[Record], Adapted]:
    """Have a reader take a named rating for the score, before rows are joined.

    Args:
        read: Turns a record of any layout into ours.
        field: The rating's name; None leaves the scores that a layout knows.

    Returns:
        The reader.

    Example:
        >>> row = {"prompt": "q", "responses": [{"text": "a", "tone": 3}]}
        >>> with_score_of(adapt, "tone")(row).record["responses"][0]["score"]
        3
    """
    if field is None:
        return read

    def scored(record: Record) -> Adapted:
        adapted = read(record)
        if is_score_already(record, adapted.record, field):
            return adapted
        return adapted._replace(record=with_score(adapted.record, field))

    return scored


def _alone(record: Record) -> Adapted:
    named_prompt(record)
    record = lead_with_system(lead_with_history(record))
    check_media(record)
    return Adapted(record, PROMPT, _notes(record, is_named=True))


def _notes(record: Record, *, is_named: bool) -> tuple[str, ...]:
    """Say that a prompt is begun by the assistant, and what stands unread beside one named `prompt`."""
    unread = [f"with {field!r} beside 'prompt', not read" for field in (unread_beside(record) if is_named else ())]
    sides = ("chosen", "rejected") if is_preference(record) else ()
    empty = [f"with an empty {side} response" for side in sides if is_text(record[side]) and is_empty(record[side])]
    return (*((CONTINUED,) if is_prefilled(record["prompt"]) else ()), *unread, *empty)
