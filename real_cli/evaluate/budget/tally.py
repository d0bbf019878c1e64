"""The evaluation behind `real eval budget`: what labels buy, by strategy."""

from collections.abc import Iterator, Sequence

from real_cli.evaluate.budget.curves import LearningCurves
from real_cli.evaluate.budget.grid import OutcomeGrid
from real_cli.evaluate.budget.notes import explain
from real_cli.evaluate.budget.outcomes import plain_budget, read_outcome, read_row
from real_cli.evaluate.budget.report import budget_report
from real_cli.evaluate.evaluation import Evaluation, Exclusion, Summary
from real_cli.io.job import Job, Located
from real_cli.records.record import Record
from real_cli.report.contents import Report
from real_cli.report.examples import Examples


class BudgetTally(Evaluation):
    """Outcomes of many trained policies, and the learning curves that they make.

    Args:
        baseline: The strategy that the others are compared with.
        shared: The strategy whose runs belong to every other, such as those on the whole pool.

    Example:
        >>> tally = BudgetTally()
        >>> row = {"budget": 40, "prompt_key": "0f", "is_correct": True}
        >>> for strategy in ("random", "easy"):
        ...     for seed in (1, 2):
        ...         _ = tally.add(row | {"strategy": strategy, "seed": seed})
        >>> summary = tally.summary()
        >>> summary["num_runs"], summary["differences"][0]["accuracy"], summary["differences"][0]["verdict"]
        (4, 0.0, 'undecided')
    """

    name = "budget"

    def __init__(self, baseline: str = "random", shared: str = "all") -> None:
        self._baseline, self._shared = baseline, shared
        self._grid = OutcomeGrid()

    def records(self, job: Job) -> Iterator[Located]:
        """Read the lines as they are."""
        return job.records(read_row)

    def add(self, record: Record, place: str = "") -> Sequence[Exclusion]:
        """Count what one policy did with one pair."""
        self._grid.add(read_outcome(record))
        return ()

    def summary(self) -> Summary:
        """Sum up cells, differences at equal budgets, areas between curves, and labels saved."""
        table = self._grid.table()
        missing = self._grid.missing(self._shared)
        curves = LearningCurves(table, self._baseline, self._shared)
        return {
            "num_rows": self._grid.num_rows,
            "num_runs": len(self._grid.runs),
            "num_prompts": table.accuracy.num_prompts,
            "num_prompts_left_out": table.num_left_out,
            "baseline": self._baseline,
            "shared": self._shared,
            "strategies": list(dict.fromkeys(key.strategy for key in table.keys)),
            "seeds": self._grid.seeds(),
            "missing": [run._asdict() | {"budget": plain_budget(run.budget)} for run in missing],
            "cells": curves.cells(),
            "areas": curves.areas(),
            "differences": curves.differences(),
            "savings": curves.savings(),
            "notes": explain(self._grid, table, missing, self._baseline, self._shared),
        }

    def report(self, summary: Summary, examples: Examples) -> Report:
        """Lay out curves, differences, labels saved, and what would decide what is not."""
        return budget_report(summary)
