"""What the numbers of a comparison do not say: what is missing, left out, or unlike."""

from collections.abc import Mapping
from typing import Any

from real_cli.evaluate.compare.cells import AlignedCells, CellName
from real_cli.evaluate.compare.cost import MethodCosts
from real_cli.stats.bootstrap import FEWEST_CELLS
from real_cli.text.phrases import say_count

MOST_NAMED = 5
ONE_SEED = (
    "one seed: nothing shows what another run of the same training would give, so there is no interval and no verdict; "
    "'eval margin' with both policies has intervals over prompts alone"
)


def explain(
    summary: Mapping[str, Any], cells: AlignedCells, reasons: Mapping[str, str], costs: MethodCosts
) -> list[str]:
    """Say what to beware of, a sentence each."""
    if not cells.names:
        return ["no row was read"]
    notes = [*_of_cells(summary, cells), *_of_prompts(cells)]
    notes += [f"no {name}: {reason}" for name, reason in reasons.items() if reason]
    if summary["num_seeds"] == 1:
        notes.append(ONE_SEED)
    for field, what in (("train_steps", "steps"), ("train_pairs", "pairs")):
        if costs.differing(field):
            notes.append(f"the policies were not trained on as many {what}: {field} has them by method")
    if untimed := costs.untimed():
        notes.append(f"no time of {_named(untimed)}: a run that was resumed, or a policy without its manifest")
    return notes


def _of_cells(summary: Mapping[str, Any], cells: AlignedCells) -> list[str]:
    base, notes = summary["baseline"], []
    if summary["num_methods"] == 1:
        notes.append(f"{base} is the only method: there is nothing to compare it with")
    missing = [CellName(row["method"], row["seed"]) for row in summary["missing"]]
    if missing:
        notes.append(f"missing: {_named(missing)}; a difference is over the seeds that method and {base} both have")
    single = [row["method"] for row in summary["differences"] if row["num_seeds"] == 1 < summary["num_seeds"]]
    if single:
        notes.append(f"one seed alone, so no interval: {', '.join(single)}")
    apart = [row["method"] for row in summary["differences"] if not row["num_seeds"]]
    if apart:
        notes.append(f"no difference of {', '.join(apart)}: no seed is also one of {base}")
    return notes


def _of_prompts(cells: AlignedCells) -> list[str]:
    notes = []
    if cells.num_left_out:
        lacking = [name for name, count in cells.num_lacking.items() if count]
        where = f"lacking in {_named(lacking)}" if lacking else "of which policies measured more or fewer pairs"
        notes.append(f"left out: {say_count(cells.num_left_out, 'prompt')}, {where}")
    if cells.num_prompts < FEWEST_CELLS:
        notes.append(f"{say_count(cells.num_prompts, 'prompt')}: intervals and tests need {FEWEST_CELLS}")
    elif cells.prompts.size > cells.num_prompts:
        notes.append(
            f"{cells.prompts.size:,} pairs have {say_count(cells.num_prompts, 'prompt')} and are not independent: "
            "intervals count prompts"
        )
    return notes


def _named(cells: list[CellName]) -> str:
    named = ", ".join(f"{cell.method} {cell.seed}".rstrip() for cell in cells[:MOST_NAMED])
    more = len(cells) - MOST_NAMED
    return f"{named} and {more:,} more" if more > 0 else named
