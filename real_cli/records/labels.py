"""Which of two responses a record's label prefers, whoever gave it, and what a judge said in both orders."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.records.messages import is_number, transcript
from real_cli.records.preferences import check_size, given_preferences
from real_cli.records.record import LABELED_NAMES, Record, is_preference
from real_cli.records.response_fields import responses_of
from real_cli.records.verdicts import TIE, Judgment, read_judgment

RANK = "rank"


def holders_of(record: Record, field: str) -> list[tuple[Record, str, str]]:
    """List what holds each response's value of a field.

    Args:
        record: A checked candidates or preference record.
        field: The field of a response; FIELD_chosen and FIELD_rejected of a pair.

    Returns:
        For each of `responses_of` the object that holds the value, the value's name there, and words for the place.

    Example:
        >>> holders_of({"prompt": "q", "responses": [{"text": "a", "score": 1}]}, "score")
        [({'text': 'a', 'score': 1}, 'score', ' on response 1')]
    """
    if is_preference(record):
        names = LABELED_NAMES.get(field) or (f"{field}_chosen", f"{field}_rejected")
        return [(record, name, "") for name in names]
    return [(response, field, f" on response {number}") for number, response in enumerate(record["responses"], 1)]


def worths_of(record: Record, field: str | None) -> list[float]:
    """Read numbers whose order is the label; the larger is preferred.

    Args:
        record: A checked candidates or preference record.
        field: The number of a response, of which `rank` is best at 1; None for chosen over rejected, or ranks.

    Returns:
        One for each of `responses_of`; NaN where the field holds no number.

    Example:
        >>> worths_of({"prompt": "q", "responses": [{"text": "a", "rank": 2}, {"text": "b", "rank": 1}]}, None)
        [-2.0, -1.0]
    """
    if is_preference(record) and field in (None, RANK):
        return [1.0, 0.0]
    name = field or RANK
    sign = -1.0 if name == RANK else 1.0
    values: list[Any] = [holder.get(key) for holder, key, _ in holders_of(record, name)]
    return [sign * float(value) if is_number(value) else math.nan for value in values]


def label_signs(record: Record, field: str | None = None) -> NDArray[np.float64]:
    """Tell of every two responses which of them the label prefers.

    Args:
        record: A checked candidates or preference record.
        field: The number of a response whose order is the label; None for what labels a record by itself: chosen over
            rejected, the tie that a judge or a person noted, the matrix `preferences`, or ranks.

    Returns:
        1 where the response of the row is preferred to that of the column, -1 where the other is, 0 for a tie and NaN
        without a label, shape (n, n).

    Raises:
        RecordError: If a matrix is malformed, or there are more responses than are compared.

    Example:
        >>> label_signs({"prompt": "q", "chosen": "a", "rejected": "b"})
        array([[ 0.,  1.],
               [-1.,  0.]])
    """
    if not is_preference(record):
        check_size(record)
        if field is None and len(record["responses"]) == 2 and is_noted_tie(record):
            return np.zeros((2, 2))
        if field is None and "preferences" in record:
            return np.sign(given_preferences(record) - 0.5)
    worths = np.array(worths_of(record, field))
    with np.errstate(over="ignore"):  # the sign of an infinite difference is the sign
        signs: NDArray[np.float64] = np.sign(worths[:, None] - worths[None, :])
    return signs


def is_noted_tie(record: Record) -> bool:
    """Tell whether a judge or a person called the two responses a tie.

    Args:
        record: A candidates record.

    Returns:
        True if the note that either left says so.

    Example:
        >>> is_noted_tie({"prompt": "q", "responses": [], "annotation": {"verdict": "tie"}})
        True
    """
    marks = (record.get(field) for field in ("judge", "annotation"))
    return any(isinstance(mark, dict) and mark.get("verdict") == TIE for mark in marks)


def judgment_of(record: Record) -> Judgment | None:
    """Read what a judge that was asked in both orders said of a pair.

    Args:
        record: A checked record of two responses.

    Returns:
        Its verdicts, those with the first (or chosen) response shown as A first; None where nobody was asked, or only
        in one order, and for equal texts, of which no judge is asked.

    Raises:
        RecordError: If what stands there is not two verdicts.

    Example:
        >>> pair = {"prompt": "q", "chosen": "a", "rejected": "b", "judge": {"verdicts": ["A", "A"]}}
        >>> judgment_of(pair).is_flipped
        True
    """
    mark: Any = record.get("judge")
    verdicts = mark.get("verdicts") if isinstance(mark, dict) else None
    if verdicts is None:
        return None
    judgment = read_judgment(verdicts, "field 'judge.verdicts'")
    first, second = (response["text"] for response in responses_of(record))
    return None if transcript(first) == transcript(second) else judgment
