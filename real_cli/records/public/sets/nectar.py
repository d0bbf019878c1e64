"""Nectar: seven answers with ranks."""

from real_cli.records.public.comparisons import objects
from real_cli.records.public.layout import CANDIDATES, Layout
from real_cli.records.public.layout_marks import is_list
from real_cli.records.public.layout_readers import rest
from real_cli.records.record import Record


def rank_answers(record: Record) -> Record:
    """Nectar: seven answers with ranks."""
    answers = objects(record, "answers", "answer")
    responses = [
        {"text": answer["answer"]} | {field: value for field, value in answer.items() if field != "answer"}
        for answer in answers
    ]
    return rest(record, ["answers"], prompt=record["prompt"], responses=responses)


ROWS = (
    Layout(
        "Nectar",
        "`prompt`, `answers`: [{`answer`, `rank`, `model`}]",
        CANDIDATES,
        lambda r: "prompt" in r and is_list(r, "answers", "answer"),
        rank_answers,
        ("answers",),
    ),
)
