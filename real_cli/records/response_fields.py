"""Numbers on a record's responses, whatever its shape: read them, and put new ones back."""

from collections.abc import Iterable
from typing import Any

from real_cli.errors import RecordError, clip
from real_cli.records.messages import is_number
from real_cli.records.record import Record, to_candidates

ROLES = ("chosen", "rejected")


def responses_of(record: Record) -> list[Record]:
    """List the responses of a record as objects: a pair's are chosen, then rejected."""
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
        problem = clip(value) if field in holder else "missing"
        raise RecordError(f"{place}'{field}' is {problem}; {rule}")
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


def without_values(record: Record, field: str) -> Record:
    """Drop one field of every response.

    Args:
        record: A checked candidates or preference record; it is left as it is.
        field: The field of a response; FIELD_chosen and FIELD_rejected of a pair.

    Returns:
        A new record, or the same one if no response has the field.

    Example:
        >>> without_values({"prompt": "q", "responses": [{"text": "a", "score_std": 1}, {"text": "b"}]}, "score_std")
        {'prompt': 'q', 'responses': [{'text': 'a'}, {'text': 'b'}]}
    """
    if "responses" not in record:
        stale = {f"{field}_{role}" for role in ROLES}
        return {name: value for name, value in record.items() if name not in stale}
    bare = [{name: value for name, value in response.items() if name != field} for response in record["responses"]]
    return record | {"responses": bare}


def with_new_scores(record: Record, scores: Iterable[float]) -> Record:
    """Put new scores on every response, and drop the raw scores of old ones.

    Args:
        record: A checked candidates or preference record; it is left as it is.
        scores: One for each of `responses_of`.

    Returns:
        A new record without `raw_score`.

    Example:
        >>> with_new_scores({"prompt": "q", "responses": [{"text": "a", "score": 0.9, "raw_score": 3}]}, [7])
        {'prompt': 'q', 'responses': [{'text': 'a', 'score': 7}]}
    """
    return with_values(without_values(record, "raw_score"), "score", scores)


def with_responses(record: Record, responses: list[Record], numbers: list[int]) -> Record:
    """Replace the responses of a candidates record by some of its own, in an order that may be new.

    Args:
        record: A candidates record.
        responses: What it is to have.
        numbers: Which of its responses each of them is, from 0.

    Returns:
        A new record; its matrix of `preferences`, if it has one, is of the new responses in their order.

    Example:
        >>> record = {"responses": [{"text": "a"}, {"text": "b"}], "preferences": [[0.5, 0.1], [0.9, 0.5]]}
        >>> with_responses(record, [{"text": "b"}, {"text": "a"}], [1, 0])["preferences"]
        [[0.5, 0.9], [0.1, 0.5]]
    """
    renewed = record | {"responses": responses}
    rows, size = record.get("preferences"), len(record["responses"])
    if isinstance(rows, list) and [len(row) if isinstance(row, list) else -1 for row in rows] == [size] * size:
        renewed["preferences"] = [[rows[i][j] for j in numbers] for i in numbers]
    return renewed
