"""What `real eval compare` found, in sentences."""

from typing import Any

from real_cli.evaluate.decisions import BETTER, UNDECIDED, WORSE
from real_cli.report.numbers import show_fixed, show_interval

Summary = dict[str, Any]


def answer(summary: Summary) -> list[str]:
    """Name the methods that the corrected test tells from the baseline, and those that it does not."""
    rows, base = summary["differences"], summary["baseline"]
    phrases = [
        f"{row['method']} prefers the chosen response {'more' if row['verdict'] == BETTER else 'less'} often than "
        f"{base}, {show_points(row)}"
        for row in rows
        if row["verdict"] in (BETTER, WORSE)
    ]
    undecided = [row["method"] for row in rows if row["verdict"] == UNDECIDED]
    if undecided:
        phrases.append(f"not told apart from {base}: {', '.join(undecided)}")
    return phrases


def show_points(row: Summary) -> str:
    """Write a difference of accuracies in points, with its interval and its corrected p-value."""
    interval = show_interval(row, "accuracy", _points)
    return f"{_points(row['accuracy'])} points ({interval}, corrected p {show_p(row['accuracy_p_holm'])})"


def show_p(p_value: float) -> str:
    """Write a p-value: very small ones as a bound.

    >>> show_p(0.0312), show_p(1e-9), show_p(1.0)
    ('0.031', 'below 0.001', '1.000')
    """
    return "below 0.001" if p_value < 0.001 else show_fixed(p_value)


def _points(share: float) -> str:
    return show_fixed(100 * share, 1, signed=True)
