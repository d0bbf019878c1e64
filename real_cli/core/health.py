"""What `eval pairs` reports: the health of a set of pairs."""

import math
from array import array
from collections import Counter
from dataclasses import dataclass, field
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.core.intervals import wilson_interval
from real_cli.core.records import Record, content_key, is_preference, to_candidates
from real_cli.core.texts import is_number, plain_text, text_key
from real_cli.errors import RecordError

QUANTILES = {"min": 0.0, "p25": 0.25, "median": 0.5, "p75": 0.75, "max": 1.0}


@dataclass
class PoolCount:
    """The responses that pairs were chosen from.

    Attributes:
        num_prompts: Records.
        num_possible: Pairs that their distinct responses could form.
        num_given: Records that were pairs already; None once one came with another number of responses.
    """

    num_prompts: int = 0
    num_possible: int = 0
    num_given: int | None = 0

    def add(self, record: Record) -> None:
        """Count one record.

        Args:
            record: Candidates or a pair.
        """
        responses = to_candidates(record)["responses"]
        self.num_prompts += 1
        self.num_possible += comb(len({text_key(response["text"]) for response in responses}), 2)
        self.num_given = self.num_given + 1 if self.num_given is not None and len(responses) == 2 else None


def check_pair(record: Record) -> None:
    """Check that a record is a pair, labeled or not.

    Args:
        record: A checked record.

    Raises:
        RecordError: If it has another number of responses than two.
    """
    number = len(to_candidates(record)["responses"])
    if number != 2:
        raise RecordError(f"{number} responses; a pair has two: choose one with 'real pair'")


