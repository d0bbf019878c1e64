"""Strategies that look at scores or ranks: they need labels first.

The best response is the first one of those with the highest quality; the worst likewise.
"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from real_cli.pair.strategies.pool import Pair, Pool
from real_cli.pair.strategies.rule import KeepRule, Rule


def choose_best_worst(pool: Pool) -> list[Pair]:
    """Choose the best response and the worst (max-min, West-of-N).

    Args:
        pool: Reads quality.

    Returns:
        One pair, or none if all are equally good.

    Example:
        >>> choose_best_worst(Pool(3, quality=np.array([2.0, 5.0, 1.0])))
        [(1, 2)]

    References:
        Pace et al., 2024, West-of-N, arXiv:2401.12086; Magpie, arXiv:2406.08464.
    """
    best, worst = int(np.argmax(pool.quality)), int(np.argmin(pool.quality))
    return [] if best == worst else [(best, worst)]


def choose_best_random(pool: Pool) -> list[Pair]:
    """Choose the best response and a random one of those that are worse (UltraFeedback's binarization).

    Args:
        pool: Reads quality and draw.

    Returns:
        One pair, or none if all are equally good.

    Example:
        >>> choose_best_random(Pool(3, quality=np.array([2.0, 5.0, 5.0])))
        [(1, 0)]

    References:
        Cui et al., 2023, UltraFeedback, arXiv:2310.01377, as binarized by HuggingFaceH4.
    """
    best = int(np.argmax(pool.quality))
    worse = np.flatnonzero(pool.quality < pool.quality[best])
    return [(best, int(pool.draw.choice(worse.tolist())))] if worse.size else []


def choose_best_vs_rest(pool: Pool) -> list[Pair]:
    """Choose the best response against each that is worse, the widest gap first (Curry-DPO's order).

    Args:
        pool: Reads quality.

    Returns:
        Up to n - 1 pairs, from the worst rejected response to the best.

    Example:
        >>> choose_best_vs_rest(Pool(4, quality=np.array([5.0, 4.0, 3.0, 2.0])))
        [(0, 3), (0, 2), (0, 1)]

    References:
        Pattnaik et al., 2024, Curry-DPO, arXiv:2403.07230, section 3.
    """
    best = int(np.argmax(pool.quality))
    order = np.argsort(pool.quality, kind="stable")
    return [(best, int(index)) for index in order if pool.quality[index] < pool.quality[best]]


def choose_all(pool: Pool) -> Iterator[Pair]:
    """Choose every pair of responses.

    Args:
        pool: Reads size.

    Returns:
        n (n - 1) / 2 pairs, in lexicographic order, one after the other: of many responses they are more than fit.

    Example:
        >>> list(choose_all(Pool(3)))
        [(0, 1), (0, 2), (1, 2)]
    """
    return combinations(range(pool.size), 2)


BY_GAP = KeepRule("score-gap", lowest=False)
ROWS = {
    "best-worst": Rule(choose_best_worst, needs_quality=True, keep=BY_GAP),
    "best-random": Rule(choose_best_random, needs_quality=True, needs_draw=True, keep=BY_GAP),
    "best-vs-rest": Rule(choose_best_vs_rest, needs_quality=True, several_pairs=True, keep=BY_GAP),
    "all": Rule(choose_all, several_pairs=True, every_pair=True),
}
