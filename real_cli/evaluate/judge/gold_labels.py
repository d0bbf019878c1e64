"""The labels that a judge's are compared with: of the same record, or of another file."""

import math
from array import array
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from real_cli.errors import RecordError, UsageError, clip
from real_cli.evaluate.judge.compared import ComparedPair, ComparedRecord, compared_pairs
from real_cli.records.labels import RANK, holders_of, label_signs, worths_of
from real_cli.records.messages import is_number
from real_cli.records.record import Record
from real_cli.stats.agreement import repeat_agreement
from real_cli.stats.intervals import Estimate

# Beyond it sums of gaps leave what a float holds.
LARGEST = 1e100


class GoldLabel(NamedTuple):
    """The other label of a pair.

    Attributes:
        sign: 1 for its first response, -1 for its second, 0 for a tie; NaN without a label.
        gap: How far the numbers that the label comes from are apart; NaN where it comes from none.
    """

    sign: float
    gap: float


NOTHING = GoldLabel(math.nan, math.nan)


class GoldLabels(Protocol):
    """Where the other labels come from."""

    def of(self, record: Record, pairs: list[ComparedPair]) -> list[GoldLabel]:
        """Look up the label of each pair of a record."""
        ...


class NoGold:
    """No other labels: positions, lengths and repeats can be told, agreement cannot."""

    def of(self, record: Record, pairs: list[ComparedPair]) -> list[GoldLabel]:
        """Find nothing."""
        return [NOTHING for _ in pairs]


class GoldField:
    """Labels of the same record.

    Args:
        field: The number of a response whose order is the label; None for the label of the record itself.
    """

    def __init__(self, field: str | None) -> None:
        self.field = field

    def of(self, record: Record, pairs: list[ComparedPair]) -> list[GoldLabel]:
        """Read the labels of the record."""
        return read_labels(record, self.field, pairs)


class GoldFile:
    """Labels of another file, by prompt and texts; of several labels of a pair the most frequent, or a tie.

    Args:
        field: As for `GoldField`.

    Example:
        >>> gold = GoldFile()
        >>> gold.add({"prompt": "q", "chosen": "yes", "rejected": "no"})
        >>> judged = {"prompt": "q", "chosen": "no", "rejected": "yes"}
        >>> [label.sign for label in gold.of(judged, compared_pairs(judged).pairs)]
        [1.0]
    """

    def __init__(self, field: str | None = None) -> None:
        self._field = field
        # By pair: how often its second response, a tie and its first were the label, the sum of gaps, and whether it
        # was looked up.
        self._counts: dict[int, list[float]] = {}
        self._pairs, self._prompts, self._signs = array("Q"), array("Q"), array("b")
        self.num_unlabeled = 0

    def add(self, record: Record) -> None:
        """Take the labels of one record of the file."""
        compared = compared_pairs(record)
        for pair, label in zip(compared.pairs, read_labels(record, self._field, compared.pairs), strict=True):
            if math.isnan(label.sign):
                self.num_unlabeled += 1
                continue
            counts = self._counts.setdefault(pair.key, [0, 0, 0, 0.0, 0])
            counts[int(label.sign) + 1] += 1
            counts[3] += label.gap
            self._note(pair, compared, label)

    def _note(self, pair: ComparedPair, compared: ComparedRecord, label: GoldLabel) -> None:
        self._pairs.append(pair.key)
        self._prompts.append(compared.prompt)
        self._signs.append(int(label.sign))

    def of(self, record: Record, pairs: list[ComparedPair]) -> list[GoldLabel]:
        """Look up the labels of a record's pairs."""
        return [self._look_up(pair.key) for pair in pairs]

    def _look_up(self, key: int) -> GoldLabel:
        counts = self._counts.get(key)
        if counts is None:
            return NOTHING
        counts[4] = 1
        votes = counts[:3]
        winners = [place - 1 for place, count in enumerate(votes) if count == max(votes)]
        sign = winners[0] if len(winners) == 1 else int(np.sign(votes[2] - votes[0]))
        return GoldLabel(float(sign), counts[3] / sum(votes))

    @property
    def num_pairs(self) -> int:
        """How many pairs the file has a label for."""
        return len(self._counts)

    @property
    def num_unmatched(self) -> int:
        """How many of them no record of the judge was about, as far as has been looked up."""
        return sum(not counts[4] for counts in self._counts.values())

    def consistency(self) -> Estimate:
        """Tell how far the labels of the file agree where several are of one pair."""
        pairs, prompts = (np.array(column, dtype=np.uint64) for column in (self._pairs, self._prompts))
        return repeat_agreement(np.array(self._signs, dtype=np.int64), pairs, prompts)


def read_labels(record: Record, field: str | None, pairs: list[ComparedPair]) -> list[GoldLabel]:
    """Read the labels of a record's pairs; a field that holds something else than numbers is refused.

    >>> record = {"prompt": "q", "responses": [{"text": "a", "score": 4}, {"text": "b", "score": 1}]}
    >>> read_labels(record, "score", [ComparedPair(0, 1, 0, 0)])
    [GoldLabel(sign=-1.0, gap=3.0)]
    """
    if field is not None:
        _check_numbers(record, field)
    signs: NDArray[np.float64] = label_signs(record, field)
    worths = worths_of(record, field) if field not in (None, RANK) else [math.nan] * len(signs)
    return [
        GoldLabel(float(signs[pair.first, pair.second]), abs(worths[pair.first] - worths[pair.second]))
        for pair in pairs
    ]


def _check_numbers(record: Record, field: str) -> None:
    for holder, name, where in holders_of(record, field):
        value = holder.get(name)
        if value is not None and not is_number(value):
            raise RecordError(f"field '{name}' is {clip(value)}{where}; a number is needed")
        if value is not None and abs(value) > LARGEST:
            raise RecordError(f"field '{name}' is {clip(value)}{where}; a number from -1e100 to 1e100 is needed")


def check_fields(label: str | None, gold: str | None, *, has_file: bool) -> None:
    """Refuse a field without a name, and a label that is compared with itself."""
    for option, field in (("--label", label), ("--gold", gold)):
        if field == "":
            raise UsageError(f"{option} '': name a field of numbers, such as score")
    if gold is not None and gold == label and not has_file:
        raise UsageError(
            f"--gold {clip(gold)}: is --label too; labels are compared with another number, or with --against FILE"
        )
