"""What a table of learning curves says: heights, differences, areas between curves, labels saved."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from real_cli.evaluate.budget.grid import LearningTable
from real_cli.evaluate.budget.outcomes import plain_budget
from real_cli.evaluate.decisions import decide, difference_of_shares, what_decides
from real_cli.stats.contrast import Contrast, Floats
from real_cli.stats.intervals import Estimate
from real_cli.stats.learning_curves import EqualBudget, area_weights, equal_budget
from real_cli.stats.multiple import holm

Row = dict[str, Any]


class LearningCurves:
    """Compares the curves of strategies with that of a baseline; all share the cells of one strategy's name.

    Args:
        table: The cells.
        baseline: The strategy that others are compared with.
        shared: The name of runs that belong to every strategy.
    """

    def __init__(self, table: LearningTable, baseline: str, shared: str) -> None:
        self._table, self._baseline, self._shared = table, baseline, shared
        names = dict.fromkeys(key.strategy for key in table.keys)
        self.strategies = [name for name in names if name not in (baseline, shared)]
        self.has_baseline = baseline in names

    def cells(self) -> list[Row]:
        """Describe each cell."""
        rows = []
        for index, (key, seeds) in enumerate(zip(self._table.keys, self._table.seeds, strict=True)):
            row: Row = {"strategy": key.strategy, "budget": plain_budget(key.budget), "num_seeds": len(seeds)}
            row |= {"num_pairs": self._table.num_pairs[index], "num_prompts": self._table.accuracy.num_prompts}
            row |= self._table.accuracy.share(index).fields("accuracy")
            rows.append(row | self._margin(self._weights({index: 1.0})).fields("margin"))
        return rows

    def differences(self) -> list[Row]:
        """Subtract the baseline at each budget that both have, and correct for all of these tests."""
        rows, contrasts = [], []
        for strategy in self._compared():
            for budget, index, base in self._common(strategy):
                if index == base:
                    continue
                weights = self._weights({index: 1.0, base: -1.0})
                contrast = self._table.accuracy.contrast(weights)
                contrasts.append(contrast)
                row: Row = {"strategy": strategy, "minus": self._baseline, "budget": plain_budget(budget)}
                row |= {"num_seeds": contrast.num_seeds, "num_prompts": contrast.num_prompts}
                row |= difference_of_shares(contrast).fields("accuracy")
                rows.append(row | self._margin(weights).fields("margin"))
        return _corrected(rows, contrasts)

    def areas(self) -> list[Row]:
        """Average the differences over the logarithm of the budget, and say what would decide each."""
        rows, contrasts = [], []
        for strategy in self._compared():
            common = self._common(strategy)
            if all(index == base for _, index, base in common):
                continue
            budgets = [budget for budget, _, _ in common]
            weights = np.zeros(len(self._table.keys))
            for weight, (_, index, base) in zip(area_weights(budgets), common, strict=True):
                weights[index] += weight
                weights[base] -= weight
            contrast = self._table.accuracy.contrast(weights)
            contrasts.append(contrast)
            row: Row = {"strategy": strategy, "minus": self._baseline, "num_budgets": len(budgets)}
            row |= {"smallest_budget": plain_budget(budgets[0]), "largest_budget": plain_budget(budgets[-1])}
            row |= {"num_seeds": contrast.num_seeds, "num_prompts": contrast.num_prompts}
            row |= difference_of_shares(contrast).fields("area")
            rows.append(row | self._margin(weights).fields("margin_area"))
        rows = _corrected(rows, contrasts)
        return [row | what_decides(contrast, len(rows)) for row, contrast in zip(rows, contrasts, strict=True)]

    def savings(self) -> list[Row]:
        """Find for each cell the budget at which the baseline reaches the same accuracy."""
        curve = self._curve(self._baseline)
        if not self.has_baseline or len(curve) < 2:
            return []
        rows = []
        for index, key in enumerate(self._table.keys):
            if key.strategy not in self._compared():
                continue
            equal = equal_budget(self._table.accuracy, index, list(curve.values()), list(curve))
            row: Row = {"strategy": key.strategy, "budget": plain_budget(key.budget), "minus": self._baseline}
            rows.append(row | {"accuracy": float(self._table.accuracy.means[index])} | _saving(key.budget, equal))
        return rows

    def _compared(self) -> list[str]:
        return self.strategies if self.has_baseline else []

    def _curve(self, strategy: str) -> dict[float, int]:
        """Number the cells of a strategy by budget, smallest first; shared ones where it has none of that budget."""
        keys = self._table.keys
        shared = {key.budget: index for index, key in enumerate(keys) if key.strategy == self._shared}
        known = shared | {key.budget: index for index, key in enumerate(keys) if key.strategy == strategy}
        return dict(sorted(known.items()))

    def _common(self, strategy: str) -> list[tuple[float, int, int]]:
        """List the budgets that a strategy and the baseline have, with the cell of each."""
        curve, base = self._curve(strategy), self._curve(self._baseline)
        return [(budget, index, base[budget]) for budget, index in curve.items() if budget in base]

    def _weights(self, by_cell: dict[int, float]) -> Floats:
        weights = np.zeros(len(self._table.keys))
        for index, weight in by_cell.items():
            weights[index] = weight
        return weights

    def _margin(self, weights: Floats) -> Estimate:
        if self._table.margin is None:
            return Estimate(None, None, None, 0)
        return self._table.margin.contrast(weights).estimate()


def _corrected(rows: list[Row], contrasts: Sequence[Contrast]) -> list[Row]:
    """Add p-values, corrected by Holm for their number, and what they decide."""
    values = [contrast.p_value() for contrast in contrasts]
    corrected = holm(values)
    return [
        row | {"p_value": value, "p_holm": p_holm, "verdict": decide(p_holm, contrast.value)}
        for row, contrast, value, p_holm in zip(rows, contrasts, values, corrected, strict=True)
    ]


def _saving(budget: float, equal: EqualBudget) -> Row:
    """Put a budget at equal accuracy beside what was spent: the share of labels saved."""
    ends = {"": equal.value, "_low": equal.low, "_high": equal.high}
    return {
        **{f"equal_budget{end}": value for end, value in ends.items()},
        **{f"saving{end}": None if value is None else 1 - budget / value for end, value in ends.items()},
        "is_reached": not equal.is_beyond,
        "is_low_open": equal.is_known and equal.low is None,
        "is_high_open": equal.is_known and equal.high is None,
    }
