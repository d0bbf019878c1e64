"""Implicit rewards of a policy: its log-probabilities against a reference's, or under contrastive prompts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from sys import maxsize
from typing import NamedTuple, Protocol, TypeAlias

from real_cli.errors import RecordError
from real_cli.models.score.batching import windows
from real_cli.models.score.model_pair import ModelPair
from real_cli.models.score.scoring import Scores
from real_cli.models.score.token_counts import LeftOut
from real_cli.models.score.tokens import ExampleTokenizer, TokenizedExample
from real_cli.records.messages import Text, as_completion, comparable, is_number
from real_cli.records.place_words import place_words
from real_cli.records.record import Record
from real_cli.records.response_fields import responses_of
from real_cli.relabel.implicit.rewards import contrast_rewards, implicit_rewards
from real_cli.text.phrases import say_count

WINDOW_RESPONSES = 1024
TOO_LONG = "the prompt alone fills --max-length"


class TokenizedRecord(NamedTuple):
    """A record, tokenized for a policy.

    Attributes:
        record: The record.
        examples: Its responses after each prompt; None if a prompt fills the limit.
        given: Reference log-probabilities that it carries; None where a reference model computes them.
    """

    record: Record
    examples: list[TokenizedExample] | None
    given: Scores | None = None


# A place, its record, and a reward for each response; None if the record is too long.
Judged: TypeAlias = tuple[str, Record, Scores | None]


class ImplicitMeter(Protocol):
    """Gives each response of a record a reward."""

    def read(self, record: Record) -> TokenizedRecord:
        """Tokenize a record."""
        ...

    def __call__(self, located: Iterable[tuple[str, TokenizedRecord]]) -> Iterator[Judged]:
        """Score a stream of records."""
        ...

    def load(self) -> None:
        """Load the tokenizer, which counts."""
        ...

    @property
    def counted(self) -> Mapping[str, object]:
        """What counts, by name, as far as it is there."""
        ...

    def sentence(self) -> str:
        """Report in one line what was scored and what was cut."""
        ...


class RecordTokenizer:
    """Tokenize a record's responses after one prompt or several; a response is cut to the same length after each.

    Attributes:
        num_responses: Responses tokenized.
        num_cut: Responses cut at the end to fit the limit.
        num_same: Records with different responses that became the same tokens, and so get equal scores.
    """

    def __init__(self, models: ModelPair) -> None:
        self.num_responses = self.num_cut = self.num_same = 0
        self._models = models

    @cached_property
    def _tokenize(self) -> ExampleTokenizer:
        return self._models.tokenizer(maxsize)

    def __call__(self, record: Record, prompts: Sequence[Text]) -> list[TokenizedExample] | None:
        """Tokenize a record's responses after each prompt; None if a prompt fills the limit."""
        texts = [as_completion(record["prompt"], response["text"]) for response in responses_of(record)]
        if not texts:
            return []
        examples = [self._tokenize.responses(record | {"prompt": prompt}, texts) for prompt in prompts]
        tokenized = [example for example in examples if not isinstance(example, LeftOut)]
        # The longest prompt sets the room, so that the same part of a response is scored after each.
        room = self._models.max_length - max(len(example.prompt) for example in tokenized)
        if room <= 0:
            return None
        self.num_responses += len(texts)
        self.num_cut += sum(len(ids) > room for ids in tokenized[0].responses)
        cut = [TokenizedExample(prompt, [ids[:room] for ids in responses]) for prompt, responses in tokenized]
        num_texts = len({comparable(text) for text in texts})
        self.num_same += len(set(map(tuple, cut[0].responses))) < num_texts
        return cut

    def load(self) -> None:
        """Load the tokenizer."""
        self._tokenize  # noqa: B018 - loads the policy

    @property
    def counted(self) -> Mapping[str, object]:
        """What counts, by name, as far as it is there."""
        return {"records": self, **({"tokens": self._tokenize.counts} if "_tokenize" in self.__dict__ else {})}

    def sentence(self) -> str:
        """Report in one line what was scored and what was cut."""
        parts = [f"{say_count(self.num_responses, 'response')} scored"]
        if self.num_cut:
            parts.append(f"{self.num_cut:,} cut to --max-length {self._models.max_length}")
        if self.num_same:
            parts.append(f"{say_count(self.num_same, 'record')} with responses that became the same tokens")
        if self.num_responses:
            parts += self._tokenize.counts.template_parts("record")
        return "; ".join(parts)


