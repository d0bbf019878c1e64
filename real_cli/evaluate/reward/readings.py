"""What `real eval reward` reads of a record: which response is better, and what the reward models say."""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from real_cli.errors import RecordError, clip
from real_cli.records.field_names import suggest_field
from real_cli.records.labels import RANK, holders_of
from real_cli.records.messages import comparable, plain_text
from real_cli.records.record import Record, is_preference
from real_cli.records.response_fields import responses_of
from real_cli.stats.numeric import number_or_nan

Numbers: TypeAlias = NDArray[np.float64]
# Of the better and of the worse response of each pair.
PairNumbers: TypeAlias = tuple[NDArray[np.intp], NDArray[np.intp]]
# Beyond it sums of differences leave what a float holds.
LARGEST = 1e100


class RewardReading(NamedTuple):
    """One record in numbers; of its responses, in order.

    Attributes:
        responses: The responses themselves.
        truth: How good each is, the larger the better; shape (n,).
        scores: What each reward model says of it; shape (models, n).
        lengths: Characters of its text; shape (n,).
        texts: A number a text, equal for equal ones; shape (n,).
    """

    responses: Sequence[Record]
    truth: Numbers
    scores: Numbers
    lengths: NDArray[np.int64]
    texts: NDArray[np.int64]

    @property
    def is_best(self) -> NDArray[np.bool_]:
        """Which responses are the best; shape (n,)."""
        return np.asarray(self.truth == self.truth.max())

    @property
    def num_equal_texts(self) -> int:
        """How many pairs of a better and a worse response say the same."""
        if self.texts.max() == self.texts.size - 1:  # all unlike, as most are
            return 0
        return int(((self.truth[:, None] > self.truth) & (self.texts[:, None] == self.texts)).sum())

    def pairs(self) -> PairNumbers:
        """Number the pairs of a better and a worse response of unlike texts, shapes (pairs,) and (pairs,)."""
        is_pair = (self.truth[:, None] > self.truth[None, :]) & (self.texts[:, None] != self.texts[None, :])
        better, worse = np.nonzero(is_pair)
        return better, worse


def read_record(record: Record, fields: Sequence[str], gold: str | None = None) -> RewardReading:
    """Read the truth and the scores of every response.

    >>> pair = {"prompt": "q", "chosen": "Yes.", "rejected": "No", "score_chosen": 2, "score_rejected": 5}
    >>> reading = read_record(pair, ["score"])
    >>> reading.truth.tolist(), reading.scores.tolist(), reading.lengths.tolist()
    ([1.0, 0.0], [[2.0, 5.0]], [4, 2])
    """
    responses = responses_of(record)
    texts = [comparable(response["text"]) for response in responses]
    seen: dict[str, int] = {}
    return RewardReading(
        responses,
        _read_truth(record, gold),
        np.array([_read_field(record, field, _score_rule(field)) for field in fields], dtype=np.float64),
        np.array([len(plain_text(response["text"])) for response in responses], dtype=np.int64),
        np.array([seen.setdefault(text, len(seen)) for text in texts], dtype=np.int64),
    )


def _read_truth(record: Record, gold: str | None) -> Numbers:
    if gold is not None:
        return np.array(_read_field(record, gold, "--gold names the number that says which response is better"))
    if is_preference(record):
        return np.array([1.0, 0.0])
    rule = "nothing says which response is better; give pairs, ranks, or --gold FIELD"
    return -np.array(_read_field(record, RANK, rule), dtype=np.float64)


def _score_rule(field: str) -> str:
    if field == "score":
        return "run 'real relabel reward' first, or name the scores with --field"
    return f"--field names the scores: run 'real relabel reward --field {field}' first"


def _read_field(record: Record, field: str, rule: str) -> list[float]:
    """Read one number of every response; a missing one is refused with the rule, or with a name close to it."""
    return [_number(holder, name, where, rule) for holder, name, where in holders_of(record, field)]


def _number(holder: Record, name: str, where: str, rule: str) -> float:
    value = holder.get(name)
    number = number_or_nan(value)
    if abs(number) <= LARGEST:
        return number
    if value is None:
        raise RecordError(f"field '{name}' is missing{where}; {suggest_field(name, holder, rule)}")
    raise RecordError(f"field '{name}' is {clip(value)}{where}; a number from -1e100 to 1e100 is needed")
