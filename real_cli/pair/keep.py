"""`pair --keep`: which pairs of the whole data set stay."""

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from real_cli.errors import RecordError, clip, suggest
from real_cli.pair.choices import MEASURES, PROMPT_MEASURES
from real_cli.records.messages import is_number, plain_text
from real_cli.records.record import Record, content_key


def keep_value(record: Record, by: str, seed: int) -> float:
    """Return the number by which `--keep` sorts a pair.

    >>> keep_value({"score_chosen": 9, "score_rejected": 4}, "score-gap", 0)
    5.0
    """
    if by in READERS:
        return READERS[by](record, seed)
    by = PROMPT_MEASURES.get(by, by)
    value = record.get(by)
    if not is_number(value):
        hint = "run 'real embed' first" if by == "similarity" else "--by needs a number on every pair"
        if by in record:
            raise RecordError(f"field '{by}' is {clip(value)}; {hint}")
        right = hint if by == "similarity" else suggest(by, (*record, *MEASURES), hint)
        raise RecordError(f"field '{by}' is missing; {right}")
    return float(value or 0)


def _score_gap(record: Record, seed: int) -> float:
    del seed
    scores = _scores(record)
    if not all(is_number(score) for score in scores):
        raise RecordError(
            "a score is missing on this pair; --by score-gap needs both; --score FIELD names the rating that is "
            "the score"
        )
    return abs(float(scores[0]) - float(scores[1]))


def _rejected_length(record: Record, seed: int) -> float:
    """Count the characters of the rejected response, as `eval pairs` does."""
    del seed
    if "responses" in record:
        raise RecordError(
            "this pair has no label, so that nothing is rejected; --by rejected-length comes after 'real relabel'"
        )
    return float(len(plain_text(record["rejected"])))


def _scores(record: Record) -> tuple[Any, Any]:
    if "responses" in record:
        first, second = record["responses"][:2]
        return first.get("score"), second.get("score")
    return record.get("score_chosen"), record.get("score_rejected")


def _uniform(record: Record, seed: int) -> float:
    digest = hashlib.blake2b(content_key(record), digest_size=8, key=seed.to_bytes(8, "big")).digest()
    return int.from_bytes(digest, "big") / 2**64


READERS: dict[str, Callable[[Record, int], float]] = {
    "random": _uniform,
    "score-gap": _score_gap,
    "rejected-length": _rejected_length,
}


def keep_mask(values: NDArray[np.float64], count: int, *, lowest: bool) -> NDArray[np.bool_]:
    """Mark the pairs to keep.

    Equal values go by position, the same way for both ends: the lowest n and the highest n are disjoint as long as
    2n is not above the number of pairs.

    >>> keep_mask(np.array([0.99, 0.90, 0.97, 0.80, 0.95]), 2, lowest=True)
    array([False,  True, False,  True, False])
    """
    order = np.argsort(values, kind="stable")
    mask = np.zeros(len(values), dtype=bool)
    mask[order[:count] if lowest else order[len(values) - count :]] = True
    return mask


class KeepBound(NamedTuple):
    """The last pair that is kept, by its value, then where it stands: the number of its record, and its own in that."""

    value: float
    record: int
    number: int

    def keeps(self, value: float, record: int, number: int, *, lowest: bool) -> bool:
        """Tell whether a pair stays.

        >>> KeepBound(0.5, 7, 0).keeps(0.5, 7, 1, lowest=True), KeepBound(0.5, 7, 0).keeps(0.6, 1, 0, lowest=False)
        (False, True)
        """
        here = (value, record, number)
        return here <= tuple(self) if lowest else here >= tuple(self)


def keep_bound(
    values: NDArray[np.float64], records: NDArray[np.int64], count: int, *, lowest: bool
) -> KeepBound | None:
    """Find the bound that marks the pairs of `keep_mask`, wherever the pairs are; None keeps none.

    `records` has the number of each pair's record. Pairs of a record follow one another; records may come in any order.

    >>> keep_bound(np.array([0.9, 0.5, 0.5, 0.5]), np.array([1, 4, 4, 2]), 2, lowest=True)
    KeepBound(value=0.5, record=4, number=0)
    """
    if not count:
        return None
    begins = np.flatnonzero(np.diff(records, prepend=records[0] - 1))
    numbers = np.arange(len(records)) - np.repeat(begins, np.diff(begins, append=len(records)))
    order = np.lexsort((numbers, records, values))
    last = order[count - 1] if lowest else order[len(values) - count]
    return KeepBound(float(values[last]), int(records[last]), int(numbers[last]))
