"""Layouts that people really have, each turned into candidates or preference.

One row of LAYOUTS is one layout: how to know it by a record's fields, and how to adapt it. The first row that matches
wins; a record that matches none is an error which names the fields it has. Detection looks at each record.
"""

from collections.abc import Callable
from os.path import commonprefix
from typing import NamedTuple

import orjson

from real_cli.errors import RecordError, clip
from real_cli.records.field_names import with_known_names
from real_cli.records.layout_readers import (
    ASSISTANT_MARK,
    PARALLEL_FIELDS,
    RESPONSE_FIELDS,
    first_text_list,
    join_arrays,
    keep,
    order_answers,
    rate_completions,
    split_binarized,
    split_conversations,
    split_texts,
    split_transcripts,
    unify_forms,
    wrap_response,
)
from real_cli.records.messages import is_conversation, is_text
from real_cli.records.record import Record, check_candidates, check_preference


class Layout(NamedTuple):
    """One layout: its name, the fields that tell it, what it becomes, and the two functions."""

    name: str
    fields: str
    becomes: str
    matches: Callable[[Record], bool]
    adapt: Callable[[Record], Record]
    one_response_a_row: bool = False


class Adapted(NamedTuple):
    """A record in one of our two shapes, and the layout it came in."""

    record: Record
    layout: Layout


def adapt(record: Record) -> Adapted:
    """Turn a record of any known layout into candidates or preference.

    Args:
        record: One JSON object.

    Returns:
        The checked record and its layout's row.

    Raises:
        RecordError: If no layout fits, or the record breaks its layout's rules.

    Example:
        >>> dialogue = "\\n\\nHuman: Hi\\n\\nAssistant:"
        >>> adapt({"chosen": dialogue + " Hello", "rejected": dialogue + " Go"}).record
        {'prompt': '\\n\\nHuman: Hi\\n\\nAssistant:', 'chosen': ' Hello', 'rejected': ' Go'}
    """
    for layout in LAYOUTS:
        if layout.matches(record):
            adapted = layout.adapt(record)
            if "responses" in adapted:
                check_candidates(adapted)
            else:
                adapted = with_known_names(adapted)
                check_preference(adapted)
            return Adapted(adapted, layout)
    raise RecordError(_nearest(record))


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
        if is_text(record.get("prompt")):
            return Adapted(record, PROMPT)
        if "prompt" not in record and not any(layout.matches(record) for layout in LAYOUTS):
            raise RecordError(f"no known layout has the fields {clip(sorted(record))}; each record needs 'prompt'")
    return adapt(record)


def _nearest(record: Record) -> str:
    """Say what a record lacks of the layout it resembles most."""
    if "responses" in record and not isinstance(record["responses"], list):
        return f"field 'responses' is {clip(record['responses'])}; a list of objects with 'text' is needed"
    for field in PARALLEL_FIELDS["text"]:
        texts = record.get(field)
        if isinstance(texts, list) and not all(is_text(text) or isinstance(text, dict) for text in texts):
            number = next(n for n, text in enumerate(texts, 1) if not (is_text(text) or isinstance(text, dict)))
            return f"{field} {number} is {clip(texts[number - 1])}; each must be a string or a conversation"
    if "responses" in record:
        return "field 'prompt' is missing; each record needs 'prompt' and 'responses'"
    for field, other in (("chosen", "rejected"), ("rejected", "chosen")):
        if field in record and other not in record:
            return f"field '{other}' is missing; a pair has 'prompt', 'chosen' and 'rejected'"
    if "prompt" in record:
        return "field 'responses' is missing; each record needs 'prompt' and 'responses', or 'chosen' and 'rejected'"
    return f"no known layout has the fields {clip(sorted(record))}; each record needs 'prompt' and 'responses'"


def _is_strings(record: Record, *fields: str) -> bool:
    return all(isinstance(record.get(field), str) for field in fields)


def _are_conversations(record: Record) -> bool:
    return is_conversation(record.get("chosen")) and is_conversation(record.get("rejected"))


def _are_transcripts(record: Record) -> bool:
    if "prompt" in record or not _is_strings(record, "chosen", "rejected"):
        return False
    return ASSISTANT_MARK in commonprefix([record["chosen"], record["rejected"]])


PROMPT = Layout("prompt", "`prompt`", "prompt", lambda r: "prompt" in r, keep)

