"""Shape the scores of one record, starting from the raw ones."""

from typing import Any, NamedTuple

import numpy as np

from real_cli.errors import RecordError, UsageError, clip, suggest
from real_cli.records.messages import is_number
from real_cli.records.record import Record
from real_cli.records.response_fields import read_numbers, values_of, with_values
from real_cli.relabel.shape.by_input import Scores, Statistics
from real_cli.relabel.shape.choices import FREE_LENGTH, REFERENCE_SCORES, STEEPNESS, Shaping
from real_cli.relabel.shape.shapes import OF_DATA_SET, OF_PROMPT
from real_cli.text.phrases import say_count

LENGTH_FIELDS = ("length", "num_tokens")


class LengthPenalty(NamedTuple):
    """What length costs a response before its score is shaped; in the paper 0.01 for each token beyond 300.

    `free_length` is the number of tokens that cost nothing; None stands for `FREE_LENGTH`.
    """

    per_token: float = 0.0
    free_length: float | None = None


class Knobs(NamedTuple):
    """The knobs of some shapings; None where the user gave none."""

    k: float | None = None
    ceiling: float | None = None


class Shaper:
    """Shapes the scores of records; picklable.

    `references` names the record's field with the scores of reference responses, reference_scores by default. A knob
    that the method does not know, lacks, or finds out of range raises UsageError.
    """

    def __init__(
        self,
        method: Shaping = Shaping.par,
        *,
        references: str | None = None,
        knobs: Knobs = Knobs(),  # noqa: B008 - immutable
        penalty: LengthPenalty = LengthPenalty(),  # noqa: B008 - immutable
    ) -> None:
        self.needs_all = method in OF_DATA_SET
        self._method = method
        self._references = REFERENCE_SCORES if references is None else references
        self._knobs = _checked_knobs(method, knobs)
        self._penalty = _checked_penalty(penalty)
        self._needs_references = not self.needs_all and OF_PROMPT[method].needs_references
        if references is not None and not self._needs_references:
            raise UsageError(f"--references: --method {method.value} reads no reference scores; leave it out")
        self.num_prompts = self.num_responses = self.num_merged = 0

    def read(self, record: Record) -> Scores:
        """Read the scores that are shaped: raw ones, less what length costs.

        >>> Shaper().read({"prompt": "q", "responses": [{"text": "a", "score": 0.5, "raw_score": 3}]})
        array([3.])
        """
        scores = np.array(_raw_scores(record), dtype=np.float64)
        return scores - _length_costs(record, self._penalty) if self._penalty.per_token else scores

    def shape(self, record: Record, statistics: Statistics | None = None) -> Record:
        """Shape the scores of one record.

        >>> Shaper().shape({"prompt": "q", "responses": [{"text": "a", "score": 3}], "reference_scores": [3]})
        {'prompt': 'q', 'responses': [{'text': 'a', 'score': 0.5, 'raw_score': 3}], 'reference_scores': [3]}
        """
        scores = self.read(record)
        with np.errstate(over="ignore", invalid="ignore"):
            shaped = OF_DATA_SET[self._method](scores, statistics) if statistics else self._of_prompt(scores, record)
        if not np.isfinite(shaped).all():
            raise RecordError("a shaped score is infinite; the scores are too large")
        self.num_prompts += 1
        self.num_responses += len(shaped)
        self.num_merged += len(np.unique(shaped)) < len(np.unique(scores))
        return with_values(with_values(record, "raw_score", _raw_scores(record)), "score", shaped.tolist())

    def _of_prompt(self, scores: Scores, record: Record) -> Scores:
        references = _reference_scores(record, self._references) if self._needs_references else np.empty(0)
        return OF_PROMPT[self._method].shape(scores, references, **self._knobs)

    def sentence(self) -> str:
        """Report the counts in one line."""
        counts = f"{say_count(self.num_responses, 'response')} of {say_count(self.num_prompts, 'prompt')}"
        sentence = f"{counts} shaped by {self._method.value}"
        return sentence + (f"; different scores became equal in {self.num_merged:,} of them" if self.num_merged else "")


def _checked_knobs(method: Shaping, knobs: Knobs) -> dict[str, float]:
    known = OF_PROMPT[method].knobs if method in OF_PROMPT else ()
    given = {name: value for name, value in knobs._asdict().items() if value is not None}
    for name, value in given.items():
        if name not in known:
            raise UsageError(f"--{name}: is not an option of --method {method.value}; leave it out")
        if not np.isfinite(value):
            raise UsageError(f"--{name} {value:g}: must be a finite number")
    if given.get("k", STEEPNESS) <= 0:
        raise UsageError(f"--k {given['k']:g}: must be greater than 0")
    if "ceiling" in known and "ceiling" not in given:
        raise UsageError("--method ceiling: needs --ceiling, the largest score there can be")
    return given


def _checked_penalty(penalty: LengthPenalty) -> LengthPenalty:
    if not 0 <= penalty.per_token < np.inf:
        raise UsageError(f"--length-penalty {penalty.per_token:g}: must be a number of at least 0")
    if penalty.free_length is not None and not penalty.per_token:
        raise UsageError("--free-length: has no effect without --length-penalty; give both")
    return penalty


def _raw_scores(record: Record) -> list[float]:
    scores = read_numbers(record, "score", "'relabel shape'")
    raw = values_of(record, "raw_score")
    for value in raw:
        if value is not None and not is_number(value):
            raise RecordError(f"field 'raw_score' is {clip(value)}; a number is needed, the score before shaping")
    return [score if value is None else value for score, value in zip(scores, raw, strict=True)]


def _reference_scores(record: Record, field: str) -> Scores:
    value: Any = record.get(field)
    scores = value if isinstance(value, list) else [value]
    if not scores or not all(map(is_number, scores)):
        needed = "the scores of reference responses to the prompt are needed"
        if field in record:
            raise RecordError(f"field '{field}' is {clip(value)}; {needed}")
        raise RecordError(f"field '{field}' is missing; {suggest(field, record, needed)}")
    return np.array(scores, dtype=np.float64)


def _length_costs(record: Record, penalty: LengthPenalty) -> Scores:
    columns = [values_of(record, field) for field in LENGTH_FIELDS]
    lengths = [next(filter(is_number, values), None) for values in zip(*columns, strict=True)]
    for number, length in enumerate(lengths, 1):
        if length is None:
            raise RecordError(
                f"response {number} has no 'length' or 'num_tokens'; --length-penalty needs one, in tokens"
            )
    free_length = FREE_LENGTH if penalty.free_length is None else penalty.free_length
    beyond = np.maximum(0.0, np.array(lengths, dtype=np.float64) - free_length)
    return np.asarray(penalty.per_token * beyond)
