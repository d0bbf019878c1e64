"""Whether a policy is right as often as its implicit reward says."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.core.prompt_intervals import PromptIntervals

NUM_BINS = 10


def calibrate(margins: NDArray[np.float64], beta: float, intervals: PromptIntervals) -> dict[str, Any]:
    """Compare what the implicit reward says with how often it is right.

    Under Bradley-Terry the response with the larger implicit reward is the better one with probability
    sigmoid(beta * |margin|); it is right if that response is the chosen one. beta sets the scale: another beta says
    other probabilities of the same margins, and the error is that of this beta alone. Of a tie nothing is said, and it
    is left out. With few pairs the error is too large even for a policy that says the truth, because each bin's share
    strays from what it should be.

    Args:
        margins: Log-ratio of chosen minus rejected in nats, shape (batch,).
        beta: Scale of the implicit reward, > 0.
        intervals: Of the same pairs.

    Returns:
        `calibration`, ten bins of the said probability from 0.5 to 1 (an edge belongs to the bin below it); `ece`, the
        distance of what was said from the share that was right, averaged over bins by their number of pairs;
        `num_calibrated`, the pairs that are no tie.

    Example:
        >>> margins = np.array([2.0, -2.0])
        >>> found = calibrate(margins, 1.0, PromptIntervals(np.arange(2, dtype=np.uint64)))
        >>> round(found["ece"], 6), found["num_calibrated"], found["calibration"][7]["num_pairs"]
        (0.380797, 2, 2)

    References:
        Guo et al., 2017, On Calibration of Modern Neural Networks, arXiv:1706.04599, eq. 3; the probability: Rafailov
        et al., 2023, arXiv:2305.18290, eq. 6.
    """
    from scipy.special import expit

    said = expit(np.abs(margins) * beta)
    right = np.where(margins == 0, np.nan, (margins > 0).astype(np.float64))
    edges = np.linspace(0.5, 1.0, NUM_BINS + 1)
    places = np.searchsorted(edges[1:-1], said)
    bins: list[dict[str, Any]] = []
    for number in range(NUM_BINS):
        rows = (places == number) & ~np.isnan(right)
        bins.append(
            {"low": float(edges[number]), "high": float(edges[number + 1]), "num_pairs": int(rows.sum())}
            | {"said": float(said[rows].mean()) if rows.any() else None}
            | intervals.share("right", right, rows)
        )
    count = sum(one["num_pairs"] for one in bins)
    off = sum(one["num_pairs"] * abs(one["said"] - one["right"]) for one in bins if one["num_pairs"])
    return {"calibration": bins, "ece": off / count if count else None, "num_calibrated": count}
