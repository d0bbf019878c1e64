"""The evaluation behind `real eval compare`: methods side by side, each against the baseline."""

from collections.abc import Iterator, Sequence
from typing import Any

from real_cli.errors import RealError, UsageError, clip, suggest
from real_cli.evaluate.compare.answer import answer
from real_cli.evaluate.compare.cells import AlignedCells, PolicyCells
from real_cli.evaluate.compare.cost import MethodCosts
from real_cli.evaluate.compare.measures import MEASURES, Measure, difference, level
from real_cli.evaluate.compare.notes import explain
from real_cli.evaluate.compare.report import compare_report
from real_cli.evaluate.compare.rows import read_row
from real_cli.evaluate.decisions import decide, difference_of_shares, what_decides
from real_cli.evaluate.evaluation import Evaluation, Exclusion, Summary
from real_cli.evaluate.run_tags import seed_order
from real_cli.io.job import Job, Located
from real_cli.records.record import Record
from real_cli.report.contents import Report
from real_cli.report.examples import Examples
from real_cli.stats.contrast import Contrast
from real_cli.stats.intervals import Estimate
from real_cli.stats.multiple import holm
from real_cli.text.phrases import say_count

NOTHING = Estimate(None, None, None, 0)


class MethodComparison(Evaluation):
    """Rows of trained policies by method and seed, and what can be said of the methods.

    Args:
        baseline: The method that each other one is compared with.

    Example:
        >>> comparison = MethodComparison("dpo")
        >>> for method, margin in (("dpo", -1.0), ("ipo", 1.0)):
        ...     for number in range(40):
        ...         pair = {"prompt_key": str(number // 2), "margin": margin * (-1) ** (number // 2 % 5)}
        ...         excluded = comparison.add({"method": method, "seed": number % 2} | pair)
        >>> found = comparison.summary()["differences"][0]
        >>> found["method"], found["minus"], round(found["accuracy"], 2), found["verdict"]
        ('ipo', 'dpo', 0.2, 'undecided')
    """

    name = "compare"

    def __init__(self, baseline: str = "dpo") -> None:
        self._baseline = baseline
        self._cells = PolicyCells()
        self._num_rows = 0

    def records(self, job: Job) -> Iterator[Located]:
        """Read rows of numbers, which are no records of prompts and responses."""
        return job.objects()

    def add(self, record: Record, place: str = "") -> Sequence[Exclusion]:
        """Count one row."""
        pair = record.get("place")
        self._cells.add(read_row(record), pair if isinstance(pair, str) else "")
        self._num_rows += 1
        return ()

    def summary(self) -> Summary:
        """Sum up; the order in which rows came changes nothing."""
        cells = self._cells.align()
        self._check(cells)
        methods = sorted(cells.methods, key=lambda name: (name != self._baseline, name))
        reasons = {measure.name: measure.lacks(cells) for measure in MEASURES} if cells.prompts.size else {}
        measures = [measure for measure in MEASURES if not reasons.get(measure.name, "")]
        costs = MethodCosts(self._cells, self._baseline)
        result: Summary = {
            "num_rows": self._num_rows,
            "num_methods": len(methods),
            "num_seeds": len(cells.seeds),
            "num_prompts": cells.num_prompts,
            "num_pairs": int(cells.prompts.size),
            "num_prompts_left_out": cells.num_left_out,
            "baseline": self._baseline,
            "num_comparisons": max(0, len(methods) - 1),
            "methods": [_describe(cells, name, measures) | costs.of(name) for name in methods],
            "differences": _differences(cells, methods, measures),
            "missing": [
                {"method": name, "seed": seed}
                for name in methods
                for seed in sorted(set(cells.seeds) - set(cells.seeds_of(name)), key=seed_order)
            ],
        }
        return result | {"notes": explain(result, cells, reasons, costs)}

    def report(self, summary: Summary, examples: Examples) -> Report:
        """Lay out the differences from the baseline, the methods, and what they cost."""
        return compare_report(summary)

    def sentence(self, summary: Summary) -> str:
        """Tell what was compared, what came out, and what to beware of."""
        counted = f"{say_count(summary['num_methods'], 'method')}, {say_count(summary['num_pairs'], 'held-out pair')}"
        return "; ".join([counted, *answer(summary), *summary["notes"]])

    def _check(self, cells: AlignedCells) -> None:
        methods = cells.methods
        if methods and self._baseline not in methods:
            right = suggest(self._baseline, methods, f"there are {clip(', '.join(methods))}")
            raise UsageError(f"--baseline {clip(self._baseline)}: no row is of this method; {right}")
        if methods and not cells.prompts.size:
            name, count = max(cells.num_lacking.items(), key=lambda item: item[1])
            raise RealError(
                f"no prompt is in the rows of every policy with as many pairs ({name} lacks {count:,} that others "
                "have); measure each policy on the same held-out pairs"
            )


def _describe(cells: AlignedCells, method: str, measures: Sequence[Measure]) -> dict[str, Any]:
    """Describe one method over all its seeds."""
    seeds = cells.seeds_of(method)
    row: dict[str, Any] = {"method": method, "num_seeds": len(seeds), "seeds": seeds}
    for measure in measures:
        row |= level(cells, measure, cells.columns(method, seeds)).fields(measure.name)
    return row


def _differences(cells: AlignedCells, methods: Sequence[str], measures: Sequence[Measure]) -> list[dict[str, Any]]:
    """Compare each other method with the first, on the seeds that both have."""
    base, *others = methods or [""]
    shared = {name: [seed for seed in cells.seeds_of(base) if seed in cells.seeds_of(name)] for name in others}
    rows: list[dict[str, Any]] = [
        {"method": name, "minus": base, "num_seeds": len(shared[name]), "verdict": None} for name in others
    ]
    for measure in measures:
        result = [_difference(cells, measure, name, base, shared[name]) for name in others]
        p_values = [each.p_value() if each else None for each in result]
        for row, each, p_value, corrected in zip(rows, result, p_values, holm(p_values), strict=True):
            row |= _estimate(each, measure).fields(measure.name)
            row |= {f"{measure.name}_p": p_value, f"{measure.name}_p_holm": corrected}
            if measure is MEASURES[0]:
                row["verdict"] = None if each is None or corrected is None else decide(corrected, each.value)
                row |= what_decides(each, len(others))
    return rows


def _difference(cells: AlignedCells, measure: Measure, method: str, base: str, seeds: Sequence[str]) -> Contrast | None:
    return difference(cells, measure, cells.columns(method, seeds), cells.columns(base, seeds)) if seeds else None


def _estimate(contrast: Contrast | None, measure: Measure) -> Estimate:
    if contrast is None:
        return NOTHING
    return difference_of_shares(contrast) if measure.is_share else contrast.estimate()
