"""The jq lines that mend a record: they rename, append or remove a field that may be the prompt."""

import json
import re
from typing import Any

from real_cli.records.messages import is_conversation

# Answers to choose from, each under a letter.
CHOICE_FIELDS = ("choices", "options")


def may_ask(value: Any) -> bool:
    """Tell whether a value may be a prompt: several words, or a list or object that is not empty.

    >>> may_ask("Add 2 and 5."), may_ask("maths"), may_ask(7), may_ask([]), may_ask({"post": "I saw a bird."})
    (True, False, False, False, True)
    """
    if isinstance(value, str):
        return len(value.split(None, 1)) > 1
    if isinstance(value, dict):
        return any(may_ask(part) for part in value.values())
    return isinstance(value, list) and bool(value)


def jq_path(field: str) -> str:
    """Write the path of a field for jq, inside a shell's single quotes.

    >>> jq_path("post"), jq_path("x-y")
    ('.post', '.["x-y"]')
    """
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", field):
        return f".{field}"
    name = json.dumps(field, ensure_ascii=False).replace("'", "\\u0027")
    return f".[{name}]"


def rename_line(field: str, value: Any) -> str:
    """Write the jq line that makes a field the prompt; texts in a list or an object are joined.

    >>> print(rename_line("post", "I saw a bird."))
    jq -c '.prompt = .post | del(.post)'
    >>> print(rename_line("info", {"id": 1, "post": "I saw a bird."}))
    jq -c '.prompt = .info.post | del(.info)'
    """
    return f"jq -c '.prompt = {_jq_asked(field, value)} | del({jq_path(field)})'"


def append_line(base: str, field: str, value: Any) -> str:
    """Write the jq line that puts a field below the prompt.

    >>> print(append_line("question", "passage", "Snow is white."))
    jq -c '.question += "\\n" + .passage | del(.passage)'
    """
    words = (_jq_choices(field, value) if field in CHOICE_FIELDS else "") or _jq_text(field, value)
    return f"jq -c '{jq_path(base)} += \"\\n\" + {words} | del({jq_path(field)})'"


def add_turn_line(base: str, field: str, value: Any) -> str:
    """Write the jq line that appends a text to a conversation as the user's next turn.

    >>> print(add_turn_line("context", "question", "Why?"))
    jq -c '.context += [{role: "user", content: .question}] | del(.question)'
    """
    words = _jq_text(field, value)
    return f"jq -c '{jq_path(base)} += [{{role: \"user\", content: {words}}}] | del({jq_path(field)})'"


def _jq_asked(field: str, value: Any) -> str:
    if is_conversation(value):
        return jq_path(field)
    asking = [name for name, part in value.items() if may_ask(part)] if isinstance(value, dict) else []
    if len(asking) == 1 and isinstance(value[asking[0]], str):
        return jq_path(field) + jq_path(asking[0])
    return _jq_text(field, value)


def _jq_text(field: str, value: Any) -> str:
    path = jq_path(field)
    if isinstance(value, str):
        return path
    if is_conversation(value):
        return f'([{path}[].content] | join("\\n"))'
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return f'({path} | join("\\n"))'
    return f'([{path} | .. | select(type == "string" or type == "number") | tostring] | join("\\n"))'


def _jq_choices(field: str, value: Any) -> str:
    """Write choices with a letter each on a line; empty if their form is unknown."""
    path = jq_path(field)
    if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        lettered = f'{path} | to_entries[] | ([.key + 65] | implode) + ". " + .value'
    elif isinstance(value, dict) and isinstance(value.get("label"), list) and isinstance(value.get("text"), list):
        lettered = f'[{path}.label, {path}.text] | transpose[] | (.[0] | tostring) + ". " + .[1]'
    elif isinstance(value, dict) and value and all(isinstance(part, str) for part in value.values()):
        lettered = f'{path} | to_entries[] | .key + ". " + .value'
    else:
        return ""
    return f'([{lettered}] | join("\\n"))'


def append_options_line(base: str, fields: list[str]) -> str:
    """Write the jq line that puts choices in fields of their own below the prompt, each under its letter.

    >>> print(append_options_line("question", ["A", "B"]))
    jq -c '.question += "\\nA. " + (.A | tostring) + "\\nB. " + (.B | tostring) | del(.A, .B)'
    """
    lines = " + ".join(f'"\\n{field[-1].upper()}. " + ({jq_path(field)} | tostring)' for field in fields)
    return f"jq -c '{jq_path(base)} += {lines} | del({', '.join(map(jq_path, fields))})'"


def drop_line(*fields: str) -> str:
    """Write the jq line that removes fields."""
    return f"jq -c 'del({', '.join(map(jq_path, fields))})'"
