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
from real_cli.core.texts import Text
from real_cli.errors import RecordError, clip

Made = TypeVar("Made")

CHAT_ROUTE = "/v1/chat/completions"
# More than any model reads or writes, and small enough to be added up.
MAX_TOKENS = 1 << 40


class Sampling(NamedTuple):
    """How a model is to answer.

    Attributes:
        max_tokens: Most tokens of the answer.
        temperature: 0 takes the likeliest token.
        top_p: Share of the probability that is sampled from.
        stop: Strings that end the answer; it ends before the first of them.
        seed: Of the draws; None leaves them to the model.
        num_choices: How many answers are wanted; servers may give fewer.
    """

    max_tokens: int = 512
    temperature: float = 0.0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int | None = None
    num_choices: int = 1


class Rendered(str):
    """Text in a model's own format, the marks of its chat template and special tokens written out."""

    __slots__ = ()


class Question(NamedTuple):
    """One call of a model.

    Attributes:
        messages: A conversation of {role, content}; or a string, which a model at hand continues as it is, and which is
            one user message to a server.
        read: Takes the answer's text, gives what it says; raises RecordError if it says nothing that can be used.
        sampling: How to answer.
        schema: JSON schema of the answer, for servers that can hold a model to one.
        template: What the chat template of a model at hand is given: `tools`, `chat_template_kwargs`.
    """

    messages: Text
    read: Callable[[str], Any]
    sampling: Sampling = Sampling()
    schema: Record | None = None
    template: Record | None = None


class Choice(NamedTuple):
    """One text that a model wrote, and whether the token limit ended it."""

    text: str
    is_cut: bool = False


class Completion(NamedTuple):
    """What a model wrote.

    Attributes:
        text: The text.
        is_cut: Whether the token limit ended it.
        num_prompt_tokens: Tokens read.
        num_completion_tokens: Tokens written.
        others: Further texts, where several were asked for.
    """

    text: str
    is_cut: bool = False
    num_prompt_tokens: int = 0
    num_completion_tokens: int = 0
    others: tuple[Choice, ...] = ()


class Answer(NamedTuple):
    """A completion, and what was read in it."""

    text: str
    value: Any
    is_cut: bool = False
    others: tuple[Choice, ...] = ()

    @property
    def choices(self) -> list[Choice]:
        """All its texts."""
        return [Choice(self.text, self.is_cut), *self.others]


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
    text = question.messages
    messages = [{"role": "user", "content": text}] if isinstance(text, str) else text
    wanted = question.sampling
    body: Record = {"model": model, "messages": messages, "max_tokens": wanted.max_tokens}
    body |= {"temperature": wanted.temperature, "top_p": wanted.top_p}
    # Only where they are set: answers of earlier days are found by what was asked then.
    if wanted.stop:
        body["stop"] = list(wanted.stop)
    if wanted.seed is not None:
        body["seed"] = wanted.seed
    if wanted.num_choices > 1:
        body["n"] = wanted.num_choices
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
    body = request_body(model, question) | {"messages": question.messages} | (question.template or {})
    return hashlib.blake2b(orjson.dumps(body, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def read_completion(body: Any) -> Completion:
    """Read an OpenAI chat completion.

    Args:
        body: The server's JSON.

    Returns:
        The first choice, and the further ones that hold a text.

    Raises:
        RecordError: If it is no chat completion, or its first choice holds no text.

    Example:
        >>> read_completion({"choices": [{"message": {"content": "A"}, "finish_reason": "stop"}]})
        Completion(text='A', is_cut=False, num_prompt_tokens=0, num_completion_tokens=0, others=())
    """
    try:
        choice = body["choices"][0]
        text = choice["message"]["content"]
        usage = body.get("usage") or {}
        counts = [usage.get(name) for name in ("prompt_tokens", "completion_tokens")]
    except (AttributeError, KeyError, IndexError, TypeError):
        raise RecordError(f"the server's answer is no chat completion: {clip(body)}") from None
    if not isinstance(text, str):
        raise RecordError(f"the server's answer holds no text: {clip(choice)}")
    if not all(count is None or is_token_count(count) for count in counts):
        raise RecordError(f"the server's answer is no chat completion: it counts tokens as {clip(usage)}")
    read, written = (int(count or 0) for count in counts)
    return Completion(text, choice.get("finish_reason") == "length", read, written, _further(body["choices"][1:]))


def is_token_count(value: object) -> bool:
    """Tell whether a value is a number of tokens.

    Args:
        value: Anything, 7.0 too.

    Returns:
        True for whole numbers that some text could have.

    Example:
        >>> [is_token_count(value) for value in (0, 7.0, -1, 1e308, "7", True)]
        [True, True, False, False, False, False]
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value <= MAX_TOKENS and value == int(value)


def _further(choices: list[Any]) -> tuple[Choice, ...]:
    found = []
    for choice in choices:
        message = choice.get("message") if isinstance(choice, dict) else None
        text = message.get("content") if isinstance(message, dict) else None
        if isinstance(text, str):
            found.append(Choice(text, choice.get("finish_reason") == "length"))
    return tuple(found)


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
        Answer(text='yes', value='YES', is_cut=False, others=())
    """
    try:
        return Answer(completion.text, question.read(completion.text), completion.is_cut, completion.others)
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
