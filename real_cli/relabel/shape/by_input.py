"""Reward shaping by the whole input: its mean, its spread, its range.

PAR's official code keeps running statistics, which depend on the order of the input and on how it is split. Ours cover
all scores, so no record is shaped before the last one is read.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from real_cli.errors import RealError
from real_cli.relabel.shape.choices import Shaping

Scores: TypeAlias = NDArray[np.float64]


class Statistics(NamedTuple):
    """Statistics of all scores of the input: mean and standard deviation (over n, not n - 1), least and largest."""

    num_scores: int
    mean: float
    std: float
    low: float
    high: float

    @classmethod
    def of(cls, scores: Scores) -> "Statistics":
        """Measure scores.

        Args:
            scores: Of the whole input, shape (batch,), at least one.

        Returns:
            Their statistics.

        Raises:
            RealError: If they are too large to be summed.

        Example:
            >>> Statistics.of(np.array([1.0, 1.0, 4.0, 6.0]))
            Statistics(num_scores=4, mean=3.0, std=2.1213203435596424, low=1.0, high=6.0)
        """
        with np.errstate(over="ignore", invalid="ignore"):
            statistics = cls(len(scores), *(float(value) for value in (scores.mean(), scores.std(), *_ends(scores))))
        if not np.isfinite(statistics.mean + statistics.std):
            raise RealError("the scores are too large for a mean and a standard deviation; scale them first")
        return statistics


def _ends(scores: Scores) -> tuple[float, float]:
    return scores.min(), scores.max()


def shape_clip(scores: Scores, statistics: Statistics) -> Scores:
    """Return r clipped to one standard deviation around the mean of the input.

    Args:
        scores: Any shape.
        statistics: Of all scores of the input; running ones in the official code, which depend on the order.

    Returns:
        The same shape.

    Example:
        >>> shape_clip(np.array([0.0, 3.0, 9.0]), Statistics(3, 4.0, 2.0, 0.0, 9.0))
        array([2., 3., 6.])

    References:
        PAR's code, arXiv:2502.18770.
    """
    return np.asarray(scores.clip(statistics.mean - statistics.std, statistics.mean + statistics.std))


def shape_standardize(scores: Scores, statistics: Statistics) -> Scores:
    """Return (r - mean) / std of the input.

    Args:
        scores: Any shape.
        statistics: Of all scores of the input; running ones in the official code, which depend on the order.

    Returns:
        The same shape; over the input they have mean 0 and standard deviation 1.

    Raises:
        RealError: If all scores of the input are equal.

    Example:
        >>> shape_standardize(np.array([0.0, 9.0]), Statistics(2, 4.0, 2.0, 0.0, 9.0))
        array([-2. ,  2.5])

    References:
        PAR's code, arXiv:2502.18770.
    """
    _check_spread(statistics, Shaping.standardize)
    return np.asarray((scores - statistics.mean) / statistics.std)


def shape_min_max(scores: Scores, statistics: Statistics) -> Scores:
    """Return (r - min) / (max - min) of the input.

    Args:
        scores: Any shape.
        statistics: Of all scores of the input; running ones in the official code, which depend on the order.

    Returns:
        The same shape; over the input from 0 to 1.

    Raises:
        RealError: If all scores of the input are equal.

    Example:
        >>> shape_min_max(np.array([0.0, 3.0]), Statistics(2, 1.0, 1.0, 0.0, 4.0))
        array([0.  , 0.75])

    References:
        PAR's code, arXiv:2502.18770.
    """
    _check_spread(statistics, Shaping.min_max)
    return np.asarray((scores - statistics.low) / (statistics.high - statistics.low))


def _check_spread(statistics: Statistics, shaping: Shaping) -> None:
    if statistics.low == statistics.high:
        raise RealError(
            f"--method {shaping.value}: all {statistics.num_scores:,} scores are {statistics.low:g}; two different "
            "ones are needed"
        )
