"""What is asked of a language model, and how a record asks several things, some after it has seen answers.

A record's *inquiry* is a generator: it yields the questions it has, is sent their answers, may yield more, and returns
what it made of them. It knows nothing of endpoints, caches or batches, and whoever runs it nothing of rubrics:

    def inquiry(record):
        answers = yield [question, another]
        return record | {"verdict": answers[0].value}
"""

import hashlib
from collections.abc import Callable, Generator
from typing import Any, NamedTuple, TypeAlias, TypeVar

import orjson

from real_cli.core.records import Record
from real_cli.errors import RecordError, clip

Made = TypeVar("Made")

CHAT_ROUTE = "/v1/chat/completions"


class Sampling(NamedTuple):
    """How a model is to answer.

    Attributes:
        max_tokens: Most tokens of the answer.
        temperature: 0 takes the likeliest token.
        top_p: Share of the probability that is sampled from.
    """

    max_tokens: int = 512
    temperature: float = 0.0
    top_p: float = 1.0


class Question(NamedTuple):
    """One call of a model.

    Attributes:
        messages: A conversation of {role, content}.
        read: Takes the answer's text, gives what it says; raises RecordError if it says nothing that can be used.
        sampling: How to answer.
        schema: JSON schema of the answer, for servers that can hold a model to one.
    """

    messages: list[dict[str, str]]
    read: Callable[[str], Any]
    sampling: Sampling = Sampling()
    schema: Record | None = None


class Completion(NamedTuple):
    """What a model wrote.

    Attributes:
        text: The text.
        is_cut: Whether the token limit ended it.
        num_prompt_tokens: Tokens read.
        num_completion_tokens: Tokens written.
    """

    text: str
    is_cut: bool = False
    num_prompt_tokens: int = 0
    num_completion_tokens: int = 0


class Answer(NamedTuple):
    """A completion, and what was read in it."""

    text: str
    value: Any


Inquiry: TypeAlias = Generator[list[Question], list[Answer], Made]


def request_body(model: str, question: Question, *, constrained: bool = True) -> Record:
    """Write a question as the body of an OpenAI chat completion.

    Args:
        model: The model's name on the server.
        question: The question.
        constrained: Ask the server to hold the answer to the schema.

    Returns:
        A JSON object.

    Example:
        >>> request_body("judge", Question([{"role": "user", "content": "Hi"}], str, Sampling(8)))
        {'model': 'judge', 'messages': [{'role': 'user', 'content': 'Hi'}], 'max_tokens': 8, 'temperature': 0.0, \
'top_p': 1.0}
    """
    body: Record = {"model": model, "messages": question.messages} | question.sampling._asdict()
    if question.schema is not None and constrained:
        schema = {"name": "answer", "strict": True, "schema": question.schema}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return body


def request_key(model: str, question: Question) -> str:
    """Return a name that is equal exactly for equal questions to one model; answers are kept under it.

    Args:
        model: The model's name.
        question: The question.

    Returns:
        32 hexadecimal digits.

    Example:
        >>> hello = Question([{"role": "user", "content": "Hi"}], str)
        >>> request_key("a", hello) == request_key("a", hello), request_key("a", hello) == request_key("b", hello)
        (True, False)
    """
    body = orjson.dumps(request_body(model, question), option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(body, digest_size=16).hexdigest()


def read_completion(body: Any) -> Completion:
    """Read an OpenAI chat completion.

    Args:
        body: The server's JSON.

    Returns:
        The first choice.

    Raises:
        RecordError: If it is no chat completion, or holds no text.

    Example:
        >>> read_completion({"choices": [{"message": {"content": "A"}, "finish_reason": "stop"}]})
        Completion(text='A', is_cut=False, num_prompt_tokens=0, num_completion_tokens=0)
    """
    try:
        choice = body["choices"][0]
        text = choice["message"]["content"]
        usage = body.get("usage") or {}
        counts = [int(usage.get(name) or 0) for name in ("prompt_tokens", "completion_tokens")]
    except (AttributeError, KeyError, IndexError, TypeError, ValueError, OverflowError):
        raise RecordError(f"the server's answer is no chat completion: {clip(body)}") from None
    if not isinstance(text, str):
        raise RecordError(f"the server's answer holds no text: {clip(choice)}")
    return Completion(text, choice.get("finish_reason") == "length", *counts)


def read_answer(question: Question, completion: Completion) -> Answer:
    """Read what a completion says.

    Args:
        question: What was asked.
        completion: What the model wrote.

    Returns:
        The answer.

    Raises:
        RecordError: If it cannot be read; the message quotes it, and says whether the token limit cut it.

    Example:
        >>> read_answer(Question([], str.upper), Completion("yes"))
        Answer(text='yes', value='YES')
    """
    try:
        return Answer(completion.text, question.read(completion.text))
    except RecordError as error:
        cut = f" (cut at {question.sampling.max_tokens} tokens)" if completion.is_cut else ""
        raise RecordError(f"{error}{cut}") from None


def ask_nothing(made: Made) -> Inquiry[Made]:
    """Make an inquiry that has no questions, for what is known without a model.

    Args:
        made: What it makes.

    Returns:
        The inquiry.

    Example:
        >>> advance(ask_nothing(7), None)
        ([], [7])
    """

    def inquiry() -> Inquiry[Made]:
        yield from ()
        return made

    return inquiry()


def advance(inquiry: Inquiry[Made], answers: list[Answer] | None) -> tuple[list[Question], list[Made]]:
    """Take an inquiry one step further.

    Args:
        inquiry: The generator.
        answers: To the questions it asked last; None to start it.

    Returns:
        Its next questions and no result, or no questions and its one result.

    Raises:
        RecordError: If the inquiry refuses its record or an answer.

    Example:
        >>> def one():
        ...     answers = yield [Question([], str)]
        ...     return answers[0].value
        >>> inquiry = one()
        >>> len(advance(inquiry, None)[0]), advance(inquiry, [Answer("A", "A")])
        (1, ([], ['A']))
    """
    try:
        return (next(inquiry) if answers is None else inquiry.send(answers)), []
    except StopIteration as end:
        return [], [end.value]
