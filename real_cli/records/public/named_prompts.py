"""Where a record keeps what is asked: a prompt of another name, its context, and rivals that are not read.

`prompt` itself wins. Otherwise it is a conversation of any of the usual names, or an instruction with its input or
context, after the turns of a `history`.
"""

from typing import Any, NamedTuple

import orjson

from real_cli.errors import RecordError, clip
from real_cli.records.messages import Text, is_conversation, is_number, plain_text
from real_cli.records.public.chat_forms import text_form
from real_cli.records.public.jq_lines import (
    CHOICE_FIELDS,
    add_turn_line,
    append_line,
    drop_line,
    jq_path,
    may_ask,
    rename_line,
)
from real_cli.records.record import Record

TURN_FIELDS = ("messages", "conversations", "conversation", "context_messages", "trajectory")
WORD_FIELDS = ("instruction", "question", "query", "problem", "input", "context")
# An instruction's input; it follows on its own line, as in Alpaca's and LlamaFactory's readers.
ADDED_FIELDS = ("input", "context")
SYSTEM_FIELDS = ("system", "system_prompt", "system_message")
# Further names of a prompt: beside another prompt they are ambiguous.
RIVAL_FIELDS = (*TURN_FIELDS, *WORD_FIELDS, "history", "post", "user", "text", "prompts")
# Names of a question's subject, in records that also have the question.
ABOUT_FIELDS = (
    "title",
    "body",
    "documents",
    "document",
    "passages",
    "passage",
    "article",
    "evidence",
    "context",
    "input",
    *("code", "content", "paragraph", "story", "premise", "hypothesis", "choices", "options", "table", "schema"),
    *("instructions", "system_instruction", "source_text"),
)
ANSWERS = ("chosen", "rejected", "response", "completion", "output", "reference")
# Context that two rows must share to be rows of one prompt.
CONTEXT_FIELDS = (
    *("tools", "functions", "chat_template_kwargs", "images", "image", "videos", "video", "audios", "audio", "objects"),
    *dict.fromkeys(("history", "post", "text", *ABOUT_FIELDS, *WORD_FIELDS, *SYSTEM_FIELDS)),
)
# Never a prompt for two texts that lack one, whatever they hold.
KNOWN_EXTRAS = frozenset(
    {
        *("chosen", "rejected", "id", "source", "dataset", "subset", "split", "category", "language", "url", "license"),
        *("metadata", "tags", "annotator", "model", "generator", "strategy", "reference", "degraded", "embedding"),
        *("annotation", "judge", "tools", "chat_template_kwargs", "preferences", *SYSTEM_FIELDS),
    }
)


class NamedPrompt(NamedTuple):
    """A prompt and the fields that it was read from."""

    prompt: Text
    uses: tuple[str, ...]


def named_prompt(record: Record) -> NamedPrompt | None:
    """Find the prompt of a record and the fields it was read from; None if no field is one.

    Two fields that may be the prompt are refused with the jq line that renames one, as is an empty `prompt` beside
    such a field.

    Example:
        >>> named_prompt({"instruction": "Translate.", "input": "the bird", "output": "l'oiseau"})
        NamedPrompt(prompt='Translate.\\nthe bird', uses=('instruction', 'input'))
        >>> named_prompt({"history": [["Hi", "Hello"]], "query": "Why?", "response": "So."}).prompt[-1]
        {'role': 'user', 'content': 'Why?'}
    """
    if "prompt" in record:
        if record["prompt"] == "":
            _check_rivals(record, NamedPrompt("", ("prompt",)))
        return NamedPrompt(record["prompt"], ("prompt",))
    read = _turns(record) or _words(record)
    if read is None:
        return None
    named = read
    turns = read_history(record.get("history")) if record.get("history") else []
    if turns:
        asked = [{"role": "user", "content": named.prompt}] if isinstance(named.prompt, str) else named.prompt
        named = NamedPrompt([*turns, *asked], (*named.uses, "history"))
    _check_rivals(record, named)
    return named


def check_asks(named: NamedPrompt) -> None:
    """Refuse a conversation not named `prompt` that ends with an assistant's message, with the jq line that helps.

    Example:
        >>> check_asks(NamedPrompt("q", ("question",)))
    """
    if named.uses[0] != "prompt" and is_conversation(named.prompt) and _ends_answered(named.prompt):
        path = jq_path(named.uses[0])
        raise RecordError(
            f"field '{named.uses[0]}' ends with an assistant's message, and a prompt with the user's; "
            f"jq -c '.prompt = {path}[:-1] | del({path})' takes the last message off"
        )


def _ends_answered(prompt: Any) -> bool:
    return bool(prompt[-1]["role"] == "assistant")


def _turns(record: Record) -> NamedPrompt | None:
    for field in (*TURN_FIELDS, *WORD_FIELDS):
        if is_conversation(record.get(field)):
            return NamedPrompt(record[field], (field,))
    return None


