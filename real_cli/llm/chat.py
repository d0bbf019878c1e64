"""OpenAI chat completions on the wire: a question as a request, a reply as a completion."""

import hashlib
from typing import Any

import orjson

from real_cli.errors import RecordError, clip
from real_cli.records.questions import Choice, Completion, Question
from real_cli.records.record import Record
from real_cli.records.word_odds import read_odds

# Content parts that hold reasoning, not the answer.
THOUGHT_PARTS = ("thinking", "reasoning", "redacted_thinking")
CHAT_ROUTE = "/v1/chat/completions"
# More than any model reads or writes, and small enough to sum.
MAX_TOKENS = 1 << 40


# Reasoning models refuse these: they take 'max_completion_tokens', and answer at a temperature of their own.
THINKERS_REFUSE = frozenset({"max_tokens", "temperature", "top_p"})


def request_body(
    model: str, question: Question, *, constrained: bool = True, without: frozenset[str] = frozenset()
) -> Record:
    """Write a question as the body of an OpenAI chat completion, without the settings that a server refuses.

    Without "max_tokens", "max_completion_tokens" takes its place.

    >>> from real_cli.records.questions import Sampling
    >>> request_body("judge", Question([{"role": "user", "content": "Hi"}], str, Sampling(8)))
    {'model': 'judge', 'messages': [{'role': 'user', 'content': 'Hi'}], 'max_tokens': 8, 'temperature': 0.0, \
'top_p': 1.0}
    """
    text = question.messages
    messages = [{"role": "user", "content": text}] if isinstance(text, str) else text
    wanted = question.sampling
    limit = "max_completion_tokens" if "max_tokens" in without else "max_tokens"
    body: Record = {"model": model, "messages": messages, limit: wanted.max_tokens}
    body |= {"temperature": wanted.temperature, "top_p": wanted.top_p}
    # Only where set: the body is the cache key, and older answers must still be found.
    if wanted.stop:
        body["stop"] = list(wanted.stop)
    if wanted.seed is not None:
        body["seed"] = wanted.seed
    if wanted.top_k:
        body["top_k"] = wanted.top_k
    if wanted.num_choices > 1:
        body["n"] = wanted.num_choices
    if wanted.top_logprobs and "logprobs" not in without:
        body |= {"logprobs": True, "top_logprobs": wanted.top_logprobs}
    if question.schema is not None and constrained:
        schema = {"name": "answer", "strict": True, "schema": question.schema}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return {name: value for name, value in body.items() if name not in without}


def request_key(model: str, question: Question) -> str:
    """Return the cache key of a question to a model: 32 hexadecimal digits, equal exactly for equal requests.

    >>> hello = Question([{"role": "user", "content": "Hi"}], str)
    >>> request_key("a", hello) == request_key("a", hello), request_key("a", hello) == request_key("b", hello)
    (True, False)
    """
    body = request_body(model, question) | {"messages": question.messages} | (question.template or {})
    return hashlib.blake2b(orjson.dumps(body, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def read_completion(body: Any) -> Completion:
    """Read an OpenAI chat completion: the first choice, and the further ones that hold a text.

    >>> read_completion({"choices": [{"message": {"content": "A"}, "finish_reason": "stop"}]})
    Completion(text='A', is_cut=False, num_prompt_tokens=0, num_completion_tokens=0, others=(), odds=())
    """
    try:
        choice = body["choices"][0]
        text = _text_of(choice["message"]["content"])
        usage = body.get("usage") or {}
        counts = [usage.get(name) for name in ("prompt_tokens", "completion_tokens")]
    except (AttributeError, KeyError, IndexError, TypeError):
        raise RecordError(f"the server's answer is not a chat completion: {clip(body)}") from None
    if text is None:
        raise RecordError(f"the server's answer holds no text: {clip(choice)}")
    if not all(count is None or is_token_count(count) for count in counts):
        raise RecordError(f"the server's answer is not a chat completion: it counts tokens as {clip(usage)}")
    read, written = (int(count or 0) for count in counts)
    is_cut, others = choice.get("finish_reason") == "length", _further(body["choices"][1:])
    return Completion(text, is_cut, read, written, others, read_odds(choice.get("logprobs")))


def _text_of(content: Any) -> str | None:
    """Return the text of a message's content, a string or a list of parts; reasoning parts are left out."""
    if isinstance(content, str) or not isinstance(content, list):
        return content if isinstance(content, str) else None
    parts = [part for part in content if isinstance(part, dict) and part.get("type") not in THOUGHT_PARTS]
    texts = [part["text"] for part in parts if isinstance(part.get("text"), str)]
    return "".join(texts) if texts and len(texts) == len(parts) else None


def is_token_count(value: object) -> bool:
    """Tell whether a value is a token count; 7.0 is one.

    >>> [is_token_count(value) for value in (0, 7.0, -1, 1e308, "7", True)]
    [True, True, False, False, False, False]
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value <= MAX_TOKENS and value == int(value)


def _further(choices: list[Any]) -> tuple[Choice, ...]:
    further = []
    for choice in choices:
        message = choice.get("message") if isinstance(choice, dict) else None
        text = _text_of(message.get("content")) if isinstance(message, dict) else None
        if text is not None:
            further.append(Choice(text, choice.get("finish_reason") == "length"))
    return tuple(further)
