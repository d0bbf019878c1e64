"""Strategies that look at embeddings alone: they choose before anything is labeled.

Ties go to the first pair in lexicographic order of (i, j).
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from real_cli.pair.strategies.pool import Pair, Pool
from real_cli.pair.strategies.rule import KeepRule, Rule
from real_cli.records.vectors import Vectors

# Up to here every split in two is tried (2 ** 11 of them); beyond, Lloyd's iterations from the least similar pair.
EXACT_SPLIT_LIMIT = 12


def choose_easy(pool: Pool) -> list[Pair]:
    """Choose the least similar pair, REAL's proposal: dissimilar responses are labeled with fewer errors.

    Args:
        pool: Reads similarities.

    Returns:
        One pair, argmin over i < j of the cosine similarity.

    Example:
        >>> vectors = np.array([[1, 0], [0.96, 0.28], [0.8, 0.6], [0, 1]])
        >>> choose_easy(Pool(4, similarities=vectors @ vectors.T))
        [(0, 3)]

    References:
        Zhang et al., 2024, REAL, arXiv:2409.17169, section 3.
    """
    return [_best_pair(-pool.similarities)]


def choose_hard(pool: Pool) -> list[Pair]:
    """Choose the most similar pair, REAL's opposite.

    Args:
        pool: Reads similarities.

    Returns:
        One pair, argmax over i < j of the cosine similarity.

    Example:
        >>> vectors = np.array([[1, 0], [0.96, 0.28], [0.8, 0.6], [0, 1]])
        >>> choose_hard(Pool(4, similarities=vectors @ vectors.T))
        [(0, 1)]

    References:
        Zhang et al., 2024, REAL, arXiv:2409.17169, section 3.
    """
    return [_best_pair(pool.similarities)]


def choose_centroid(pool: Pool) -> list[Pair]:
    """Choose the two responses nearest to the centers of a 2-means split.

    The paper's code takes scikit-learn's KMeans with a fixed seed. A prompt has few responses, so the best split is
    found by trying all of them, and a response is nearest among those of its own cluster: the pair never holds the
    same response twice. In a cluster of two both are equally near: the first is taken.

    Args:
        pool: Reads embeddings and similarities.

    Returns:
        One pair, in the order of the responses.

    Example:
        >>> vectors = np.array([[1, 0], [0.96, 0.28], [0.8, 0.6], [0, 1]])
        >>> choose_centroid(Pool(4, similarities=vectors @ vectors.T, embeddings=vectors))
        [(1, 3)]

    References:
        Zhang et al., 2024, REAL, arXiv:2409.17169, section 3; code of `cluster_center`.
    """
    first = split_in_two(pool.embeddings, pool.similarities)
    i, j = sorted(_nearest_to_mean(pool.embeddings, members) for members in (first, ~first))
    return [(i, j)]


def choose_random(pool: Pool) -> list[Pair]:
    """Choose a pair uniformly, the baseline. The paper's code takes the 2nd and 3rd response whenever n > 3.

    Args:
        pool: Reads draw.

    Returns:
        One pair, in the order of the responses.

    Example:
        >>> (i, j), = choose_random(Pool(5))
        >>> 0 <= i < j < 5
        True
    """
    i, j = sorted(pool.draw.sample(range(pool.size), 2))
    return [(i, j)]


def choose_aepo(pool: Pool) -> list[Pair]:
    """Choose the pair that represents all responses well and repeats itself little.

    Maximizes (r_i + r_j) / 2 - lambda * u_ij with r_i the mean similarity of i to the others; for two annotations a
    prompt the search is over all pairs, so nothing is left to a local search.

    Args:
        pool: Reads similarities and aepo_lambda; 0 is pure representativeness, infinity is `choose_easy`.

    Returns:
        One pair.

    Example:
        >>> u = np.array([[1, 0.9, 0.1, 0.5], [0.9, 1, 0.2, 0.5], [0.1, 0.2, 1, 0.5], [0.5, 0.5, 0.5, 1]])
        >>> choose_aepo(Pool(4, similarities=u, aepo_lambda=1.0))
        [(0, 2)]

    References:
        Jinnai and Honda, 2024, AEPO, arXiv:2405.13541, eq. 5.
    """
    # The objective over max(1, lambda): the same order, and an infinite lambda is a number like others.
    weight = max(1.0, pool.aepo_lambda)
    representative = _representative(pool.similarities) / weight
    return [_best_pair(representative - min(1.0, pool.aepo_lambda) * pool.similarities)]


def aepo_objective(similarities: Vectors, aepo_lambda: float) -> Vectors:
    """Work out AEPO's objective for every pair.

    Args:
        similarities: Cosine similarities, shape (n, n); the diagonal does not count.
        aepo_lambda: Weight of diversity.

    Returns:
        Matrix with [i, j] = the objective of choosing i and j, shape (n, n).

    Example:
        >>> u = np.array([[1, 0.9, 0.1, 0.5], [0.9, 1, 0.2, 0.5], [0.1, 0.2, 1, 0.5], [0.5, 0.5, 0.5, 1]])
        >>> aepo_objective(u, 1.0)[0, 2].round(4)
        np.float64(0.2833)
    """
    return np.asarray(_representative(similarities) - aepo_lambda * similarities)


def _representative(similarities: Vectors) -> Vectors:
    """Work out, for every pair, how similar its two are to all others on average."""
    means = (similarities.sum(axis=1) - np.diag(similarities)) / (len(similarities) - 1)  # (n,)
    return np.asarray((means[:, None] + means[None, :]) / 2)


def _best_pair(values: Vectors) -> Pair:
    """Return the i < j with the largest value; the first one of equals."""
    places = _upper_triangle(len(values))
    return divmod(int(places[values.take(places).argmax()]), len(values))


@lru_cache(maxsize=16)
def _upper_triangle(size: int) -> NDArray[np.intp]:
    """Return the places of all i < j in a flattened square matrix; most prompts have one of a few sizes."""
    return np.flatnonzero(np.triu(np.ones((size, size), dtype=bool), k=1))


def split_in_two(embeddings: Vectors, similarities: Vectors) -> NDArray[np.bool_]:
    """Split the responses in two clusters with the least sum of squared distances to their means.

    Args:
        embeddings: Unit vectors, shape (n, dim).
        similarities: Their products, shape (n, n).

    Returns:
        Membership of the first cluster, shape (n,); neither cluster is empty, and the first holds response 0.

    Example:
        >>> vectors = np.array([[1, 0], [0.96, 0.28], [0.8, 0.6], [0, 1]])
        >>> split_in_two(vectors, vectors @ vectors.T)
        array([ True,  True,  True, False])
    """
    size = len(embeddings)
    if size > EXACT_SPLIT_LIMIT:
        return _lloyd(embeddings, _best_pair(-similarities))
    codes = np.arange(2 ** (size - 1) - 1)  # response 0 is always in the first cluster; not all others may be
    first = np.column_stack([np.ones_like(codes), (codes[:, None] >> np.arange(size - 1)) & 1]).astype(float)
    # Unit vectors: the sum of squares around a cluster's mean is its size minus |sum of the vectors|^2 / size.
    explained = sum(
        np.einsum("ki,ij,kj->k", side, similarities, side) / side.sum(axis=1) for side in (first, 1.0 - first)
    )
    return np.asarray(first[int(np.argmax(explained))] > 0)


def _lloyd(embeddings: Vectors, start: Pair, rounds: int = 100) -> NDArray[np.bool_]:
    centers = embeddings[list(start)]
    members = np.zeros(len(embeddings), dtype=bool)
    for _ in range(rounds):
        distances = ((embeddings[:, None, :] - centers[None, :, :]) ** 2).sum(axis=2)  # (n, 2)
        nearer = distances[:, 0] < distances[:, 1]
        nearer[start[0]], nearer[start[1]] = True, False  # neither cluster may run empty
        if (nearer == members).all():
            break
        members = nearer
        centers = np.stack([embeddings[members].mean(axis=0), embeddings[~members].mean(axis=0)])
    return members if members[0] else ~members


def _nearest_to_mean(embeddings: Vectors, members: NDArray[np.bool_]) -> int:
    indices = np.flatnonzero(members)
    distances = ((embeddings[indices] - embeddings[indices].mean(axis=0)) ** 2).sum(axis=1)
    # Rounding must not decide between two responses at the same distance.
    return int(indices[int(np.argmin(distances.round(12)))])


ROWS = {
    "easy": Rule(choose_easy, note="least similar", needs_embeddings=True, keep=KeepRule("similarity", lowest=True)),
    "hard": Rule(choose_hard, note="most similar", needs_embeddings=True, keep=KeepRule("similarity", lowest=False)),
    "centroid": Rule(choose_centroid, note="nearest to the two cluster centers", needs_embeddings=True),
    "random": Rule(choose_random, needs_draw=True, keep=KeepRule("random", lowest=True)),
    "aepo": Rule(
        choose_aepo,
        note="representative and diverse",
        needs_embeddings=True,
        reads=frozenset({"aepo_lambda"}),
    ),
}