LAYOUTS = (
    Layout(
        "candidates",
        "`prompt`, `responses`: [{`text`, ...}]",
        "candidates",
        lambda r: isinstance(r.get("responses"), list) and not first_text_list(r, ["responses"]) and "prompt" in r,
        keep,
    ),
    Layout(
        "parallel arrays",
        "`prompt` or `instruction`, `responses` or `generations`: [text], with `scores`, `ratings`, "
        "`rewards`, `ranks`, `models`, `embeddings` of the same length (distilabel, Magpie)",
        "candidates",
        lambda r: bool(first_text_list(r, PARALLEL_FIELDS["text"])) and ("prompt" in r or "instruction" in r),
        join_arrays,
    ),
    Layout(
        "UltraFeedback",
        "`instruction`, `completions`: [{`response`, `annotations`}]; score = mean of the rated aspects",
        "candidates",
        lambda r: "instruction" in r and isinstance(r.get("completions"), list),
        rate_completions,
    ),
    Layout(
        "SHP, SHP-2",
        "`history`, `human_ref_A`, `human_ref_B`, `score_A`, `score_B`, `labels`",
        "preference",
        lambda r: _is_strings(r, "history", "human_ref_A", "human_ref_B"),
        order_answers,
    ),
    Layout(
        "HH-RLHF",
        "`chosen`, `rejected`: transcripts; the prompt ends at the last `Assistant:` they share",
        "preference",
        _are_transcripts,
        split_transcripts,
    ),
    Layout(
        "UltraFeedback binarized",
        "`prompt`: text, `chosen`, `rejected`: conversations that begin with the prompt",
        "preference",
        lambda r: (
            isinstance(r.get("prompt"), str)
            and _are_conversations(r)
            and r["chosen"][0] == r["rejected"][0]
            and r["chosen"][0].get("role") != "assistant"
        ),
        split_binarized,
    ),
    Layout(
        "TRL, mixed",
        "`prompt`: conversation, `chosen`, `rejected`: texts; or the other way round",
        "preference",
        lambda r: (
            (is_conversation(r.get("prompt")) and _is_strings(r, "chosen", "rejected"))
            or (isinstance(r.get("prompt"), str) and _are_conversations(r))
        ),
        unify_forms,
    ),
    Layout(
        "TRL preference",
        "`prompt`, `chosen`, `rejected`: all texts or all conversations",
        "preference",
        lambda r: {"prompt", "chosen", "rejected"} <= r.keys(),
        keep,
    ),
    Layout(
        "TRL implicit prompt",
        "`chosen`, `rejected`: conversations; the prompt is the messages they share",
        "preference",
        lambda r: "prompt" not in r and _are_conversations(r),
        split_conversations,
    ),
    Layout(
        "TRL implicit prompt, text",
        "`chosen`, `rejected`: texts; the prompt is the words they begin with",
        "preference",
        lambda r: "prompt" not in r and _is_strings(r, "chosen", "rejected"),
        split_texts,
    ),
    Layout(
        "one response a row",
        "`prompt` or `instruction`, `response`, `completion` or `output`, with `score`, `label` or "
        "`generator`; neighboring rows of one prompt are joined (TRL unpaired, AlpacaEval, flat)",
        "candidates",
        lambda r: ("prompt" in r or "instruction" in r) and any(is_text(r.get(field)) for field in RESPONSE_FIELDS),
        wrap_response,
        one_response_a_row=True,
    ),
)


def join_rows(rows: list[Record]) -> Record:
    """Join the rows of one prompt that hold one response each.

    Args:
        rows: Candidates records with one response each and the same prompt.

    Returns:
        One record. A field that all rows agree on stays on the record; others go to their row's response, as row_FIELD
        where the response has that field itself.

    Example:
        >>> join_rows([{"prompt": "q", "responses": [{"text": "a"}], "id": 1, "set": "x"},
        ...            {"prompt": "q", "responses": [{"text": "b"}], "id": 2, "set": "x"}])
        {'prompt': 'q', 'responses': [{'text': 'a', 'id': 1}, {'text': 'b', 'id': 2}], 'set': 'x'}
    """
    first = rows[0]
    common = {field for field in first if all(_alike(first, row, field) for row in rows)}
    kept = common | {"prompt", "responses"}
    responses = []
    for row in rows:
        response = dict(row["responses"][0])
        for field, value in row.items():
            if field not in kept:
                response[f"row_{field}" if field in response else field] = value
        responses.append(response)
    return {field: responses if field == "responses" else value for field, value in first.items() if field in kept}


def _alike(first: Record, row: Record, field: str) -> bool:
    # As JSON: true is not 1.
    return field in row and orjson.dumps(first[field]) == orjson.dumps(row[field])


def same_prompt(record: Record, other: Record) -> bool:
    """Tell whether two records answer the same prompt.

    Args:
        record: A checked record.
        other: Another.

    Returns:
        True if their prompts are equal.
    """
    return bool(record["prompt"] == other["prompt"])
