"""Who beats whom among a prompt's responses: the matrix that a judge or a pairwise reward model leaves."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.errors import RecordError, clip
from real_cli.records.choices import MAX_RESPONSES
from real_cli.records.messages import is_number
from real_cli.records.record import Record
from real_cli.records.response_fields import responses_of

# How far two complementary probabilities may miss a sum of 1 after a round trip through decimals.
TOLERANCE = 1e-6


def given_preferences(record: Record) -> NDArray[np.float64]:
    """Read the preference probabilities that a judge or a pairwise reward model left on the record.

    They may form cycles, and keep them. The diagonal is 1/2 whatever stands there.

    Args:
        record: A candidates record with `preferences`, n lists of n numbers: how probable it is that i beats j.

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


def check_size(record: Record, max_responses: int = MAX_RESPONSES) -> None:
    """Refuse a matrix over more responses than memory may be asked for.

    Args:
        record: A checked candidates record.
        max_responses: The most.

    Raises:
        RecordError: If it has more.

    Example:
        >>> check_size({"prompt": "q", "responses": [{"text": "a"}]}, max_responses=1)
    """
    count = len(record["responses"])
    if count > max_responses:
        raise RecordError(f"has {count:,} responses, and {max_responses:,} are compared at most; raise --max-responses")
