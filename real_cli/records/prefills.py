"""Prompts that end inside an answer: the response continues the assistant's last message, and opens none."""

from collections.abc import Sequence
from typing import Any

from real_cli.records.messages import Text, as_completion, is_conversation

CONTINUED = "with a prompt that ends with an assistant's message, which the response goes on with"


def is_prefilled(prompt: object) -> bool:
    """Tell whether a prompt ends with the assistant's words, which a response continues; tool calls are closed.

    Args:
        prompt: Any JSON value.

    Returns:
        True for a conversation whose last message is words of the assistant; calls of tools are closed.

    Example:
        >>> is_prefilled([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Well,"}])
        True

    References:
        TRL's `apply_chat_template` continues the last message of such a prompt (`continue_final_message`).
    """
    if not isinstance(prompt, list) or not is_conversation(prompt):
        return False
    last = prompt[-1]
    return (
        last["role"] == "assistant" and not last.get("tool_calls") and isinstance(last.get("content", ""), str | None)
    )


def begin_answers(prompt: Text, texts: Sequence[Text]) -> tuple[Text, list[Text]]:
    """Move the beginning of the answer from the end of a prompt to the front of each response.

    Args:
        prompt: A string or a conversation.
        texts: Responses to it.

    Returns:
        Prompt and responses as they are, unless the prompt ends with an assistant's message and each response begins
        with one; then the prompt without it, and responses whose first message begins with its words.

    Example:
        >>> turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Well, "}]
        >>> begin_answers(turns, ["hello."])
        ([{'role': 'user', 'content': 'Hi'}], [[{'role': 'assistant', 'content': 'Well, hello.'}]])
    """
    answers: list[Any] = [as_completion(prompt, text) for text in texts]
    if not isinstance(prompt, list) or len(prompt) < 2 or not is_prefilled(prompt):
        return prompt, list(texts)
    if not all(is_conversation(text) and text[0]["role"] == "assistant" for text in answers):
        return prompt, list(texts)
    return prompt[:-1], [[_joined(prompt[-1], text[0]), *text[1:]] for text in answers]


def _joined(begun: dict[str, Any], rest: dict[str, Any]) -> dict[str, Any]:
    contents = [message.get("content") or "" for message in (begun, rest)]
    return begun | rest | {"content": "".join(contents)} if all(isinstance(text, str) for text in contents) else rest
