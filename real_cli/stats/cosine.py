"""Cosine similarities of unit vectors, the same whatever their order."""

import numpy as np

from real_cli.records.vectors import Vectors


def cosine_similarities(embeddings: Vectors) -> Vectors:
    """Compare every response with every other.

    Args:
        embeddings: Unit vectors, shape (n, dim), or of several prompts at once, shape (batch, n, dim).

    Returns:
        Matrix with [i, j] = cosine similarity of i and j, in [-1, 1], symmetric. Shape (n, n) or (batch, n, n).

    Example:
        >>> cosine_similarities(np.array([[1.0, 0.0], [0.6, 0.8]]))
        array([[1. , 0.6],
               [0.6, 1. ]])
    """
    products = embeddings @ embeddings.swapaxes(-1, -2)
    # Blocked products may round [i, j] and [j, i] apart; a tie must not depend on the order of the responses.
    return np.minimum(np.maximum((products + products.swapaxes(-1, -2)) / 2, -1.0), 1.0)
