"""What a budget of labels buys: the pairs that a strategy would have labeled first."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from real_cli.core.gold import Truth
from real_cli.core.intervals import Bootstrap, Estimate, count_cells
from real_cli.core.label_errors import estimate, named, share_interval
from real_cli.core.label_rows import Numbers, Rows
from real_cli.core.selection import Keep, keep_mask, parse_keep
from real_cli.errors import UsageError, clip

DRAWN = ("expected_flips", "share_wrong", "mean_gap")


class Budget(NamedTuple):
    """A number of labels, as it was written and as it was meant."""

    text: str
    keep: Keep


def parse_budgets(text: str) -> list[Budget]:
    """Read budgets: shares of the prompts, and numbers of labels.

    Args:
        text: Such as "5%,35%,500".

    Returns:
        In the order given, each once.

    Raises:
        UsageError: If one of them is neither.

    Example:
        >>> [budget.keep.of(1000) for budget in parse_budgets("5%,35%,500")]
        [50, 350, 500]
    """
    try:
        return [Budget(part, parse_keep(part)) for part in dict.fromkeys(map(str.strip, text.split(",")))]
    except UsageError:
        raise UsageError(
            f"--budget {clip(text)}: give shares from 0% to 100% or numbers of labels, with commas between"
        ) from None


def spend(
    bootstrap: Bootstrap, rows: Rows, budgets: list[Budget], num_prompts: int, truth: Truth, *, lowest: bool
) -> list[dict[str, Any]]:
    """Work out what each budget buys of one strategy's pairs.

    Args:
        bootstrap: Over prompts.
        rows: The strategy's pairs, with their order.
        budgets: How many labels; 100 % is one for each of these prompts.
        num_prompts: How many prompts have a pair.
        truth: Temperature and threshold.
        lowest: Spend on the smallest in that order first; otherwise on the largest.

    Returns:
        A row a budget; `num_labels` is smaller than the budget where the strategy has no more pairs.

    Example:
        >>> four = np.arange(4.0)
        >>> rows = Rows(np.arange(4, dtype=np.uint64), four, four, four, four, np.arange(4))
        >>> budgets = parse_budgets("50%")
        >>> spend(Bootstrap(rows.cells), rows, budgets, 4, Truth(), lowest=False)[0]["mean_gap"]
        2.5
    """
    values, cells = rows.values(truth), rows.cells
    made = []
    for budget in budgets:
        count = min(budget.keep.of(num_prompts), rows.gaps.size)
        kept = keep_mask(rows.order, count, lowest=lowest)
        row: dict[str, Any] = {"budget": budget.text, "num_labels": count}
        row["num_judged"] = int((kept & ~np.isnan(values["share_wrong"])).sum())
        near = _near_the_last(rows.order, count, lowest=lowest)
        for name in DRAWN:
            found = _estimate(bootstrap, cells, values[name], kept, near, is_share=name == "share_wrong")
            row |= named(name, found)
        made.append(row)
    return made


def _near_the_last(order: Numbers, count: int, *, lowest: bool) -> NDArray[np.int64]:
    """Return the rows around the last one that the budget buys: the square root of all to each side."""
    ranking = np.argsort(order, kind="stable")
    last = count if lowest else order.size - count
    width = max(5, int(np.sqrt(order.size)))
    return ranking[max(0, last - width) : last + width]


def _estimate(
    bootstrap: Bootstrap,
    cells: NDArray[np.int64],
    values: Numbers,
    kept: NDArray[np.bool_],
    near: NDArray[np.int64],
    *,
    is_share: bool,
) -> Estimate:
    """Estimate the mean of the kept rows; its interval knows that another sample would have drawn the line elsewhere.

    With p the share that is kept and m the value at the line, the mean of v over kept rows has the influence
    (v - m) / p + m for a kept row and m for another: the line moves so that p stays.
    """
    plain = estimate(bootstrap, cells[kept], values[kept], is_share=is_share)
    if plain.low is None or np.ptp(values[kept][~np.isnan(values[kept])]) == 0:
        return plain
    share = kept.mean()
    known = ~np.isnan(values)

    def samples(numbers: Numbers) -> Numbers:
        at_line = 0.0 if kept.all() else float(numbers[near].mean())
        return bootstrap.means(cells, np.where(kept, (numbers - at_line) / share, 0.0) + at_line)

    # Where only some rows have a value it is a mean of those: one sum over another.
    drawn = samples(np.where(known, values, 0.0)) / samples(known.astype(np.float64))
    num_cells = count_cells(cells[kept], values[kept])
    interval = share_interval(plain.value or 0.0, drawn) if is_share else bootstrap.interval(drawn, num_cells)
    return plain._replace(low=max(0.0, interval.low), high=interval.high) if interval else plain
