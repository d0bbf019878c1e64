"""Who is chosen and who is rejected."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.errors import RecordError, clip
from real_cli.pair.choices import Orient
from real_cli.records.messages import is_number
from real_cli.records.record import Record


def read_quality(responses: list[Record], orient: Orient = Orient.auto) -> NDArray[np.float64] | None:
    """Read how good each response is, larger is better.

    Args:
        responses: Objects with `score` or `rank`.
        orient: `score` or `rank` reads that field alone; otherwise scores if all have one, else ranks if all have one.

    Returns:
        Scores, or negative ranks, shape (n,); None if neither field is on every response.

    Example:
        >>> read_quality([{"score": 2}, {"score": 7.5}])
        array([2. , 7.5])
        >>> read_quality([{"rank": 1}, {"rank": 2}])
        array([-1., -2.])
    """
    quality = _qualities(responses, orient)
    return None if quality is None else np.array(quality, dtype=np.float64)


def _qualities(responses: list[Record], orient: Orient) -> list[float] | None:
    """Read what `read_quality` returns, for the two responses of a pair, where an array would take longer to make."""
    for field, sign, other in (("score", 1.0, Orient.rank), ("rank", -1.0, Orient.score)):
        values: list[Any] = [response.get(field) for response in responses]
        if orient is not other and all(map(is_number, values)):
            return [sign * float(value) for value in values]
    return None


def read_estimates(responses: list[Record], numbers: Sequence[int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Read how good each response is thought to be, and how sure that is.

    Args:
        responses: Objects with `score` and `score_std`.
        numbers: Their places in the record, counted from 1, for messages.

    Returns:
        Scores, and their standard deviations; each of shape (n,).

    Raises:
        RecordError: If a response lacks one of them, or a deviation is below 0; the message names both.

    Example:
        >>> read_estimates([{"score": 2, "score_std": 0.5}], [1])
        (array([2.]), array([0.5]))
    """
    for number, response in zip(numbers, responses, strict=True):
        for field in ("score", "score_std"):
            value: Any = response.get(field)
            if not is_number(value) or (field == "score_std" and value < 0):
                shown = clip(value) if field in response else "missing"
                least = ", 0 or more," if field == "score_std" else ""
                raise RecordError(f"response {number}: field '{field}' is {shown}; a number{least} is needed")
    scores, deviations = ([float(response[field]) for response in responses] for field in ("score", "score_std"))
    return np.array(scores), np.array(deviations)


def settle_orient(responses: list[Record], orient: Orient) -> Orient:
    """Decide once for a prompt what orders its pairs, so that choice and orientation agree.

    Args:
        responses: All responses of the prompt.
        orient: What the user asked for.

    Returns:
        With `auto`, ranks if all have one: a rank may be a label that somebody gave, and a score does not overrule it.
        Else scores if all have one; else `auto`, which looks at each pair.

    Example:
        >>> settle_orient([{"rank": 1, "score": 3}, {"rank": 2, "score": 8}], Orient.auto)
        <Orient.rank: 'rank'>
    """
    if orient is Orient.auto:
        for settled in (Orient.rank, Orient.score):
            field = settled.value  # read once: a property of enums is slow
            if all(map(is_number, [response.get(field) for response in responses])):
                return settled
    return orient


def have_equal_scores(first: Record, second: Record) -> bool:
    """Tell whether two responses both have a score, and the same one.

    Args:
        first: A response.
        second: Another one.

    Returns:
        True for a tie.

    Example:
        >>> have_equal_scores({"score": 3}, {"score": 3.0}), have_equal_scores({}, {})
        (True, False)
    """
    score = first.get("score")
    return is_number(score) and is_number(second.get("score")) and bool(score == second["score"])


def order_pair(first: Record, second: Record, orient: Orient) -> int | None:
    """Decide which of two responses is preferred.

    Args:
        first: A response.
        second: Another one.
        orient: What decides; `none` leaves every pair to the annotators.

    Returns:
        1 if the first is better, -1 if the second is, 0 if nothing says, None if they are equally good.

    Example:
        >>> order_pair({"score": 1}, {"score": 3}, Orient.auto), order_pair({"score": 3}, {"score": 3}, Orient.auto)
        (-1, None)
    """
    if orient is Orient.none:
        return 0
    quality = _qualities([first, second], orient)
    if quality is None:
        return 0
    if quality[0] == quality[1]:
        return None
    return 1 if quality[0] > quality[1] else -1


def quality_gap(first: Record, second: Record, orient: Orient) -> float:
    """Measure how much better the better of two responses is.

    Args:
        first: A response.
        second: Another one.
        orient: What is compared, as for `order_pair`.

    Returns:
        The difference in score, or in rank; 0 if nothing says.

    Example:
        >>> quality_gap({"score": 5}, {"score": 2}, Orient.auto), quality_gap({"rank": 1}, {"rank": 3}, Orient.auto)
        (3.0, 2.0)
    """
    quality = _qualities([first, second], orient)
    return 0.0 if quality is None else abs(quality[0] - quality[1])
