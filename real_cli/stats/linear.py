"""A straight line through points, with standard errors that know which points belong together."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from real_cli.stats.bootstrap import FEWEST_CELLS, student_quantile
from real_cli.stats.intervals import Estimate


class LineFit(NamedTuple):
    """A fitted line.

    Attributes:
        intercept: Its height at x = 0, with a 95% interval.
        slope: How much y changes where x grows by 1, with a 95% interval.
        num_clusters: How many independent groups of points it stands on.
    """

    intercept: Estimate
    slope: Estimate
    num_clusters: int


def fit_line(x: ArrayLike, y: ArrayLike, clusters: ArrayLike) -> LineFit | None:
    """Fit y = intercept + slope * x by least squares, with the sandwich covariance of clustered points.

    Args:
        x: Finite numbers, shape (rows,).
        y: Finite numbers, shape (rows,).
        clusters: Points with the same number are not independent, shape (rows,).

    Returns:
        Intercept and slope. Their intervals are of Student's t with G - 1 degrees of freedom for G clusters, and the
        covariance is G / (G - 1) * (n - 1) / (n - 2) times the sandwich; None stands for the ends where there are
        fewer than ten clusters. No line at all for fewer than three points, or where all x are equal.

    Example:
        >>> fit = fit_line([0, 1, 2], [1.0, 3.0, 5.0], [0, 1, 2])
        >>> round(fit.intercept.value, 9), round(fit.slope.value, 9), fit.slope.low
        (1.0, 2.0, None)

    References:
        Liang and Zeger, 1986, Biometrika 73, 13-22, eq. 7 (the sandwich); Cameron and Miller, 2015, Journal of Human
        Resources 50, 317-372, sections II.C and VI (its factor, and the degrees of freedom).
    """
    positions, heights = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if positions.size < 3 or np.ptp(positions) == 0:
        return None
    # Lengths are thousands and margins tenths: a feature of spread 1 loses no digits.
    scale = float(positions.std())
    design = np.stack([np.ones(positions.size), positions / scale], axis=1)
    bread = np.linalg.inv(design.T @ design)
    coefficients = bread @ (design.T @ heights)
    names, groups = np.unique(np.asarray(clusters), return_inverse=True)
    half = np.full(2, np.nan)
    if names.size >= FEWEST_CELLS:
        half = student_quantile(names.size) * _errors(design, heights - design @ coefficients, bread, groups)
    intercept, slope = (
        _estimate(value / unit, end / unit, positions.size)
        for value, end, unit in zip(coefficients.tolist(), half.tolist(), (1.0, scale), strict=True)
    )
    return LineFit(intercept, slope, int(names.size))


def _errors(
    design: NDArray[np.float64], residuals: NDArray[np.float64], bread: NDArray[np.float64], groups: NDArray[np.int64]
) -> NDArray[np.float64]:
    size, count = residuals.size, int(groups.max()) + 1
    scores = np.stack([np.bincount(groups, weights=column * residuals) for column in design.T], axis=1)
    factor = count / (count - 1) * (size - 1) / (size - 2)
    errors: NDArray[np.float64] = np.sqrt(np.diag(factor * bread @ (scores.T @ scores) @ bread))
    return errors


def _estimate(value: float, half: float, count: int) -> Estimate:
    if np.isnan(half):
        return Estimate(value, None, None, count)
    return Estimate(value, value - half, value + half, count)
