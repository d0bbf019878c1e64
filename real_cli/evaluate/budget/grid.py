"""Runs of a grid of strategies, budgets and seeds, each with its outcomes by prompt."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from real_cli.errors import RealError, RecordError
from real_cli.evaluate.budget.outcomes import PolicyOutcome, RunKey, show_budget
from real_cli.evaluate.run_tags import seed_order
from real_cli.stats.crossed_cells import CrossedCells, linearized
from real_cli.text.phrases import say_count

# Sums of one prompt in one run: correct pairs, pairs, margins, pairs with a margin.
Sums = list[float]


@dataclass
class RunOutcomes:
    """The outcomes of one trained policy.

    Attributes:
        policy: Its name, as the first line has it.
        prompts: Sums by prompt.
        pairs: What was counted already, by prompt and what tells a prompt's pairs apart.
    """

    policy: str | None
    prompts: dict[tuple[str, str], Sums] = field(default_factory=dict)
    pairs: set[tuple[tuple[str, str], str]] = field(default_factory=set)


class CellKey(NamedTuple):
    """The runs of one strategy with one budget, whatever their seeds."""

    strategy: str
    budget: float


class LearningTable(NamedTuple):
    """The cells of a grid on the prompts that all runs have.

    Attributes:
        keys: Of the cells, by strategy and budget.
        seeds: Of each cell's runs.
        num_pairs: Of each cell and run, the pairs on these prompts.
        accuracy: Shares of pairs whose chosen response is preferred.
        margin: Margins in nats, on the prompts that have them in all runs; None where there is no such prompt.
        num_left_out: Prompts that some run lacks.
    """

    keys: list[CellKey]
    seeds: list[list[str]]
    num_pairs: list[int]
    accuracy: CrossedCells
    margin: CrossedCells | None
    num_left_out: int


class OutcomeGrid:
    """Collects outcomes by run; a few numbers a prompt and run."""

    def __init__(self) -> None:
        self.runs: dict[RunKey, RunOutcomes] = {}
        self.num_rows = 0
        self.num_without_margin = 0
        self.named_by: set[str] = set()

    def add(self, outcome: PolicyOutcome) -> None:
        """Count one outcome; one of another policy, or of a pair that was counted, is refused."""
        run = self.runs.get(outcome.run) or RunOutcomes(outcome.policy)
        if outcome.policy is not None and run.policy is not None and outcome.policy != run.policy:
            raise RecordError(
                f"{outcome.run} is given twice, by {run.policy} and by {outcome.policy}; give each run tags of its own"
            )
        if outcome.pair is not None and (outcome.prompt, outcome.pair) in run.pairs:
            raise RecordError(f"{outcome.run} is given twice: {outcome.pair} was read before; name each file once")
        self.runs[outcome.run] = run
        if outcome.pair is not None:
            run.pairs.add((outcome.prompt, outcome.pair))
        sums = run.prompts.setdefault(outcome.prompt, [0.0, 0.0, 0.0, 0.0])
        has_margin = outcome.margin == outcome.margin
        numbers = outcome.is_correct, 1.0, outcome.margin if has_margin else 0.0, has_margin
        for place, number in enumerate(numbers):
            sums[place] += number
        self.num_rows += 1
        self.num_without_margin += not has_margin
        self.named_by.add(outcome.prompt[0])

    def ordered(self) -> list[RunKey]:
        """List the runs by strategy, budget and seed."""
        return sorted(self.runs, key=attrgetter("order"))

    def seeds(self) -> list[str]:
        """List the seeds of all runs, numbers as such."""
        return sorted({run.seed for run in self.runs}, key=seed_order)

    def cells(self) -> dict[CellKey, list[str]]:
        """List the seeds of each cell, in order."""
        cells: dict[CellKey, list[str]] = {}
        for strategy, budget, seed in self.ordered():
            cells.setdefault(CellKey(strategy, budget), []).append(seed)
        return cells

    def missing(self, shared: str) -> list[RunKey]:
        """List the runs that the grid lacks: each strategy has each budget, but for those of the shared runs alone."""
        cells = self.cells()
        seeds = self.seeds()
        strategies = sorted({cell.strategy for cell in cells} - {shared})
        budgets = sorted({cell.budget for cell in cells if cell.strategy != shared})
        wanted = [CellKey(strategy, budget) for strategy in strategies for budget in budgets]
        wanted += [cell for cell in cells if cell.strategy == shared]
        return [RunKey(*cell, seed) for cell in wanted for seed in seeds if seed not in cells.get(cell, [])]

    def table(self) -> LearningTable:
        """Line up all cells on the prompts that every run has."""
        cells = self.cells()
        prompts = self._common()
        sums = [np.array([self._sums(RunKey(*cell, seed), prompts) for seed in seeds]) for cell, seeds in cells.items()]
        strategies = [cell.strategy for cell in cells]
        seeds = list(cells.values())
        accuracy = CrossedCells(
            [linearized(cell[:, :, 0], cell[:, :, 1]) for cell in sums], strategies, seeds, is_share=True
        )
        with_margin = np.all([(cell[:, :, 3] > 0).all(axis=0) for cell in sums], axis=0) if sums else np.zeros(0)
        every = {prompt for run in self.runs.values() for prompt in run.prompts}
        return LearningTable(
            list(cells),
            seeds,
            [int(cell[:, :, 1].sum()) for cell in sums],
            accuracy,
            CrossedCells(
                [linearized(cell[:, with_margin, 2], cell[:, with_margin, 3]) for cell in sums], strategies, seeds
            )
            if with_margin.any()
            else None,
            len(every) - len(prompts),
        )

    def fewest(self) -> tuple[RunKey, int]:
        """Find the run that has the fewest prompts, and how many these are."""
        return min(((key, len(self.runs[key].prompts)) for key in self.ordered()), key=lambda pair: pair[1])

    def _sums(self, run: RunKey, prompts: Iterable[tuple[str, str]]) -> list[Sums]:
        return [self.runs[run].prompts[prompt] for prompt in prompts]

    def _common(self) -> list[tuple[str, str]]:
        """Find the prompts that every run has; without any there is nothing to compare."""
        common: set[tuple[str, str]] | None = None
        for key in self.ordered():
            run = self.runs[key]
            both = run.prompts.keys() if common is None else common & run.prompts.keys()
            if not both:
                raise RealError(
                    f"{key}: none of its {say_count(len(run.prompts), 'prompt')} is in all runs before it; measure "
                    "every policy on the same held-out pairs"
                )
            common = set(both)
        return sorted(common or ())


def show_cell(cell: CellKey) -> str:
    """Name a cell in a sentence."""
    return f"{cell.strategy} at {show_budget(cell.budget)}"
