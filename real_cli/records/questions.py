"""What is asked of a language model, and how a record asks several things, some after it has seen answers.

A record's *inquiry* is a generator: it yields the questions it has, is sent their answers, may yield more, and returns
what it made of them. It knows nothing of endpoints, caches or batches, and whoever runs it nothing of rubrics:

    def inquiry(record):
        answers = yield [question, another]
        return record | {"verdict": answers[0].value}
"""

from collections.abc import Callable, Generator
from typing import Any, NamedTuple, TypeAlias, TypeVar

from real_cli.errors import RecordError
from real_cli.records.choices import MAX_TOKENS
from real_cli.records.messages import Text
from real_cli.records.record import Record

Made = TypeVar("Made")


class Sampling(NamedTuple):
    """How a model is to answer.

    Attributes:
        max_tokens: Most tokens of the answer.
        temperature: 0 takes the likeliest token.
        top_p: Share of the probability that is sampled from.
        stop: Strings that end the answer; it ends before the first of them.
        seed: Of the draws; None leaves them to the model.
        num_choices: How many answers are wanted; servers may give fewer.
        top_k: How many of the likeliest tokens are sampled from; 0 for all.
        top_logprobs: How many of the likeliest tokens are to be told with their probabilities, by a server that can.
    """

    max_tokens: int = MAX_TOKENS
    temperature: float = 0.0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int | None = None
    num_choices: int = 1
    top_k: int = 0
    top_logprobs: int = 0


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
        most_further: How many further questions its answer may lead to.
    """

    messages: Text
    read: Callable[[str], Any]
    sampling: Sampling = Sampling()
    schema: Record | None = None
    template: Record | None = None
    most_further: int = 0


class WordOdds(NamedTuple):
    """A word that a model wrote where it might have named a verdict, and what else it might have written there.

    Attributes:
        word: "A", "B" or "tie", as it stands in the answer.
        odds: How probable the model made each of the three there.
    """

    word: str
    odds: dict[str, float]


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
        odds: The verdicts in it with their probabilities, where these were asked for and given.
    """

    text: str
    is_cut: bool = False
    num_prompt_tokens: int = 0
    num_completion_tokens: int = 0
    others: tuple[Choice, ...] = ()
    odds: tuple[WordOdds, ...] = ()


class Answer(NamedTuple):
    """A completion, and what was read in it."""

    text: str
    value: Any
    is_cut: bool = False
    others: tuple[Choice, ...] = ()
    odds: tuple[WordOdds, ...] = ()

    @property
    def choices(self) -> list[Choice]:
        """All its texts."""
        return [Choice(self.text, self.is_cut), *self.others]


Inquiry: TypeAlias = Generator[list[Question], list[Answer], Made]


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
        Answer(text='yes', value='YES', is_cut=False, others=(), odds=())
    """
    try:
        value = question.read(completion.text)
        return Answer(completion.text, value, completion.is_cut, completion.others, completion.odds)
    except RecordError as error:
        cut = f" (cut at {question.sampling.max_tokens} tokens)" if completion.is_cut else ""
        raise RecordError(f"{error}{cut}") from None


def ask_nothing(value: Made) -> Inquiry[Made]:
    """Make an inquiry without questions, for what is known without a model.

    Args:
        value: What it makes.

    Returns:
        The inquiry.

    Example:
        >>> advance(ask_nothing(7), None)
        ([], [7])
    """

    def inquiry() -> Inquiry[Made]:
        yield from ()
        return value

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