class CountingMeter:
    """What every meter tells of the records that it tokenized."""

    def __init__(self, models: ModelPair) -> None:
        self._models = models
        self._tokenize = RecordTokenizer(models)

    def load(self) -> None:
        """Load the tokenizer, which counts."""
        self._tokenize.load()

    @property
    def counted(self) -> Mapping[str, object]:
        """What counts, by name, as far as it is there."""
        return self._tokenize.counted

    def sentence(self) -> str:
        """Report in one line what was scored and what was cut."""
        return self._tokenize.sentence()


class ReferenceMeter(CountingMeter):
    """Score by DPO's implicit reward, beta times the log-ratio of policy to reference."""

    def __init__(self, models: ModelPair, *, beta: float) -> None:
        super().__init__(models)
        self._beta = beta

    def read(self, record: Record) -> TokenizedRecord:
        """Tokenize a record; without a reference model it must carry reference log-probabilities."""
        given = given_logps(record) if self._models.names[1] is None else None
        return TokenizedRecord(record, self._tokenize(record, [record["prompt"]]), given)

    def __call__(self, located: Iterable[tuple[str, TokenizedRecord]]) -> Iterator[Judged]:
        """Score a stream of records."""
        for window in windows(located, _num_responses, WINDOW_RESPONSES, num_passes=self._models.num_passes):
            examples = [example for _, read in window for example in read.examples or ()]
            scores = self._models.score(examples) if examples else []
            references = self._refer(examples, scores)
            pairs = iter(zip(scores, references or scores, strict=True))
            for place, (record, record_examples, given) in window:
                if record_examples is None:
                    yield place, record, None
                    continue
                policy, reference = next(pairs) if record_examples else ([], [])
                yield place, record, implicit_rewards(policy, reference if given is None else given, self._beta)

    def _refer(self, examples: list[TokenizedExample], scores: list[Scores]) -> list[Scores] | None:
        return self._models.refer(examples, scores) if examples else None


class ContrastMeter(CountingMeter):
    """Score by how much more probable a response is after a prompt than after its opposite, under one policy."""

    def __init__(self, models: ModelPair, *, positive: str, negative: str) -> None:
        super().__init__(models)
        self._words = positive, negative

    def read(self, record: Record) -> TokenizedRecord:
        """Tokenize a record's responses after both prompts."""
        return TokenizedRecord(
            record, self._tokenize(record, [place_words(record["prompt"], words) for words in self._words])
        )

    def __call__(self, located: Iterable[tuple[str, TokenizedRecord]]) -> Iterator[Judged]:
        """Score a stream of records."""
        for window in windows(located, _num_responses, WINDOW_RESPONSES):
            examples = [example for _, read in window for example in read.examples or ()]
            scores = iter(self._models.score(examples) if examples else [])
            for place, (record, record_examples, _) in window:
                if record_examples is None:
                    yield place, record, None
                else:
                    yield place, record, contrast_rewards(next(scores), next(scores)) if record_examples else []


def given_logps(record: Record) -> Scores:
    """Read the reference log-probabilities of a record's responses, in nats; a missing one raises RecordError."""
    values = [response.get("ref_logps") for response in responses_of(record)]
    if not all(map(is_number, values)):
        raise RecordError(
            "no ref_chosen_logps and ref_rejected_logps on the record (ref_logps on each of its responses); name a "
            "model with --reference"
        )
    return [float(value) for value in values]  # type: ignore[arg-type]


def _num_responses(item: tuple[str, TokenizedRecord]) -> int:
    return sum(len(example.responses) for example in item[1].examples or ())
