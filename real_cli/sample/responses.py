"""Sampling: what a policy is asked for a prompt, and the records that its responses make."""

from collections.abc import Sequence
from typing import NamedTuple

from real_cli.errors import RecordError, clip
from real_cli.records.messages import Text, comparable, plain_text
from real_cli.records.prefills import is_prefilled
from real_cli.records.questions import Choice, Inquiry, Question, Sampling
from real_cli.records.record import Record, is_preference, pair_fields, to_candidates
from real_cli.records.seeds import response_seed
from real_cli.sample.principles import Principle
from real_cli.text.phrases import say_count

# What a chat template is given besides the messages.
TEMPLATE_FIELDS = ("tools", "chat_template_kwargs")


class PreQuery(NamedTuple):
    """What a chat template says of the place of the user's words.

    Attributes:
        text: Everything before them, special tokens written out.
        stops: Strings that end them.
        marks: The template's and the tokenizer's own words, which no instruction holds.
        system: A system message that stands before; None for none.
        answering: How the response to an instruction is sampled.
    """

    text: str
    stops: tuple[str, ...]
    marks: tuple[str, ...] = ()
    system: str | None = None
    answering: Sampling = Sampling()


class Plan(NamedTuple):
    """How one policy is sampled.

    Attributes:
        policy: Its name, which stays on every response.
        num_responses: Of each prompt.
        sampling: How it answers; seeds are added to it.
        seed: Of the run.
        together: Whether one request asks for all responses of a prompt, as servers can.
        principles: One is drawn for each response; empty for none.
        contrast: Words that ask for the good, and for its opposite.
        template: Words that ask for a better reply.
        pre_query: Where the policy's chat template puts the user's words.
    """

    policy: str
    num_responses: int = 1
    sampling: Sampling = Sampling()
    seed: int = 0
    together: bool = False
    principles: tuple[Principle, ...] = ()
    contrast: tuple[str, str] = ("", "")
    template: str = ""
    pre_query: PreQuery = PreQuery("", ())


class DrawnTexts(NamedTuple):
    """Texts in the order in which they were asked for, and how many had to be asked for again, singly."""

    choices: list[Choice]
    num_again: int = 0


class Sampled(NamedTuple):
    """What came of one record.

    Attributes:
        record: The record with what was sampled; None if nothing came of it.
        asked: What was sampled.
        reason: Why nothing came of it.
        num_equal: New texts that the record had before.
        num_replaced: What was sampled at another time and made room.
        removed: Fields that said something of a pair, where candidates were made of one.
    """

    record: Record | None
    asked: DrawnTexts
    reason: str = ""
    num_equal: int = 0
    num_replaced: int = 0
    removed: tuple[str, ...] = ()


def ask_choices(
    prompt: Text, texts: Sequence[Text], plan: Plan, *, first: int = 0, template: Record | None = None
) -> Inquiry[DrawnTexts]:
    """Ask for one response to each text, however few choices a server gives at a time.

    The prompt seeds the draws, from response number `first` of the policy on. With `plan.together` equal texts are
    asked about in one question; `template` has a chat template's other arguments.
    """
    groups: dict[str, list[int]] = {}
    for number, text in enumerate(texts):
        groups.setdefault(comparable(text) if plan.together else str(number), []).append(number)

    def question(numbers: list[int]) -> Question:
        sampling = plan.sampling._replace(num_choices=len(numbers))
        if sampling.temperature > 0:
            sampling = sampling._replace(seed=response_seed(plan.seed, prompt, plan.policy, first + numbers[0]))
        return Question(texts[numbers[0]], str, sampling, template=template, most_further=len(numbers) - 1)

    choices: dict[int, Choice] = {}
    asked, num_again = list(groups.values()), 0
    while asked:
        answers = yield [question(numbers) for numbers in asked]
        for numbers, answer in zip(asked, answers, strict=True):
            choices.update(zip(numbers, answer.choices, strict=False))
        asked = [[number] for number in range(len(texts)) if number not in choices]
        num_again += len(asked)
    return DrawnTexts([choices[number] for number in range(len(texts))], num_again)


