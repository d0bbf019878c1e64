"""How probable it is that one response of a prompt beats another."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from real_cli.records.messages import is_number
from real_cli.records.preferences import given_preferences
from real_cli.records.record import Record
from real_cli.records.response_fields import read_numbers, values_of, with_values
from real_cli.relabel.winprob.choices import Evidence
from real_cli.stats.numeric import sigmoid

# Rows of a matrix at a time: the whole would take a gigabyte for ten thousand responses.
ROWS = 256


def scored_preferences(record: Record, temperature: float = 1.0) -> Iterator[NDArray[np.float64]]:
    """Read preference probabilities off scores by Bradley and Terry, P[i, j] = sigmoid((s_i - s_j) / T).

    Transitive by construction: scores cannot say that paper beats rock, rock scissors, and scissors paper.

    >>> record = {"prompt": "q", "responses": [{"text": "a", "score": 2}, {"text": "b", "score": 0}]}
    >>> np.concatenate(list(scored_preferences(record)))
    array([[0.5       , 0.88079708],
           [0.11920292, 0.5       ]])

    References:
        Wu et al., 2024, SPPO, arXiv:2405.00675; its code has sigmoid(score_i - score_j) of PairRM's scores.
    """
    scores = np.array(read_numbers(record, "score", "'relabel winprob'"), dtype=np.float64)
    with np.errstate(over="ignore"):  # a gap beyond all floats is infinite, and its probability 0 or 1
        for start in range(0, len(scores), ROWS):
            yield sigmoid((scores[start : start + ROWS, None] - scores[None, :]) / temperature)


def add_win_probabilities(record: Record, probabilities: list[float]) -> Record:
    """Put the win probability on each response, and where none has a score, as the score too: `pair` orders by it.

    >>> record = {"prompt": "q", "responses": [{"text": "a"}, {"text": "b"}]}
    >>> add_win_probabilities(record, [0.7, 0.3])["responses"]
    [{'text': 'a', 'prob': 0.7, 'score': 0.7}, {'text': 'b', 'prob': 0.3, 'score': 0.3}]
    """
    with_probs = with_values(record, "prob", probabilities)
    if any(is_number(score) for score in values_of(record, "score")):
        return with_probs
    return with_values(with_probs, "score", probabilities)


def win_probabilities(preferences: Iterable[NDArray[np.float64]]) -> list[float]:
    """Return how probable it is that each response beats one of all drawn at random, itself at 1/2 among them.

    >>> win_probabilities([np.array([[0.5, 0.9], [0.1, 0.5]])])
    [0.7, 0.3]

    References:
        Wu et al., 2024, SPPO, arXiv:2405.00675: the mean over the K samples of a prompt.
    """
    return [mean for block in preferences for mean in (block.sum(axis=1) / block.shape[1]).tolist()]


def _given(record: Record, temperature: float) -> Iterator[NDArray[np.float64]]:
    yield given_preferences(record)


PREFERENCES: dict[Evidence, Callable[[Record, float], Iterator[NDArray[np.float64]]]] = {
    Evidence.scores: scored_preferences,
    Evidence.preferences: _given,
}
