"""`pair --keep`: which pairs of the whole data set stay."""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.errors import RecordError, clip, suggest
from real_cli.records.messages import is_number
from real_cli.records.record import Record, content_key

# What --by sorts by without such a field.
MEASURES = ("similarity", "score-gap", "random")


def keep_value(record: Record, by: str, seed: int) -> float:
    """Return the number by which `--keep` sorts a pair.

    >>> keep_value({"score_chosen": 9, "score_rejected": 4}, "score-gap", 0)
    5.0
    """
    if by == "random":
        return _uniform(record, seed)
    if by == "score-gap":
        scores = _scores(record)
        if not all(is_number(score) for score in scores):
            raise RecordError(
                "a score is missing on this pair; --by score-gap needs both; --score FIELD names the rating that is "
                "the score"
            )
        return abs(float(scores[0]) - float(scores[1]))
    value = record.get(by)
    if not is_number(value):
        hint = "run 'real embed' first" if by == "similarity" else "--by needs a number on every pair"
        if by in record:
            raise RecordError(f"field '{by}' is {clip(value)}; {hint}")
        right = hint if by == "similarity" else suggest(by, (*record, *MEASURES), hint)
        raise RecordError(f"field '{by}' is missing; {right}")
    return float(value or 0)


def _scores(record: Record) -> tuple[Any, Any]:
    if "responses" in record:
        first, second = record["responses"][:2]
        return first.get("score"), second.get("score")
    return record.get("score_chosen"), record.get("score_rejected")


def _uniform(record: Record, seed: int) -> float:
    digest = hashlib.blake2b(content_key(record), digest_size=8, key=seed.to_bytes(8, "big")).digest()
    return int.from_bytes(digest, "big") / 2**64


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
