"""Prompts and responses as texts: strings or conversations, TRL's lists of {role, content}."""

import hashlib
from contextlib import suppress
from typing import Any, TypeAlias

import orjson

Text: TypeAlias = str | list[dict[str, Any]]

# A constant: `int | float` inside the function would be rebuilt for each of many numbers.
NUMBER_TYPES = (int, float)


def is_text(value: object) -> bool:
    """Tell whether a JSON value is a string or a conversation."""
    return isinstance(value, str) or is_conversation(value)


def is_conversation(value: object) -> bool:
    """Tell whether a JSON value is a non-empty list of objects with `role`."""
    return isinstance(value, list) and bool(value) and all(isinstance(turn, dict) and "role" in turn for turn in value)


def plain_text(text: Text) -> str:
    """Return the words of a text: a string as it is, or the messages' contents, blank lines between.

    Args:
        text: A string or a conversation; a content may be a list of parts with `text`.

    Returns:
        One string; messages are joined by a blank line.

    Example:
        >>> plain_text([{"role": "assistant", "content": "One."}, {"role": "assistant", "content": "Two."}])
        'One.\\n\\nTwo.'
    """
    if isinstance(text, str):
        return text
    return "\n\n".join(_content(turn.get("content")) for turn in text)


def without_system(prompt: Text) -> Text:
    """Leave system messages out of a prompt: they stand before every prompt and would make all alike.

    Args:
        prompt: A string or a conversation.

    Returns:
        A string as it is; a conversation's other messages, or all of it if there are none.

    Example:
        >>> without_system([{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Why?"}])
        [{'role': 'user', 'content': 'Why?'}]

    References:
        Xu et al., 2024, Magpie, arXiv:2406.08464: distances of neighbors are those of instructions.
    """
    if isinstance(prompt, str):
        return prompt
    return [turn for turn in prompt if turn["role"] != "system"] or prompt


def _content(content: object) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return "" if content is None else str(content)


def message_text(message: dict[str, Any]) -> str:
    """Return what a message says and does: its content, and below it a line for each tool call.

    Args:
        message: Of a conversation; `tool_calls` as OpenAI and TRL write them, arguments as an object or as its JSON.

    Returns:
        One string; a call is JSON with `name` and `arguments`, since its identifier and type say nothing to a reader.

    Example:
        >>> call = {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": '{"a": 2}'}}
        >>> message_text({"role": "assistant", "content": None, "tool_calls": [call]})
        '{"name":"add","arguments":{"a":2}}'
    """
    calls = message.get("tool_calls") or []
    parts = [_content(message.get("content")), *map(_call_text, calls if isinstance(calls, list) else [calls])]
    return "\n".join(parts if parts[0] else parts[1:])


def is_empty(text: Text) -> bool:
    """Tell whether a text has neither words nor tool calls."""
    return not (text if isinstance(text, str) else "".join(map(message_text, text))).strip()


def _call_text(call: Any) -> str:
    function = call.get("function", call) if isinstance(call, dict) else call
    if not isinstance(function, dict) or "name" not in function:
        return orjson.dumps(call).decode()
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        with suppress(orjson.JSONDecodeError):  # a model may have written invalid JSON: shown as it is
            arguments = orjson.loads(arguments)
    return orjson.dumps({"name": function["name"], "arguments": arguments}).decode()


def transcript(text: Text) -> str:
    """Return a text, tool calls too, for a reader who does not know its format.

    Args:
        text: A string or a conversation.

    Returns:
        The string; a single message alone; or the messages, each with its role in front.

    Example:
        >>> print(transcript([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]))
        User: Hi
        <BLANKLINE>
        Assistant: Hello
    """
    if isinstance(text, str):
        return text
    if len(text) == 1:
        return message_text(text[0])
    return "\n\n".join(f"{str(turn['role']).capitalize()}: {message_text(turn)}" for turn in text)


def text_key(text: Text) -> bytes:
    """Digest a text to 16 bytes, equal for equal texts; it seeds random draws and finds duplicates."""
    return hashlib.blake2b(comparable(text).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def comparable(text: Text) -> str:
    """Return a string that is equal exactly for equal texts; a conversation becomes JSON, fields in order."""
    return text if isinstance(text, str) else orjson.dumps(text, option=orjson.OPT_SORT_KEYS).decode()


def is_number(value: object) -> bool:
    """Tell whether a JSON value is an int or a float; true and false are no numbers."""
    return isinstance(value, NUMBER_TYPES) and not isinstance(value, bool)


def as_completion(prompt: Text, text: Text) -> Text:
    """Give a response the form of its prompt: after a conversation, a string becomes an assistant message.

    Args:
        prompt: A string or a conversation.
        text: A response.

    Returns:
        The response; TRL needs prompt, chosen and rejected of one form.

    Example:
        >>> as_completion([{"role": "user", "content": "Hi"}], "Hello")
        [{'role': 'assistant', 'content': 'Hello'}]
    """
    if is_conversation(prompt) and isinstance(text, str):
        return [{"role": "assistant", "content": text}]
    return text
