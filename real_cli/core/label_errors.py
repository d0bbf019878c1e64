"""What `eval labels` reports of pairs: how often labels contradict gold, and how often an annotator would."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from real_cli.core.gold import Truth
from real_cli.core.intervals import Bootstrap, Estimate, Interval, count_cells, wilson_interval
from real_cli.core.label_rows import Numbers, Rows

NUM_DECILES = 10
NUM_BINS = 20
# The means that every table has, in the order of its columns.
MEANS = ("expected_flips", "share_ambiguous", "mean_gap", "mean_similarity")
SHARES = ("share_wrong", "share_ambiguous")


def measure(bootstrap: Bootstrap, rows: Rows, truth: Truth) -> dict[str, Any]:
    """Sum up some pairs: label error, expected flips, ambiguity, gap, similarity.

    Args:
        bootstrap: Over the prompts of the whole report.
        rows: The pairs.
        truth: Temperature and threshold.

    Returns:
        Names and numbers, the same for any rows. `share_wrong_low` and `_high` are Wilson's, for independent pairs;
        all other intervals are drawn over prompts.

    Example:
        >>> from real_cli.core.label_rows import PairTally
        >>> tally = PairTally()
        >>> tally.add(bytes(8), 2.0, -1.0)
        >>> rows = tally.rows()
        >>> found = measure(Bootstrap(rows.cells), rows, Truth())
        >>> found["num_pairs"], found["share_wrong"], found["expected_flips"], found["mean_gap_low"]
        (1, 1.0, 0.11920..., None)
    """
    values = rows.values(truth)
    wrong = values["share_wrong"]
    num_judged, num_wrong = int((~np.isnan(wrong)).sum()), int(np.nansum(wrong))
    drawn = estimate(bootstrap, rows.cells, wrong, is_share=True)
    low, high = wilson_interval(num_wrong, num_judged) or (None, None)
    return {
        "num_pairs": int(rows.gaps.size),
        "num_judged": num_judged,
        "num_wrong": num_wrong,
        **named("share_wrong", Estimate(drawn.value, low, high, num_judged)),
        "share_wrong_bootstrap_low": drawn.low,
        "share_wrong_bootstrap_high": drawn.high,
        **{
            field: number
            for name in MEANS
            for field, number in named(
                name, estimate(bootstrap, rows.cells, values[name], is_share=name in SHARES)
            ).items()
        },
    }


def estimate(bootstrap: Bootstrap, cells: ArrayLike, values: Numbers, *, is_share: bool = False) -> Estimate:
    """Estimate a mean; where all values are equal, resampling would wrongly say that it is certain.

    Args:
        bootstrap: Over prompts.
        cells: The cell of each row, shape (rows,).
        values: A number a row, NaN where there is none, shape (rows,).
        is_share: The values are 0 and 1: the interval is `share_interval`'s, and where all are equal Wilson's with each
            cell one trial.

    Returns:
        The mean and its interval.
    """
    found = bootstrap.mean(cells, values)
    known = values[~np.isnan(values)]
    num_cells = count_cells(cells, values)
    if not known.size or found.low is None:
        return found
    if np.ptp(known) > 0:
        bounds = share_interval(float(known.mean()), bootstrap.means(cells, values)) if is_share else None
        return found._replace(low=bounds.low, high=bounds.high) if bounds else found
    bounds = wilson_interval(num_cells if known[0] else 0, num_cells) if is_share else None
    low, high = bounds or (None, None)
    return found._replace(low=low, high=high)


def share_interval(share: float, samples: Numbers) -> Interval | None:
    """Return Wilson's interval for as many independent trials as would spread like the drawn shares.

    Percentiles of drawn shares miss a small share from below: few errors vary less than those that did not happen to
    be drawn would.

    Args:
        share: The estimate, neither 0 nor 1.
        samples: Shares drawn over prompts, shape (num_resamples,).

    Returns:
        The interval; None if nothing varies.

    Example:
        >>> share_interval(0.8, np.array([0.8 - 0.1264911, 0.8 + 0.1264911]))  # 8 of 10: sqrt(0.8 * 0.2 / 10)
        Interval(low=0.490..., high=0.943...)

    References:
        Franco, Little, Louis and Slud, 2019, Journal of Survey Statistics and Methodology 7, 334-364: effective sample
        sizes.
    """
    variance = float(np.nanvar(samples))
    if variance <= 0:
        return None
    trials = share * (1 - share) / variance
    return wilson_interval(share * trials, trials)


def named(name: str, found: Estimate) -> dict[str, float | None]:
    """Give a number and its interval their names in a summary.

    Args:
        name: Of the number.
        found: The estimate.

    Returns:
        NAME, NAME_low and NAME_high.
    """
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}


def by_strategy(bootstrap: Bootstrap, rows: Rows, names: dict[str, int], truth: Truth) -> list[dict[str, Any]]:
    """Sum up the pairs of each strategy that chose them.

    Args:
        bootstrap: Over prompts.
        rows: All pairs.
        names: Of strategies, and their numbers in the rows.
        truth: Temperature and threshold.

    Returns:
        A row a strategy, by name.
    """
    return [
        {"strategy": name} | measure(bootstrap, rows.take(rows.strategies == number), truth)
        for name, number in sorted(names.items())
    ]


def by_similarity(bootstrap: Bootstrap, rows: Rows, truth: Truth) -> list[dict[str, Any]]:
    """Sum up the pairs of each tenth by similarity, least similar first; equal similarities stay together.

    Args:
        bootstrap: Over prompts.
        rows: All pairs.
        truth: Temperature and threshold.

    Returns:
        A row a decile; one that equal similarities leave empty is not there.
    """
    rows = rows.take(~np.isnan(rows.similarities))
    size = rows.similarities.size
    first_of_equals = np.searchsorted(np.sort(rows.similarities), rows.similarities)
    deciles = NUM_DECILES * first_of_equals // max(1, size)
    made = []
    for decile in np.unique(deciles):
        chosen = rows.take(deciles == decile)
        ends = {
            "similarity_low": float(chosen.similarities.min()),
            "similarity_high": float(chosen.similarities.max()),
        }
        made.append({"decile": int(decile) + 1} | ends | measure(bootstrap, chosen, truth))
    return made


def histogram(gaps: Numbers) -> dict[str, list[float]] | None:
    """Count gaps in bins of one width.

    Args:
        gaps: Not negative, shape (batch,).

    Returns:
        `edges` and `counts`; None without a gap.

    Example:
        >>> histogram(np.array([0.0, 0.5, 20.0]))["counts"]
        [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    """
    if not gaps.size:
        return None
    largest = float(gaps.max())
    # Narrower bins would have no width.
    counts, edges = np.histogram(gaps, bins=NUM_BINS, range=(0.0, largest if largest > 1e-300 else 1.0))
    return {"edges": edges.tolist(), "counts": counts.tolist()}


def rounded(value: Any) -> Any:
    """Cut floats to ten digits: what comes after them differs from one processor to another.

    Args:
        value: Any JSON value.

    Returns:
        The same with shorter numbers.

    Example:
        >>> rounded({"share": [1 / 3, None, 7]})
        {'share': [0.3333333333, None, 7]}
    """
    if isinstance(value, dict):
        return {name: rounded(item) for name, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.10g}") if isinstance(value, float) else value
