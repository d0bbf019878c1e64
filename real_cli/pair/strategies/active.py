"""Strategies for scores that know how sure they are: ActiveUltraFeedback's rules for which pair to ask about.

Each response has a score r and a deviation s; its bounds are U = r + width * s and L = r - width * s. The two responses
of a pair are never the same: where the published code may return one response twice (a draw that repeats itself, one
response that dominates all others), the next best takes the second place. Ties go to the first pair in lexicographic
order; the code breaks some of them at random.
"""

import numpy as np
from numpy.typing import NDArray

from real_cli.pair.strategies.pool import Pair, Pool
from real_cli.pair.strategies.rule import Rule

# How often the second response is drawn anew while it is the first one again.
DTS_TRIES, DRTS_TRIES = 10, 30


def choose_dts(pool: Pool) -> list[Pair]:
    """Choose by double Thompson sampling: twice the best of a draw within the bounds.

    A draw is r + width * z * s with z uniform in (-1, 1), for each response. If ten draws have one winner, the second
    place goes to the runner-up of the last one.

    Args:
        pool: Reads quality, deviations, width and draw.

    Returns:
        One pair, the first draw's winner first.

    Example:
        >>> choose_dts(Pool(3, quality=np.array([2.0, 5.0, 1.0]), deviations=np.array([0.0, 0.0, 0.0])))
        [(1, 0)]

    References:
        ActiveUltraFeedback, 2026, arXiv:2603.09692 (code: dts); Wu and Liu, 2016, arXiv:1604.07101.
    """
    first = int(np.argmax(_drawn(pool, pool.quality)))
    return [(first, _drawn_second(pool, pool.quality, first, DTS_TRIES))]


def choose_drts(pool: Pool) -> list[Pair]:
    """Choose by double reversed Thompson sampling: the best of one draw against the worst of another.

    The first response is as in `choose_dts`, the second the largest of -r + width * z * s. If thirty draws name the
    first response again, the second place goes to the runner-up of the last one.

    Args:
        pool: Reads quality, deviations, width and draw.

    Returns:
        One pair, the best first.

    Example:
        >>> choose_drts(Pool(3, quality=np.array([2.0, 5.0, 1.0]), deviations=np.array([0.0, 0.0, 0.0])))
        [(1, 2)]

    References:
        ActiveUltraFeedback, 2026, arXiv:2603.09692 (code: drts).
    """
    first = int(np.argmax(_drawn(pool, pool.quality)))
    return [(first, _drawn_second(pool, -pool.quality, first, DRTS_TRIES))]


def choose_delta_ucb(pool: Pool) -> list[Pair]:
    """Choose the pair with the widest gap that the bounds allow, the largest U_i - L_j.

    Args:
        pool: Reads quality, deviations and width.

    Returns:
        One pair, the one that may be best first.

    Example:
        >>> choose_delta_ucb(Pool(3, quality=np.array([1, 0.5, -0.5]), deviations=np.array([0.1, 0.6, 0.2])))
        [(0, 2)]

    References:
        ActiveUltraFeedback, 2026, arXiv:2603.09692 (code: delta_ucb).
    """
    return [_best_place(optimistic_gaps(pool))]


def choose_delta_quantile(pool: Pool) -> list[Pair]:
    """Choose the pair at a quantile of the gaps U_i - L_j, instead of the very widest one.

    Of the n (n - 1) ordered pairs, from the widest gap down, it is the one at the whole part of n (n - 1) quantile,
    counted from 0: with the default of .05 the widest for up to 4 responses. The published code can look at a window
    around it, and takes the largest U_i there; its width is 0 by default, and here.

    Args:
        pool: Reads quality, deviations, width and quantile.

    Returns:
        One pair.

    Example:
        >>> pool = Pool(3, quality=np.array([1, 0.5, -0.5]), deviations=np.array([0.1, 0.6, 0.2]), quantile=0.2)
        >>> choose_delta_quantile(pool)
        [(1, 2)]

    References:
        ActiveUltraFeedback, 2026, arXiv:2603.09692 (code: delta_quantile).
    """
    gaps = optimistic_gaps(pool)
    order = np.argsort(-gaps, axis=None, kind="stable")
    num_pairs = pool.size * (pool.size - 1)
    return [_place(int(order[min(int(num_pairs * pool.quantile), num_pairs - 1)]), pool.size)]


def choose_infomax(pool: Pool) -> list[Pair]:
    """Choose the pair whose outcome is known least: the widest interval of the probability that i is preferred.

    The interval goes from sigmoid(L_i - U_j) to sigmoid(U_i - L_j); it is as wide for (j, i).

    Args:
        pool: Reads quality, deviations and width.

    Returns:
        One pair, in the order of the responses.

    Example:
        >>> choose_infomax(Pool(3, quality=np.array([1, 0.5, -0.5]), deviations=np.array([0.1, 0.6, 0.2])))
        [(0, 1)]

    References:
        ActiveUltraFeedback, 2026, arXiv:2603.09692 (code: infomax).
    """
    # Rounded: which of (i, j) and (j, i) comes first must not hang on the last digit.
    i, j = _best_place(interval_widths(pool).round(12))
    return [(min(i, j), max(i, j))]


