"""How often labels contradict gold, and how often an annotator would: overall, by strategy, by similarity."""

from typing import Any

import numpy as np

from real_cli.evaluate.labels.gold import Truth
from real_cli.evaluate.labels.rows import Numbers, Rows
from real_cli.stats.bootstrap import Bootstrap
from real_cli.stats.describe import tenths_of
from real_cli.stats.intervals import Estimate
from real_cli.stats.proportions import estimate_share

NUM_BINS = 20
# The means that every table has, in the order of its columns.
MEANS = ("expected_flips", "share_ambiguous", "mean_gap", "mean_similarity")
SHARES = ("share_wrong", "share_ambiguous")


def measure(bootstrap: Bootstrap, rows: Rows, truth: Truth) -> dict[str, Any]:
    """Sum up some pairs: label error, expected flips, ambiguity, gap, similarity.

    >>> from real_cli.evaluate.labels.rows import PairTally
    >>> tally = PairTally()
    >>> tally.add(bytes(8), 2.0, -1.0)
    >>> rows = tally.rows()
    >>> found = measure(Bootstrap(rows.cells), rows, Truth())
    >>> found["num_pairs"], found["share_wrong"], found["expected_flips"], found["mean_gap_low"]
    (1, 1.0, 0.11920..., None)
    """
    values = rows.values(truth)
    wrong = values["share_wrong"]
    summary: dict[str, Any] = {
        "num_pairs": int(rows.gaps.size),
        "num_prompts": int(np.unique(rows.keys).size),
        "num_judged": int((~np.isnan(wrong)).sum()),
        "num_wrong": int(np.nansum(wrong)),
    }
    for name in ("share_wrong", *MEANS):
        summary |= estimate(bootstrap, rows, name, values[name]).fields(name)
    return summary


def estimate(bootstrap: Bootstrap, rows: Rows, name: str, values: Numbers) -> Estimate:
    """Estimate the mean of a number a row, NaN where there is none; `name` tells a share from another mean."""
    return estimate_share(values, rows.keys) if name in SHARES else bootstrap.mean(rows.cells, values)


def by_strategy(bootstrap: Bootstrap, rows: Rows, names: dict[str, int], truth: Truth) -> list[dict[str, Any]]:
    """Sum up the pairs of each strategy that chose them, by name."""
    return [
        {"strategy": name} | measure(bootstrap, rows.take(rows.strategies == number), truth)
        for name, number in sorted(names.items())
    ]


def by_similarity(bootstrap: Bootstrap, rows: Rows, truth: Truth) -> list[dict[str, Any]]:
    """Sum up the pairs of each tenth by similarity, least similar first; equal similarities stay together."""
    rows = rows.take(~np.isnan(rows.similarities))
    deciles = tenths_of(rows.similarities)
    table = []
    for decile in np.unique(deciles):
        chosen = rows.take(deciles == decile)
        ends = {
            "similarity_low": float(chosen.similarities.min()),
            "similarity_high": float(chosen.similarities.max()),
        }
        table.append({"decile": int(decile) + 1} | ends | measure(bootstrap, chosen, truth))
    return table


def histogram(gaps: Numbers) -> dict[str, list[float]] | None:
    """Count gaps, which are not negative, in bins of one width; None without a gap."""
    if not gaps.size:
        return None
    largest = float(gaps.max())
    # Narrower bins would have no width.
    counts, edges = np.histogram(gaps, bins=NUM_BINS, range=(0.0, largest if largest > 1e-300 else 1.0))
    return {"edges": edges.tolist(), "counts": counts.tolist()}
