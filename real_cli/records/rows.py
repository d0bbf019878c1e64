"""Rows that hold one response each: which of them share a prompt, and how they become one record."""

from collections.abc import Collection
from typing import Any

import orjson

from real_cli.records.messages import is_conversation, plain_text
from real_cli.records.public.beside_prompts import OF_A_SIDE
from real_cli.records.public.field_words import is_label, is_measure, tells_of_response
from real_cli.records.public.named_prompts import CONTEXT_FIELDS
from real_cli.records.record import Record

BLANK: tuple[Any, ...] = (None, "", [], {})  # blank context


def join_rows(rows: list[Record]) -> Record:
    """Join the rows of one prompt, one response each, into candidates.

    Args:
        rows: Candidates records with one response each and the same prompt.

    Returns:
        One record. A field that all rows agree on stays on the record, but for what is named as a pair's own fields
        are (`chosen`, `score_chosen`); others go to their row's response, as row_FIELD where the response has that
        field itself.

    Example:
        >>> join_rows([{"prompt": "q", "responses": [{"text": "a"}], "id": 1, "set": "x"},
        ...            {"prompt": "q", "responses": [{"text": "b"}], "id": 2, "set": "x"}])
        {'prompt': 'q', 'responses': [{'text': 'a', 'id': 1}, {'text': 'b', 'id': 2}], 'set': 'x'}
    """
    first = rows[0]
    common = {field for field in first if all(_alike(first, row, field) for row in rows) and not OF_A_SIDE.match(field)}
    kept = common | {"prompt", "responses"}
    responses = []
    for row in rows:
        response = dict(row["responses"][0])
        for field, value in row.items():
            if field not in kept and not (field in CONTEXT_FIELDS and value in BLANK):
                response[f"row_{field}" if field in response else field] = value
        responses.append(response)
    return {field: responses if field == "responses" else value for field, value in first.items() if field in kept}


def _alike(first: Record, row: Record, field: str) -> bool:
    # As JSON: true is not 1.
    return field in first and field in row and orjson.dumps(first[field]) == orjson.dumps(row[field])


def same_prompt(record: Record, other: Record) -> bool:
    """Tell whether two records share their prompt and its context: tools, images and the like."""
    return bool(record["prompt"] == other["prompt"]) and not parting_field(record, other)


def parting_field(record: Record, other: Record, measured: Collection[str] = ()) -> str:
    """Find a field that keeps rows of one prompt apart; empty if none does.

    Args:
        record: A checked record.
        other: Another, of the same prompt.
        measured: Fields that an option reads as numbers of a response.

    Returns:
        The name of a field that differs and, by its name, says nothing of the response: words, a list, an object, or a
        whole number. It is empty if there is none.

    Example:
        >>> parting_field({"prompt": "q", "fact": "Snow is white."}, {"prompt": "q", "fact": "Coal is black."})
        'fact'
        >>> parting_field({"prompt": "q", "critique": "It is short."}, {"prompt": "q", "critique": "It is wrong."})
        ''
    """
    for field in record | other:
        if field not in ("prompt", "responses") and field not in measured and not _same_context(record, other, field):
            return field
    return ""


def _same_context(record: Record, other: Record, field: str) -> bool:
    values = [record.get(field), other.get(field)]
    if field not in CONTEXT_FIELDS and not any(_may_be_asked(field, value) for value in values):
        return True
    if any(value in BLANK for value in values):
        return all(value in BLANK for value in values)
    return _alike(record, other, field) or (_holds_answer(record, field) and _holds_answer(other, field))


def _may_be_asked(field: str, value: Any) -> bool:
    """Tell whether a value may be what a prompt asks about, by its type and its field's name."""
    if isinstance(value, bool | float) or value in BLANK or tells_of_response(field):
        return False
    if not isinstance(value, list | dict) and is_label(field, value):
        return False
    return not isinstance(value, int) or not is_measure(field)


def _holds_answer(record: Record, field: str) -> bool:
    # Alpaca's `text` frames prompt and response; a passage may hold the response without being it.
    value = record[field]
    text = plain_text(value) if isinstance(value, str) or is_conversation(value) else ""
    answers = [plain_text(response["text"]).strip() for response in record.get("responses", ())]
    if not text or not answers or not all(answers):
        return False
    if (field == "text" or field not in CONTEXT_FIELDS) and plain_text(record["prompt"]).strip() in text:
        return all(answer in text for answer in answers)
    return all(answer == text.strip() for answer in answers)
