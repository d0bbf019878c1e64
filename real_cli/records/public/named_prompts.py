"""Where a record keeps what is asked: a prompt of another name, its context, and rivals that are not read.

`prompt` itself wins. Otherwise it is a conversation of any of the usual names, or an instruction with its input or
context, after the turns of a `history`.
"""

import re
from typing import Any, NamedTuple

import orjson

from real_cli.errors import RecordError, clip
from real_cli.records.messages import Text, is_conversation, is_number, plain_text
from real_cli.records.public.chat_forms import text_form
from real_cli.records.public.field_words import is_label, is_measure, is_solution, tells_of_response
from real_cli.records.public.jq_lines import (
    CHOICE_FIELDS,
    add_turn_line,
    append_line,
    append_options_line,
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
# Of earlier turns.
HISTORY_FIELDS = (
    *("history", "chat_history", "conversation_history", "dialogue_history", "dialog_history", "message_history"),
    *("previous_messages", "previous_turns", "prior_messages", "prior_turns", "past_messages", "past_turns"),
)
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
# What models are given beside messages.
CARRIED_FIELDS = (
    *("tools", "functions", "chat_template_kwargs", "images", "image", "videos", "video", "audios", "audio", "objects"),
    "parallel_tool_calls",
)
# Context that two rows must share to be rows of one prompt.
CONTEXT_FIELDS = (
    *CARRIED_FIELDS[:-1],
    *dict.fromkeys((*HISTORY_FIELDS, "post", "text", *ABOUT_FIELDS, *WORD_FIELDS, *SYSTEM_FIELDS)),
)
# Never a prompt for two texts that lack one, whatever they hold.
KNOWN_EXTRAS = frozenset(
    {
        *("chosen", "rejected", "id", "source", "dataset", "subset", "split", "category", "language", "url", "license"),
        *(
            "metadata",
            "tags",
            "annotator",
            "model",
            "generator",
            "domain",
            "pre_query_template",
            "strategy",
            "reference",
            "degraded",
            "embedding",
        ),
        *("annotation", "judge", "tools", "chat_template_kwargs", "preferences", *SYSTEM_FIELDS),
    }
)


# Its tags that are sentences.
MAGPIE_TAGS = frozenset({"intent", "knowledge"})
# Choices in fields of their own.
OPTION = re.compile(r"[A-H]|(?:option|choice|ending|op)[ _]?[a-h0-9]", re.IGNORECASE)


class NamedPrompt(NamedTuple):
    """A prompt and the fields that it was read from."""

    prompt: Text
    uses: tuple[str, ...]


def named_prompt(record: Record) -> NamedPrompt | None:
    """Find the prompt of a record and the fields it was read from; None if no field is one.

    Two fields that may be the prompt are refused with the jq line that renames one, as is an empty `prompt` beside
    such a field.

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
    earlier = history_field(record)
    turns = read_history(record[earlier], earlier) if earlier else []
    if turns:
        asked = [{"role": "user", "content": named.prompt}] if isinstance(named.prompt, str) else named.prompt
        named = NamedPrompt([*turns, *asked], (*named.uses, earlier))
    _check_rivals(record, named)
    return named


def check_asks(named: NamedPrompt) -> None:
    """Refuse a conversation not named `prompt` that ends with an assistant's message, with the jq line that helps.

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


def history_field(record: Record) -> str:
    """Name the field of earlier turns; empty if there is none.

    >>> history_field({"prompt": "q", "chat_history": [["Hi", "Hello"]]})
    'chat_history'
    """
    for field in HISTORY_FIELDS:
        if record.get(field) and isinstance(record[field], list | str):
            return field
    return ""


def read_history(turns: Any, field: str = "history") -> list[Record]:
    """Read earlier turns: messages, or LlamaFactory's and ms-swift's lists of a question and its answer."""
    turns = text_form(turns, field)
    if is_conversation(turns):
        return list(turns)
    if not isinstance(turns, list) or not all(
        isinstance(turn, list) and len(turn) == 2 and all(isinstance(text, str) for text in turn) for turn in turns
    ):
        raise RecordError(
            f"field '{field}' is {clip(turns)}; messages, or lists of a question and its answer are needed"
        )
    roles = ("user", "assistant")
    return [{"role": role, "content": text} for turn in turns for role, text in zip(roles, turn, strict=True)]


def _check_rivals(record: Record, named: NamedPrompt) -> None:
    """Refuse a second field that may be the prompt, unless one of the two repeats the other."""
    texts = [text for field in named.uses if (text := squeezed(record.get(field, "")))]
    answers = [squeezed(record[field]) for field in ANSWERS if isinstance(record.get(field), str)]
    base = named.uses[0]
    _check_options(record, base)
    for field in dict.fromkeys((*ABOUT_FIELDS, *RIVAL_FIELDS, *record)):
        if field in named.uses or not may_be_prompt(record, field):
            continue
        rival = squeezed(record[field])
        if any(holds(text, rival) for text in texts) or (texts and all(holds(rival, text) for text in texts)):
            continue
        if field == "code" and rival in answers:
            continue  # a program extracted from an answer that is only that program
        belongs = f"field '{field}' may belong to the prompt, '{base}'"
        is_about = field in ABOUT_FIELDS or field not in RIVAL_FIELDS
        if is_about and isinstance(named.prompt, str) and named.prompt:
            raise RecordError(
                f"{belongs}; {append_line(base, field, record[field])} if it does, {drop_line(field)} if it does not"
            )
        if is_conversation(record.get(base)) and (is_about or isinstance(record[field], str)):
            raise RecordError(
                f"{belongs}; {add_turn_line(base, field, record[field])} if it goes on, {drop_line(field)} if not"
            )
        raise RecordError(
            f"field '{field}' may be the prompt, and so may '{base}'; {rename_line(field, record[field])} if it is, "
            f"{drop_line(field)} if it is not"
        )


def _check_options(record: Record, base: str) -> None:
    """Refuse choices that stand in fields of their own, with the line that appends them."""
    fields = [field for field in record if OPTION.fullmatch(field) and isinstance(record[field], str | int)]
    if base != "prompt" and len(fields) > 1:
        raise RecordError(
            f"field '{fields[0]}' may belong to the prompt, '{base}', as may {', '.join(map(repr, fields[1:]))}; "
            f"{append_options_line(base, fields)} if they do, {drop_line(*fields)} if they do not"
        )


def may_be_prompt(record: Record, field: str) -> bool:
    """Tell a rival of the prompt; a single word is a prompt only in a field so named.

    >>> may_be_prompt({"query": "birds"}, "query"), may_be_prompt({"topic": "birds"}, "topic")
    (True, False)
    """
    value = record.get(field)
    if field in CHOICE_FIELDS and isinstance(value, dict) and value:
        return True
    if field not in ABOUT_FIELDS and field not in RIVAL_FIELDS and _is_known(field, value):
        return False
    if field in MAGPIE_TAGS and record.keys() >= MAGPIE_TAGS:
        return False
    return may_ask(value) or (field in WORD_FIELDS and isinstance(value, str) and bool(value.strip()))


def _is_known(field: str, value: Any) -> bool:
    """Tell a field that is no prompt whatever it holds: metadata, what describes a response, the right answer."""
    if field == "source" and isinstance(value, str):
        return is_label(field, value)
    if field in KNOWN_EXTRAS or field in ANSWERS or field in CARRIED_FIELDS:
        return True
    return (
        is_of_a_side(field)
        or tells_of_response(field)
        or is_measure(field)
        or is_solution(field)
        or (is_label(field, value))
    )


def is_of_a_side(field: str) -> bool:
    """Tell a field of the chosen or the rejected response by its name.

    >>> is_of_a_side("score_chosen"), is_of_a_side("score")
    (True, False)
    """
    return field.endswith(("_chosen", "_rejected")) or field.startswith(("chosen", "rejected"))


def holds(text: str, part: str) -> bool:
    """Tell whether a squeezed text has another as whole words.

    >>> holds("Is it so?", "it"), holds("Is it so?", "i")
    (True, False)
    """
    return f" {part} " in f" {text} "


def squeezed(value: Any) -> str:
    """Write any value as words with one blank between.

    >>> squeezed("Is  it\\nso?"), squeezed(7)
    ('Is it so?', '7')
    """
    return " ".join((plain_text(value) if is_conversation(value) or isinstance(value, str) else str(value)).split())
