"""Judged pairs, held as columns of numbers."""

from array import array
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from real_cli.stats.positions import VerdictColumn

Numbers = NDArray[np.float64]


class JudgedPair(NamedTuple):
    """A judge's label of a pair and what it is compared with; of its two responses the first is so by its digest.

    Attributes:
        prompt: 64 bits of the prompt's digest.
        pair: 64 bits of the digest of prompt and texts.
        label: The judge's: 1 for the first response, -1 for the second, 0 for a tie.
        gold: The other label of the pair, likewise; NaN without.
        length_difference: How much longer the first response is, in characters.
        similarity: Of the two; NaN where unknown.
        score_gap: How far their scores are apart; NaN where unknown.
        verdicts: What each judge said in both orders, "A", "B" or "tie" twice.
        by_judge: 1 where the judge's own model wrote the first response alone, -1 where the second, else 0.
        judge: The number of the judge's name; -1 without.
    """

    prompt: int
    pair: int
    label: float
    gold: float
    length_difference: int
    similarity: float
    score_gap: float
    verdicts: Sequence[Sequence[str]]
    by_judge: int
    judge: int


class JudgedRows(NamedTuple):
    """Judged pairs as columns, shape (rows,) each; `JudgedPair` tells of them.

    `verdicts` are as `stats.positions` writes them, shape (rows, judges).
    """

    prompt: NDArray[np.uint64]
    pair: NDArray[np.uint64]
    label: Numbers
    gold: Numbers
    length_difference: Numbers
    similarity: Numbers
    score_gap: Numbers
    verdicts: NDArray[np.int64]
    by_judge: Numbers
    judge: NDArray[np.int64]

    def take(self, rows: NDArray[Any]) -> Self:
        """Select rows by number or mask."""
        return type(self)(*(column[rows] for column in self))

    @property
    def compared(self) -> Self:
        """Those that have another label."""
        return self.take(~np.isnan(self.gold))

    @property
    def num_prompts(self) -> int:
        """How many prompts there are."""
        return int(np.unique(self.prompt).size)


TYPES = {
    "prompt": "Q",
    "pair": "Q",
    "label": "b",
    "length_difference": "q",
    "by_judge": "b",
    "judge": "i",
}
# Columns of one number a row.
NUMBERS = [name for name in JudgedPair._fields if name != "verdicts"]


class JudgedTally:
    """Judged pairs, some fifty bytes each.

    Example:
        >>> tally = JudgedTally()
        >>> tally.add(JudgedPair(1, 2, 1, float("nan"), 3, 0.5, 0.0, [], 0, -1))
        >>> tally.rows().label.tolist(), tally.rows().compared.label.tolist()
        ([1.0], [])
    """

    def __init__(self) -> None:
        self._columns: dict[str, Any] = {name: array(TYPES.get(name, "d")) for name in NUMBERS}
        self._verdicts = VerdictColumn()

    def add(self, pair: JudgedPair) -> None:
        """Count one pair."""
        for name, column in self._columns.items():
            value = getattr(pair, name)
            column.append(int(value) if column.typecode != "d" else value)
        self._verdicts.add(pair.verdicts)

    def rows(self) -> JudgedRows:
        """Hand out the pairs as columns, in an order that does not depend on how they came."""
        kinds = {"prompt": np.uint64, "pair": np.uint64, "judge": np.int64}
        columns: Any = {name: np.array(column, kinds.get(name, np.float64)) for name, column in self._columns.items()}
        rows = JudgedRows(**columns, verdicts=self._verdicts.matrix())
        return rows.take(np.lexsort([key for column in rows[::-1] for key in np.atleast_2d(column.T)]))
