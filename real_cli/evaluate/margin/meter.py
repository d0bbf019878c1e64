"""Log-ratios of pairs, policy against reference, a window at a time."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

from real_cli.errors import RecordError
from real_cli.evaluate.margin.margins import PairMargin
from real_cli.io.progress import running_counter
from real_cli.models.score.columns import WINDOW_EXAMPLES, given_scores
from real_cli.models.score.contexts import num_scored
from real_cli.models.score.model_pair import ModelPair
from real_cli.models.score.scoring import Scores
from real_cli.models.score.token_counts import LeftOut
from real_cli.models.score.tokens import ExampleTokenizer, TokenizedExample
from real_cli.records.cut_marks import has_cut_response
from real_cli.records.messages import is_number
from real_cli.records.record import Record

# A pair and its token ids; None for one that is left out.
TokenizedPair: TypeAlias = tuple[Record, TokenizedExample | None]


class MeasuredPair(NamedTuple):
    """One record on its way through.

    Attributes:
        place: File and line.
        record: The pair.
        tokens: Its token ids; None for a pair that is left out: its prompt fills the limit, or both responses are the
            same tokens.
        pair: Its numbers; None for such a pair.
        reference: The reference's log-probabilities; None for such a pair.
    """

    place: str
    record: Record
    tokens: TokenizedExample | None
    pair: PairMargin | None
    reference: Scores | None


class MarginMeter:
    """Measure pairs under a policy and its reference. The models are loaded at the first pair."""

    def __init__(self, models: ModelPair) -> None:
        self._models = models
        self._tokenize: ExampleTokenizer | None = None

    def tokenize(self, record: Record) -> TokenizedPair:
        """Prepare one pair; one that is left out has no tokens, and is counted."""
        if self._models.names[1] is None and given_scores(record) is None:
            raise RecordError("no ref_chosen_logps and ref_rejected_logps on the record; name a model with --reference")
        if self._tokenize is None:
            self._tokenize = self._models.tokenizer(self._models.max_length)
        tokens = self._tokenize(record)
        if isinstance(tokens, LeftOut):
            return record, None
        self._tokenize.counts.num_is_cut += has_cut_response(record)
        return record, tokens

    def __call__(self, pairs: Iterable[tuple[str, TokenizedPair]]) -> Iterator[MeasuredPair]:
        """Measure a stream of pairs, a window at a time and in order."""
        stream = iter(pairs)
        while window := list(islice(stream, WINDOW_EXAMPLES)):
            running_counter().begin_window(len(window), self._models.num_passes)
            usable = [(record, tokens) for _, (record, tokens) in window if tokens is not None]
            measured = self._measure([record for record, _ in usable], [tokens for _, tokens in usable])
            for place, (record, tokens) in window:
                pair, reference = next(measured) if tokens else (None, None)
                yield MeasuredPair(place, record, tokens, pair, reference)

    def _measure(self, records: list[Record], examples: list[TokenizedExample]) -> Iterator[tuple[PairMargin, Scores]]:
        scores = self._models.score(examples)
        references = self._models.refer(examples, scores)
        if references is None:
            references = [score for score in map(given_scores, records) if score is not None]
        for record, tokens, score, reference in zip(records, examples, scores, references, strict=True):
            similarity = record.get("similarity")
            (chosen, rejected), (known_chosen, known_rejected) = score, reference
            pair = PairMargin(
                chosen - known_chosen,
                rejected - known_rejected,
                chosen - rejected,
                float(similarity) if is_number(similarity) else None,  # type: ignore[arg-type]
                *map(num_scored, tokens.responses),
            )
            yield pair, reference

    @property
    def vocabulary(self) -> dict[str, int]:
        """The policy's tokens and their ids."""
        vocabulary: dict[str, int] = self._models.policy.tokenizer.get_vocab()
        return vocabulary

    def counts(self) -> dict[str, Any]:
        """Count what was cut, now or when it was sampled, or left out."""
        counts = self._tokenize.counts if self._tokenize else None
        return {
            "num_truncated": counts.num_truncated if counts else 0,
            "num_too_long": counts.num_too_long if counts else 0,
            "num_same_tokens": counts.num_same_tokens if counts else 0,
            "num_is_cut": counts.num_is_cut if counts else 0,
        }

    def sentence(self) -> str:
        """Tell what was cut or left out, in one line; empty if nothing was."""
        return self._tokenize.counts.sentence(self._models.max_length) if self._tokenize else ""
