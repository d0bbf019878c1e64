"""The forms in which people write conversations, each turned into a list of {role, content} with texts as contents.

ShareGPT's {from, value}, a single message, lists of content parts, and all of these as JSON or Python inside a string.
"""

import re
from contextlib import suppress
from typing import Any

from real_cli.errors import RecordError, clip
from real_cli.records.messages import is_conversation, plain_text
from real_cli.records.public.written_lists import ends_as_text, parse_list
from real_cli.records.record import Record

# Fields that may hold a conversation as text; elsewhere a text that looks like one is left alone.
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
        *("response_chosen", "response_rejected", "accepted", "reject", "preferred", "dispreferred"),
        *("chosen_conversations", "rejected_conversations", "reject_conversations", "chosen_messages"),
        *("chosen_conversation", "rejected_conversation", "preferred_response", "dispreferred_response"),
        *("conversation_a", "conversation_b", "response_1", "response_2", "response1", "response2"),
    }
)
# Named after conversations, whatever stands beside them.
TURNS_WRITTEN = (
    *("conversation_a", "conversation_b", "chosen_messages", "rejected_messages", "chosen_conversations"),
    *("rejected_conversations", "reject_conversations", "chosen_conversation", "rejected_conversation"),
)
# Lists other than conversations that a table's cell holds as text.
LIST_FIELDS = frozenset(
    {
        *("responses", "generations", "scores", "rewards", "ratings", "ranks", "models", "generation_models"),
        *("embeddings", "completions", "answers", "summaries", "tools", "history", "full_conversation"),
        *("chat_history", "conversation_history", "dialogue_history", "dialog_history", "message_history"),
        *("previous_messages", "previous_turns", "prior_messages", "prior_turns", "past_messages", "past_turns"),
    }
)
# Speakers as ShareGPT, FastChat, Open Assistant and Gemini call them, in lower case.
ROLES = (
    dict.fromkeys(("human", "prompter", "customer"), "user")
    | dict.fromkeys(("gpt", "bot", "chatgpt", "model", "ai", "chatbot", "llm", "bing", "bard", "claude"), "assistant")
    | dict.fromkeys(("observation", "function_response"), "tool")
)
KNOWN_ROLES = (*ROLES, "system", "user", "assistant", "tool", "developer", "function", "function_call")
SPOKEN = ("assistant", "tool", "function")
SAID = ("content", "tool_calls", "function_call", "refusal", "value", "text", "parts")
BEGINNINGS = ("[", "{", "(", " ", "\n", "\t", "array(")  # of a text that may be a list or an object
LOOKS_LIKE = re.compile(r"""\s*(?:array\(\s*)?[\[(]?\s*\{\s*['"](?:role|content|from|value)['"]\s*:""")
PRINTED = re.compile(r"\s*(?:array\(\s*)?[\[(]\s*\{\s*'(?:role|content|from|value)'\s*:")
NAMES_ROLE = re.compile(r"""['"](?:role|from)['"]\s*:\s*['"](\w+)['"]""")
TEXT_PARTS = ("text", "input_text", "output_text")


def read_forms(record: Record) -> Record:
    """Turn the conversations of a record into lists of {role, content}; without any, return it unchanged.

    An unreadable conversation and an unknown speaker are refused with the field's name.

    >>> read_forms({"prompt": "[{'role': 'user', 'content': 'Hi'}]", "chosen": {"from": "gpt", "value": "Hello"}})
    {'prompt': [{'role': 'user', 'content': 'Hi'}], 'chosen': [{'role': 'assistant', 'content': 'Hello'}]}
    """
    changed: Record = {}
    for field in PROMPT_FIELDS & record.keys():
        changed[field] = text_form(record[field], field)
    words = "" if _are_printed(record) else _words_asked(record | changed)
    for field, value in record.items():
        if field in RESPONSE_FIELDS:
            changed[field] = _answer_form(value, field, words)
        elif field in LIST_FIELDS:
            changed[field] = _list_form(value, field, words)
    changed = {field: value for field, value in changed.items() if value is not record[field]}
    return record | changed if changed else record


def _are_printed(record: Record) -> bool:
    """Tell responses that are all messages as Python prints them: then a table was written so."""
    sides = ("chosen", "rejected") if "chosen" in record else RESPONSE_FIELDS
    texts = [record[side] for side in sides if side in record]
    return bool(texts) and all(isinstance(text, str) and PRINTED.match(text) for text in texts)


def _words_asked(record: Record) -> str:
    """Return a prompt in words; empty for a conversation, or a prompt that only the answers hold."""
    if "prompt" in record:
        return record["prompt"] if isinstance(record["prompt"], str) else ""
    asked = [record[field] for field in PROMPT_FIELDS & record.keys()]
    words = [text for text in asked if isinstance(text, str)]
    return "" if any(map(is_conversation, asked)) else max(words, key=len, default="")


def _answer_form(value: Any, name: str, words: str) -> Any:
    """Read an answer; under a prompt in words, a text is a conversation only if it repeats the prompt."""
    if not (isinstance(value, str) and words.strip()) or name in TURNS_WRITTEN or not value.startswith(BEGINNINGS):
        return text_form(value, name, spoken=True)
    read: Any = value
    with suppress(RecordError):
        read = text_form(value, name, spoken=True)
    if read is value:
        return value
    asked = " ".join(words.split())
    return read if any(asked == " ".join(plain_text([turn]).split()) for turn in read[:-1]) else value


