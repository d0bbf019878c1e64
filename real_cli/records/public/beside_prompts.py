"""Fields beside a prompt that the responses hold, or that is named `prompt`: refused, or told where it is not read."""

import re
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
from real_cli.records.record import LABELED_NAMES, LEFT_BEHIND, Record

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
# Names that a pair of responses may give to what it holds, on lines of their own.
OF_A_SIDE = re.compile(r"^(chosen|rejected|ref_(chosen|rejected)_logps|.*_(chosen|rejected))$", re.MULTILINE)
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
    """Refuse a pair, or what would be a part of it, beside a list of responses: commands would read one or the other.

    >>> check_one_shape({"prompt": "q", "responses": []}, {})
    """
    if not isinstance(adapted.get("responses"), list):
        return
    field = next((name for name in LISTS if isinstance(record.get(name), list)), "responses")
    if all(is_text(adapted.get(side)) for side in SIDES):
        raise RecordError(
            f"the responses are in 'chosen' and 'rejected', and in '{field}'; {drop_line(field)} leaves the pair, "
            f"{drop_line(*SIDES)} the list"
        )
    if len(adapted["responses"]) > 1 and OF_A_SIDE.search("\n".join(adapted)):
        _check_room(adapted, record, field)


def _check_room(adapted: Record, record: Record, source: str) -> None:
    """Refuse a field that has the name of what a pair of the responses will have."""
    ours = {name for response in adapted["responses"] if isinstance(response, dict) for name in response}
    sides = [LABELED_NAMES.get(name) or (f"{name}_chosen", f"{name}_rejected") for name in ours - LEFT_BEHIND]
    taken = {*SIDES, *(name for both in sides for name in both)}
    beside = [name for name in adapted if name in taken]
    if not beside:
        return
    where = f"'{source}'" if source in record else "the responses"
    listed = " and ".join(f"'{name}'" for name in beside)
    if len(beside) == 1:
        what = f"field {listed} stands beside {where}, and a pair of these has a field of that name"
    else:
        what = f"fields {listed} stand beside {where}, and a pair of these has fields of those names"
    raise RecordError(f"{what}; {drop_line(*beside)} leaves the responses")


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
