"""Numbers on the responses of a record, whatever its shape: read them, and put new ones back where they belong."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.errors import RecordError, clip
from real_cli.records.messages import is_number
from real_cli.records.record import Record, to_candidates

ROLES = ("chosen", "rejected")


# What two probabilities that are each other's rest may miss of 1, having been written and read as decimals.
TOLERANCE = 1e-6


def responses_of(record: Record) -> list[Record]:
    """List the responses of a record as objects.

    Args:
        record: A checked candidates or preference record.

    Returns:
        The responses of candidates; chosen and rejected of a pair, in this order.

    Example:
        >>> responses_of({"prompt": "q", "chosen": "a", "rejected": "b", "score_chosen": 2, "score_rejected": 1})
        [{'text': 'a', 'score': 2, 'rank': 1}, {'text': 'b', 'score': 1, 'rank': 2}]
    """
    responses: list[Record] = record["responses"] if "responses" in record else to_candidates(record)["responses"]
    return responses


def read_numbers(record: Record, field: str, purpose: str) -> list[float]:
    """Read one number of every response.

    Args:
        record: A checked candidates or preference record.
        field: The field of a response; FIELD_chosen and FIELD_rejected of a pair.
        purpose: What needs the number, for the message.

    Returns:
        The numbers as they were read, in the order of `responses_of`.

    Raises:
        RecordError: If one is missing or is no number.

    Example:
        >>> read_numbers({"prompt": "q", "responses": [{"text": "a", "score": 2}]}, "score", "a test")
        [2]
        >>> read_numbers({"prompt": "q", "chosen": "a", "rejected": "b", "score_chosen": 2}, "score", "a test")
        Traceback (most recent call last):
        real_cli.errors.RecordError: field 'score_rejected' is missing; a test needs the score of every response
    """
    rule = f"{purpose} needs the {field} of every response"
    if "responses" not in record:
        return [_number(record, f"{field}_{role}", "field ", rule) for role in ROLES]
    return [
        _number(response, field, f"response {number}: ", rule) for number, response in enumerate(record["responses"], 1)
    ]


def _number(holder: Record, field: str, place: str, rule: str) -> float:
    value: Any = holder.get(field)
    if not is_number(value):
        found = clip(value) if field in holder else "missing"
        raise RecordError(f"{place}'{field}' is {found}; {rule}")
    return value  # type: ignore[no-any-return]


def values_of(record: Record, field: str) -> list[Any]:
    """List one field of every response.

    Args:
        record: A checked candidates or preference record.
        field: The field of a response; FIELD_chosen and FIELD_rejected of a pair.

    Returns:
        A value for each of `responses_of`; None where the field is missing.

    Example:
        >>> values_of({"prompt": "q", "chosen": "a", "rejected": "b", "raw_score_chosen": 2}, "raw_score")
        [2, None]
    """
    if "responses" not in record:
        return [record.get(f"{field}_{role}") for role in ROLES]
    return [response.get(field) for response in record["responses"]]


def with_values(record: Record, field: str, values: Iterable[object]) -> Record:
    """Put one value on every response; the record keeps its shape.

    Args:
        record: A checked candidates or preference record; it is left as it is.
        field: The field of a response; FIELD_chosen and FIELD_rejected of a pair.
        values: One for each of `responses_of`; a field that is there is replaced.

    Returns:
        A new record.

    Example:
        >>> with_values({"prompt": "q", "responses": [{"text": "a"}, {"text": "b"}]}, "prob", [0.75, 0.25])
        {'prompt': 'q', 'responses': [{'text': 'a', 'prob': 0.75}, {'text': 'b', 'prob': 0.25}]}
        >>> with_values({"prompt": "q", "chosen": "a", "rejected": "b"}, "prob", [0.75, 0.25])
        {'prompt': 'q', 'chosen': 'a', 'rejected': 'b', 'prob_chosen': 0.75, 'prob_rejected': 0.25}
    """
    if "responses" not in record:
        return record | dict(zip((f"{field}_{role}" for role in ROLES), values, strict=True))
    marked = [response | {field: value} for response, value in zip(record["responses"], values, strict=True)]
    return record | {"responses": marked}


def with_new_scores(record: Record, scores: Iterable[float]) -> Record:
    """Put another judge's score on every response; what an old one was before shaping goes with it.

    Args:
        record: A checked candidates or preference record; it is left as it is.
        scores: One for each of `responses_of`.

    Returns:
        A new record without `raw_score`.

    Example:
        >>> with_new_scores({"prompt": "q", "responses": [{"text": "a", "score": 0.9, "raw_score": 3}]}, [7])
        {'prompt': 'q', 'responses': [{'text': 'a', 'score': 7}]}
    """
    if "responses" not in record:
        stale = {f"raw_score_{role}" for role in ROLES}
        return with_values({name: value for name, value in record.items() if name not in stale}, "score", scores)
    bare = [{name: value for name, value in one.items() if name != "raw_score"} for one in record["responses"]]
    return with_values(record | {"responses": bare}, "score", scores)


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