@dataclass
class PairHealth:
    """Counts and distributions over pairs, labeled or not."""

    num_pairs: int = 0
    num_labeled: int = 0
    num_equal_texts: int = 0
    num_equal_scores: int = 0
    num_against_scores: int = 0
    num_chosen_longer: int = 0
    num_rejected_longer: int = 0
    num_possible: int = 0
    num_repeats: int = 0
    _strategies: Counter[str] = field(default_factory=Counter)
    _similarity: "array[float]" = field(default_factory=lambda: array("d"))
    _score_gap: "array[float]" = field(default_factory=lambda: array("d"))
    _length_gap: "array[float]" = field(default_factory=lambda: array("d"))
    _prompts: dict[bytes, int] = field(default_factory=dict)
    _contents: set[bytes] = field(default_factory=set)

    def add(self, record: Record) -> None:
        """Count one pair.

        Args:
            record: A preference record, or candidates with two responses.
        """
        first, second = to_candidates(record)["responses"]
        lengths = [len(plain_text(response["text"])) for response in (first, second)]
        self.num_pairs += 1
        self.num_labeled += is_preference(record)
        self.num_equal_texts += text_key(first["text"]) == text_key(second["text"])
        self._count_repeat(record)
        self._count_pool(record)
        self._similarity.append(_number(record.get("similarity")))
        gap = _number(first.get("score")) - _number(second.get("score"))
        self._score_gap.append(gap if is_preference(record) else abs(gap))
        self.num_equal_scores += gap == 0
        if is_preference(record):
            self.num_against_scores += gap < 0
            self.num_chosen_longer += lengths[0] > lengths[1]
            self.num_rejected_longer += lengths[0] < lengths[1]
            self._length_gap.append(lengths[0] - lengths[1])

    def _count_repeat(self, record: Record) -> None:
        key = content_key(record)
        self.num_repeats += key in self._contents
        self._contents.add(key)

    def _count_pool(self, record: Record) -> None:
        if "strategy" in record:
            self._strategies[str(record["strategy"])] += 1
        prompt = text_key(record["prompt"])
        if prompt not in self._prompts:
            num_responses = record.get("num_responses")
            self._prompts[prompt] = comb(max(2, int(_number(num_responses))), 2) if is_number(num_responses) else 1
            self.num_possible += self._prompts[prompt]
        # More pairs of a prompt than it is said to allow were possible all the same.
        self._prompts[prompt] -= 1
        self.num_possible += self._prompts[prompt] < 0

    def summary(self, pool: PoolCount | None = None) -> dict[str, Any]:
        """Sum up.

        Args:
            pool: The responses that the pairs were chosen from, if given; savings are then against all of them, and
                otherwise against the prompts that still have a pair.

        Returns:
            Names and numbers.

        Example:
            >>> health = PairHealth()
            >>> health.add({"prompt": "q", "chosen": "long", "rejected": "no", "score_chosen": 1, "score_rejected": 3})
            >>> {name: health.summary()[name] for name in ("num_pairs", "num_against_scores", "share_chosen_longer")}
            {'num_pairs': 1, 'num_against_scores': 1, 'share_chosen_longer': 1.0}
        """
        similarity, score_gap = np.array(self._similarity), np.array(self._score_gap)
        unequal = self.num_chosen_longer + self.num_rejected_longer
        interval = wilson_interval(self.num_chosen_longer, unequal)
        possible = pool.num_possible if pool else self.num_possible
        return {
            "num_pairs": self.num_pairs,
            "num_labeled": self.num_labeled,
            "num_prompts": len(self._prompts),
            "num_repeats": self.num_repeats,
            "num_equal_texts": self.num_equal_texts,
            "num_equal_scores": self.num_equal_scores,
            "num_against_scores": self.num_against_scores,
            "strategies": dict(sorted(self._strategies.items())),
            "similarity": describe(similarity),
            "score_gap": describe(score_gap),
            "similarity_score_gap_correlation": rank_correlation(similarity, np.abs(score_gap)),
            "length_gap_characters": describe(np.array(self._length_gap)),
            "share_chosen_longer": self.num_chosen_longer / unequal if unequal else None,
            "share_chosen_longer_low": interval.low if interval else None,
            "share_chosen_longer_high": interval.high if interval else None,
            "num_possible_pairs": possible,
            "saved_of_possible_pairs": 1 - self.num_pairs / possible if possible else None,
            "num_input_pairs": pool.num_given if pool else None,
            "saved_of_input_pairs": 1 - self.num_pairs / pool.num_given if pool and pool.num_given else None,
        }


def describe(values: NDArray[np.float64]) -> dict[str, float | int] | None:
    """Describe a distribution.

    Args:
        values: Numbers; NaN stands for a missing one.

    Returns:
        Count, mean and quantiles; None if there is no number.

    Example:
        >>> describe(np.array([1.0, 2.0, 6.0, np.nan]))
        {'count': 3, 'mean': 3.0, 'min': 1.0, 'p25': 1.5, 'median': 2.0, 'p75': 4.0, 'max': 6.0}
    """
    known = values[~np.isnan(values)]
    if not known.size:
        return None
    quantiles = {name: float(np.quantile(known, share)) for name, share in QUANTILES.items()}
    return {"count": int(known.size), "mean": float(known.mean()), **quantiles}


def rank_correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float | None:
    """Return Spearman's rank correlation of the pairs that have both numbers.

    Args:
        first: Numbers, NaN where missing, shape (batch,).
        second: Likewise.

    Returns:
        In [-1, 1]; None for fewer than three pairs, or if one of the two is constant.

    Example:
        >>> rank_correlation(np.array([0.1, 0.5, 0.9]), np.array([9.0, 4.0, 1.0]))
        -1.0
    """
    from scipy.stats import rankdata

    both = ~(np.isnan(first) | np.isnan(second))
    if both.sum() < 3:
        return None
    ranks = [rankdata(values[both]) for values in (first, second)]
    if any(np.ptp(values) == 0 for values in ranks):
        return None
    return round(float(np.corrcoef(*ranks)[0, 1]), 12)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and is_number(value) else math.nan
