"""What `eval budget` has to say, in sentences that claim no more than the intervals do."""

from typing import Any

from real_cli.evaluate.budget.outcomes import show_budget
from real_cli.evaluate.decisions import BETTER, UNDECIDED
from real_cli.report.numbers import show_fixed, show_percent
from real_cli.text.phrases import say_count

Row = dict[str, Any]


def answer(summary: Row) -> str:
    """Say which strategies differ from the baseline, by how much, and which are not shown to."""
    counts = f"{say_count(summary['num_runs'], 'run')} on {say_count(summary['num_prompts'], 'prompt')}"
    rows = summary["areas"]
    if not rows:
        return f"{counts}; nothing to compare."
    decided = [row for row in rows if row["verdict"] != UNDECIDED]
    rest = [row for row in rows if row["verdict"] == UNDECIDED]
    base = summary["baseline"]
    sentences = [_decided(row, base) for row in decided]
    if rest:
        others = "No strategy is" if not decided else "Not"
        sentences.append(f"{others} shown to differ from {base}: {'; '.join(map(_undecided, rest))}.")
    partial = "Partial: " if summary["missing"] else ""
    return f"{partial}{counts}. {' '.join(sentences)}"


def _decided(row: Row, base: str) -> str:
    more = "more" if row["verdict"] == BETTER else "less"
    return f"{row['strategy']} is {more} accurate than {base} {_range(row)}: {_points(row)}."


def _undecided(row: Row) -> str:
    return f"{row['strategy']} {_range(row)}, {_points(row)}"


def _range(row: Row) -> str:
    smallest, largest = (show_budget(row[name]) for name in ("smallest_budget", "largest_budget"))
    return f"at {smallest} labels" if smallest == largest else f"from {smallest} to {largest} labels"


def _points(row: Row) -> str:
    """Write a difference of shares in percentage points."""
    shown = f"{show_fixed(100 * row['area'], 1, signed=True)} points"
    if row["area_low"] is None or row["area_high"] is None:
        return f"{shown} (no interval can be given)"
    ends = (show_fixed(100 * row[f"area_{end}"], 1, signed=True) for end in ("low", "high"))
    return f"{shown} (95% interval {' to '.join(ends)})"


def saving_words(row: Row) -> str:
    """Say which share of the labels is saved, within which ends, or that the accuracy is not reached.

    >>> row = {"equal_budget": 640.0, "saving": 0.5, "saving_low": 0.25, "saving_high": None, "is_reached": True}
    >>> saving_words(row | {"is_low_open": False, "is_high_open": True})
    '50.0%; at least 25.0%'
    """
    if row["saving"] is not None:
        value = show_percent(row["saving"])
    else:
        value = "fewer than the smallest budget" if row["is_reached"] else "not reached"
    low, high = row["saving_low"], row["saving_high"]
    if low is not None and high is not None:
        return f"{value} ({show_percent(low)} to {show_percent(high)})"
    if low is not None:
        return f"{value}; at least {show_percent(low)}"
    if high is not None:
        return f"{value}; at most {show_percent(high)}"
    is_open = row["is_low_open"] or row["is_high_open"]
    return f"{value}; {'these budgets tell neither end' if is_open else 'no interval can be given'}"
