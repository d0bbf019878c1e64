"""What the numbers of `eval budget` do not say, a sentence each."""

from collections.abc import Sequence
from typing import Any

from real_cli.errors import clip, suggest
from real_cli.evaluate.budget.grid import LearningTable, OutcomeGrid, show_cell
from real_cli.evaluate.budget.outcomes import RunKey
from real_cli.stats.bootstrap import FEWEST_CELLS
from real_cli.text.phrases import say_count

MOST_NAMED = 3


def explain(
    grid: OutcomeGrid, table: LearningTable, missing: Sequence[RunKey], baseline: str, shared: str
) -> list[str]:
    """Say what is missing, left out or alike."""
    if not grid.num_rows:
        return ["no outcome was read"]
    return [
        *_about_runs(table, missing),
        *_about_baseline(table, baseline, shared),
        *_about_prompts(grid, table),
    ]


def _about_runs(table: LearningTable, missing: Sequence[RunKey]) -> list[str]:
    notes = []
    num_runs = sum(map(len, table.seeds))
    if missing:
        named = "; ".join(map(str, missing[:MOST_NAMED]))
        rest = f"; and {len(missing) - MOST_NAMED:,} more" if len(missing) > MOST_NAMED else ""
        notes.append(
            f"partial: {len(missing):,} of {num_runs + len(missing):,} runs are missing ({named}{rest}), and the "
            "numbers are of those that are there"
        )
    alone = [key for key, seeds in zip(table.keys, table.seeds, strict=True) if len(seeds) == 1]
    if alone:
        named = ", ".join(map(show_cell, alone[:MOST_NAMED])) + (", ..." if len(alone) > MOST_NAMED else "")
        notes.append(
            f"{len(alone):,} of {say_count(len(table.keys), 'cell')} {'has' if len(alone) == 1 else 'have'} one seed "
            f"({named}), so no interval: how far another run strays is known from two; of single policies 'real eval "
            "margin' with --policy for each gives intervals over prompts alone"
        )
    return notes


def _about_baseline(table: LearningTable, baseline: str, shared: str) -> list[str]:
    strategies = list(dict.fromkeys(key.strategy for key in table.keys))
    others = [name for name in strategies if name not in (baseline, shared)]
    if baseline not in strategies:
        names = clip(", ".join(strategies))
        return [
            f"no run is of {clip(baseline)}, the baseline, so nothing is compared; there are {names[1:-1]}: "
            f"{suggest(baseline, strategies, 'name one with --baseline')}"
        ]
    if not others:
        return [f"no strategy but {clip(baseline)}, the baseline, so nothing is compared"]
    notes = []
    budgets = {key.budget for key in table.keys if key.strategy in (baseline, shared)}
    for name in others:
        if not budgets & {key.budget for key in table.keys if key.strategy in (name, shared)}:
            notes.append(f"{clip(name)} and {clip(baseline)} have no budget in common, so they are not compared")
    if len(budgets) < 2:
        notes.append(f"{clip(baseline)} has one budget, so no curve: labels saved at equal accuracy need two")
    return notes


def _about_prompts(grid: OutcomeGrid, table: LearningTable) -> list[str]:
    notes = []
    num_prompts = table.accuracy.num_prompts
    if table.num_left_out:
        run, fewest = grid.fewest()
        notes.append(
            f"{say_count(table.num_left_out, 'prompt')} that some run lacks left out; all runs have {num_prompts:,}, "
            f"{run} has the fewest, {fewest:,}"
        )
    if num_prompts < FEWEST_CELLS:
        notes.append(f"{say_count(num_prompts, 'prompt')}: intervals need {FEWEST_CELLS}")
    if len({pairs / len(seeds) for pairs, seeds in zip(table.num_pairs, table.seeds, strict=True)}) > 1:
        notes.append("runs have other numbers of pairs on the same prompts: some lack a pair, or one is given twice")
    if grid.num_without_margin:
        where = "no margin is given" if table.margin is None else f"margins are of {table.margin.num_prompts:,} prompts"
        notes.append(f"{say_count(grid.num_without_margin, 'row')} without a margin: {where}")
    if grid.named_by - {"prompt_key"}:
        notes.append("rows without prompt_key: each pair counts as a prompt, though several may share one")
    if _is_constant(table):
        notes.append("all policies are right on the same pairs: nothing tells them apart")
    return notes


def _is_constant(table: LearningTable) -> bool:
    by_prompt: Any = table.accuracy.by_prompt
    return len(table.keys) > 1 and not by_prompt.std(axis=0).any()
