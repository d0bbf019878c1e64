"""A pairwise reward model's scores, on their record."""

import numpy as np
from numpy.typing import NDArray

from real_cli.errors import RecordError
from real_cli.records.record import Record, is_preference
from real_cli.stats.numeric import sigmoid


def antisymmetrize(differences: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return m(a, b) = (d(a, b) - d(b, a)) / 2, which does not depend on the order that a model was asked in.

    >>> antisymmetrize(np.array([[0.0, 3.0], [1.0, 0.0]]))
    array([[ 0.,  1.],
           [-1.,  0.]])

    References:
        Jiang et al., 2023, PairRM (LLM-Blender), arXiv:2306.02561, asks both orders; d(a, b) + d(b, a) = 0 is what a
        difference model is trained towards in Wang et al., 2024, RDO, arXiv:2408.09385.
    """
    return (differences - differences.T) / 2


def preferences_of(margins: NDArray[np.float64]) -> list[list[float]]:
    """Turn margins into probabilities P[i][j] = sigmoid(m_ij) that response i beats j.

    >>> preferences_of(np.array([[0.0, 2.0], [-2.0, 0.0]]))
    [[0.5, 0.8807970779778824], [0.11920292202211755, 0.5]]
    """
    # The smaller of the two is exact to its last digit, and 1 minus it makes the rounded sum 1.
    smaller = sigmoid(-np.abs(margins))
    rows: list[list[float]] = np.where(margins > 0, 1.0 - smaller, smaller).tolist()
    return rows


def add_differences(record: Record, differences: NDArray[np.float64]) -> Record:
    """Put what a pairwise model says on a record: a matrix on candidates, a margin on a labeled pair.

    A pair gets no matrix: its order would be lost where labels are swapped.

    >>> add_differences({"prompt": "q", "chosen": "a", "rejected": "b"}, np.array([[0.0, 3.0], [1.0, 0.0]]))
    {'prompt': 'q', 'chosen': 'a', 'rejected': 'b', 'margin': 1.0}
    """
    if not np.isfinite(differences).all():
        raise RecordError("the model's difference of two responses is not finite; try --dtype float32")
    margins = antisymmetrize(differences)
    if is_preference(record):
        return record | {"margin": float(margins[0, 1])}
    return record | {"preferences": preferences_of(margins)}
