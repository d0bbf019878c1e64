"""The responses that pairs are chosen from, and what each strategy of `pair` would have people label."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import comb
from typing import Any

import numpy as np

from real_cli.pair.strategies import STRATEGIES, Pool, Rule
from real_cli.records.messages import text_key
from real_cli.records.record import Record, to_candidates

# Beyond so many responses pairs are counted by a formula.
MOST_ENUMERATED = 8


@dataclass
class PoolCount:
    """The responses that pairs were chosen from.

    Attributes:
        num_prompts: Records.
        num_possible: Pairs that their distinct responses could form.
        num_given: Records that were pairs already; None once one came with another number of responses.
        sizes: How many records have so many distinct responses.
    """

    num_prompts: int = 0
    num_possible: int = 0
    num_given: int | None = 0
    sizes: Counter[int] = field(default_factory=Counter)

    def add(self, record: Record) -> None:
        """Count one record, candidates or a pair."""
        responses = to_candidates(record)["responses"]
        size = len({text_key(response["text"]) for response in responses})
        self.num_prompts += 1
        self.sizes[size] += 1
        self.num_possible += comb(size, 2)
        self.num_given = self.num_given + 1 if self.num_given is not None and len(responses) == 2 else None


def savings(sizes: Mapping[int, int]) -> list[dict[str, Any]]:
    """Count what each strategy would have people label, of all possible pairs.

    >>> [(row["strategy"], row["num_labels"]) for row in savings({4: 1}) if "best-" in row["strategy"]][:3]
    [('best-worst', 1), ('best-random', 1), ('best-vs-rest', 3)]

    References:
        Zhang et al., 2024, REAL, arXiv:2409.17169, section 3: one label a prompt, whatever its number of responses.
    """
    possible = sum(comb(size, 2) * count for size, count in sizes.items())
    if not possible:
        return []
    rows = []
    for name, rule in STRATEGIES.items():
        needed = sum(num_pairs(rule, size) * count for size, count in sizes.items())
        rows.append(
            {
                "strategy": name,
                "num_labels": needed,
                "num_possible_pairs": possible,
                "share_saved": 1 - needed / possible,
                "needs_scores": rule.needs_quality,
            }
        )
    return rows


def num_pairs(rule: Rule, size: int) -> int:
    """Count the pairs that a strategy makes of one prompt whose scores all differ."""
    if size < 2 or not rule.several_pairs:
        return int(size >= 2)
    if size <= MOST_ENUMERATED:
        return sum(1 for _ in rule.choose(Pool(size, quality=np.arange(float(size)))))
    # Pairs of n responses are a polynomial of degree two at most, and three sizes tell which.
    first, second, third = (num_pairs(rule, small) for small in (2, 3, 4))
    bend = third - 2 * second + first
    return first + (size - 2) * (second - first) + (size - 2) * (size - 3) // 2 * bend
