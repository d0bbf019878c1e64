"""How probable it is that one response of a prompt beats another."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.errors import RecordError, UsageError, clip
from real_cli.records.choices import Evidence
from real_cli.records.messages import is_number
from real_cli.records.record import Record
from real_cli.records.response_fields import read_numbers, responses_of, values_of, with_values

# What two probabilities that are each other's rest may miss of 1, having been written and read as decimals.
TOLERANCE = 1e-6


def sigmoid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 / (1 + exp(-x)), which overflows nowhere.

    Args:
        values: Any shape; infinities too.

    Returns:
        Numbers in [0, 1], the same shape.

    Example:
        >>> sigmoid(np.array([-np.inf, 0.0, 2.0])).round(6)
        array([0.      , 0.5     , 0.880797])
    """
    small = np.exp(-np.abs(values))
    return np.asarray(np.where(values >= 0, 1.0, small) / (1.0 + small))


def check_temperature(temperature: float | None) -> float:
    """Check what a gap in score is divided by.

    Args:
        temperature: What the user gave, if anything.

    Returns:
        The number, 1 if none was given.

    Raises:
        UsageError: If it is not above 0, or infinite.

    Example:
        >>> check_temperature(None), check_temperature(0.5)
        (1.0, 0.5)
    """
    if temperature is None:
        return 1.0
    if not 0 < temperature < np.inf:
        raise UsageError(f"--temperature {temperature:g}: must be a number above 0")
    return temperature


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


def given_preferences(record: Record, temperature: float = 1.0) -> NDArray[np.float64]:
    """Read the preference probabilities that a judge or a pairwise reward model left on the record.

    They may go in a circle, and stay so. The diagonal is 1/2 whatever stands there.

    Args:
        record: A candidates record with `preferences`, n lists of n numbers: how probable it is that i beats j.
        temperature: Of scores; probabilities that are given have none.

    Returns:
        The probability that i beats j, shape (n, n), 1/2 on the diagonal.

    Raises:
        RecordError: If the matrix is missing or has another size, a number is outside [0, 1], two that belong together
            do not sum to 1, or the record is a labeled pair, which does not keep the order that the matrix is in.

    Example:
        >>> record = {"prompt": "q", "responses": [{"text": "a"}, {"text": "b"}], "preferences": [[0, 0.75], [0.25, 0]]}
        >>> given_preferences(record)
        array([[0.5 , 0.75],
               [0.25, 0.5 ]])

    References:
        Wu et al., 2024, SPPO, arXiv:2405.00675: general preferences.
    """
    check_order(record)
    rows, size = record.get("preferences"), len(responses_of(record))
    if rows is None:
        raise RecordError("field 'preferences' is missing; 'real relabel judge' makes it, or use --from scores")
    if not isinstance(rows, list) or len(rows) != size or not all(_is_row(row, size) for row in rows):
        raise RecordError(f"field 'preferences' is {clip(rows)}; {size} lists of {size} numbers are needed")
    for i, row in enumerate(rows):
        for j in range(i):
            _check_odds(row[j], rows[j][i], f"field 'preferences': responses {i + 1} and {j + 1} have")
    matrix = np.array(rows, dtype=np.float64).reshape(size, size)
    np.fill_diagonal(matrix, 0.5)
    return matrix


def _is_row(row: Any, size: int) -> bool:
    return isinstance(row, list) and len(row) == size and all(map(is_number, row))


def _check_odds(first: float, second: float, whose: str) -> None:
    if not (0 <= first <= 1 and 0 <= second <= 1):
        raise RecordError(f"{whose} {first!r} and {second!r}; probabilities from 0 to 1 are needed")
    if abs(first + second - 1) > TOLERANCE:
        raise RecordError(f"{whose} {first!r} and {second!r}; the two must sum to 1")


def check_order(record: Record) -> None:
    """Refuse a labeled pair where a matrix over the responses is read or written.

    Args:
        record: A checked record.

    Raises:
        RecordError: If it is no candidates record.

    Example:
        >>> check_order({"prompt": "q", "responses": []})
    """
    if "responses" not in record:
        raise RecordError(
            "a labeled pair does not keep the order that 'preferences' is in; run 'real relabel winprob' before it is "
            "labeled"
        )


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
