"""The bootstrap over prompts: intervals of means. Those of shares are in `proportions`.

Pairs of one prompt are not independent, so whole prompts are resampled. Prompts are put into a fixed number of cells by
a hash of their text: the interval of a million rows costs as much as that of some thousands, and does not depend on
their order. Up to a few hundred prompts nearly every prompt has a cell of its own.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from real_cli.stats.intervals import Estimate, Interval

NUM_CELLS = 4096
NUM_RESAMPLES = 1000
# Below this many cells a bootstrap says more about its own method than about the data.
FEWEST_CELLS = 10
# Draws of numbers that are all equal differ in their last digits.
ROUNDING = 1e-12


def cell_of(key: bytes) -> int:
    """Return the cell of a prompt by its `text_key`, from 0 to NUM_CELLS - 1, the same in every run."""
    return int.from_bytes(key[:2], "big") % NUM_CELLS


def cells_of(prompts: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return `cell_of` of prompts by the first eight bytes of their `text_key`, shape (rows,)."""
    return ((prompts >> np.uint64(48)) % np.uint64(NUM_CELLS)).astype(np.int64)


def count_cells(cells: ArrayLike, values: ArrayLike) -> int:
    """Count the cells that a mean stands on; a row of NaN is no row."""
    return int(np.unique(np.asarray(cells)[~np.isnan(np.asarray(values, dtype=np.float64))]).size)


class Bootstrap:
    """The same draws of prompts for every number of one report, so that differences are paired.

    Args:
        cells: The cells that occur anywhere in the data, with or without repeats, shape (batch,).
        seed: Of the draws.
        num_resamples: How many data sets are drawn.
    """

    def __init__(self, cells: ArrayLike, *, seed: int = 0, num_resamples: int = NUM_RESAMPLES) -> None:
        present = np.unique(np.asarray(cells, dtype=np.int64))
        self._index = np.full(NUM_CELLS, -1)
        self._index[present] = np.arange(present.size)
        self._num_cells = int(present.size)
        draws = np.random.default_rng(seed)
        even = np.full(max(1, present.size), 1 / max(1, present.size))
        self._weights = draws.multinomial(present.size, even, size=num_resamples).astype(np.float64)

    @property
    def is_sound(self) -> bool:
        """Whether there are enough cells for an interval."""
        return self._num_cells >= FEWEST_CELLS

    def means(self, cells: ArrayLike, values: ArrayLike) -> NDArray[np.float64]:
        """Draw the mean of some rows anew.

        Args:
            cells: The cell of each row, shape (rows,).
            values: A number a row, shape (rows,); a row of NaN is no row.

        Returns:
            Means, shape (num_resamples,); NaN for a draw that has no row.
        """
        indices, numbers = self._index[np.asarray(cells, dtype=np.int64)], np.asarray(values, dtype=np.float64)
        known = ~np.isnan(numbers)
        indices, numbers = indices[known], numbers[known]
        sums = np.bincount(indices, weights=numbers, minlength=max(1, self._num_cells))
        counts = np.bincount(indices, minlength=max(1, self._num_cells))
        with np.errstate(invalid="ignore", divide="ignore"):
            means: NDArray[np.float64] = (self._weights @ sums) / (self._weights @ counts)
        return means

    def interval(self, samples: NDArray[np.float64], num_cells: int | None = None) -> Interval | None:
        """Turn drawn numbers into a 95 % interval: percentiles, moved outward as far as Student's t asks for.

        Args:
            samples: What `means` gave, or a difference or ratio of two such, shape (num_resamples,).
            num_cells: In how many cells there are rows for it; None for all.

        Returns:
            The interval; None for fewer than ten cells, if one draw in twenty has no number, or if nothing varies.

        References:
            Hesterberg, 2015, What Teachers Should Know about the Bootstrap, arXiv:1411.5279, section 4.1 (expanded
            percentile intervals).
        """
        known = samples[np.isfinite(samples)]
        num_cells = self._num_cells if num_cells is None else num_cells
        if num_cells < FEWEST_CELLS or known.size < 0.95 * samples.size:
            return None
        low, high = (float(end) for end in np.quantile(known, tail_shares(num_cells)))
        return Interval(low, high) if high - low > ROUNDING * max(1.0, abs(low)) else None

    def mean(self, cells: ArrayLike, values: ArrayLike) -> Estimate:
        """Estimate the mean of some rows.

        Args:
            cells: The cell of each row, shape (rows,).
            values: A number a row, shape (rows,); a row of NaN is no row.

        Returns:
            The mean, its interval, and the number of rows.

        Example:
            >>> cells = np.arange(40)
            >>> estimate = Bootstrap(cells).mean(cells, np.r_[np.zeros(20), np.ones(20)])
            >>> estimate.value, estimate.num_rows, 0.3 < estimate.low < 0.4
            (0.5, 40, True)
        """
        numbers = np.asarray(values, dtype=np.float64)
        known = numbers[~np.isnan(numbers)]
        if not known.size:
            return Estimate(None, None, None, 0)
        return self._estimate(float(known.mean()), self.means(cells, numbers), known.size, count_cells(cells, numbers))

    def difference(
        self, cells: ArrayLike, values: ArrayLike, other_cells: ArrayLike, other_values: ArrayLike
    ) -> Estimate:
        """Estimate how much larger the mean of some rows is than that of others, drawn from the same prompts.

        Args:
            cells: The cell of each row, shape (rows,).
            values: A number a row, shape (rows,).
            other_cells: Of the rows to compare with, shape (others,).
            other_values: Likewise.

        Returns:
            The difference, its interval, and the number of rows of the smaller side.
        """
        first, second = self.mean(cells, values), self.mean(other_cells, other_values)
        if first.value is None or second.value is None:
            return Estimate(None, None, None, 0)
        samples = self.means(cells, values) - self.means(other_cells, other_values)
        num_cells = min(count_cells(cells, values), count_cells(other_cells, other_values))
        return self._estimate(first.value - second.value, samples, min(first.num_rows, second.num_rows), num_cells)

    def _estimate(self, value: float, samples: NDArray[np.float64], count: int, num_cells: int) -> Estimate:
        interval = self.interval(samples, num_cells)
        low, high = interval or (None, None)
        return Estimate(value, low, high, count)


def tail_shares(num_clusters: int) -> Sequence[float]:
    """Return the percentiles that make a 95 % interval of so many independent clusters.

    Args:
        num_clusters: How many, at least two.

    Returns:
        The lower and the upper share; 0.025 and 0.975 for very many.

    Example:
        >>> [round(share, 4) for share in tail_shares(20)]
        [0.0159, 0.9841]
    """
    from scipy.special import ndtr

    wide = math.sqrt(num_clusters / (num_clusters - 1)) * student_quantile(num_clusters)
    return float(ndtr(-wide)), float(ndtr(wide))


def student_quantile(num_clusters: int) -> float:
    """Return what Student's t has in place of 1.96 where a variance is known from so many independent clusters.

    Args:
        num_clusters: How many, at least two.

    Returns:
        The 97.5 % quantile with `num_clusters - 1` degrees of freedom.

    Example:
        >>> round(student_quantile(10), 3)
        2.262
    """
    from scipy.special import stdtrit

    return float(stdtrit(num_clusters - 1, 0.975))
