"""Generated from the tables of `real relabel feedback`: sections of its man page."""

from collections.abc import Iterable

from real_cli.docs.roff import escape, filled
from real_cli.relabel.feedback.acts import ACT_FIELDS
from real_cli.relabel.feedback.rules import RULES, Left
from real_cli.relabel.feedback.shapes import SHAPES


def shapes_section() -> list[str]:
    """List the shapes of traces, as lines of roff."""
    lines = [".SH SHAPES", filled("A trace is known by its fields. One that may have two shapes is refused.")]
    for shape in SHAPES:
        lines += [
            ".TP",
            f".B {escape(shape.name)}",
            filled(f"{shape.fields}."),
            ".br",
            filled(f"Feedback: {shape.acts}."),
        ]
    fields = ", ".join(ACT_FIELDS)
    return [
        *lines,
        ".PP",
        filled(
            f"Fields that are read as feedback: {fields}. A thumb is 1, -1, true, false or a word as up, thumbsDown, "
            "like or negative; other numbers and words are refused, since nobody knows where good begins. Entries of a "
            "list may be objects with a 'type' of copy, edit or regenerate."
        ),
    ]


def events_section() -> list[str]:
    """Say what becomes of each event, in the order of the rules."""
    head = "Rules are tried in this order, for each prompt and all replies to it."
    return [".SH EVENTS", filled(head), *_rows((rule.name, rule.becomes) for rule in RULES)]


def left_section() -> list[str]:
    """Say what is counted and gives no record."""
    head = "Counted on the last line of standard error; a trace that gives no record goes to --rejects."
    return [".SH LEFT OUT", filled(head), *_rows((kind.value[1], kind.value[2]) for kind in Left)]


def _rows(rows: Iterable[tuple[str, str]]) -> list[str]:
    return [line for name, text in rows for line in (".TP", f".B {escape(name)}", filled(text))]
