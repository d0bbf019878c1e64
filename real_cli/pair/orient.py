"""Who is chosen and who is rejected."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.errors import RecordError, clip
from real_cli.pair.choices import Orient
from real_cli.records.messages import is_number
from real_cli.records.record import Record

JSON_NUMBERS = frozenset({int, float})
# Fields that settle an order, the first before the second; a member's `value` is slow to read for each record.
SETTLED = (("rank", Orient.rank), ("score", Orient.score))


def read_quality(responses: list[Record], orient: Orient = Orient.auto) -> NDArray[np.float64] | None:
    """Read how good each response is, larger is better: scores if all have one, else negative ranks if all have one.

    With `score` or `rank` that field alone is read. None if neither is on every response.

    >>> read_quality([{"score": 2}, {"score": 7.5}]), read_quality([{"rank": 1}, {"rank": 2}])
    (array([2. , 7.5]), array([-1., -2.]))
    """
    quality = _qualities(responses, orient)
    return None if quality is None else np.array(quality, dtype=np.float64)


def _qualities(responses: list[Record], orient: Orient) -> list[float] | None:
    """Read what `read_quality` returns, for the two responses of a pair, where an array would take longer to make."""
    for field, sign, other in (("score", 1.0, Orient.rank), ("rank", -1.0, Orient.score)):
        if orient is not other:
            values: list[Any] = [response.get(field) for response in responses]
            if _are_numbers(values):
                return [sign * float(value) for value in values]
    return None


def _are_numbers(values: list[Any]) -> bool:
    """Tell whether all values are numbers; what JSON holds is told by its types alone, in a third of the time."""
    return JSON_NUMBERS.issuperset(map(type, values)) or all(map(is_number, values))


def read_estimates(responses: list[Record], numbers: Sequence[int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Read `score` and `score_std` of each response; `numbers` are their places in the record, from 1, for messages.

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

    With `auto`, ranks if all have one: a rank may be a label that somebody gave, and a score does not overrule it. Else
    scores if all have one; else `auto`, which looks at each pair.

    >>> settle_orient([{"rank": 1, "score": 3}, {"rank": 2, "score": 8}], Orient.auto)
    <Orient.rank: 'rank'>
    """
    if orient is Orient.auto:
        for field, settled in SETTLED:
            if _are_numbers([response.get(field) for response in responses]):
                return settled
    return orient


def have_equal_scores(first: Record, second: Record) -> bool:
    """Tell whether two responses both have a score, and the same one.

    >>> have_equal_scores({"score": 3}, {"score": 3.0}), have_equal_scores({}, {})
    (True, False)
    """
    score = first.get("score")
    return is_number(score) and is_number(second.get("score")) and bool(score == second["score"])


def order_pair(first: Record, second: Record, orient: Orient) -> int | None:
    """Return 1 if the first response is better, -1 if the second is, 0 if nothing says, None if they are equally good.

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
    """Measure how much better the better of two responses is, in score or in rank; 0 if nothing says.

    >>> quality_gap({"score": 5}, {"score": 2}, Orient.auto), quality_gap({"rank": 1}, {"rank": 3}, Orient.auto)
    (3.0, 2.0)
    """
    quality = _qualities([first, second], orient)
    return 0.0 if quality is None else abs(quality[0] - quality[1])
