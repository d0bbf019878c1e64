"""Strategies that look at scores or ranks: they need labels first.

The best response is the first one of those with the highest quality; the worst likewise.
"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from real_cli.pair.strategies.pool import Pair, Pool
from real_cli.pair.strategies.rule import KeepRule, Rule

# How many deviations below the mean a rejected response lies; of how many that are drawn it is the worst.
SIGMAS, DRAWN = 2.0, 5


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


def choose_best_two_sigma(pool: Pool) -> list[Pair]:
    """Choose the best response and, of those that are worse, the one nearest to two deviations below the mean.

    The target is mu - 2 sigma, with mu the mean of the prompt's scores and sigma their deviation over n, not n - 1. Of
    few responses the worst is rejected: up to n = 5 none can lie below the target. Of two that are as near, the worse.

    Args:
        pool: Reads quality.

    Returns:
        One pair, or none if all are equally good.

    Example:
        >>> choose_best_two_sigma(Pool(14, quality=np.array([3.0, *[1] * 11, -5, -9])))  # mu 0, sigma 3
        [(0, 12)]

    References:
        Xiao et al., 2025, Finding the Sweet Spot, arXiv:2502.16825: (max, mu - 2 sigma).
    """
    worse = np.flatnonzero(pool.quality < pool.quality.max())
    if not worse.size:
        return []
    scaled = pool.quality / np.abs(pool.quality).max()  # differences of the largest numbers would overflow
    behind = (scaled.max() - scaled) / np.ptp(scaled)  # from 0, the best, to 1, the worst
    distances = np.abs(behind - (behind.mean() + SIGMAS * behind.std()))[worse]
    # Rounding must not decide between two responses at the same distance.
    nearest = np.lexsort((-behind[worse], distances.round(12)))[0]
    return [(int(np.argmax(pool.quality)), int(worse[nearest]))]


def choose_best_worst_of_5(pool: Pool) -> list[Pair]:
    """Choose the best of all responses and the worst of five that are drawn.

    With more responses the best gets better, and the rejected one does not get worse. It is the paper's stand-in for
    choose_best_two_sigma; of five normal numbers the least lies 1.16 deviations below the mean, not 2. Up to five
    responses it is best-worst. If none of the five is worse than the best, a random one of those that are takes its
    place.

    Args:
        pool: Reads quality and draw.

    Returns:
        One pair, or none if all are equally good.

    Example:
        >>> choose_best_worst_of_5(Pool(3, quality=np.array([2.0, 5.0, 1.0])))
        [(1, 2)]

    References:
        Xiao et al., 2025, Finding the Sweet Spot, arXiv:2502.16825: the scalable construction.
    """
    best = int(np.argmax(pool.quality))
    drawn = sorted(pool.draw.sample(range(pool.size), min(DRAWN, pool.size)))
    lowest = min(drawn, key=lambda index: float(pool.quality[index]))
    if pool.quality[lowest] < pool.quality[best]:
        return [(best, lowest)]
    return choose_best_random(pool)


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
    "best-two-sigma": Rule(
        choose_best_two_sigma,
        note="the best against the one nearest to mean minus two deviations",
        needs_quality=True,
        keep=BY_GAP,
    ),
    "best-worst-of-5": Rule(
        choose_best_worst_of_5,
        note="the best of all against the worst of five drawn",
        needs_quality=True,
        needs_draw=True,
        keep=BY_GAP,
    ),
    "all": Rule(choose_all, several_pairs=True, every_pair=True),
}
