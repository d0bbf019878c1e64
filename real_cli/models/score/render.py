"""Texts and conversations as a model reads them: every message, one first and one last token."""

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import orjson

from real_cli.errors import RecordError, clip
from real_cli.models.load.rendering import within_limits
from real_cli.models.score.contexts import STAND_IN
from real_cli.models.score.template_check import Effect, Message, TemplateCheck
from real_cli.records.messages import Text
from real_cli.records.prefills import is_prefilled
from real_cli.records.record import Record

# Any text that has tokens.
SAMPLE = "a b"


class Renderer:
    """Turn texts and conversations into what a model reads: the one way, for training, scoring and sampling.

    Args:
        tokenizer: Of the model.
        num_embeddings: How many tokens the model knows; None for those of the tokenizer.

    Attributes:
        prompt_effects: What the chat template did to the messages of prompts that were rendered alone.
    """

    def __init__(self, tokenizer: Any, num_embeddings: int | None = None) -> None:
        self._tokenizer = tokenizer
        self._num_embeddings = num_embeddings
        self._check = TemplateCheck(self.text)
        self.prompt_effects: set[Effect] = set()

    def prompt_ids(self, record: Record, prompt: Text) -> list[int]:
        """Render a prompt that an answer is to follow into token ids."""
        if isinstance(prompt, str):
            return self.plain_ids(prompt)
        closed, opened = self.text(record, prompt), self.text(record, prompt, opens=True)
        self.prompt_effects |= self.effects(record, prompt, closed, len(prompt))
        if (
            opened == closed
            and Effect.unopened not in self.prompt_effects
            and self._lacks_header(record, prompt, opened)
        ):
            self.prompt_effects.add(Effect.unopened)
        return self.ids(opened)

    def _lacks_header(self, record: Record, prompt: Sequence[Message], opened: str) -> bool:
        """Tell whether a prompt's opening lacks what the template writes before an answer's words.

        Some write nothing but blanks there: the end of a prompt, [/INST] say, opens the answer.
        """
        try:
            whole = self.text(record, [*prompt, {"role": "assistant", "content": STAND_IN}])
        except RecordError:
            return False  # it renders no answer there at all, or no plain one
        before, mark, _ = whole.partition(STAND_IN)
        return bool(mark) and before.startswith(opened.rstrip()) and bool(before[len(opened.rstrip()) :].strip())

    def whole_ids(self, record: Record, messages: Sequence[Message]) -> list[int]:
        """Render a conversation that is read to its end into token ids."""
        text = self.text(record, messages)
        self.effects(record, messages, text, len(messages))
        return self.ids(text)

    def plain_ids(self, text: str, *, ends: bool = False) -> list[int]:
        """Tokenize a text without a template, behind the tokens that open a text, once.

        The text may bring its first and last token. What a tokenizer puts behind a text stays out, since a
        prompt goes on; `ends` adds the end token.
        """
        end = self._tokenizer.eos_token or ""
        if ends and end:
            while text.rstrip().endswith(end):
                text = text.rstrip().removesuffix(end)
            text += end
        prefix = self._prefix
        if prefix is None:
            return self._checked(list(self._tokenizer(text, verbose=False)["input_ids"]))
        ids = self._bare(text)
        return self._one_first(ids if ids[: len(prefix)] == prefix else [*prefix, *ids])

    def text(self, record: Record, messages: Sequence[Message], *, opens: bool = False) -> str:
        """Render a conversation by the chat template, special tokens written out.

        First and end tokens that messages bring beside the template's stand once; a message without content
        says nothing.
        """
        if opens and is_prefilled(messages):
            return self._continued(record, messages)
        messages = [_spoken(message) for message in messages]
        rendered = self._render_tool_calls(record, messages, opens=opens)
        first, end = self._tokenizer.bos_token, self._tokenizer.eos_token
        if first and rendered.startswith(first) and any(_content(message).startswith(first) for message in messages):
            bare = self._render_tool_calls(record, [_without(message, first) for message in messages], opens=opens)
            if bare.startswith(first) and bare.count(first) == 1:  # or it is a turn mark, which text may quote
                rendered = bare
        if end and end != first and any(_content(message).rstrip().endswith(end) for message in messages):
            rendered = re.sub(rf"(?:{re.escape(end)}\s*)+{re.escape(end)}", lambda match: end, rendered)
        return rendered

    def _continued(self, record: Record, messages: Sequence[Message]) -> str:
        """Render up to the last word of an assistant's message that an answer continues.

        Like transformers' `continue_final_message`, which looks for the message itself and fails where it is
        trimmed.
        """
        begun = messages[-1] | {"content": (messages[-1].get("content") or "") + STAND_IN}
        before, mark, _ = self.text(record, [*messages[:-1], begun]).partition(STAND_IN)
        if not mark:
            raise RecordError(
                "the prompt ends with an assistant's message, and the chat template cannot go on with it; end it with "
                "the user's, or use another template"
            )
        return before

    def _render_tool_calls(self, record: Record, messages: Sequence[Message], *, opens: bool) -> str:
        """Render calls of tools with null for their content: some templates want it, others print it or fail at it."""
        num_null = sum(message.get("content") is None for message in messages)
        try:
            rendered = self._apply(record, messages, opens=opens)
        except RecordError:
            if not num_null:
                raise
            rendered = ""
        if not num_null or (rendered and "None" not in rendered):
            return rendered
        other = self._apply(
            record, [message | {"content": message.get("content") or ""} for message in messages], opens=opens
        )
        return other if not rendered or len(rendered) - len(other) == num_null * len("None") else rendered

    def _apply(self, record: Record, messages: Sequence[Message], *, opens: bool) -> str:
        if not self._tokenizer.chat_template:
            raise RecordError(
                "the model has no chat template for a conversation; use records of plain text, or another model"
            )
        tools, options = record.get("tools"), record.get("chat_template_kwargs") or {}
        try:
            tools = orjson.loads(tools) if isinstance(tools, str) else tools
            with within_limits():
                rendered = self._tokenizer.apply_chat_template(
                    list(messages), tokenize=False, tools=tools, add_generation_prompt=opens, **options
                )
        except RecordError:
            raise
        except Exception as error:  # templates raise what they like: jinja's errors, ValueError, TypeError
            first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise RecordError(f"the conversation cannot be rendered: {first}") from None
        if not isinstance(rendered, str):
            raise RecordError("the conversation cannot be rendered: the chat template makes no text")
        return rendered

    def effects(self, record: Record, messages: Sequence[Message], text: str, num_prompt: int) -> set[Effect]:
        """Report what the template did to messages; refuse a conversation of which a message is missing."""
        first = self._tokenizer.bos_token
        bare = [_without(message, first) if first else message for message in messages]
        return self._check(record, bare, text, num_prompt)

    def ids(self, text: str) -> list[int]:
        """Tokenize rendered text; the first token stands once, even if template and message both bring it."""
        return self._one_first(self._bare(text))

    def _bare(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])

    def _one_first(self, ids: list[int]) -> list[int]:
        first = self._tokenizer.bos_token_id
        while first is not None and len(ids) > 2 and ids[0] == ids[1] == first:  # one stays
            del ids[0]
        return self._checked(ids)

    def _checked(self, ids: list[int]) -> list[int]:
        if self._num_embeddings is not None and ids and max(ids) >= self._num_embeddings:
            token = self._tokenizer.convert_ids_to_tokens(max(ids))
            raise RecordError(
                f"token {clip(token)} has no embedding in the model; take it out of the text, or give a model that "
                "knows it"
            )
        return ids

    @cached_property
    def _prefix(self) -> list[int] | None:
        """What the tokenizer puts before a text, mostly its BOS; None if that cannot be told."""
        bare = self._bare(SAMPLE)
        full = list(self._tokenizer(SAMPLE, verbose=False)["input_ids"])
        starts = (start for start in range(len(full)) if bare and full[start : start + len(bare)] == bare)
        start = next(starts, None)
        return None if start is None else full[:start]


def _spoken(message: Message) -> Message:
    """Let a message with neither content nor calls say nothing, and not None."""
    return message if message.get("content") is not None or message.get("tool_calls") else message | {"content": ""}


def _content(message: Message) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else ""


def _without(message: Message, first: str) -> Message:
    content = _content(message)
    while content.startswith(first):
        content = content.removeprefix(first)
    return message | {"content": content} if _content(message) else message
