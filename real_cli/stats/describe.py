"""Distributions in a summary: quantiles, histograms, a rank correlation, a mean by deciles."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.stats.bootstrap import FEWEST_CELLS, ROUNDING, Bootstrap, student_quantile
from real_cli.stats.intervals import Estimate
from real_cli.stats.proportions import spread_of

QUANTILES = {"min": 0.0, "p25": 0.25, "median": 0.5, "p75": 0.75, "max": 1.0}
MOST_BINS = 40
NUM_DECILES = 10


def describe(values: NDArray[np.float64]) -> dict[str, float | int] | None:
    """Describe a distribution.

    Args:
        values: Numbers; NaN stands for a missing one.

    Returns:
        Count, mean and quantiles, the same in any order of the numbers; None if there is no number.

    Example:
        >>> describe(np.array([1.0, 2.0, 6.0, np.nan]))
        {'count': 3, 'mean': 3.0, 'min': 1.0, 'p25': 1.5, 'median': 2.0, 'p75': 4.0, 'max': 6.0}
    """
    known = np.sort(values[~np.isnan(values)])
    if not known.size:
        return None
    quantiles = {name: float(np.quantile(known, share)) for name, share in QUANTILES.items()}
    return {"count": int(known.size), "mean": float(known.mean()), **quantiles}


def histogram(values: NDArray[np.float64]) -> dict[str, list[float] | list[int]] | None:
    """Count numbers in bins of equal width.

    As many bins as the narrower of Sturges' rule and Freedman and Diaconis' asks for (numpy's 'auto' up to 2.0), at
    most 40: far outliers would otherwise ask for millions.

    Args:
        values: Numbers; NaN stands for a missing one.

    Returns:
        `edges`, one more than `counts`, the same in any order of the numbers; None if there is no number.

    Example:
        >>> histogram(np.array([0.0, 1.0, 2.0, 4.0]))
        {'edges': [0.0, 1.3333333333333333, 2.6666666666666665, 4.0], 'counts': [2, 1, 1]}

    References:
        Freedman and Diaconis, 1981, doi:10.1007/BF01025868; Sturges, 1926, doi:10.1080/01621459.1926.10502161.
    """
    known = values[~np.isnan(values)]
    if not known.size:
        return None
    low, high = float(known.min()), float(known.max())
    if low == high:
        # numpy's own margin around a constant, which must not vanish beside a large one.
        margin = max(0.5, abs(low) * 1e-9)
        return {"edges": [low - margin, high + margin], "counts": [int(known.size)]}
    if not math.isfinite(high - low):
        return {"edges": [low, high], "counts": [int(known.size)]}
    sturges = (high - low) / (math.log2(known.size) + 1)
    spread = float(np.subtract(*np.quantile(known, [0.75, 0.25])))
    width = min(sturges, 2 * spread / known.size ** (1 / 3) or sturges)
    num_bins = max(1, min(MOST_BINS, math.ceil(min(MOST_BINS, (high - low) / width))))
    # Of numbers that are large beside their differences none stand between some edges.
    if np.any(np.diff(np.linspace(low, high, num_bins + 1)) <= 0):
        num_bins = 1
    counts, edges = np.histogram(known, bins=num_bins, range=(low, high))
    return {"edges": edges.tolist(), "counts": counts.tolist()}


def rank_correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float | None:
    """Return Spearman's rank correlation of the pairs that have both numbers.

    Args:
        first: Numbers, NaN where missing, shape (batch,).
        second: Likewise.

    Returns:
        In [-1, 1]; None for fewer than three pairs, or if one of the two is constant.

    Example:
        >>> rank_correlation(np.array([0.1, 0.5, 0.9]), np.array([9.0, 4.0, 1.0]))
        -1.0
    """
    from scipy.stats import rankdata

    both = ~(np.isnan(first) | np.isnan(second))
    if both.sum() < 3:
        return None
    ranks = [rankdata(values[both]) for values in (first, second)]
    if any(np.ptp(values) == 0 for values in ranks):
        return None
    return round(float(np.corrcoef(*ranks)[0, 1]), 12)


def correlate_ranks(first: NDArray[np.float64], second: NDArray[np.float64], prompts: NDArray[Any]) -> Estimate:
    """Estimate Spearman's rank correlation of the pairs that have both numbers.

    Args:
        first: Numbers, NaN where missing, shape (batch,).
        second: Likewise.
        prompts: A number for the prompt of each pair, shape (batch,).

    Returns:
        The correlation; its interval is of Student's t on Fisher's scale, with the variance of what each prompt's pairs
        move it by. None where there is no correlation, for fewer than ten prompts, and for one of -1 or 1.

    Example:
        >>> numbers = np.arange(40.0)
        >>> found = correlate_ranks(numbers, numbers % 20, np.arange(40))
        >>> round(found.value, 3), found.low < found.value < found.high
        (0.5, True)

    References:
        Croux and Dehon, 2010, Statistical Methods and Applications 19, 497-515, section 2: the influence function.
    """
    value = rank_correlation(first, second)
    both = ~(np.isnan(first) | np.isnan(second))
    count = int(both.sum())
    num_prompts = int(np.unique(prompts[both]).size)
    if value is None or num_prompts < FEWEST_CELLS or abs(value) > 1 - ROUNDING:
        return Estimate(value, None, None, count)
    spread = spread_of(_rank_influence(first[both], second[both], value), prompts[both])
    error = math.sqrt(spread * num_prompts / (num_prompts - 1)) / count
    center, half = math.atanh(value), student_quantile(num_prompts) * error / (1 - value**2)
    return Estimate(value, math.tanh(center - half), math.tanh(center + half), count)


def _rank_influence(first: NDArray[np.float64], second: NDArray[np.float64], value: float) -> NDArray[np.float64]:
    """Work out how far each pair moves the correlation: by its own ranks, and by raising those above it."""
    from scipy.stats import rankdata

    ranks = [rankdata(values) / values.size for values in (first, second)]
    u, v = ((rank - rank.mean()) / rank.std() for rank in ranks)
    influence: NDArray[np.float64] = u * v - value * (u**2 + v**2) / 2
    for values, rank, left, right in ((first, ranks[0], u, v), (second, ranks[1], v, u)):
        _, groups = np.unique(values, return_inverse=True)
        gains = np.bincount(groups, weights=(right - value * left) / rank.std())
        above = np.cumsum(gains[::-1])[::-1] - gains / 2
        influence += above[groups] / values.size
    influence -= influence.mean()
    return influence


def tenths_of(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Sort rows into tenths by a number; equal numbers stay together, so there may be fewer.

    Args:
        values: One a row, without NaN, shape (rows,).

    Returns:
        From 0, the smallest, to 9, shape (rows,).

    Example:
        >>> tenths_of(np.array([0.3, 0.1, 0.2, 0.1])).tolist()
        [7, 0, 5, 0]
    """
    first_of_equals = np.searchsorted(np.sort(values), values)
    return np.asarray(NUM_DECILES * first_of_equals // max(1, values.size), dtype=np.int64)


def gap_by_similarity(
    bootstrap: Bootstrap, cells: NDArray[np.int64], similarity: NDArray[np.float64], gap: NDArray[np.float64]
) -> list[dict[str, Any]]:
    """Average the score gap of the pairs in each tenth of the similarities.

    Args:
        bootstrap: Draws the prompts.
        cells: Of each pair's prompt, shape (batch,).
        similarity: NaN where missing, shape (batch,).
        gap: Score gaps without sign, NaN where missing, shape (batch,).

    Returns:
        A row a tenth, the least similar first: its limits, its number of pairs, the mean gap and its interval. Equal
        similarities stay together, so there may be fewer; none without pairs that have both numbers.

    Example:
        >>> cells = np.arange(4)
        >>> rows = gap_by_similarity(Bootstrap(cells), cells, np.array([0.1, 0.1, 0.9, 0.9]), np.array([3.0, 1, 0, 0]))
        >>> [(row["num_pairs"], row["gap_mean"]) for row in rows]
        [(2, 2.0), (2, 0.0)]
    """
    both = np.flatnonzero(~(np.isnan(similarity) | np.isnan(gap)))
    if not both.size:
        return []
    # A fixed order, so that sums are the same whatever the order of the input.
    both = both[np.lexsort((gap[both], cells[both], similarity[both]))]
    similarity, gap, cells = similarity[both], gap[both], cells[both]
    edges = np.unique(np.quantile(similarity, np.arange(1, NUM_DECILES) / NUM_DECILES))
    tenths = np.searchsorted(edges, similarity, side="right")
    rows = []
    for tenth in np.unique(tenths):
        inside = tenths == tenth
        estimate = bootstrap.mean(cells[inside], gap[inside])
        limits = similarity[inside]
        row: dict[str, Any] = {
            "similarity_low": float(limits.min()),
            "similarity_high": float(limits.max()),
            "num_pairs": estimate.num_rows,
        }
        rows.append(row | estimate.fields("gap_mean"))
    return rows
