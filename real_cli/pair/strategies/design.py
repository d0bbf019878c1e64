"""A strategy that plans a comparison as an experiment: which label would say most about what matters.

Ties go to the first pair in lexicographic order of (i, j).
"""

import numpy as np
from numpy.typing import NDArray

from real_cli.pair.strategies.pool import Pair, Pool
from real_cli.pair.strategies.rule import Rule
from real_cli.records.vectors import Vectors

# The ridge of the published settings, 1e-3, over the square of DPO's beta there, 0.1: features are not times beta here.
RIDGE = 1e-3 / 0.1**2


def choose_information(pool: Pool) -> list[Pair]:
    """Choose the pair whose label would tell most of the directions in which the responses vary.

    A policy that is log-linear in features f has, at the policy that wrote the responses, the Fisher information I =
    Cov(f), and the label of a pair (i, j) adds g g^T with g = f_i - f_j. The pair that leaves the least of what
    matters unknown has the smallest tr(I (r Id + g g^T)^-1), which is the largest g^T I g / (r + g^T g), with the
    ridge r = 0.1. choose_easy looks at g^T g alone; here a long difference counts for what others vary along it too.

    The published design weighs the pairs of all prompts together and draws from these weights. Here each prompt is a
    design of one label, so that records stream and shards agree. Its features are the last hidden state of the SFT
    model, as of 'real embed --pooling last'; any embedding will do.

    Args:
        pool: Reads similarities.

    Returns:
        One pair, in the order of the responses.

    Example:
        >>> vectors = np.array([[1, 0], [0.8, 0.6], [0, 1], [0, 1]])
        >>> choose_information(Pool(4, similarities=vectors @ vectors.T))
        [(0, 2)]

    References:
        Han, Goyal and Ma, 2026, Which Pairs to Compare for LLM Post-Training?, arXiv:2606.19607: the plug-in criterion
        tr(I Sigma_D^-1).
    """
    first, second = np.triu_indices(len(pool.similarities), k=1)
    # Rounded: which of two pairs that tell as much comes first must not hang on the last digit.
    most = information_gains(pool.similarities)[first, second].round(12).argmax()
    return [(int(first[most]), int(second[most]))]


def information_gains(similarities: Vectors, ridge: float = RIDGE) -> NDArray[np.float64]:
    """Work out how much of what is unknown the label of each pair removes.

    Args:
        similarities: Products of the features, f_i . f_j, shape (n, n).
        ridge: r, what is known of every direction beforehand, > 0.

    Returns:
        Matrix with [i, j] = g^T I g / (r + g^T g), where g = f_i - f_j and I is the covariance of the features over n;
        shape (n, n), 0 on the diagonal.

    Example:
        >>> information_gains(np.eye(2), ridge=1.0).round(4)
        array([[0.    , 0.3333],
               [0.3333, 0.    ]])

    References:
        Han, Goyal and Ma, 2026, arXiv:2606.19607; one label by Sherman and Morrison: real-methods(7), section 22(i).
    """
    # I g needs no features: g^T I g = |H S (e_i - e_j)|^2 / n, with S the products and H what takes off the mean.
    centered = similarities - similarities.mean(axis=0)
    inner = centered.T @ centered  # (n, n)
    squares = np.diag(inner)
    spread = (squares[:, None] + squares - 2 * inner) / len(similarities)
    norms = np.diag(similarities)
    lengths = norms[:, None] + norms - 2 * similarities
    gains = np.maximum(spread, 0.0) / (ridge + np.maximum(lengths, 0.0))
    np.fill_diagonal(gains, 0.0)
    return np.asarray(gains)


ROWS = {
    "information": Rule(
        choose_information, note="the label that tells most of how the responses vary", needs_embeddings=True
    ),
}
