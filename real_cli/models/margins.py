"""Log-ratios of pairs, policy against reference, a window at a time."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from real_cli.core.records import Record
from real_cli.core.texts import is_number
from real_cli.errors import RecordError
from real_cli.models.exampleset import WINDOW_EXAMPLES, given_scores
from real_cli.models.model_pair import ModelPair
from real_cli.models.scoring import Scores
from real_cli.models.tokens import ExampleTokenizer, TokenizedExample


class Measured(NamedTuple):
    """One pair.

    Attributes:
        chosen_logratio: Log of policy over reference of the chosen response, in nats.
        rejected_logratio: Of the rejected one.
        likelihood_margin: Log-probability of chosen minus rejected under the policy alone, in nats.
        similarity: Of the two responses, if the record has it.
        reference: The reference's log-probabilities.
    """

    chosen_logratio: float
    rejected_logratio: float
    likelihood_margin: float
    similarity: float | None
    reference: Scores


class MarginMeter:
    """Measure pairs under a policy and its reference. The models are loaded at the first pair."""

    def __init__(self, models: ModelPair) -> None:
        self._models = models
        self._tokenize: ExampleTokenizer | None = None

    def tokenize(self, record: Record) -> tuple[Record, TokenizedExample | None]:
        """Prepare one pair.

        Args:
            record: A preference record.

        Returns:
            The record and its token ids; None if the prompt alone fills the limit.

        Raises:
            RecordError: If it cannot be rendered, or if no reference was named and it carries no log-probabilities.
        """
        if self._models.names[1] is None and given_scores(record) is None:
            raise RecordError("no ref_chosen_logps and ref_rejected_logps on the record; name a model with --reference")
        if self._tokenize is None:
            self._tokenize = ExampleTokenizer(self._models.policy.tokenizer, self._models.max_length)
        return record, self._tokenize(record)

    def __call__(
        self, pairs: Iterable[tuple[Record, TokenizedExample | None]]
    ) -> Iterator[tuple[Record, Measured | None]]:
        """Measure a stream of pairs.

        Args:
            pairs: What `tokenize` made.

        Yields:
            Each record with its measurement, in order; None for a pair whose prompt fills the limit.
        """
        stream = iter(pairs)
        while window := list(islice(stream, WINDOW_EXAMPLES)):
            usable = [(record, pair) for record, pair in window if pair is not None]
            measured = self._measure([record for record, _ in usable], [pair for _, pair in usable])
            yield from ((record, next(measured) if pair else None) for record, pair in window)

    def _measure(self, records: list[Record], pairs: list[TokenizedExample]) -> Iterator[Measured]:
        scores = self._models.score(pairs)
        references = self._models.refer(pairs, scores)
        if references is None:
            references = [score for score in map(given_scores, records) if score is not None]
        for record, score, reference in zip(records, scores, references, strict=True):
            similarity = record.get("similarity")
            (chosen, rejected), (known_chosen, known_rejected) = score, reference
            yield Measured(
                chosen - known_chosen,
                rejected - known_rejected,
                chosen - rejected,
                float(similarity) if is_number(similarity) else None,  # type: ignore[arg-type]
                reference,
            )

    def counts(self) -> dict[str, Any]:
        """Say what was cut or left out.

        Returns:
            Numbers for the summary.
        """
        counts = self._tokenize.counts if self._tokenize else None
        return {
            "num_truncated": counts.num_truncated if counts else 0,
            "num_too_long": counts.num_too_long if counts else 0,
        }

    def sentence(self) -> str:
        """Tell what was cut or left out, in one line.

        Returns:
            The line; empty if nothing was.
        """
        return self._tokenize.counts.sentence(self._models.max_length) if self._tokenize else ""