def text_form(value: Any, name: str, *, spoken: bool = False) -> Any:
    """Read a value that may be a conversation in another form; any other value stays as it is.

    `spoken` marks a response: a text that lists messages is a conversation only if a model speaks last.
    """
    if isinstance(value, str):
        return _written(value, name, spoken=spoken) if value.startswith(BEGINNINGS) else value
    if isinstance(value, dict):
        return _messages([value], name) if _is_message(value) else value  # axolotl: one message
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return _messages(value, name)
    return value


def _list_form(value: Any, name: str, words: str) -> Any:
    """Read a list of responses or numbers that may be written as text."""
    if isinstance(value, str) and value.lstrip()[:1] == "[":
        parsed = parse_list(value)
        value = value if parsed is None else parsed
    if name not in ("responses", "generations") or not isinstance(value, list) or _are_plain(value):
        return value
    responses = [_response_form(response, name, words) for response in value]
    return value if all(new is old for new, old in zip(responses, value, strict=True)) else responses


def _response_form(response: Any, name: str, words: str) -> Any:
    if not isinstance(response, dict):
        return _answer_form(response, name, words)
    text = _answer_form(response.get("text"), name, words)
    return response if text is response.get("text") else response | {"text": text}


def _are_plain(responses: list[Any]) -> bool:
    """Tell responses without any conversation: most are so, and every record is asked."""
    for response in responses:
        text = response.get("text") if type(response) is dict else response
        if type(text) is not str or text.startswith(BEGINNINGS):
            return False
    return True


def _written(text: str, name: str, *, spoken: bool) -> Any:
    if not LOOKS_LIKE.match(text):
        return text
    roles = NAMES_ROLE.findall(text)
    if not roles or roles[0].lower() not in KNOWN_ROLES:
        return text
    parsed = parse_list(text)
    if parsed is None:
        if ends_as_text(text):
            return text
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
        ("role" in value and any(field in value for field in SAID)) or ("from" in value and "value" in value)
    )


def _messages(messages: list[Any], name: str) -> list[Any]:
    """Read each message; a list that holds anything else stays as it is."""
    if not all(map(_is_message, messages)):
        return messages
    read = [_message(message, name) for message in messages]
    return messages if all(new is old for new, old in zip(read, messages, strict=True)) else read


def _message(message: Record, name: str) -> Record:
    if "role" not in message:
        speaker = message["from"]
        role = _role(speaker) if isinstance(speaker, str) else None
        if role not in KNOWN_ROLES:
            raise RecordError(
                f"field '{name}': a message is from {clip(speaker)}; 'system', 'human' or 'gpt' is needed"
            )
        message = {"role": role, "content": message["value"]} | {
            field: value for field, value in message.items() if field not in ("from", "value")
        }
    elif isinstance(message["role"], str) and (role := _role(message["role"])) != message["role"]:
        message = message | {"role": role}
    message = _with_content(_with_call(message, name))
    if message["role"] == "function_call" and not message.get("tool_calls"):
        return _tool_call(message, name)
    content = message.get("content")
    if isinstance(content, dict):
        joined = join_parts([content])
        return message if isinstance(joined, list) else message | {"content": joined}
    return message | {"content": join_parts(content)} if isinstance(content, list) else message


def _role(speaker: str) -> str:
    """Give a speaker the name that templates know; an unknown role stays as it is."""
    role = speaker.strip().lower()
    return ROLES.get(role, role if role in KNOWN_ROLES else speaker)


def _with_call(message: Record, name: str) -> Record:
    """Read OpenAI's former `function_call` as a tool call, and a `refusal` as what the model said."""
    call, refusal = message.get("function_call"), message.get("refusal")
    if isinstance(call, dict) and "name" in call and not message.get("tool_calls"):
        message = {field: value for field, value in message.items() if field != "function_call"}
        return {"content": None} | message | {"tool_calls": [{"type": "function", "function": call}]}
    if not isinstance(refusal, str) or not refusal.strip():
        return message
    if message.get("content"):
        raise RecordError(f"field '{name}': a message has a 'content' and a 'refusal', {clip(refusal)}; keep one")
    return {field: value for field, value in message.items() if field != "refusal"} | {"content": refusal}


def _with_content(message: Record) -> Record:
    """Rename ShareGPT's `value`, Gemini's `parts` and `text` to `content`."""
    if message.get("content") is not None or message.get("tool_calls"):
        return message
    source = next((field for field in ("value", "text", "parts") if isinstance(message.get(field), str | list)), None)
    if source is None:
        return message
    return {"content" if field == source else field: value for field, value in message.items() if field != "content"}


def _tool_call(message: Record, name: str) -> Record:
    """Read LlamaFactory's message from `function_call`, whose words are the call as JSON."""
    content = message.get("content")
    call = parse_list(content) if isinstance(content, str) else content
    calls = call if isinstance(call, list) else [call]
    if not all(isinstance(function, dict) and "name" in function for function in calls):
        raise RecordError(f"field '{name}': {clip(content)} is no tool call; name and arguments are needed")
    functions = [{"type": "function", "function": function} for function in calls]
    return {"role": "assistant", "content": None, "tool_calls": functions}


def join_parts(content: list[Any]) -> Any:
    """Join content parts that are all text; a list with any other part stays as it is.

    >>> join_parts([{"type": "text", "text": "a "}, {"type": "text", "text": "b"}]), join_parts([{"type": "image"}])
    ('a b', [{'type': 'image'}])
    """
    texts = [part_text(part) for part in content]
    return content if any(text is None for text in texts) else "".join(filter(None, texts))


def part_text(part: Any) -> str | None:
    """Return the text of a content part; None if it is, or carries, something else."""
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
