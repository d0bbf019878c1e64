"""What the training of each method took: time, memory, steps."""

import math
from collections.abc import Callable, Sequence
from operator import attrgetter
from statistics import fmean
from typing import Any

from real_cli.evaluate.compare.cells import CellName, PolicyCells
from real_cli.evaluate.compare.rows import COSTS

# How the cells of a method are put together: time is a mean over seeds, memory what is needed for the worst of them.
TOGETHER: dict[str, Callable[[Sequence[float]], float]] = {
    "train_seconds": fmean,
    "peak_memory_bytes": max,
    "peak_device_bytes": max,
    "train_steps": fmean,
    "train_pairs": fmean,
}


class MethodCosts:
    """Costs by method and seed; what a cell does not say counts for nothing."""

    def __init__(self, cells: PolicyCells, baseline: str) -> None:
        self._cells = {name: dict(zip(COSTS, cell.costs, strict=True)) for name, cell in cells.cells.items()}
        self._baseline = baseline

    def of(self, method: str) -> dict[str, Any]:
        """Sum up one method; `train_seconds_ratio` is to the baseline, over the seeds whose time both have."""
        row: dict[str, Any] = {}
        for name, together in TOGETHER.items():
            known = list(self._known(method, name).values())
            value = together(known) if known else None
            row[name] = int(value) if value is not None and name != "train_seconds" and value.is_integer() else value
        ours, theirs = self._known(method, "train_seconds"), self._known(self._baseline, "train_seconds")
        shared = [seed for seed in ours if theirs.get(seed)]
        ratio = (
            math.fsum(ours[seed] for seed in shared) / math.fsum(theirs[seed] for seed in shared) if shared else None
        )
        return row | {"train_seconds_ratio": ratio}

    def differing(self, name: str) -> bool:
        """Tell whether a number is not the same in all cells that say it."""
        return len({cost[name] for cost in self._cells.values() if not math.isnan(cost[name])}) > 1

    def untimed(self) -> list[CellName]:
        """List the cells that do not say how long they took; none where no cell does."""
        unknown = [name for name, cost in self._cells.items() if math.isnan(cost["train_seconds"])]
        return sorted(unknown, key=attrgetter("order")) if len(unknown) < len(self._cells) else []

    def _known(self, method: str, name: str) -> dict[str, float]:
        cells = {cell.seed: cost[name] for cell, cost in self._cells.items() if cell.method == method}
        return {seed: value for seed, value in cells.items() if not math.isnan(value)}
