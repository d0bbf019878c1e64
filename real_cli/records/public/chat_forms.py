"""The forms in which people write conversations, each turned into a list of {role, content} with texts as contents.

ShareGPT's {from, value}, a single message, lists of content parts, and all of these as JSON or Python inside a string.
"""

import ast
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import orjson

from real_cli.errors import RecordError, clip
from real_cli.records.messages import is_conversation
from real_cli.records.record import Record

# Fields in which a conversation may be written as text; in others a text that looks like one is left alone.
PROMPT_FIELDS = frozenset(
    {
        *("prompt", "messages", "conversations", "conversation", "context_messages", "trajectory", "context"),
        *("instruction", "question", "query", "input", "problem"),
    }
)
RESPONSE_FIELDS = frozenset(
    {
        *("chosen", "rejected", "reference", "response", "completion", "output", "chosen_response"),
        *("rejected_response", "rejected_messages", "preferred_output", "non_preferred_output"),
        *("conversation_a", "conversation_b", "response_1", "response_2", "response1", "response2"),
    }
)
# Lists that are no conversations, which a cell of a table holds as text.
LIST_FIELDS = frozenset(
    {
        *("responses", "generations", "scores", "rewards", "ratings", "ranks", "models", "generation_models"),
        *("embeddings", "completions", "answers", "summaries", "tools", "history", "full_conversation"),
    }
)
ROLES = {"human": "user", "gpt": "assistant", "observation": "tool", "bot": "assistant", "chatgpt": "assistant"}
KNOWN_ROLES = (*ROLES, "system", "user", "assistant", "tool", "developer", "function", "function_call")
SPOKEN = ("assistant", "tool", "function")
BEGINNINGS = "[{ \n\t"  # of a text that may be a list or an object
LOOKS_LIKE = re.compile(r"""\s*\[?\s*\{\s*['"](?:role|content|from|value)['"]\s*:""")
NAMES_ROLE = re.compile(r"""['"](?:role|from)['"]\s*:\s*['"](\w+)['"]""")
# numpy prints an array of objects without commas.
NO_COMMA = re.compile(r"\}\s*\n\s*\{")
TWO_STRINGS = re.compile(r"""['"]\s+['"]""")
TEXT_PARTS = ("text", "input_text", "output_text")


def read_forms(record: Record) -> Record:
    """Turn the conversations of a record into lists of {role, content}, whatever they are written as.

    Args:
        record: One JSON object.

    Returns:
        The record itself where nothing is to be done; otherwise a new one with its fields in the same order.

    Raises:
        RecordError: If a text is plainly a conversation and cannot be read, or a speaker is unknown; the message names
            the field.

    Example:
        >>> read_forms({"prompt": "[{'role': 'user', 'content': 'Hi'}]", "chosen": {"from": "gpt", "value": "Hello"}})
        {'prompt': [{'role': 'user', 'content': 'Hi'}], 'chosen': [{'role': 'assistant', 'content': 'Hello'}]}
    """
    changed: Record = {}
    for field, value in record.items():
        if field in PROMPT_FIELDS or field in RESPONSE_FIELDS:
            read = text_form(value, field, spoken=field in RESPONSE_FIELDS)
        elif field in LIST_FIELDS:
            read = _list_form(value, field)
        else:
            continue
        if read is not value:
            changed[field] = read
    return record | changed if changed else record


def text_form(value: Any, name: str, *, spoken: bool = False) -> Any:
    """Read one value that may be a conversation in another form.

    Args:
        value: Any JSON value.
        name: Of its field, for messages.
        spoken: Whether it is a response: a text that is a list of messages is one only if a model speaks last.

    Returns:
        A list of {role, content}; or the value itself, if it is one or is none.

    Raises:
        RecordError: As `read_forms`.
    """
    if isinstance(value, str):
        return _written(value, name, spoken=spoken) if value[:1] in BEGINNINGS else value
    if isinstance(value, dict):
        return _messages([value], name) if _is_message(value) else value  # axolotl: one message
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return _messages(value, name)
    return value


def _list_form(value: Any, name: str) -> Any:
    """Read a list of responses or of numbers, which may be written as text."""
    if isinstance(value, str) and value.lstrip()[:1] == "[":
        parsed = parse_list(value)
        value = value if parsed is None else parsed
    if name not in ("responses", "generations") or not isinstance(value, list) or _are_plain(value):
        return value
    texts = [
        one | {"text": text}
        if isinstance(one, dict) and (text := text_form(one.get("text"), name, spoken=True)) is not one.get("text")
        else (one if isinstance(one, dict) else text_form(one, name, spoken=True))
        for one in value
    ]
    return value if all(new is old for new, old in zip(texts, value, strict=True)) else texts


def _are_plain(responses: list[Any]) -> bool:
    """Tell responses of which none can be a conversation; most are so, and this is asked of every record."""
    for one in responses:
        text = one.get("text") if type(one) is dict else one
        if type(text) is not str or text[:1] in BEGINNINGS:
            return False
    return True


def parse_list(text: str) -> Any:
    """Read JSON or a Python literal; numpy's way of printing objects too.

    Args:
        text: The text.

    Returns:
        A list or an object; None if it is none, or holds two strings side by side, which Python would join.

    Example:
        >>> parse_list("['a', 'b']"), parse_list('["a"]'), parse_list("['a' 'b']"), parse_list("7")
        (['a', 'b'], ['a'], None, None)
    """
    with suppress(orjson.JSONDecodeError):
        parsed = orjson.loads(text)
        return parsed if isinstance(parsed, list | dict) else None
    bare = text.strip()
    with suppress(ValueError, SyntaxError, MemoryError, RecursionError):
        parsed = ast.literal_eval(NO_COMMA.sub("}, {", bare))
        if isinstance(parsed, list | dict) and not _joins_strings(bare, parsed):
            orjson.dumps(parsed)
            return parsed
    return None


