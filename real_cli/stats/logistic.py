"""Logistic regression, small and exact: Newton's method, and a covariance that knows which rows belong together."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from real_cli.stats.numeric import sigmoid

Floats = NDArray[np.float64]

# statsmodels fits the same, and the tests compare with it; its import costs half a second, and pandas.
# Newton's steps double the correct digits; on separable data each adds about one to the log-odds, for ever.
MOST_STEPS = 30
MOST_HALVINGS = 20
STEP_TOLERANCE = 1e-9
LARGEST_CONDITION = 1e12
# What a fit is sure of: without it a coefficient of 0 would be 1e-17, and another 1e-17 on another processor.
FIT_DIGITS = 10


class LogisticFit(NamedTuple):
    """A fitted logistic regression.

    Attributes:
        coefficients: One a feature, shape (features,).
        covariance: Of the coefficients, clustered, shape (features, features).
        num_clusters: How many independent groups of rows it stands on.
    """

    coefficients: Floats
    covariance: Floats
    num_clusters: int


def fit_logistic(
    features: ArrayLike, outcomes: ArrayLike, clusters: ArrayLike, weights: ArrayLike | None = None
) -> LogisticFit | None:
    """Fit P(outcome = 1) = sigmoid(features @ coefficients), with the sandwich covariance of clustered rows.

    Args:
        features: One row each, shape (rows, features); a column of ones where an intercept is wanted.
        outcomes: From 0 to 1, shape (rows,); 0.5 is half a success and half a failure.
        clusters: Rows with the same number are not independent, shape (rows,).
        weights: How often each row counts, shape (rows,); once if not given.

    Returns:
        Coefficients and covariance, G / (G - 1) times the sandwich of G clusters; None where there is no finite
        maximum (separable data), the features are collinear, or there are fewer than two clusters.

    Example:
        >>> fit = fit_logistic(np.ones((4, 1)), [1, 1, 1, 0], [0, 1, 2, 3])
        >>> fit.coefficients.round(6), fit.covariance.round(6)  # log 3; G/(G-1) * .75 / .75^2
        (array([1.098612]), array([[1.777778]]))

    References:
        Liang and Zeger, 1986, Biometrika 73, 13-22, eq. 7 (the sandwich); Albert and Anderson, 1984, Biometrika 71,
        1-10 (when there is no finite maximum).
    """
    design, shares = np.asarray(features, dtype=np.float64), np.asarray(outcomes, dtype=np.float64)
    counts = np.ones(shares.size) if weights is None else np.asarray(weights, dtype=np.float64)
    names, groups = np.unique(np.asarray(clusters), return_inverse=True)
    coefficients = maximize_likelihood(design, shares, counts)
    if coefficients is None or names.size < 2:
        return None
    chances = sigmoid(design @ coefficients)
    residuals = counts * (shares - chances)
    scores = np.stack([np.bincount(groups, weights=column * residuals) for column in design.T], axis=1)
    bread = np.linalg.inv(_information(design, counts * chances * (1 - chances)))
    covariance = names.size / (names.size - 1) * bread @ (scores.T @ scores) @ bread
    return LogisticFit(coefficients, covariance, int(names.size))


def maximize_likelihood(features: Floats, outcomes: Floats, weights: Floats) -> Floats | None:
    """Find the coefficients of the largest likelihood by Newton's method.

    Args:
        features: Shape (rows, features).
        outcomes: From 0 to 1, shape (rows,).
        weights: How often each row counts, shape (rows,).

    Returns:
        Coefficients, shape (features,); None where the steps do not come to rest.

    Example:
        >>> one = np.ones((2, 1))
        >>> maximize_likelihood(one, np.array([1.0, 0.0]), np.array([3.0, 1.0])).round(6)
        array([1.098612])
        >>> maximize_likelihood(one, np.array([1.0, 1.0]), np.array([3.0, 1.0])) is None  # separable
        True
    """
    coefficients = np.zeros(features.shape[1])
    reached = _log_likelihood(features, outcomes, weights, coefficients)
    for _ in range(MOST_STEPS):
        chances = sigmoid(features @ coefficients)
        information = _information(features, weights * chances * (1 - chances))
        if not np.isfinite(information).all() or np.linalg.cond(information) > LARGEST_CONDITION:
            return None
        step = np.linalg.solve(information, features.T @ (weights * (outcomes - chances)))
        for _ in range(MOST_HALVINGS):
            likelihood = _log_likelihood(features, outcomes, weights, coefficients + step)
            if likelihood >= reached - 1e-12 * abs(reached):
                break
            step /= 2
        coefficients, reached = coefficients + step, likelihood
        if np.abs(step).max(initial=0.0) <= STEP_TOLERANCE * (1 + np.abs(coefficients).max(initial=0.0)):
            return coefficients
    return None


def _information(features: Floats, weights: Floats) -> Floats:
    information: Floats = (features * weights[:, None]).T @ features
    return information


def _log_likelihood(features: Floats, outcomes: Floats, weights: Floats, coefficients: Floats) -> float:
    odds = features @ coefficients
    return float(weights @ (outcomes * odds - np.logaddexp(0, odds)))
