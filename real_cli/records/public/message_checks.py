"""What no message may be: a part that is no text, where texts are read, or nothing in place of a content."""

from typing import Any

from real_cli.errors import RecordError, clip
from real_cli.records.public.chat_forms import SPOKEN, part_text
from real_cli.records.record import Record

META = ("role", "name", "id", "tool_call_id", "type", "timestamp", "created_at")  # of a message, and no words of it
MEDIA_FIELDS = ("images", "image", "videos", "video", "audios", "audio")


def check_media(record: Record) -> None:
    """Refuse what a text model cannot see: parts that are no text, images, videos and sounds.

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


def check_tools(record: Record) -> None:
    """Refuse the tools of a prompt where a person or a judge would answer without them.

    >>> check_tools({"prompt": "q", "tools": []})
    """
    if record.get("tools"):
        raise RecordError(
            f"field 'tools' is {clip(record['tools'])}; nobody asked here would see it: write it into the prompt, "
            "or remove it"
        )


def _check_parts(messages: list[Any], where: str) -> None:
    for number, message in enumerate(messages, 1):
        _check_content(message, f"{where}: message {number}")
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(message, dict) and not isinstance(message.get("role"), str):
            raise RecordError(
                f"{where}: the role of message {number} is {clip(message.get('role'))}; a string is needed"
            )
        if content and any(message.get(field) not in (None, "", [], content) for field in ("value", "parts")):
            raise RecordError(f"{where}: message {number} says one thing as 'content' and another beside it; keep one")
        if content is not None and not isinstance(content, str | list):
            raise RecordError(f"{where}: the content of message {number} is {clip(content)}; a string is needed")
        if isinstance(content, list):
            part = next((unread for unread in content if part_text(unread) is None), content)
            raise RecordError(f"{where}: message {number} has the part {clip(part)}; this command reads text alone")


def _check_content(message: Any, where: str) -> None:
    """Refuse a message without content, but an assistant's null content from a table, with no words beside it."""
    if not isinstance(message, dict) or message.get("content") is not None or message.get("tool_calls"):
        return
    beside = any(
        isinstance(value, str | list | dict) and value for field, value in message.items() if field not in META
    )
    if beside or ("content" not in message and message.get("role") not in SPOKEN):
        raise RecordError(f"{where} has no 'content': {clip(message)}; put the message's words there")
