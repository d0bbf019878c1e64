"""What a chat template does to messages: which it leaves out, and what it drops from those it renders."""

import re
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

import orjson

from real_cli.errors import RecordError, clip
from real_cli.records.messages import plain_text
from real_cli.records.record import Record

Message: TypeAlias = dict[str, Any]
# Turns a conversation into text; the record carries the template's other arguments.
Render: TypeAlias = Callable[[Record, list[Message]], str]

# A thought between marks such as <think>, <seed:think>, <reasoning>, <thought> and [THINK].
THOUGHT = re.compile(
    r"[<\[](?P<name>[\w:|-]*(?:think|thought|reason)[\w:|-]*)[>\]](?P<inner>.*?)[<\[]/(?P=name)[>\]]", re.S | re.I
)
# Where messages carry a thought beside their content.
THOUGHT_FIELDS = ("reasoning_content", "reasoning", "thinking", "thought")
# Roles whose words templates often write as JSON.
TOOL_ROLES = frozenset({"tool", "function", "ipython", "observation", "environment", "tool_response"})
# Who speaks in a conversation beside the policy.
CONTEXT_ROLES = TOOL_ROLES | {"user", "human", "system", "developer", "function_response"}


class Effect(StrEnum):
    """What a template does to a message that it renders."""

    thoughts = "thoughts"
    calls = "calls"
    tools = "tools"
    beside = "beside"  # words beside calls
    roles = "roles"  # a response without a word from the policy
    changed = "changed"
    unopened = "unopened"  # no header where an answer is to follow
    hollow = "hollow"  # a response that is nothing but unrendered calls


class Unrendered(NamedTuple):
    """What a template leaves out: the content of messages by number, their tool calls, the tools' descriptions."""

    contents: frozenset[int] = frozenset()
    calls: frozenset[int] = frozenset()
    tools: bool = False


class TemplateCheck:
    """Compares conversations with what a chat template made of them.

    What a template leaves out depends on roles and fields. So one conversation of each kind is rendered again with
    other words, and the missing ones are searched for. What it drops from a message is searched for in each.
    """

    def __init__(self, render: Render) -> None:
        self._render = render
        self._known: dict[bytes, Unrendered] = {}

    def __call__(self, record: Record, messages: Sequence[Message], text: str, num_prompt: int) -> set[Effect]:
        """Return what was done to any message; refuse a conversation with a message or prompt's call missing.

        The first `num_prompt` messages are the prompt's, which must be there whole.
        """
        unrendered = self._unrendered(record, messages)
        effects = {Effect.tools} if unrendered.tools else set()
        for number, message in enumerate(messages):
            if number in unrendered.contents and _calls(message) and number not in unrendered.calls:
                effects.add(Effect.beside)
            elif number in unrendered.contents:
                raise RecordError(
                    f"the chat template renders nothing of a message whose role is {clip(message['role'])}; give it a "
                    "role that the template knows, or use another template"
                )
            if number in unrendered.calls:
                if number < num_prompt:
                    raise RecordError(
                        "the chat template renders no tool calls, and the prompt has some; use another template"
                    )
                effects.add(Effect.calls)
            if number not in unrendered.contents:
                effects.update(_effects(message, text))
        rendered = [
            number
            for number, message in enumerate(messages)
            if message["role"] not in CONTEXT_ROLES
            and (_words(message) or (_calls(message) and number not in unrendered.calls))
        ]
        if Effect.calls in effects and not any(number >= num_prompt for number in rendered):
            effects.add(Effect.hollow)
        response = messages[num_prompt:]
        if response and all(message["role"] in CONTEXT_ROLES for message in response):
            effects.add(Effect.roles)
        return effects

    def _unrendered(self, record: Record, messages: Sequence[Message]) -> Unrendered:
        kind = orjson.dumps(
            [
                [
                    (message["role"], bool(_words(message)), sorted(message), len(_calls(message)))
                    for message in messages
                ],
                bool(record.get("tools")),
                record.get("chat_template_kwargs"),
            ]
        )
        if kind not in self._known:
            self._known[kind] = self._try(record, messages)
        return self._known[kind]

    def _try(self, record: Record, messages: Sequence[Message]) -> Unrendered:
        others = [_with_other_words(message, number) for number, message in enumerate(messages)]
        try:
            text = self._render(record, others).lower()
        except RecordError:  # it refuses unknown words; its verdict on the real ones counts
            return Unrendered()
        spoken = [number for number, message in enumerate(messages) if _words(message)]
        calling = [number for number, message in enumerate(messages) if _calls(message)]
        return Unrendered(
            frozenset(number for number in spoken if _word(number) not in text),
            frozenset(number for number in calling if _name(number) not in text),
            bool(record.get("tools")) and self._render(record | {"tools": None}, others).lower() == text,
        )


def _word(number: int) -> str:
    return f"realword{number}end"


def _name(number: int) -> str:
    return f"realcall{number}end"


def _with_other_words(message: Message, number: int) -> Message:
    other = dict(message)
    if _words(message):
        other["content"] = _word(number)
    if _calls(message):
        other["tool_calls"] = [_renamed(call, _name(number)) for call in _calls(message)]
    return other


def _renamed(call: Any, name: str) -> Any:
    if isinstance(call, dict) and isinstance(call.get("function"), dict):
        return call | {"function": call["function"] | {"name": name}}
    return call | {"name": name} if isinstance(call, dict) else call


def _words(message: Message) -> str:
    """Return the words of a message; none if its content is no text."""
    content = message.get("content")
    return plain_text([message]).strip() if isinstance(content, str | list) else ""


def _calls(message: Message) -> list[Any]:
    calls = message.get("tool_calls")
    return calls if isinstance(calls, list) else []


def _effects(message: Message, text: str) -> Iterator[Effect]:
    thoughts = [value for field in THOUGHT_FIELDS if isinstance(value := message.get(field), str)]
    words = _words(message)
    if words and words not in text:
        inner = [match["inner"] for match in THOUGHT.finditer(words)]
        if not inner and "</think>" in words:  # the template had opened the thought
            inner = [words.partition("</think>")[0]]
        thoughts += inner
        if not inner and message["role"] not in TOOL_ROLES:
            yield Effect.changed
    if any(thought.strip() and thought.strip() not in text for thought in thoughts):
        yield Effect.thoughts
