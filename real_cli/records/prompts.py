"""Reading records for their prompts, in the form in which a policy is asked."""

from typing import Protocol

from real_cli.errors import RecordError, clip
from real_cli.records.layouts import Adapted, adapt_prompt
from real_cli.records.messages import Text
from real_cli.records.public.rendered_chats import as_turn
from real_cli.records.record import Record

APPEND = "add responses to it with --append"


class Reader(Protocol):
    """Reads one record for a mode; counts the prompts that it made conversations."""

    num_chats: int

    def __call__(self, record: Record) -> Adapted:
        """Read one record."""


class PromptReader:
    """Reads records for their prompts, in the form in which they are asked."""

    def __init__(
        self, *, append: bool = False, chat: bool = False, system: str | None = None, advice: str = APPEND
    ) -> None:
        self._append = append
        self._advice = advice
        self._chat = chat
        self._system = system
        self.num_chats = 0

    def __call__(self, record: Record) -> Adapted:
        """Read one record.

        Args:
            record: One JSON object.

        Returns:
            A checked record and its layout's row; its prompt is a conversation where that was asked for.

        Raises:
            RecordError: If it has no prompt, has responses that nobody wants to keep, or no place for a system message.
        """
        adapted = adapt_prompt(record)
        taken = [name for name in ("responses", "chosen") if name in adapted.record]
        if taken and not self._append:
            raise RecordError(f"field '{taken[0]}' is there already; {self._advice}")
        prompt = adapted.record["prompt"]
        if self._chat and isinstance(prompt, str):
            self.num_chats += 1
            prompt = as_turn(prompt)
        if self._system is not None:
            prompt = with_system(prompt, self._system)
        return adapted._replace(record=adapted.record | {"prompt": prompt})


def with_system(prompt: Text, words: str) -> Text:
    """Put a system message first, once; refuse a string, or another system message.

    Args:
        prompt: A conversation.
        words: Its content.

    Returns:
        The conversation; as it is where it begins with that message.

    Raises:
        RecordError: If it is a string, or begins with another system message.

    Example:
        >>> with_system([{"role": "user", "content": "Hi"}], "Be brief.")[0]
        {'role': 'system', 'content': 'Be brief.'}
    """
    if isinstance(prompt, str):
        raise RecordError("the prompt is a string; --system needs a conversation, which --chat makes of it")
    if prompt[0]["role"] != "system":
        return [{"role": "system", "content": words}, *prompt]
    if prompt[0].get("content") == words:
        return prompt
    raise RecordError(f"the prompt has a system message: {clip(prompt[0].get('content'))}; leave out --system")
