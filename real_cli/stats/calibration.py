"""Whether a policy is right as often as its implicit reward says."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.stats.bootstrap import NUM_RESAMPLES
from real_cli.stats.by_prompt import PromptIntervals
from real_cli.stats.intervals import Estimate
from real_cli.stats.numeric import sigmoid

NUM_BINS = 10


def calibrate(margins: NDArray[np.float64], beta: float, intervals: PromptIntervals) -> dict[str, Any]:
    """Compare what the implicit reward says with how often it is right.

    Under Bradley-Terry the response with the larger implicit reward is the better one with probability
    sigmoid(beta * |margin|); it is right if that response is the chosen one. beta sets the scale: another beta says
    other probabilities of the same margins, and the error is that of this beta alone. Of a tie nothing is said, and it
    is left out. With few pairs the error is too large even for a policy that says the truth, because each bin's share
    strays from what it should be: `ece_by_chance` says by how much about. The interval is the error, more and less what
    the bins stray in 95 of 100 draws taken together; it holds the true error of these bins at least so often.

    Args:
        margins: Log-ratio of chosen minus rejected in nats, shape (batch,).
        beta: Scale of the implicit reward, > 0.
        intervals: Of the same pairs.

    Returns:
        `calibration`, ten bins of the said probability from 0.5 to 1 (an edge belongs to the bin below it); `ece`, the
        distance of what was said from the share that was right, averaged over bins by their number of pairs, and its
        interval; `ece_by_chance`; `num_calibrated`, the pairs that are no tie.

    Example:
        >>> margins = np.array([2.0, -2.0])
        >>> found = calibrate(margins, 1.0, PromptIntervals(np.arange(2, dtype=np.uint64)))
        >>> round(found["ece"], 6), found["num_calibrated"], found["calibration"][7]["num_pairs"]
        (0.380797, 2, 2)

    References:
        Guo et al., 2017, On Calibration of Modern Neural Networks, arXiv:1706.04599, eq. 3; the probability: Rafailov
        et al., 2023, arXiv:2305.18290, eq. 6.
    """
    probabilities = sigmoid(np.abs(margins) * beta)
    right = np.where(margins == 0, np.nan, (margins > 0).astype(np.float64))
    edges = np.linspace(0.5, 1.0, NUM_BINS + 1)
    numbers = np.searchsorted(edges[1:-1], probabilities)
    bins: list[dict[str, Any]] = []
    strays: list[float] = []
    for number in range(NUM_BINS):
        rows = (numbers == number) & ~np.isnan(right)
        bins.append(
            {"low": float(edges[number]), "high": float(edges[number + 1]), "num_pairs": int(rows.sum())}
            | {"said": float(probabilities[rows].mean()) if rows.any() else None}
            | intervals.share("right", right, rows)
        )
        strays.append(intervals.standard_error(right, rows))
    count = sum(row["num_pairs"] for row in bins)
    off = sum(row["num_pairs"] * abs(row["said"] - row["right"]) for row in bins if row["num_pairs"])
    error, by_chance = _with_interval(off / count if count else None, bins, strays, intervals.seed)
    return {"calibration": bins, **error.fields("ece"), "ece_by_chance": by_chance, "num_calibrated": count}


def _with_interval(
    ece: float | None, bins: list[dict[str, Any]], strays: list[float], seed: int
) -> tuple[Estimate, float | None]:
    """Draw how far the shares of all bins stray; |x + e| is never farther from |x| than |e|."""
    sizes = np.array([row["num_pairs"] for row in bins], dtype=np.float64)
    if ece is None:
        return Estimate(None, None, None, 0), None
    errors = sizes / sizes.sum() * np.array(strays)
    draws = np.random.default_rng(seed).standard_normal((NUM_RESAMPLES, len(bins)))
    reach = float(np.quantile(np.abs(draws) @ errors, 0.95))
    estimate = Estimate(ece, max(0.0, ece - reach), min(1.0, ece + reach), int(sizes.sum()))
    return estimate, float(errors.sum() * np.sqrt(2 / np.pi))
