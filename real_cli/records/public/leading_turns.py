"""What stands beside a prompt and comes before it: a system message, earlier turns."""

from typing import Any

from real_cli.errors import RecordError, clip
from real_cli.records.messages import as_completion, is_conversation, is_text, plain_text
from real_cli.records.public.jq_lines import drop_line, rename_line
from real_cli.records.public.named_prompts import (
    HISTORY_FIELDS,
    SYSTEM_FIELDS,
    TURN_FIELDS,
    history_field,
    read_history,
)
from real_cli.records.public.rendered_chats import rendered_mark
from real_cli.records.record import Record

TURNS_BESIDE = frozenset({*HISTORY_FIELDS, *TURN_FIELDS})


def lead_with_system(record: Record) -> Record:
    """Move the system message beside a prompt in front of it; all texts become conversations.

    Refused are a second, other system message, one that is no string, and a prompt that is already rendered.

    >>> lead_with_system({"prompt": "q", "chosen": "a", "rejected": "b", "system": "Be kind."})["prompt"]
    [{'role': 'system', 'content': 'Be kind.'}, {'role': 'user', 'content': 'q'}]
    """
    fields = [field for field in SYSTEM_FIELDS if record.get(field)]
    words = [record[field] for field in fields if not isinstance(record[field], bool | int | float)]
    fields = [field for field in fields if not isinstance(record[field], bool | int | float)]
    if not any(not isinstance(text, str) or text.strip() for text in words):
        return record
    if not isinstance(words[0], str) or any(_differ(text, words[0]) for text in words):
        raise RecordError(f"field '{fields[-1]}' is {clip(words[-1])}; one system message, a string, is needed")
    prompt = with_leading(record["prompt"], words[0], fields[0])
    led = {name: value for name, value in record.items() if name not in fields} | {"prompt": prompt}
    for field in ("chosen", "rejected", "reference"):
        if field in led:
            led[field] = as_completion(prompt, led[field])
    return led


def with_leading(prompt: Any, words: str, field: str) -> Any:
    """Put the system message from `field` in front of a prompt, once.

    Refused are another system message there, and a rendered chat. Anything that is no prompt is returned as it is,
    for the checks that follow.
    """
    message = {"role": "system", "content": words}
    if isinstance(prompt, str):
        if mark := rendered_mark(prompt):
            raise RecordError(_no_place(field, mark))
        return [message, {"role": "user", "content": prompt}]
    if not is_conversation(prompt) or prompt[0] == message:
        return prompt
    if prompt[0]["role"] in ("system", "developer"):
        if not _differ(prompt[0].get("content"), words):
            return prompt
        raise RecordError(
            f"field '{field}' is {clip(words)}, and the prompt has another system message; {drop_line(field)}"
        )
    return [message, *prompt]


def _no_place(field: str, mark: str) -> str:
    return (
        f"field '{field}' has no place beside a prompt that is rendered already, as {clip(mark)} shows; put it into "
        f"the prompt, or {drop_line(field)}"
    )


def _differ(text: Any, other: str) -> bool:
    """Tell whether two system messages differ in more than surrounding blanks."""
    return not isinstance(text, str) or text.strip() != other.strip()


def lead_with_history(record: Record) -> Record:
    """Move earlier turns beside a prompt in front of it, unless it holds them; all become conversations.

    Refused are turns in `messages` or its like that share nothing with a prompt in words, and a rendered prompt
    without the turns.

    >>> lead_with_history({"prompt": "Why?", "history": [["Hi", "Hello"]]})["prompt"][1:]
    [{'role': 'assistant', 'content': 'Hello'}, {'role': 'user', 'content': 'Why?'}]
    """
    if TURNS_BESIDE.isdisjoint(record):
        return record
    prompt: Any = record.get("prompt")
    earlier = history_field(record)
    history = record.get(earlier)
    _check_turns(record)
    if not isinstance(history, list) or not is_text(prompt):
        return record
    try:
        turns = read_history(history)
    except RecordError:
        return record  # beside a prompt of that name it may be anything
    asked = _padded(plain_text(prompt))
    if all(_padded(plain_text([turn])) in asked for turn in turns):
        return record
    if isinstance(prompt, str):
        if mark := rendered_mark(prompt):
            raise RecordError(_no_place(earlier, mark))
        prompt = [{"role": "user", "content": prompt}]
    head = prompt[:1] if prompt[0]["role"] in ("system", "developer") else []
    prompt = [*head, *turns, *prompt[len(head) :]]
    led = {name: value for name, value in record.items() if name != earlier} | {"prompt": prompt}
    for field in ("chosen", "rejected", "reference"):
        if field in led:
            led[field] = as_completion(prompt, led[field])
    return led


def _check_turns(record: Record) -> None:
    """Refuse a conversation beside a prompt in words if neither holds the other: one would be lost."""
    prompt = record.get("prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        return
    for field in TURN_FIELDS:
        turns: Any = record.get(field)
        if not is_conversation(turns) or turns[0]["role"] not in ("user", "system", "developer"):
            continue  # steps of an answer
        statements = [words for turn in turns if (words := _padded(plain_text([turn]))).strip()]
        shared = _padded(prompt) in _padded(plain_text(turns)) or any(words in _padded(prompt) for words in statements)
        if statements and not shared:
            raise RecordError(
                f"field '{field}' may be the prompt, and so may 'prompt'; {rename_line(field, turns)} if it is, "
                f"{drop_line(field)} if it is not"
            )


def _padded(text: str) -> str:
    return f" {' '.join(text.split())} "
