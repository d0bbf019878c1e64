"""Means over prompts and seeds together: both are draws, so that another seed is as much another run as another prompt.

Every trained policy (a seed) answers every held-out prompt. Its numbers vary with the prompt, with the seed, and with
both, as readings of images vary with the case and the reader; the variance of the mean has a part of each.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from real_cli.stats.bootstrap import FEWEST_CELLS, ROUNDING
from real_cli.stats.intervals import Estimate

Floats = NDArray[np.float64]


class CrossedMean(NamedTuple):
    """A mean over prompts and seeds.

    Attributes:
        value: The mean; None without data.
        standard_error: How far it strays; None where that cannot be told.
        degrees: Degrees of freedom of the standard error; None likewise.
        num_rows: How many pairs it is the mean of, each counted once, however many seeds measured it.
    """

    value: float | None
    standard_error: float | None
    degrees: float | None
    num_rows: int

    @property
    def p_value(self) -> float | None:
        """Two-sided, of Student's t, that the mean is 0; None without a standard error."""
        from scipy.special import stdtr

        if self.value is None or self.standard_error is None:
            return None
        return float(2 * stdtr(self.degrees, -abs(self.value) / self.standard_error))

    def detectable(self, num_comparisons: int) -> float | None:
        """Give the smallest distance from 0 that would be told from chance among several comparisons.

        Args:
            num_comparisons: How many, at least one; each is allowed its part of 5%, as the strictest of Holm's is.

        Returns:
            The distance; None without a standard error.

        Example:
            >>> round(CrossedMean(0.0, 0.1, 1e9, 40).detectable(1), 3)
            0.196
        """
        from scipy.special import stdtrit

        if self.standard_error is None:
            return None
        return float(stdtrit(self.degrees, 1 - 0.025 / num_comparisons)) * self.standard_error

    def estimate(self, low: float = -math.inf, high: float = math.inf) -> Estimate:
        """Give the mean with its 95% interval, which stays between two ends.

        Args:
            low: Smallest value that it can have.
            high: Largest.

        Returns:
            The estimate; without an interval where there is no standard error.

        Example:
            >>> CrossedMean(0.5, 0.1, 1e9, 40).estimate(0, 0.6)
            Estimate(value=0.5, low=0.304..., high=0.6, num_rows=40)
        """
        from scipy.special import stdtrit

        if self.value is None or self.standard_error is None:
            return Estimate(self.value, None, None, self.num_rows)
        half = float(stdtrit(self.degrees, 0.975)) * self.standard_error
        return Estimate(self.value, max(low, self.value - half), min(high, self.value + half), self.num_rows)


def crossed_mean(sums: Floats, sizes: Floats, *, ends: tuple[float, float] | None = None) -> CrossedMean:
    """Estimate the mean of a number that every seed has of every pair, prompts and seeds being random.

    Var(mean) = (MS_prompts + max(MS_seeds - MS_rest, 0)) / (P S) by the two-way table of P prompts and S seeds, one
    number a cell, with Satterthwaite's degrees of freedom. Cells are those of the linearized mean over pairs, so that a
    prompt with many pairs weighs as many. With one seed, the spread of seeds is unknown: prompts alone then vary.

    Args:
        sums: Sum over the pairs of each prompt, for each seed, shape (prompts, seeds).
        sizes: How many pairs each prompt has, shape (prompts,); one with none is no prompt.
        ends: Least and largest value of a pair, of shares and their differences: the spread is then that with two
            prompts more, one at either end (Bonett and Price), so that it is never 0. None for other numbers.

    Returns:
        The mean; without a standard error below ten prompts, or where nothing varies.

    Example:
        >>> prompts, seeds = np.arange(20.0)[:, None], np.array([[-1.0, 0.0, 1.0]])
        >>> found = crossed_mean(prompts + seeds, np.ones(20))
        >>> found.value, round(found.standard_error**2, 4)  # 35/20 of the prompts and 1/3 of the seeds
        (9.5, 2.0833)

    References:
        Hillis, 2007, Statistics in Medicine 26, 596-619: cases and readers as random factors, with the degrees of
        freedom by Satterthwaite, 1946, Biometrics Bulletin 2, 110-114; Bonett and Price, 2012, Journal of Educational
        and Behavioral Statistics 37, 479-488: two pairs more; Kish, 1965, Survey Sampling, section 6.3: the linearized
        mean of clusters.
    """
    kept = sizes > 0
    sums, sizes = sums[kept], sizes[kept]
    if not sums.size:
        return CrossedMean(None, None, None, 0)
    means = sums.sum(axis=0) / sizes.sum()
    value, count = float(means.mean()), int(sizes.sum())
    if sizes.size < FEWEST_CELLS:
        return CrossedMean(value, None, None, count)
    if ends is not None:
        weight = float((sizes**2).sum() / sizes.sum())  # the pairs that the prompt of an average pair has
        sizes = np.append(sizes, [weight, weight])
        sums = np.vstack([sums, np.outer(weight * np.array(ends), np.ones(sums.shape[1]))])
        means = sums.sum(axis=0) / sizes.sum()
    variance, degrees = _variance(means + (sums - np.outer(sizes, means)) / sizes.mean())
    if variance <= (ROUNDING * max(1.0, abs(value))) ** 2:
        return CrossedMean(value, None, None, count)
    return CrossedMean(value, math.sqrt(variance), degrees, count)


def _variance(cells: Floats) -> tuple[float, float]:
    """Return the variance of the mean of a table of prompts and seeds, and its degrees of freedom."""
    num_prompts, num_seeds = cells.shape
    rows, columns, mean = cells.mean(axis=1), cells.mean(axis=0), cells.mean()
    by_prompt = num_seeds * float(((rows - mean) ** 2).sum()) / (num_prompts - 1)
    if num_seeds == 1:
        return by_prompt / num_prompts, num_prompts - 1
    by_seed = num_prompts * float(((columns - mean) ** 2).sum()) / (num_seeds - 1)
    rest = cells - rows[:, None] - columns + mean
    rest_degrees = (num_prompts - 1) * (num_seeds - 1)
    by_rest = float((rest**2).sum()) / rest_degrees
    if by_seed <= by_rest:  # nothing shows that seeds vary beyond what prompts explain
        return by_prompt / (num_prompts * num_seeds), num_prompts - 1
    total = by_prompt + by_seed - by_rest
    parts = ((by_prompt, num_prompts - 1), (by_seed, num_seeds - 1), (by_rest, rest_degrees))
    return total / (num_prompts * num_seeds), total**2 / sum(square**2 / degrees for square, degrees in parts)
