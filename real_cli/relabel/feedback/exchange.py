"""A trace of a single call: what went in, what came out, and what was done with it."""

from typing import Any

from real_cli.errors import RecordError, clip
from real_cli.records.messages import is_conversation
from real_cli.records.record import Record
from real_cli.relabel.feedback.acts import ORIGINAL_FIELDS, ActReader, Acts
from real_cli.relabel.feedback.tree import Tree, beside, chain, clean_message

INPUT_FIELDS = (
    *("input", "inputs", "prompt", "request", "request_body", "instruction", "question", "query", "messages"),
)
GIVEN_FIELDS = ("output", "outputs", "response", "response_body", "completion", "answer")
OUTPUT_FIELDS = (*GIVEN_FIELDS, *ORIGINAL_FIELDS)
# Of an object, what holds messages or a text, the surest first.
INNER_FIELDS = (
    *("messages", "choices", "message", "generations", "content", "text", "input", "output", "question", "query"),
    *("prompt", "answer", "response", "completion", "result"),
)
DEEPEST = 8


def read_exchange(record: Record, read: ActReader) -> Tree:
    """Read the messages that went in and those that came out; what was done stands beside them.

    Raises:
        RecordError: If several fields may be the input or the output.
    """
    asked_in = _single(record, INPUT_FIELDS, "what was asked")
    given = [name for name in GIVEN_FIELDS if record.get(name) is not None]
    given_in = _single(record, GIVEN_FIELDS if given else ORIGINAL_FIELDS, "the reply")
    asked = _messages(record[asked_in], "user", f"field '{asked_in}'")
    reply = _messages(record[given_in], "assistant", f"field '{given_in}'")
    if reply[: len(asked)] == asked:
        reply = reply[len(asked) :]  # LangGraph's output repeats the input
    if not reply or any(message["role"] in ("user", "system", "developer") for message in reply):
        raise RecordError(f"field '{given_in}' is {clip(record[given_in])}; the reply alone is needed")
    if asked[-1]["role"] != "user":
        raise RecordError(f"field '{asked_in}' does not end with a message of the user; the prompt alone is needed")
    done = read([record], "the record")
    if done.is_edit and len(reply) > 1:
        raise RecordError(f"field '{given_in}' holds {len(reply)} messages and an edit; which was edited is not known")
    acts = [*(Acts() for _ in range(len(asked) + len(reply) - 1)), done]
    inner = record[asked_in]
    return chain([*asked, *reply], acts, beside(record, inner if isinstance(inner, dict) else {}))


def _single(record: Record, names: tuple[str, ...], what: str) -> str:
    present = [name for name in names if record.get(name) is not None]
    if len(present) > 1:
        raise RecordError(f"{' and '.join(map(repr, present))} may both be {what}; keep one of them")
    return present[0]


def _messages(value: Any, role: str, where: str) -> list[Record]:
    """Read a text, a message, a list of them, or an object that holds such a thing alone."""
    whole = value
    for _ in range(DEEPEST):
        if isinstance(value, str):
            value = [{"role": role, "content": value}]
        if isinstance(value, dict) and ("role" in value or "from" in value):
            value = [value]
        if is_conversation(value) or _is_from_list(value):
            cleaned = [clean_message(message, f"{where}: message {number}") for number, message in enumerate(value, 1)]
            return [message for message in cleaned if message is not None] or _refuse(whole, where)
        if isinstance(value, list) and len(value) == 1:
            (value,) = value  # a single choice, or a batch of one
            continue
        inner = [name for name in INNER_FIELDS if isinstance(value, dict) and value.get(name)]
        if not inner or (len(inner) > 1 and inner[0] not in ("messages", "choices", "message")):
            break
        value = value[inner[0]]
    return _refuse(whole, where)


def _is_from_list(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(turn, dict) and "from" in turn for turn in value)


def _refuse(value: Any, where: str) -> list[Record]:
    raise RecordError(f"{where} is {clip(value)}; a text, or a list of messages, is needed")
