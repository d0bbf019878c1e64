"""The cells of a comparison, one a method and seed, and the held-out pairs that all of them measured."""

import math
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from real_cli.errors import RecordError
from real_cli.evaluate.compare.rows import COSTS, MeasuredRow
from real_cli.evaluate.run_tags import seed_order

Floats = NDArray[np.float64]


class CellName(NamedTuple):
    """What a cell was trained by."""

    method: str
    seed: str

    @property
    def order(self) -> tuple[object, ...]:
        """Where it stands among others."""
        return self.method, seed_order(self.seed)

    def __str__(self) -> str:
        return f"{self.method}, seed {self.seed}" if self.seed else self.method


@dataclass
class Cell:
    """The rows of one trained policy, in the order in which they came."""

    prompts: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    numbers: tuple["array[float]", ...] = field(default_factory=lambda: (array("d"), array("d"), array("d")))
    costs: tuple[float, ...] = (math.nan,) * len(COSTS)


class PolicyCells:
    """Rows by method and seed."""

    def __init__(self) -> None:
        self.cells: dict[CellName, Cell] = {}
        self._seen: set[tuple[CellName, str]] = set()

    def add(self, row: MeasuredRow, place: str) -> None:
        """Take a row; `place` is where its pair stood, which tells the rows of a cell apart where it is not empty."""
        name = CellName(row.method, row.seed)
        if place and (name, place) in self._seen:
            raise RecordError(f"{name}: has a row for {place} already; give the rows of each method and seed once")
        self._seen.add((name, place))
        cell = self.cells.setdefault(name, Cell(costs=row.costs))
        cell.prompts.append(row.prompt)
        cell.places.append(place)
        for column, value in zip(cell.numbers, (row.margin, row.likelihood_margin, row.length), strict=True):
            column.append(value)

    def align(self) -> "AlignedCells":
        """Put the pairs that every cell has into one order, which that of the input does not change."""
        names = sorted(self.cells, key=attrgetter("order"))
        counts = [Counter(self.cells[name].prompts) for name in names]
        everywhere = set.union(*(set(count) for count in counts)) if counts else set()
        shared = {prompt for prompt in everywhere if len({count[prompt] for count in counts}) == 1}
        columns = [_sorted_rows(self.cells[name], shared) for name in names]
        prompts = np.array(sorted(prompt for prompt in shared for _ in range(counts[0][prompt])))
        margins, likelihoods, lengths = (
            np.stack([numbers[index] for numbers in columns], axis=1) if columns else np.zeros((0, 0))
            for index in range(3)
        )
        return AlignedCells(
            tuple(names),
            np.unique(prompts, return_inverse=True)[1].astype(np.int64),
            margins,
            likelihoods,
            lengths,
            len(everywhere) - len(shared),
            {name: len(everywhere - set(count)) for name, count in zip(names, counts, strict=True)},
        )


@dataclass(frozen=True)
class AlignedCells:
    """The pairs that all cells measured.

    Attributes:
        names: Of the cells, shape (cells,).
        prompts: A number for the prompt of each pair, shape (pairs,).
        margins: In nats, shape (pairs, cells).
        likelihoods: Margins without the reference, in nats; NaN where not known, shape (pairs, cells).
        lengths: Tokens of chosen minus rejected; likewise.
        num_left_out: Prompts that some cell lacks, or has other pairs of.
        num_lacking: Of how many prompts each cell has no row.
    """

    names: tuple[CellName, ...]
    prompts: NDArray[np.int64]
    margins: Floats
    likelihoods: Floats
    lengths: Floats
    num_left_out: int
    num_lacking: dict[CellName, int]

    @property
    def num_prompts(self) -> int:
        """How many prompts there are."""
        return int(self.prompts.max()) + 1 if self.prompts.size else 0

    @property
    def methods(self) -> list[str]:
        """The methods, by name."""
        return list(dict.fromkeys(name.method for name in self.names))

    @property
    def seeds(self) -> list[str]:
        """The seeds of all methods."""
        return sorted({name.seed for name in self.names}, key=seed_order)

    def columns(self, method: str, seeds: Sequence[str]) -> list[int]:
        """Find the cells of a method with these seeds."""
        places = {name: place for place, name in enumerate(self.names)}
        return [places[CellName(method, seed)] for seed in seeds]

    def seeds_of(self, method: str) -> list[str]:
        """List the seeds of a method."""
        return [name.seed for name in self.names if name.method == method]


def _sorted_rows(cell: Cell, prompts: set[str]) -> list[Floats]:
    kept = [index for index, prompt in enumerate(cell.prompts) if prompt in prompts]
    kept.sort(key=lambda index: (cell.prompts[index], cell.places[index], index))
    return [np.array([column[index] for index in kept], dtype=np.float64) for column in cell.numbers]