def _words(record: Record) -> NamedPrompt | None:
    given = [field for field in WORD_FIELDS if isinstance(record.get(field), str)]
    if given and is_number(record.get("input")):
        record = record | {"input": orjson.dumps(record["input"]).decode()}
        given = [field for field in WORD_FIELDS if isinstance(record.get(field), str)]
    filled = [field for field in given if record[field].strip()]
    if not filled:
        return NamedPrompt("", tuple(given)) if given else None
    added = [field for field in ADDED_FIELDS if field in filled[1:]][:1]
    uses = [filled[0], *added]
    blank = [field for field in given if field in ADDED_FIELDS and field not in filled]
    return NamedPrompt("\n".join(record[field] for field in uses), (*uses, *blank))


def read_history(turns: Any) -> list[Record]:
    """Read earlier turns: messages, or LlamaFactory's and ms-swift's lists of a question and its answer."""
    turns = text_form(turns, "history")
    if is_conversation(turns):
        return list(turns)
    if not isinstance(turns, list) or not all(
        isinstance(turn, list) and len(turn) == 2 and all(isinstance(text, str) for text in turn) for turn in turns
    ):
        raise RecordError(
            f"field 'history' is {clip(turns)}; messages, or lists of a question and its answer are needed"
        )
    roles = ("user", "assistant")
    return [{"role": role, "content": text} for turn in turns for role, text in zip(roles, turn, strict=True)]


def _check_rivals(record: Record, named: NamedPrompt) -> None:
    """Refuse a second field that may be the prompt, unless one of the two repeats the other."""
    texts = [text for field in named.uses if (text := _squeezed(record.get(field, "")))]
    answers = [_squeezed(record[field]) for field in ANSWERS if isinstance(record.get(field), str)]
    for field in (*ABOUT_FIELDS, *RIVAL_FIELDS):
        if field in named.uses or not _may_be_prompt(record, field):
            continue
        rival = _squeezed(record[field])
        if any(_holds(text, rival) for text in texts) or (texts and all(_holds(rival, text) for text in texts)):
            continue
        if field == "code" and rival in answers:
            continue  # a program extracted from an answer that is only that program
        base = named.uses[0]
        if field in ABOUT_FIELDS and isinstance(named.prompt, str) and named.prompt:
            raise RecordError(
                f"field '{field}' may belong to the prompt, '{base}'; {append_line(base, field, record[field])} if it "
                f"does, {drop_line(field)} if it does not"
            )
        if is_conversation(record.get(base)) and isinstance(record[field], str):
            raise RecordError(
                f"field '{field}' may belong to the prompt, '{base}'; {add_turn_line(base, field)} if it goes on, "
                f"{drop_line(field)} if it does not"
            )
        raise RecordError(
            f"field '{field}' may be the prompt, and so may '{base}'; {rename_line(field, record[field])} if it is, "
            f"{drop_line(field)} if it is not"
        )


def _may_be_prompt(record: Record, field: str) -> bool:
    """Tell a rival of the prompt; a single word is a prompt only in a field so named."""
    value = record.get(field)
    if field in CHOICE_FIELDS and isinstance(value, dict) and value:
        return True
    return may_ask(value) or (field in WORD_FIELDS and isinstance(value, str) and bool(value.strip()))


def _holds(text: str, part: str) -> bool:
    return f" {part} " in f" {text} "


def check_inside(record: Record, shared: list[Record]) -> None:
    """Refuse a field named after prompts that is not in the messages that two conversations share.

    Example:
        >>> check_inside({"question": "Why?"}, [{"role": "user", "content": "But why? Why?"}])
    """
    for field in WORD_FIELDS if "prompt" not in record else ():
        if _may_be_prompt(record, field) and not _holds(_squeezed(shared), _squeezed(record[field])):
            raise RecordError(
                f"field '{field}' may belong to the prompt, and is not in the messages that 'chosen' and 'rejected' "
                f"share; write it there, or {drop_line(field)}"
            )


def _squeezed(value: Any) -> str:
    return " ".join((plain_text(value) if is_conversation(value) or isinstance(value, str) else str(value)).split())


def check_extras(record: Record) -> None:
    """Refuse two texts without a prompt beside a field that may be it, with the jq line that renames it.

    Example:
        >>> check_extras({"chosen": "The sum is 7.", "rejected": "The sum is 8.", "id": "a b"})
    """
    for field in WORD_FIELDS:
        if field in record and record[field] is None:
            raise RecordError(
                f"field '{field}' is null, and no other is the prompt; a text is needed, or {drop_line(field)}"
            )
    for field, value in record.items():
        of_a_side = field.endswith(("_chosen", "_rejected")) or field.startswith(("chosen", "rejected"))
        if field not in KNOWN_EXTRAS and not of_a_side and may_ask(value):
            raise RecordError(
                f"there is no 'prompt', and field '{field}' may be it; {rename_line(field, record[field])} if it is, "
                f"{drop_line(field)} if it is not"
            )
