"""Reward models: sequence classifiers of transformers, for one response at a time or two against each other."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import permutations
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from real_cli.models.load.device import default_batch_tokens
from real_cli.models.reward.reward_models import RewardModel
from real_cli.models.reward.reward_texts import (
    RewardInput,
    RewardReader,
    pointwise_reader,
    template_writer,
)
from real_cli.models.score.batching import TokenBudget, windows
from real_cli.records.record import Record
from real_cli.records.response_fields import responses_of
from real_cli.text.phrases import say_count

WINDOW_SEQUENCES = 2048


class RewardRecord(NamedTuple):
    """A record, and its sequences to score."""

    record: Record
    sequences: list[RewardInput]


# The place of a record, the record, and a model's number for each of its sequences, in order.
Scored: TypeAlias = tuple[str, Record, list[float]]


class SequenceScorer:
    """Score the sequences of a stream of records, a window at a time.

    In a window equal sequences are scored once, sorted by length, batched by a token budget and put back in order.

    Attributes:
        num_sequences: Sequences seen.
        num_distinct: Sequences scored; equal ones of a window count once.
    """

    def __init__(
        self, load: Callable[[], RewardModel], *, batch_tokens: int | None, tell: Callable[[str], None]
    ) -> None:
        self.num_sequences = self.num_distinct = 0
        self._load = load
        self._batch_tokens = batch_tokens
        self._tell = tell

    @cached_property
    def model(self) -> RewardModel:
        """The model, loaded at the first sequence: an empty stream needs none."""
        return self._load()

    @cached_property
    def _budget(self) -> TokenBudget:
        device = self.model.place.device
        return TokenBudget(self._batch_tokens or default_batch_tokens(device), self._tell)

    def __call__(self, located: Iterable[tuple[str, RewardRecord]]) -> Iterator[Scored]:
        """Score a stream."""
        for window in windows(located, lambda item: len(item[1].sequences), WINDOW_SEQUENCES):
            scores = iter(self._score([sequence for _, read in window for sequence in read.sequences]))
            for place, (record, sequences) in window:
                yield place, record, [next(scores) for _ in sequences]

    def _score(self, sequences: list[RewardInput]) -> list[float]:
        distinct = list(dict.fromkeys(sequences))
        self.num_sequences += len(sequences)
        self.num_distinct += len(distinct)
        if not distinct:
            return []
        scores = self._budget.run(
            [len(sequence.ids) for sequence in distinct],
            lambda batch: self._logits([distinct[index] for index in batch]),
        )
        known = dict(zip(distinct, scores, strict=True))
        return [known[sequence] for sequence in sequences]

    def _logits(self, batch: Sequence[RewardInput]) -> list[float]:
        return self.model.logits(batch)


class PointwiseRewards:
    """Read each response after its prompt: one logit a response."""

    def __init__(self, scorer: SequenceScorer, *, chat_template: bool) -> None:
        self._scorer = scorer
        self._chat_template = chat_template

    @cached_property
    def reader(self) -> RewardReader:
        """Turns records into sequences; loads the model."""
        model = self._scorer.model
        return pointwise_reader(model.tokenizer, model.max_length, chat_template=self._chat_template)

    def read(self, record: Record) -> RewardRecord:
        """Prepare one record."""
        texts = [response["text"] for response in responses_of(record)]
        return RewardRecord(record, self.reader(record, [(text,) for text in texts]) if texts else [])

    @property
    def has_reader(self) -> bool:
        """Whether a record was read."""
        return "reader" in self.__dict__

    def sentence(self) -> str:
        """Tell what was scored, in one line."""
        return _sentence("response", self._scorer, self.__dict__.get("reader"))


class PairwiseRewards:
    """Read a prompt and two of its responses in one sequence, in both orders: one logit an ordered pair."""

    def __init__(self, scorer: SequenceScorer, *, template: str | None) -> None:
        self._scorer = scorer
        self._template = template

    @cached_property
    def reader(self) -> RewardReader:
        """Turns records into sequences; loads the model."""
        model = self._scorer.model
        return RewardReader(template_writer(model.tokenizer, self._template), model.max_length, keeps_roles=False)

    def read(self, record: Record) -> RewardRecord:
        """Prepare one record."""
        texts = [response["text"] for response in responses_of(record)]
        return RewardRecord(record, self.reader(record, list(permutations(texts, 2))) if len(texts) > 1 else [])

    @property
    def has_reader(self) -> bool:
        """Whether a record was read."""
        return "reader" in self.__dict__

    def sentence(self) -> str:
        """Tell what was scored, in one line."""
        return _sentence("ordered pair", self._scorer, self.__dict__.get("reader"))


def difference_matrix(num_responses: int, logits: Sequence[float]) -> NDArray[np.float64]:
    """Put the numbers of ordered pairs where they belong.

    >>> difference_matrix(2, [3.0, 1.0])
    array([[0., 3.],
           [1., 0.]])
    """
    matrix = np.zeros((num_responses, num_responses))
    for (i, j), logit in zip(permutations(range(num_responses), 2), logits, strict=True):
        matrix[i, j] = logit
    return matrix


def _sentence(what: str, scorer: SequenceScorer, reader: RewardReader | None) -> str:
    text = f"{say_count(scorer.num_sequences, what)} scored ({scorer.num_distinct:,} distinct in their windows)"
    changed = reader.sentence() if reader else ""
    return f"{text}; {changed}" if changed else text
