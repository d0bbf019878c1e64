"""Judged pairs, held as columns of numbers."""

from array import array
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

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
        verdicts: What the judge said in both orders, as `stats.positions` writes it.
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
    verdicts: int
    by_judge: int
    judge: int


class JudgedRows(NamedTuple):
    """Judged pairs as columns, shape (rows,) each; `JudgedPair` tells of them."""

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
    "verdicts": "b",
    "by_judge": "b",
    "judge": "i",
}


class JudgedTally:
    """Judged pairs, some fifty bytes each.

    Example:
        >>> tally = JudgedTally()
        >>> tally.add(JudgedPair(1, 2, 1, float("nan"), 3, 0.5, 0.0, -1, 0, -1))
        >>> tally.rows().label.tolist(), tally.rows().compared.label.tolist()
        ([1.0], [])
    """

    def __init__(self) -> None:
        self._columns: dict[str, Any] = {name: array(TYPES.get(name, "d")) for name in JudgedPair._fields}

    def add(self, pair: JudgedPair) -> None:
        """Count one pair."""
        for column, value in zip(self._columns.values(), pair, strict=True):
            column.append(int(value) if column.typecode != "d" else value)

    def rows(self) -> JudgedRows:
        """Hand out the pairs as columns, in an order that does not depend on how they came."""
        kinds = {"prompt": np.uint64, "pair": np.uint64, "verdicts": np.int64, "judge": np.int64}
        columns: Any = {name: np.array(column, kinds.get(name, np.float64)) for name, column in self._columns.items()}
        rows = JudgedRows(**columns)
        return rows.take(np.lexsort(rows[::-1]))
