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


def intercept_terms(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Write the height at x = 0 of least squares lines as a mean over points, so that errors of means are its errors.

    A term is the height plus the point's influence on it; the mean of the terms is the height of `fit_line`. Terms are
    linear in y: those of a difference of two columns are the difference of their terms.

    Args:
        x: Finite numbers that are not all equal, shape (rows,).
        y: Finite numbers, a line for each column, shape (rows, lines).

    Returns:
        The terms, shape (rows, lines).

    Example:
        >>> terms = intercept_terms(np.array([-1.0, 0, 1, 2]), np.array([[0.0], [3], [4], [9]]))
        >>> round(float(terms.mean()), 9), round(fit_line([-1, 0, 1, 2], [0, 3, 4, 9], [0, 1, 2, 3]).intercept.value, 9)
        (2.6, 2.6)

    References:
        Liang and Zeger, 1986, Biometrika 73, 13-22: the sum of squares of such influences is the sandwich.
    """
    centered = x - x.mean()
    squares = float((centered**2).sum())
    slopes = centered @ y / squares
    heights = y.mean(axis=0) - slopes * x.mean()
    weights = 1 - x.size * x.mean() * centered / squares
    terms: NDArray[np.float64] = heights + weights[:, None] * (y - heights - np.outer(x, slopes))
    return terms


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