def template_fields(record: Record, plan: Plan) -> Record | None:
    """Take from a record what a chat template reads: `tools` and `chat_template_kwargs`.

    A server would not see them, nor continue an answer that is begun: such a record is refused.

    >>> template_fields({"prompt": "q", "tools": [{}]}, Plan("sft"))
    {'tools': [{}]}
    """
    if plan.together and is_prefilled(record["prompt"]):
        raise RecordError(
            "the prompt ends with an assistant's message, which a server may answer and not go on with; end it with "
            "the user's, or sample from a model at hand"
        )
    fields = {name: record[name] for name in TEMPLATE_FIELDS if record.get(name)}
    if fields and plan.together:
        name, value = next(iter(fields.items()))
        raise RecordError(f"field '{name}' is {clip(value)}; a server would not get it: sample from a model at hand")
    return fields or None


def new_response(choice: Choice, plan: Plan) -> Record:
    """Make a response: `text`, `model`, and `is_cut` if the token limit ended it.

    >>> new_response(Choice("Yes."), Plan("sft"))
    {'text': 'Yes.', 'model': 'sft', 'is_cut': False}
    """
    return {"text": choice.text, "model": plan.policy, "is_cut": choice.is_cut}


def without_pair(record: Record) -> tuple[Record, tuple[str, ...]]:
    """Turn a preference record into candidates without its pair's fields, and name those fields.

    >>> without_pair({"prompt": "q", "chosen": "a", "rejected": "b", "margin": 1})[1]
    ('margin',)
    """
    removed = tuple(sorted(pair_fields(record))) if is_preference(record) else ()
    return to_candidates({name: value for name, value in record.items() if name not in removed}), removed


def add_responses(record: Record, responses: list[Record], asked: DrawnTexts) -> Sampled:
    """Put new responses behind those of a record; counts texts that are there twice.

    >>> add_responses({"prompt": "q"}, [{"text": "a"}, {"text": "a"}], DrawnTexts([])).num_equal
    1
    """
    candidates, removed = without_pair(record)
    texts = [plain_text(response["text"]) for response in candidates.get("responses", [])]
    num_equal = 0
    for response in responses:
        num_equal += response["text"] in texts
        texts.append(response["text"])
    grown = candidates | {"responses": [*candidates.get("responses", []), *responses]}
    return Sampled(grown, asked, num_equal=num_equal, removed=removed)


def count_from(record: Record, policy: str) -> int:
    """Count a policy's responses: the next one is drawn unlike them.

    >>> count_from({"prompt": "q", "responses": [{"text": "a", "model": "sft"}, {"text": "b"}]}, "sft")
    1
    """
    return sum(response.get("model") == policy for response in to_candidates(record).get("responses", []))


class SamplingTally:
    """Counts what was sampled; the caller counts `num_prompts`, since several policies answer one prompt."""

    def __init__(self) -> None:
        self.num_prompts = self.num_responses = self.num_cut = self.num_empty = 0
        self.num_equal = self.num_again = self.num_replaced = self.num_unpaired = 0
        self._removed: set[str] = set()

    def add(self, sampled: Sampled) -> None:
        """Count what came of one record."""
        choices = sampled.asked.choices
        self.num_responses += len(choices)
        self.num_cut += sum(choice.is_cut for choice in choices)
        self.num_empty += sum(not choice.text.strip() for choice in choices)
        self.num_equal += sampled.num_equal
        self.num_again += sampled.asked.num_again
        self.num_replaced += sampled.num_replaced
        self.num_unpaired += bool(sampled.removed)
        self._removed.update(sampled.removed)

    def sentence(self, max_tokens: int, num_chats: int = 0) -> str:
        """Tell the counts in one line, without those of the usual."""
        parts = [f"{say_count(self.num_prompts, 'prompt')}, {say_count(self.num_responses, 'response')}"]
        share = self.num_cut / max(1, self.num_responses)
        parts.append(f"{self.num_cut:,} cut at {max_tokens:,} tokens ({share:.1%})")
        if self.num_empty:
            parts.append(f"{self.num_empty:,} empty")
        if self.num_equal:
            parts.append(f"{self.num_equal:,} equal to another of their prompt")
        if num_chats:
            parts.append(f"{say_count(num_chats, 'prompt')} made a conversation")
        if self.num_replaced:
            parts.append(f"{self.num_replaced:,} took the place of an earlier one")
        if self._removed:
            names = ", ".join(sorted(self._removed))
            parts.append(f"{names} of {say_count(self.num_unpaired, 'pair')} left out: candidates are no pair")
        if self.num_again:
            parts.append(f"{self.num_again:,} asked for one by one: the server gives fewer choices than asked")
        return "; ".join(parts)
