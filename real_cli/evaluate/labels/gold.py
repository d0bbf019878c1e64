"""Truth and label of a response: what `eval labels` reads of a record."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from real_cli.errors import RecordError, UsageError, clip
from real_cli.records.field_names import suggest_field
from real_cli.records.labels import RANK, holders_of, worths_of
from real_cli.records.record import Record
from real_cli.stats.numeric import number_or_nan, sigmoid

# Beyond it sums of gaps leave what a float holds.
LARGEST_GOLD = 1e100


@dataclass(frozen=True)
class Truth:
    """Where truth and label stand, and how an annotator's mistakes follow from the gap.

    Attributes:
        gold: The response's number that is the truth; larger is better.
        label: The number whose order is the label; None for chosen over rejected, or ranks.
        temperature: Of the Bradley-Terry annotator, in units of gold.
        ambiguous: A pair that the annotator flips more often than this is ambiguous.
    """

    gold: str = "score"
    label: str | None = None
    temperature: float = 1.0
    ambiguous: float = 0.25

    def check(self) -> None:
        """Refuse a number out of range, and truth that is measured against itself."""
        for option, field in (("--gold", self.gold), ("--label", self.label)):
            if field == "":
                raise UsageError(f"{option} '': name a field of numbers, such as score")
        if self.gold == RANK:
            raise UsageError("--gold rank: ranks have no gaps; name a field of numbers, such as score")
        if self.gold == self.label:
            raise UsageError(f"--label {clip(self.label)}: is --gold too; a label is measured against another number")
        if not (self.temperature > 0 and math.isfinite(self.temperature)):
            raise UsageError(f"--temperature {self.temperature}: must be greater than 0")
        if not 0 < self.ambiguous < 0.5:
            raise UsageError(f"--ambiguous {self.ambiguous}: must be between 0 and 0.5, the flips of equal gold")

    def flip_chances(self, gaps: NDArray[np.float64]) -> NDArray[np.float64]:
        """Work out how often a Bradley-Terry annotator prefers the worse response.

        >>> Truth(temperature=2.0).flip_chances(np.array([0.0, 2 * np.log(3)])).round(6).tolist()
        [0.5, 0.25]

        References:
            Bradley and Terry, 1952, Biometrika 39, 324-345: sigmoid(-gap / T).
        """
        with np.errstate(over="ignore"):  # a gap of a great many temperatures is never flipped
            return sigmoid(-gaps / self.temperature)


class Marks(NamedTuple):
    """What is known of each response, in the order of the record: gold, and label (NaN without one)."""

    gold: list[float]
    label: list[float]


def read_marks(record: Record, truth: Truth) -> Marks:
    """Read gold and label of every response; for both, larger is better.

    >>> read_marks({"prompt": "q", "chosen": "a", "rejected": "b", "score_chosen": 2, "score_rejected": 5}, Truth())
    Marks(gold=[2.0, 5.0], label=[1.0, 0.0])
    """
    gold = [_gold(holder, name, where) for holder, name, where in holders_of(record, truth.gold)]
    return Marks(gold, worths_of(record, truth.label))


def _gold(holder: Record, name: str, where: str) -> float:
    value = holder.get(name)
    number = number_or_nan(value)
    if abs(number) <= LARGEST_GOLD:
        return number
    if value is None:
        right = suggest_field(name, holder, "--gold names the field that holds the truth")
        raise RecordError(f"field '{name}' is missing{where}; {right}")
    raise RecordError(f"field '{name}' is {clip(value)}{where}; a number from -1e100 to 1e100 is needed")
