"""Bradley-Terry strengths of models that met in pairs, with a covariance clustered by prompt."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from real_cli.stats.logistic import Floats, maximize_likelihood
from real_cli.stats.numeric import sigmoid


class Strengths(NamedTuple):
    """How strong models are, as log-strengths: P(i beats j) = sigmoid(s_i - s_j).

    Attributes:
        values: Their mean is 0, shape (models,).
        covariance: Of the values, clustered, shape (models, models); its rows sum to 0.
        num_clusters: How many independent groups of comparisons it stands on.
    """

    values: Floats
    covariance: Floats
    num_clusters: int


def fit_bradley_terry(first: ArrayLike, second: ArrayLike, points: ArrayLike, clusters: ArrayLike) -> Strengths | None:
    """Fit the strengths of all models to their comparisons; a tie is half a win and half a loss.

    Args:
        first: Which model stands on the left of each comparison, from 0, shape (rows,).
        second: Which on the right, shape (rows,).
        points: Of the first: 1 for a win, 0.5 for a tie, 0 for a loss, shape (rows,).
        clusters: Comparisons with the same number (of one prompt) are not independent, shape (rows,).

    Returns:
        Strengths, with G / (G - 1) times the sandwich covariance of G clusters; None where no finite strengths are the
        likeliest (see `groups_of`), or for fewer than two clusters.

    Example:
        >>> fit = fit_bradley_terry([0, 0, 0, 0], [1, 1, 1, 1], [1, 1, 1, 0], [0, 1, 2, 3])
        >>> fit.values.round(6)  # log 3 apart
        array([ 0.549306, -0.549306])

    References:
        Bradley and Terry, 1952, Biometrika 39, 324-345; the sandwich: Liang and Zeger, 1986, Biometrika 73, eq. 7.
    """
    left, right = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
    gained = np.asarray(points, dtype=np.float64)
    names, groups = np.unique(np.asarray(clusters), return_inverse=True)
    num_models = int(max(left.max(initial=-1), right.max(initial=-1))) + 1
    if names.size < 2 or len(groups_of(left, right, gained)) > 1:
        return None
    strengths = _maximize(left, right, gained, num_models)
    if strengths is None:
        return None
    chances = sigmoid(strengths[left] - strengths[right])
    bread = _inverse_information(left, right, chances * (1 - chances), num_models)
    covariance = names.size / (names.size - 1) * bread @ _meat(left, right, gained - chances, groups) @ bread
    return Strengths(strengths, covariance, int(names.size))


def groups_of(first: ArrayLike, second: ArrayLike, points: ArrayLike) -> list[list[int]]:
    """Split models into groups such that strengths can be compared within a group alone.

    There are finite likeliest strengths exactly where, however the models are parted in two, some model of either part
    got something off one of the other.

    Args:
        first: Which model stands on the left of each comparison, from 0, shape (rows,).
        second: Which on the right, shape (rows,).
        points: Of the first: 1 for a win, 0.5 for a tie, 0 for a loss, shape (rows,).

    Returns:
        Models in groups, both in order; one group where all can be ranked.

    Example:
        >>> groups_of([0, 1, 0], [1, 2, 2], [1, 0.5, 1])  # nobody got anything off 0
        [[0], [1, 2]]

    References:
        Ford, 1957, American Mathematical Monthly 64, 28-33.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    left, right = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
    gained = np.asarray(points, dtype=np.float64)
    if not left.size:
        return []
    size = int(max(left.max(), right.max())) + 1
    winners = np.concatenate([left[gained > 0], right[gained < 1]])
    losers = np.concatenate([right[gained > 0], left[gained < 1]])
    graph = coo_array((np.ones(winners.size), (winners, losers)), shape=(size, size))
    _, labels = connected_components(graph, directed=True, connection="strong")
    return sorted(np.flatnonzero(labels == label).tolist() for label in np.unique(labels))


def _maximize(left: NDArray[np.int64], right: NDArray[np.int64], points: Floats, num_models: int) -> Floats | None:
    """Rows of the same two models are one row with a weight; the first model's strength is 0 until all are centered."""
    met, groups = np.unique(left * num_models + right, return_inverse=True)
    counts = np.bincount(groups).astype(np.float64)
    shares = np.bincount(groups, weights=points) / counts
    features = np.zeros((met.size, num_models))
    features[np.arange(met.size), met // num_models] += 1
    features[np.arange(met.size), met % num_models] -= 1
    solution = maximize_likelihood(features[:, 1:], shares, counts)
    if solution is None:
        return None
    strengths = np.concatenate([[0.0], solution])
    centered: Floats = strengths - strengths.mean()
    return centered


def _inverse_information(left: NDArray[np.int64], right: NDArray[np.int64], weights: Floats, num_models: int) -> Floats:
    """Invert the information among strengths that sum to 0; it is singular along their common shift."""
    cells = np.bincount(left * num_models + right, weights=weights, minlength=num_models**2)
    mutual = cells.reshape(num_models, num_models)
    mutual = mutual + mutual.T
    shift = np.full((num_models, num_models), 1 / num_models)
    inverse: Floats = np.linalg.inv(np.diag(mutual.sum(axis=1)) - mutual + shift) - shift
    return inverse


def _meat(left: NDArray[np.int64], right: NDArray[np.int64], residuals: Floats, groups: NDArray[np.int64]) -> Floats:
    from scipy.sparse import coo_array

    values = np.concatenate([residuals, -residuals])
    scores = coo_array((values, (np.concatenate([groups, groups]), np.concatenate([left, right])))).tocsr()
    meat: Floats = (scores.T @ scores).toarray()
    return meat
