"""How probable it is that one response of a prompt beats another."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from real_cli.records.messages import is_number
from real_cli.records.preferences import given_preferences
from real_cli.records.record import Record
from real_cli.records.response_fields import read_numbers, values_of, with_values
from real_cli.relabel.winprob.choices import Evidence
from real_cli.stats.numeric import sigmoid


def scored_preferences(record: Record, temperature: float = 1.0) -> NDArray[np.float64]:
    """Read preference probabilities off scores by Bradley and Terry, P[i, j] = sigmoid((s_i - s_j) / T).

    Transitive by construction: scores cannot say that paper beats rock, rock scissors, and scissors paper.

    Args:
        record: A candidates or preference record with a score on every response.
        temperature: T, > 0; the larger, the nearer to even odds.

    Returns:
        The probability that i beats j, shape (n, n), 1/2 on the diagonal.

    Raises:
        RecordError: If a score is missing.

    Example:
        >>> scored_preferences({"prompt": "q", "responses": [{"text": "a", "score": 2}, {"text": "b", "score": 0}]})
        array([[0.5       , 0.88079708],
               [0.11920292, 0.5       ]])

    References:
        Wu et al., 2024, SPPO, arXiv:2405.00675; its code has sigmoid(score_i - score_j) of PairRM's scores.
    """
    scores = np.array(read_numbers(record, "score", "'relabel winprob'"), dtype=np.float64)
    with np.errstate(over="ignore"):  # a gap beyond all floats is infinite, and its probability 0 or 1
        return sigmoid((scores[:, None] - scores[None, :]) / temperature)


def add_win_probabilities(record: Record, preferences: NDArray[np.float64]) -> Record:
    """Put the win probability of each response on it, and where no response has a score, make it the score too.

    Args:
        record: A checked record.
        preferences: The probability that i beats j, shape (n, n), 1/2 on the diagonal.

    Returns:
        The record with `prob` on every response; without scores `pair` would have nothing to order them by.

    Example:
        >>> record = {"prompt": "q", "responses": [{"text": "a"}, {"text": "b"}]}
        >>> add_win_probabilities(record, np.array([[0.5, 0.9], [0.1, 0.5]]))["responses"]
        [{'text': 'a', 'prob': 0.7, 'score': 0.7}, {'text': 'b', 'prob': 0.3, 'score': 0.3}]
    """
    probabilities = win_probabilities(preferences).tolist()
    made = with_values(record, "prob", probabilities)
    if any(is_number(score) for score in values_of(record, "score")):
        return made
    return with_values(made, "score", probabilities)


def win_probabilities(preferences: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how probable it is that each response beats one of all drawn at random, itself at 1/2 among them.

    Args:
        preferences: The probability that i beats j, shape (n, n), 1/2 on the diagonal.

    Returns:
        The mean of each row, shape (n,); their mean is 1/2.

    Example:
        >>> win_probabilities(np.array([[0.5, 0.9], [0.1, 0.5]]))
        array([0.7, 0.3])

    References:
        Wu et al., 2024, SPPO, arXiv:2405.00675: the mean over the K samples of a prompt.
    """
    return np.asarray(preferences.sum(axis=1) / max(1, len(preferences)))


PREFERENCES: dict[Evidence, Callable[[Record, float], NDArray[np.float64]]] = {
    Evidence.scores: scored_preferences,
    Evidence.preferences: given_preferences,
}
