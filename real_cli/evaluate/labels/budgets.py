"""What a budget of labels buys: the pairs that a strategy would have labeled first."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from real_cli.errors import UsageError, clip
from real_cli.evaluate.labels.error_rates import SHARES, estimate
from real_cli.evaluate.labels.gold import Truth
from real_cli.evaluate.labels.rows import Numbers, Rows
from real_cli.pair.keep import keep_mask
from real_cli.stats.bootstrap import Bootstrap, count_cells
from real_cli.stats.intervals import Estimate
from real_cli.stats.proportions import estimate_share, spread_of
from real_cli.stats.quota import Keep, parse_keep

DRAWN = ("expected_flips", "share_wrong", "mean_gap")


class LabelBudget(NamedTuple):
    """A number of labels, as it was written and as it was meant."""

    text: str
    keep: Keep


def parse_budgets(text: str) -> list[LabelBudget]:
    """Read budgets, shares of the records and numbers of labels, each once and in the order given."""
    try:
        return [LabelBudget(part, parse_keep(part)) for part in dict.fromkeys(map(str.strip, text.split(",")))]
    except UsageError:
        raise UsageError(
            f"--budget {clip(text)}: give shares from 0% to 100% or numbers of labels, with commas between"
        ) from None


def spend(
    bootstrap: Bootstrap, rows: Rows, budgets: list[LabelBudget], num_records: int, truth: Truth, *, lowest: bool
) -> list[dict[str, Any]]:
    """Work out what each budget buys of one strategy's pairs.

    >>> four = np.arange(4.0)
    >>> rows = Rows(np.arange(4, dtype=np.uint64), four, four, four, four, np.arange(4))
    >>> budgets = parse_budgets("50%")
    >>> spend(Bootstrap(rows.cells), rows, budgets, 4, Truth(), lowest=False)[0]["mean_gap"]
    2.5
    """
    values = rows.values(truth)
    table = []
    for budget in budgets:
        count = min(budget.keep.of(num_records), rows.gaps.size)
        kept = keep_mask(rows.order, count, lowest=lowest)
        row: dict[str, Any] = {"budget": budget.text, "num_labels": count}
        row["num_prompts"] = int(np.unique(rows.keys[kept]).size)
        row["num_judged"] = int((kept & ~np.isnan(values["share_wrong"])).sum())
        near = _near_the_last(rows.order, count, lowest=lowest)
        for name in DRAWN:
            if name in SHARES:
                bought = _estimate_share(rows.keys, values[name], kept, near)
            else:
                bought = _estimate(bootstrap, rows, name, values[name], kept, near)
            row |= bought.fields(name)
        table.append(row)
    return table


def _near_the_last(order: Numbers, count: int, *, lowest: bool) -> NDArray[np.int64]:
    """Return the rows around the last one that the budget buys: the square root of all to each side."""
    ranking = np.argsort(order, kind="stable")
    last = count if lowest else order.size - count
    width = max(5, int(np.sqrt(order.size)))
    return ranking[max(0, last - width) : last + width]


def _estimate(
    bootstrap: Bootstrap, rows: Rows, name: str, values: Numbers, kept: NDArray[np.bool_], near: NDArray[np.int64]
) -> Estimate:
    """Estimate the mean of the kept rows; its interval allows for another sample's line between kept and not.

    With p the share that is kept and m the value at the line, the mean of v over kept rows has the influence
    (v - m) / p + m for a kept row and m for another: the line moves so that p stays.
    """
    plain = estimate(bootstrap, rows.take(kept), name, values[kept])
    if plain.low is None:
        return plain
    drawn = bootstrap.means(rows.cells, _with_line(values, kept, near))
    interval = bootstrap.interval(drawn, count_cells(rows.cells[kept], values[kept]))
    return plain._replace(low=max(0.0, interval.low), high=interval.high) if interval else plain


def _estimate_share(
    prompts: NDArray[np.uint64], values: Numbers, kept: NDArray[np.bool_], near: NDArray[np.int64]
) -> Estimate:
    """Estimate the share of the kept rows that have a value; the line inflates its variance."""
    plain = estimate_share(values[kept], prompts[kept])
    if plain.value is None:
        return plain
    residuals = np.where(np.isnan(values), 0.0, values - plain.value)
    alone = spread_of(np.where(kept, residuals / kept.mean(), 0.0), prompts)
    inflation = spread_of(_with_line(residuals, kept, near), prompts) / alone if alone > 0 else 1.0
    return estimate_share(values[kept], prompts[kept], inflation=inflation)


def _with_line(values: Numbers, kept: NDArray[np.bool_], near: NDArray[np.int64]) -> Numbers:
    at_line = 0.0 if kept.all() else float(values[near].mean())
    influence: Numbers = np.where(kept, (values - at_line) / kept.mean(), 0.0) + at_line
    return influence
