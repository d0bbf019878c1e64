"""Wilson's intervals of shares and of scores in [0, 1], for as many trials as rows that share prompts are worth.

Where each row has a prompt of its own and is 0 or 1, this is Wilson's interval. Rows of one prompt are worth less, as
far as they agree; ties, which vary less than wins and losses, are worth more.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from real_cli.stats.bootstrap import FEWEST_CELLS, student_quantile
from real_cli.stats.intervals import Estimate, Interval

Floats = NDArray[np.float64]
# With fewer prompts that have the rarer outcome, their rows do not tell how far rows of one prompt agree.
FEWEST_RARE = 5


# Two-sided 95 %.
Z_95 = 1.959963984540054


class _Clusters(NamedTuple):
    """Sums and numbers of the rows of each prompt, shape (prompts,)."""

    sums: Floats
    sizes: Floats

    @property
    def share(self) -> float:
        return float(self.sums.sum() / self.sizes.sum())

    @property
    def agreed_size(self) -> float:
        """How many rows one independent row stands for if those of a prompt always agree; 1 where each has its own.

        Kish, 1965, Survey Sampling, section 8.2: sum of m^2 over sum of m.
        """
        return float((self.sizes**2).sum() / self.sizes.sum())

    @property
    def residuals(self) -> Floats:
        return self.sums - self.share * self.sizes


def estimate_share(values: ArrayLike, prompts: ArrayLike, *, inflation: float = 1.0) -> Estimate:
    """Estimate a share, or the mean of scores in [0, 1].

    Args:
        values: 0, 1 or between, one a row, shape (rows,); a row of NaN is no row.
        prompts: A number for the prompt of each row, shape (rows,).
        inflation: By how much more the estimate varies than the rows tell, at least 1.

    Returns:
        The share with Wilson's interval for the effective number of trials: never more than rows, but for ties. There
        is none where prompts repeat and are fewer than ten. Where all rows are alike, or fewer than five prompts have
        the rarer outcome, rows of one prompt count as if they always agreed.

    Example:
        >>> estimate_share([1, 1, 1, 0], [7, 8, 9, 10])  # Wilson's of 3 out of 4
        Estimate(value=0.75, low=0.300641..., high=0.954412..., num_rows=4)
        >>> twice = np.repeat(np.arange(20), 2)
        >>> estimate_share(twice % 2, twice).low < estimate_share(twice % 2, np.arange(40)).low
        True

    References:
        Korn and Graubard, 1998, Survey Methodology 24, 193-201: the effective number and Student's t; capped at the
        number of rows as in Parker et al., 2017, NCHS Vital and Health Statistics 2(175).
    """
    numbers, keys = _known(values, prompts)
    if not numbers.size:
        return Estimate(None, None, None, 0)
    clusters = _clusters(numbers, np.unique(keys, return_inverse=True)[1])
    trials = _trials(numbers, clusters)
    if trials is None:
        return Estimate(clusters.share, None, None, numbers.size)
    trials /= max(1.0, inflation)
    low, high = wilson_interval(clusters.share * trials, trials) or (None, None)
    return Estimate(clusters.share, low, high, numbers.size)


def standard_error(values: ArrayLike, prompts: ArrayLike) -> float:
    """Return how far a share strays, with z^2 rows more, half zeros and half ones, so that it is never 0.

    Args:
        values: 0, 1 or between, one a row, shape (rows,); a row of NaN is no row.
        prompts: A number for the prompt of each row, shape (rows,).

    Returns:
        For the effective number of trials; 1/2 where that cannot be told, and without rows: no share strays farther.

    Example:
        >>> round(standard_error(np.arange(100) % 2, np.arange(100)), 3)
        0.05
    """
    numbers, keys = _known(values, prompts)
    if not numbers.size:
        return 0.5
    clusters = _clusters(numbers, np.unique(keys, return_inverse=True)[1])
    trials = _trials(numbers, clusters)
    if trials is None:
        return 0.5
    share = (clusters.share * trials + Z_95**2 / 2) / (trials + Z_95**2)
    return min(0.5, math.sqrt(share * (1 - share) / trials))


def share_difference(values: ArrayLike, prompts: ArrayLike, others: ArrayLike, other_prompts: ArrayLike) -> Estimate:
    """Estimate how much larger one share is than another, of the same prompts or of others.

    Bonett and Price's interval of paired shares: as if one prompt more had only the first, and one only the second. It
    is widened to hold 0 where the same numbers, spread as they would be were there no difference, do not exclude it: of
    5 out of 5 that differ it says, as McNemar's exact test does, that they may do so by chance, among however many
    prompts. Where prompts repeat, each of the two more has as many rows as the prompt of an average row.

    Args:
        values: 0 or 1, one a row, shape (rows,); a row of NaN is no row.
        prompts: A number for the prompt of each row, shape (rows,).
        others: Of the rows to compare with, shape (others,).
        other_prompts: Likewise.

    Returns:
        The difference, its interval, and the number of rows of the smaller side. There is no interval where prompts
        repeat and one side has fewer than ten.

    Example:
        >>> rows = np.arange(120)
        >>> found = [share_difference(rows < number, rows, rows < 0, rows) for number in (4, 5, 6)]
        >>> [(round(one.value, 3), one.low > 0) for one in found]  # McNemar: p = 1/8, 1/16, 1/32
        [(0.033, False), (0.042, False), (0.05, True)]

    References:
        Bonett and Price, 2012, Journal of Educational and Behavioral Statistics 37, 479-488.
    """
    sides = [_known(values, prompts), _known(others, other_prompts)]
    count = min(numbers.size for numbers, _ in sides)
    if not count:
        return Estimate(None, None, None, 0)
    distinct, indices = np.unique(np.concatenate([keys for _, keys in sides]), return_inverse=True)
    split = np.split(indices, [sides[0][0].size])
    first, second = (_clusters(numbers, keys, distinct.size) for (numbers, _), keys in zip(sides, split, strict=True))
    value = first.share - second.share
    num_prompts = min(int(np.count_nonzero(side.sizes)) for side in (first, second))
    repeats = max(first.sizes.max(), second.sizes.max()) > 1
    if repeats and num_prompts < FEWEST_CELLS:
        return Estimate(value, None, None, count)
    left, right = _with_two_more(first, 1.0), _with_two_more(second, 0.0)
    quantile = student_quantile(num_prompts) if repeats else Z_95
    center, half = left.share - right.share, quantile * _standard_error(left, right, (left.share, right.share))
    low, high = max(-1.0, center - half), min(1.0, center + half)
    if abs(center) <= quantile * _standard_error(left, right, (_Clusters(*np.hstack([left, right])).share,) * 2):
        low, high = min(low, 0.0), max(high, 0.0)
    return Estimate(value, low, high, count)


def _standard_error(left: _Clusters, right: _Clusters, shares: tuple[float, float]) -> float:
    """Spread the difference of two shares by prompts, were these the shares."""
    sides = zip((left, right), shares, strict=True)
    first, second = ((side.sums - share * side.sizes) / side.sizes.sum() for side, share in sides)
    return math.sqrt(_sum_of_squares(first - second))


def spread_of(values: ArrayLike, prompts: ArrayLike) -> float:
    """Return the sum of the squares of the sums of prompts, the same in any order of the prompts."""
    _, indices = np.unique(np.asarray(prompts), return_inverse=True)
    return _sum_of_squares(_clusters(np.asarray(values, dtype=np.float64), indices).sums)


def _known(values: ArrayLike, prompts: ArrayLike) -> tuple[Floats, NDArray[np.int64]]:
    numbers = np.asarray(values, dtype=np.float64)
    known = ~np.isnan(numbers)
    return numbers[known], np.asarray(prompts)[known]


def _clusters(numbers: Floats, indices: NDArray[np.intp], size: int = 0) -> _Clusters:
    sums = np.bincount(indices, weights=numbers, minlength=size).astype(np.float64)
    return _Clusters(sums, np.bincount(indices, minlength=size).astype(np.float64))


def _trials(numbers: Floats, clusters: _Clusters) -> float | None:
    """Count as many independent trials as rows are worth; None where few prompts repeat."""
    if clusters.sizes.max() > 1 and clusters.sizes.size < FEWEST_CELLS:
        return None
    return numbers.size / (_tie_effect(numbers) * _design_effect(numbers, clusters))


def _tie_effect(numbers: Floats) -> float:
    """Divide the variance by that of zeros and ones of the same mean, with z^2 rows more: half zeros, half ones.

    These are those that put a Wald interval where Wilson's is (Agresti and Coull, 1998, The American Statistician 52,
    119-126): a few wins without a tie are no sign that there are none, and the reverse.
    """
    half = Z_95**2 / 2
    count = numbers.size + 2 * half
    mean, square = (float(numbers.sum()) + half) / count, (float((numbers**2).sum()) + half) / count
    return min(1.0, (square - mean**2) / (mean * (1 - mean)))


def _design_effect(numbers: Floats, clusters: _Clusters) -> float:
    """Divide the variance of the share by that of as many independent rows; with Student's t for Wilson's z.

    What t adds ends where rows of a prompt always agree: then prompts are trials, and their variance is known.
    """
    num_prompts, agreed = clusters.sizes.size, clusters.agreed_size
    rows = float((numbers**2).sum()) - numbers.size * clusters.share**2
    # What is left of rows that are all alike is rounding.
    if clusters.sizes.max() == 1 or rows < 1e-9:
        return agreed
    widening = num_prompts / (num_prompts - 1) * (student_quantile(num_prompts) / Z_95) ** 2
    effect = _sum_of_squares(clusters.residuals) / rows
    num_rare = min(np.count_nonzero(clusters.sums > 0), np.count_nonzero(clusters.sums < clusters.sizes))
    least = 1.0 if num_rare >= FEWEST_RARE else agreed
    return max(least, effect, min(effect * widening, agreed))


def _with_two_more(side: _Clusters, first: float) -> _Clusters:
    """Add a prompt whose rows are all `first`, and one whose rows are all the other."""
    size = side.agreed_size
    return _Clusters(np.append(side.sums, [first * size, (1 - first) * size]), np.append(side.sizes, [size, size]))


def _sum_of_squares(values: Floats) -> float:
    """Sorted, so that rounding does not depend on the order of prompts."""
    return float(np.sort(values**2).sum())


def share_of(successes: int, trials: int) -> Estimate:
    """Estimate a share of independent trials.

    Args:
        successes: How often it happened.
        trials: Out of how many.

    Returns:
        The share with Wilson's interval; no number without trials.

    Example:
        >>> share_of(8, 10)
        Estimate(value=0.8, low=0.49016..., high=0.94331..., num_rows=10)
    """
    low, high = wilson_interval(successes, trials) or (None, None)
    return Estimate(successes / trials if trials else None, low, high, trials)


def wilson_interval(successes: float, trials: float, z: float = Z_95) -> Interval | None:
    """Return Wilson's score interval of a share; it stays in [0, 1] and is sound for few trials.

    Args:
        successes: How often it happened; with a fraction where rows are worth less than one each.
        trials: Out of how many.
        z: Quantile of the normal distribution; 1.96 gives 95 %.

    Returns:
        The interval; None without trials.

    Example:
        >>> wilson_interval(8, 10)
        Interval(low=0.49016..., high=0.94331...)

    References:
        Wilson, 1927, Journal of the American Statistical Association 22, 209-212.
    """
    if not trials:
        return None
    share = successes / trials
    scale = 1 + z * z / trials
    center = (share + z * z / (2 * trials)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return Interval(round(max(0.0, center - half), 12), round(min(1.0, center + half), 12))
