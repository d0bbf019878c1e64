"""Fields beside a prompt that the responses hold, or that is named `prompt`: refused, or told where it is not read."""

from typing import Any

from real_cli.errors import RecordError
from real_cli.records.messages import is_text
from real_cli.records.public.field_words import asks_by_name
from real_cli.records.public.jq_lines import drop_line, may_ask, rename_line
from real_cli.records.public.named_prompts import (
    ABOUT_FIELDS,
    HISTORY_FIELDS,
    KNOWN_EXTRAS,
    TURN_FIELDS,
    WORD_FIELDS,
    holds,
    is_of_a_side,
    may_be_prompt,
    squeezed,
)
from real_cli.records.record import Record

# Names of a context that a record with `prompt` keeps, and no command reads.
BESIDE_PROMPT = frozenset(
    {
        *(*ABOUT_FIELDS, *WORD_FIELDS, *HISTORY_FIELDS, "sys", "systemPrompt", "system_instructions", "developer"),
        *(
            "prefix",
            "suffix",
            "persona",
            "scenario",
            "facts",
            "background",
            "knowledge",
            "few_shot",
            "examples",
            "hint",
        ),
        *("rules", "constraints", "search_results", "ctxs", "contexts", "inputs", "input_text", "user_input", "task"),
    }
)

SIDES = ("chosen", "rejected")
# Lists that layouts read as responses.
LISTS = ("responses", "generations", "completions", "answers", "summaries")


def check_inside(record: Record, shared: list[Record]) -> None:
    """Refuse a field named after prompts that is not in the messages that two conversations share.

    >>> check_inside({"question": "Why?"}, [{"role": "user", "content": "But why? Why?"}])
    """
    if "prompt" in record:
        return
    asked = squeezed(shared)
    for field in record:
        if not may_be_prompt(record, field) or field in TURN_FIELDS:
            continue
        words = squeezed(record[field])
        if not holds(asked, words) and not holds(words, asked):
            raise RecordError(
                f"field '{field}' may belong to the prompt, and is not in the messages that 'chosen' and 'rejected' "
                f"share; write it there, or {drop_line(field)}"
            )


def unread_beside(record: Record) -> list[str]:
    """List the fields beside `prompt` whose names are a context's, and whose words are not in it.

    >>> unread_beside({"prompt": "Why?", "context": "Snow is white.", "id": 7})
    ['context']
    """
    if BESIDE_PROMPT.isdisjoint(record):
        return []
    fields = [field for field in record if field in BESIDE_PROMPT and may_ask(record[field])]
    asked = squeezed(record["prompt"]) if fields else ""
    return [field for field in fields if not holds(asked, squeezed(record[field]))]


def check_extras(record: Record) -> None:
    """Refuse two texts without a prompt beside a field that may be it, with the jq line that renames it.

    >>> check_extras({"chosen": "The sum is 7.", "rejected": "The sum is 8.", "id": "a b"})
    """
    for field, value in record.items():
        if field in KNOWN_EXTRAS or is_of_a_side(field):
            continue
        by_name = asks_by_name(field) and isinstance(value, str | list | None)
        if by_name and not value:
            state = "null" if value is None else "empty"
            raise RecordError(
                f"field '{field}' is {state}, and no other is the prompt; a text is needed, or {drop_line(field)}"
            )
        if by_name or may_ask(value):
            raise RecordError(
                f"there is no 'prompt', and field '{field}' may be it; {rename_line(field, record[field])} if it is, "
                f"{drop_line(field)} if it is not"
            )


def check_one_shape(adapted: Record, record: Record) -> None:
    """Refuse a pair that has a list of responses beside it: commands would read one or the other.

    >>> check_one_shape({"prompt": "q", "responses": []}, {})
    """
    if (
        "chosen" not in adapted
        or not isinstance(adapted.get("responses"), list)
        or not all(is_text(adapted.get(side)) for side in SIDES)
    ):
        return
    field = next((name for name in LISTS if isinstance(record.get(name), list)), "responses")
    raise RecordError(
        f"the responses are in 'chosen' and 'rejected', and in '{field}'; {drop_line(field)} leaves the pair, "
        f"{drop_line(*SIDES)} the list"
    )


def check_one_question(adapted: Record) -> None:
    """Refuse conversations as responses that begin with messages of the user which differ.

    >>> check_one_question({"prompt": "q", "chosen": "a", "rejected": "b"})
    """
    responses = adapted.get("responses")
    texts = [response["text"] for response in responses] if responses else [adapted.get(side) for side in SIDES]
    first: list[Any] = [text[0] for text in texts if type(text) is list]
    if not first:
        return
    asking = [turn for turn in first if turn["role"] == "user"]
    if asking and any(turn != asking[0] for turn in first):
        raise RecordError(
            "the responses begin with messages of the user that differ, and each answers another question; all must "
            "answer one prompt"
        )