def _joins_strings(text: str, parsed: Any) -> bool:
    """Tell whether Python may have read two strings as one."""
    return bool(TWO_STRINGS.search(text)) and not any(TWO_STRINGS.search(repr(one)) for one in _strings(parsed))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _strings(one)


def _written(text: str, name: str, *, spoken: bool) -> Any:
    if not LOOKS_LIKE.match(text):
        return text
    roles = NAMES_ROLE.findall(text)
    if not roles or roles[0] not in KNOWN_ROLES:
        return text
    parsed = parse_list(text)
    if parsed is None:
        raise RecordError(
            f"field '{name}' is a conversation written as text that cannot be read: {clip(text)}; a list of "
            "{role, content} is needed"
        )
    messages = text_form(parsed, name)
    if not is_conversation(messages) or not all(message["role"] in KNOWN_ROLES for message in messages):
        return text
    if spoken and messages[-1]["role"] not in SPOKEN:
        return text  # an answer about messages, not a conversation with an answer
    return messages


def _is_message(value: Any) -> bool:
    return isinstance(value, dict) and (
        ("role" in value and ("content" in value or "tool_calls" in value)) or ("from" in value and "value" in value)
    )


def _messages(messages: list[Any], name: str) -> list[Any]:
    """Read each message; a list that holds something else is left as it is."""
    if not all(map(_is_message, messages)):
        return messages
    read = [_message(message, name) for message in messages]
    return messages if all(new is old for new, old in zip(read, messages, strict=True)) else read


def _message(message: Record, name: str) -> Record:
    if "role" not in message:
        speaker = message["from"]
        role = ROLES.get(speaker, speaker) if isinstance(speaker, str) else None
        if role not in KNOWN_ROLES:
            raise RecordError(
                f"field '{name}': a message is from {clip(speaker)}; 'system', 'human' or 'gpt' is needed"
            )
        message = {"role": role, "content": message["value"]} | {
            field: value for field, value in message.items() if field not in ("from", "value")
        }
        if role == "function_call":
            return _tool_call(message, name)
    content = message.get("content")
    if isinstance(content, dict):
        joined = join_parts([content])
        return message if isinstance(joined, list) else message | {"content": joined}
    return message | {"content": join_parts(content)} if isinstance(content, list) else message


def _tool_call(message: Record, name: str) -> Record:
    """LlamaFactory's message from `function_call` holds the call as JSON."""
    call = parse_list(message["content"]) if isinstance(message["content"], str) else message["content"]
    calls = call if isinstance(call, list) else [call]
    if not all(isinstance(one, dict) and "name" in one for one in calls):
        raise RecordError(
            f"field '{name}': {clip(message['content'])} is no call of a tool; name and arguments are needed"
        )
    functions = [{"type": "function", "function": one} for one in calls]
    return {"role": "assistant", "content": None, "tool_calls": functions}


def join_parts(content: list[Any]) -> Any:
    """Join a content of parts that are all text.

    Args:
        content: Strings, or objects with `type` and `text`.

    Returns:
        One string; the list itself if a part is something else.

    Example:
        >>> join_parts([{"type": "text", "text": "a "}, {"type": "text", "text": "b"}]), join_parts([{"type": "image"}])
        ('a b', [{'type': 'image'}])
    """
    texts = [_part_text(part) for part in content]
    return content if any(text is None for text in texts) else "".join(filter(None, texts))


def _part_text(part: Any) -> str | None:
    if isinstance(part, str):
        return part
    if (
        not isinstance(part, dict)
        or part.get("type", "text") not in TEXT_PARTS
        or not isinstance(part.get("text"), str)
    ):
        return None
    carries = any(part.get(field) for field in ("image", "image_url", "audio", "video", "url", "source"))
    return None if carries else part["text"]


MEDIA_FIELDS = ("images", "image", "videos", "video", "audios", "audio")


def check_media(record: Record) -> None:
    """Refuse what a model that reads text does not see.

    Args:
        record: A checked record.

    Raises:
        RecordError: If a message has a part that is no text, or the record has images, videos or sounds.

    Example:
        >>> check_media({"prompt": "q", "responses": []})
    """
    for field in MEDIA_FIELDS:
        if field in record and isinstance(record[field], list | dict | str) and record[field]:
            raise RecordError(f"field '{field}' is {clip(record[field])}; this command reads text alone")
    for field in ("prompt", "chosen", "rejected", "reference"):
        if isinstance(record.get(field), list):
            _check_parts(record[field], f"field '{field}'")
    responses = record.get("responses")
    for number, response in enumerate(responses if isinstance(responses, list) else (), 1):
        if isinstance(response, dict) and isinstance(response.get("text"), list):
            _check_parts(response["text"], f"response {number}")


def _check_parts(messages: list[Any], where: str) -> None:
    for number, message in enumerate(messages, 1):
        content = message.get("content") if isinstance(message, dict) else None
        if content is not None and not isinstance(content, str | list):
            raise RecordError(f"{where}: the content of message {number} is {clip(content)}; a string is needed")
        if isinstance(content, list):
            part = next((one for one in content if _part_text(one) is None), content)
            raise RecordError(f"{where}: message {number} has the part {clip(part)}; this command reads text alone")
