"""Pairs with gold, held as columns of numbers."""

import math
from array import array
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from real_cli.evaluate.labels.gold import Truth
from real_cli.stats.bootstrap import cells_of

Numbers = NDArray[np.float64]
# As a byte, NaN.
NO_LABEL = 9


class Rows(NamedTuple):
    """Pairs as columns, shape (rows,) each.

    Attributes:
        keys: 64 bits of the prompt's digest.
        gaps: Differences of gold without sign.
        labels: 1 where the label agrees with gold or gold is equal, -1 where not; 0 for equal labels, NaN without.
        similarities: Of the two responses; NaN where unknown.
        order: What a budget sorts by; NaN where nothing is sorted.
        strategies: Number of the strategy's name, -1 without.
    """

    keys: NDArray[np.uint64]
    gaps: Numbers
    labels: Numbers
    similarities: Numbers
    order: Numbers
    strategies: NDArray[np.int64]

    @property
    def cells(self) -> NDArray[np.int64]:
        """The cell of each prompt."""
        return cells_of(self.keys)

    def take(self, rows: NDArray[Any]) -> Self:
        """Select rows by number or mask."""
        return type(self)(*(column[rows] for column in self))

    def values(self, truth: Truth) -> dict[str, Numbers]:
        """Work out what is averaged, a number a row; NaN where a row has no say: equal gold has no wrong label."""
        flips = truth.flip_chances(self.gaps)
        judged = ~np.isnan(self.labels) & (self.labels != 0) & (self.gaps > 0)
        return {
            "share_wrong": np.where(judged, self.labels < 0, np.nan),
            "expected_flips": flips,
            "share_ambiguous": (flips > truth.ambiguous).astype(np.float64),
            "mean_gap": self.gaps,
            "mean_similarity": self.similarities,
        }


class PairTally:
    """Pairs with gold, a few numbers each."""

    def __init__(self) -> None:
        self._keys = array("Q")
        self._gaps = array("d")
        self._labels = array("b")
        self._similarities = array("d")
        self._order = array("d")
        self._strategies = array("i")
        self.strategies: dict[str, int] = {}

    def add(
        self,
        key: bytes,
        gold: float,
        label: float,
        similarity: float = math.nan,
        *,
        strategy: str | None = None,
        order: float = math.nan,
    ) -> None:
        """Count one pair: differences of gold and label, first response minus second; NaN for what is not known."""
        self._keys.append(int.from_bytes(key[:8], "big"))
        self._gaps.append(abs(gold))
        agrees = 1 if (label > 0) == (gold > 0) or gold == 0 else -1
        self._labels.append(NO_LABEL if math.isnan(label) else 0 if label == 0 else agrees)
        self._similarities.append(similarity)
        self._order.append(order)
        self._strategies.append(-1 if strategy is None else self.strategies.setdefault(strategy, len(self.strategies)))

    def rows(self) -> Rows:
        """Hand out the pairs as columns."""
        labels = np.array(self._labels, dtype=np.float64)
        labels[labels == NO_LABEL] = np.nan
        rows = Rows(
            np.array(self._keys, dtype=np.uint64),
            np.array(self._gaps),
            labels,
            np.array(self._similarities, dtype=np.float64),
            np.array(self._order),
            np.array(self._strategies, dtype=np.int64),
        )
        # Sums of floats depend on their order in the last digit.
        return rows.take(np.lexsort(rows[::-1]))
