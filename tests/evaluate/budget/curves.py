"""Outcomes of simulated policies with known learning curves, prompts and seeds being draws."""

import numpy as np
from scipy.special import ndtri

from real_cli.evaluate.budget.grid import CellKey, LearningTable
from real_cli.stats.crossed_cells import CrossedCells

# Latent shares of what policies have in common: outcomes of two policies correlate at about 0.7.
COMMON, OF_STRATEGY = 0.76, 0.13
# A run strays by 1.5 points; half of that goes along from budget to budget, as with nested choices of pairs.
SEED_POINTS, NESTED = 0.015, 0.5


def simulate(draws, accuracies, *, num_prompts=240, num_seeds=3, points=SEED_POINTS):
    """Draw outcomes of each (strategy, budget) of known accuracy, shape (seeds, prompts) each.

    A policy is right where a normal number is above 0, which is the sum of: its height; the prompt's; the prompt's
    under this strategy; the run's; what is of this run and prompt alone.
    """
    common = draws.normal(size=num_prompts) * np.sqrt(COMMON)
    noise = 1 - COMMON - OF_STRATEGY
    scale = points / 0.385  # the density of a normal number around accuracies of 0.6
    outcomes, of_strategy, nested = {}, {}, {}
    for (strategy, budget), accuracy in accuracies.items():
        if strategy not in of_strategy:
            of_strategy[strategy] = draws.normal(size=num_prompts) * np.sqrt(OF_STRATEGY)
            nested[strategy] = draws.normal(size=(num_seeds, 1)) * np.sqrt(NESTED)
        run = scale * (nested[strategy] + draws.normal(size=(num_seeds, 1)) * np.sqrt(1 - NESTED))
        alone = draws.normal(size=(num_seeds, num_prompts)) * np.sqrt(noise)
        height = ndtri(accuracy) * np.sqrt(1 + scale**2)
        outcomes[strategy, budget] = (height + common + of_strategy[strategy] + run + alone > 0).astype(np.float64)
    return outcomes


def table_of(outcomes, num_seeds=None):
    """Line up outcomes as `OutcomeGrid.table` does; `num_seeds` of a strategy cuts its later seeds off."""
    keys = sorted(CellKey(*key) for key in outcomes)
    cells = [outcomes[key][: (num_seeds or {}).get(key.strategy)] for key in keys]
    seeds = [[str(seed) for seed in range(len(cell))] for cell in cells]
    accuracy = CrossedCells(cells, [key.strategy for key in keys], seeds, is_share=True)
    return LearningTable(keys, seeds, [cell.size for cell in cells], accuracy, None, 0)


def rows_of(outcomes, **fields):
    """Write outcomes as the lines of `real eval margin --rows`."""
    return [
        {
            "place": f"heldout.jsonl:{number}",
            "policy": f"{strategy}-{budget}-{seed}",
            "strategy": strategy,
            "budget": budget,
            "seed": seed,
            "prompt_key": f"{number:016x}",
            "is_correct": bool(outcome),
            "margin": float(outcome) - 0.4 + number / 1000,
        }
        | fields
        for (strategy, budget), cell in outcomes.items()
        for seed, run in enumerate(cell, 1)
        for number, outcome in enumerate(run, 1)
    ]