def choose_maxmin_lcb(pool: Pool) -> list[Pair]:
    """Choose the response that fares best against its hardest opponent, and that opponent.

    The lower bound of i against j is r_i - r_j - width * (s_i + s_j) = L_i - U_j. Responses that one other surely beats
    need not be left out first: the hardest opponent has the largest U, and the one that beats them fares no worse, so
    that they are never chosen. The published code means to leave them out, fills their rows with infinity and takes the
    minimum over all: whenever it leaves out any it returns response 0. With `use_candidate_set=False` it chooses as
    here.

    Args:
        pool: Reads quality, deviations and width.

    Returns:
        One pair, the response first, its opponent second.

    Example:
        >>> choose_maxmin_lcb(Pool(3, quality=np.array([1, 0.5, -0.5]), deviations=np.array([0.1, 0.6, 0.2])))
        [(0, 1)]

    References:
        ActiveUltraFeedback, 2026, arXiv:2603.09692 (code: maxminlcb).
    """
    bounds = lower_bounds(pool)
    first = int(np.argmax(bounds.min(axis=1)))
    return [(first, int(np.argmin(bounds[first])))]


def optimistic_gaps(pool: Pool) -> NDArray[np.float64]:
    """Return how much better i may be than j: U_i - L_j, minus infinity on the diagonal."""
    gaps, spreads = _compare(pool)
    return _without_diagonal(gaps + spreads, -np.inf)


def interval_widths(pool: Pool) -> NDArray[np.float64]:
    """Work out how wide the interval of the probability that i is preferred to j is.

    Args:
        pool: Reads quality, deviations and width.

    Returns:
        Matrix with [i, j] = sigmoid(U_i - L_j) - sigmoid(L_i - U_j), shape (n, n); minus infinity on the diagonal.

    Example:
        >>> pool = Pool(3, quality=np.array([1, 0.5, -0.5]), deviations=np.array([0.1, 0.6, 0.2]))
        >>> interval_widths(pool)[0, 1].round(6)
        np.float64(0.318359)
    """
    gaps, spreads = _compare(pool)
    widths = (np.tanh((gaps + spreads) / 2) - np.tanh((gaps - spreads) / 2)) / 2  # sigmoid(x) = (1 + tanh(x / 2)) / 2
    return _without_diagonal(widths, -np.inf)


def lower_bounds(pool: Pool) -> NDArray[np.float64]:
    """Return how much better i is than j at least: r_i - r_j - width * (s_i + s_j), infinity on the diagonal."""
    gaps, spreads = _compare(pool)
    return _without_diagonal(gaps - spreads, np.inf)


def _compare(pool: Pool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return r_i - r_j and width * (s_i + s_j), each of shape (n, n)."""
    gaps = pool.quality[:, None] - pool.quality
    return gaps, pool.width * (pool.deviations[:, None] + pool.deviations)


def _without_diagonal(values: NDArray[np.float64], filled: float) -> NDArray[np.float64]:
    np.fill_diagonal(values, filled)
    return values


def _drawn(pool: Pool, means: NDArray[np.float64]) -> NDArray[np.float64]:
    numbers = np.array([pool.draw.uniform(-1, 1) for _ in range(pool.size)])
    return np.asarray(means + pool.width * numbers * pool.deviations)


def _drawn_second(pool: Pool, means: NDArray[np.float64], first: int, tries: int) -> int:
    """Draw until another response than the first one wins; the runner-up of the last draw if none does."""
    for _ in range(tries):
        values = _drawn(pool, means)
        if (winner := int(np.argmax(values))) != first:
            return winner
    values[first] = -np.inf
    return int(np.argmax(values))


def _best_place(values: NDArray[np.float64]) -> Pair:
    return _place(int(np.argmax(values)), len(values))


def _place(number: int, size: int) -> Pair:
    return divmod(number, size)


ROWS = {
    "dts": Rule(choose_dts, needs_quality=True, needs_deviations=True, needs_draw=True),
    "drts": Rule(choose_drts, needs_quality=True, needs_deviations=True, needs_draw=True),
    "delta-ucb": Rule(choose_delta_ucb, needs_quality=True, needs_deviations=True),
    "delta-quantile": Rule(
        choose_delta_quantile, needs_quality=True, needs_deviations=True, reads=frozenset({"quantile"})
    ),
    "infomax": Rule(choose_infomax, needs_quality=True, needs_deviations=True),
    "maxmin-lcb": Rule(choose_maxmin_lcb, needs_quality=True, needs_deviations=True),
}
