"""How far two raters agree beyond chance, with intervals that know which rows share a prompt."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from real_cli.stats.bootstrap import ROUNDING
from real_cli.stats.intervals import Estimate
from real_cli.stats.proportions import Z_95, estimate_share, spread_of

Floats = NDArray[np.float64]


class _Chance(NamedTuple):
    """How often two raters agree by chance, and how far each row moves that, shape (rows,)."""

    share: float
    influence: Floats


def cohen_kappa(
    first: ArrayLike, second: ArrayLike, prompts: ArrayLike, mirror: Sequence[int] | None = None
) -> Estimate:
    """Estimate Cohen's kappa: agreement beyond that of raters who answer by chance, each by habits of their own.

    Args:
        first: The category of each row by one rater, from 0, shape (rows,).
        second: By the other, shape (rows,).
        prompts: A number for the prompt of each row, shape (rows,).
        mirror: What each category becomes when the two things that a row compares change places, shape (categories,).
            Which of them stands first is then arbitrary, and the habits are those over both orders. Without it every
            category stays as it is.

    Returns:
        (agreement - chance) / (1 - chance). Its interval is that of the agreement (Wilson's, for what rows of one
        prompt are worth together) at this chance, as much wider or narrower as kappa varies more or less than that
        by the delta method. None where both raters always give one category, for then chance leaves nothing to add.

    Example:
        >>> rows = np.arange(10)
        >>> cohen_kappa([0] * 5 + [1] * 5, [0] * 4 + [1] * 6, rows)
        Estimate(value=0.8, low=0.20..., high=0.96..., num_rows=10)
        >>> cohen_kappa([0] * 10, [0] * 9 + [2], rows, mirror=(2, 1, 0)).value
        0.8

    References:
        Cohen, 1960, Educational and Psychological Measurement 20, 37-46, eq. 2; Fleiss, Cohen and Everitt, 1969,
        Psychological Bulletin 72, 323-327 (the delta method).
    """
    left, right = _indicators(first, second, mirror)
    if not left.size:
        return Estimate(None, None, None, 0)
    agrees = (left * right).sum(axis=1)
    habits, others = _habits(left, mirror), _habits(right, mirror)
    share = float(habits.mean(axis=0) @ others.mean(axis=0))
    influence = habits @ others.mean(axis=0) + others @ habits.mean(axis=0) - 2 * share
    return _beyond_chance(agrees, _Chance(share, influence), np.asarray(prompts))


def gwet_ac1(first: ArrayLike, second: ArrayLike, prompts: ArrayLike, mirror: Sequence[int] | None = None) -> Estimate:
    """Estimate Gwet's AC1: agreement beyond chance, where chance is met only on rows that are hard to rate.

    Where nearly all rows are of one category kappa falls to 0 however often the raters agree; AC1 does not.

    Args:
        first: The category of each row by one rater, from 0, shape (rows,).
        second: By the other, shape (rows,).
        prompts: A number for the prompt of each row, shape (rows,).
        mirror: As for `cohen_kappa`.

    Returns:
        (agreement - chance) / (1 - chance), with the interval that `cohen_kappa` describes. Categories that neither
        rater gives do not count; of a single one chance is 0.

    Example:
        >>> rows = np.arange(125)  # Feinstein and Cicchetti's kind of table: 118, 5, 2, 0
        >>> first, second = [0] * 123 + [1] * 2, [0] * 118 + [1] * 5 + [0] * 2
        >>> round(gwet_ac1(first, second, rows).value, 4), round(cohen_kappa(first, second, rows).value, 4)
        (0.9408, -0.0234)

    References:
        Gwet, 2008, British Journal of Mathematical and Statistical Psychology 61, 29-48, eqs. 4 and 5.
    """
    left, right = _indicators(first, second, mirror)
    if not left.size:
        return Estimate(None, None, None, 0)
    agrees = (left * right).sum(axis=1)
    habits = (_habits(left, mirror) + _habits(right, mirror)) / 2
    shares = habits.mean(axis=0)
    count = int((shares > 0).sum())
    scale = 1 / (count - 1) if count > 1 else 0.0
    chance = scale * float(shares @ (1 - shares))
    influence = scale * (habits - shares) @ (1 - 2 * shares)
    return _beyond_chance(agrees, _Chance(chance, influence), np.asarray(prompts))


def _indicators(first: ArrayLike, second: ArrayLike, mirror: Sequence[int] | None) -> tuple[Floats, Floats]:
    """Turn categories into columns of zeros and ones, shape (rows, categories)."""
    sides = [np.asarray(side, dtype=np.int64) for side in (first, second)]
    largest = max((int(side.max(initial=0)) for side in sides), default=0)
    rows = np.eye(len(mirror) if mirror is not None else largest + 1)
    return rows[sides[0]], rows[sides[1]]


def _habits(rows: Floats, mirror: Sequence[int] | None) -> Floats:
    return rows if mirror is None else (rows + rows[:, list(mirror)]) / 2


def _beyond_chance(agrees: Floats, chance: _Chance, prompts: NDArray[Any]) -> Estimate:
    share, count = float(agrees.mean()), agrees.size
    if 1 - chance.share < ROUNDING:
        return Estimate(None, None, None, count)
    value = (share - chance.share) / (1 - chance.share)
    agreement = estimate_share(agrees, prompts)
    if agreement.low is None or agreement.high is None:
        return Estimate(value, None, None, count)
    plain = (agrees - share) / (1 - chance.share)
    moved = plain - (1 - share) * chance.influence / (1 - chance.share) ** 2
    alone, whole = spread_of(plain, prompts), spread_of(moved, prompts)
    ratio = math.sqrt(whole / alone) if alone > ROUNDING else 1.0
    low, high = (value + ratio * (end - share) / (1 - chance.share) for end in (agreement.low, agreement.high))
    return Estimate(value, max(-1.0, low), min(1.0, high), count)


def repeat_agreement(categories: ArrayLike, things: ArrayLike, prompts: ArrayLike) -> Estimate:
    """Estimate how often two ratings of the same thing agree.

    Args:
        categories: The category of each rating, shape (ratings,).
        things: A number for the thing that is rated, shape (ratings,).
        prompts: A number for the prompt of each rating, the same for ratings of one thing, shape (ratings,).

    Returns:
        Of each thing with several ratings the share of their pairs that agree, averaged over such things; its interval
        is a share's. `num_rows` is the number of these things; no value without any.

    Example:
        >>> repeat_agreement([0, 0, 1, 2, 2, 0], [7, 7, 7, 8, 8, 9], [1, 1, 1, 2, 2, 3])
        Estimate(value=0.666666..., low=0.17..., high=0.94..., num_rows=2)
    """
    names, groups = np.unique(np.asarray(things), return_inverse=True)
    _, codes = np.unique(np.asarray(categories), return_inverse=True)
    width = int(codes.max(initial=0)) + 1
    counts = np.bincount(groups * width + codes, minlength=names.size * width).reshape(names.size, width)
    sizes = counts.sum(axis=1)
    several = sizes > 1
    pairs = (counts * (counts - 1)).sum(axis=1)[several] / (sizes * (sizes - 1))[several]
    homes = np.zeros(names.size, dtype=np.asarray(prompts).dtype)
    homes[groups] = np.asarray(prompts)
    return estimate_share(pairs, homes[several])


class Detectable(NamedTuple):
    """What labels can show of two models whose responses they compare.

    Attributes:
        difference: The smallest win rate beyond one half that so many labels show; None where none can be shown.
        num_labels: How many labels show the difference that was asked for; None where no number does.
    """

    difference: float | None
    num_labels: int | None


# The chance to miss a difference of this size is one in five, Phi(-0.8416).
POWER_80 = 0.8416212335729143
# Beyond it is no count that anybody would pay for, and a float may overflow.
MOST_LABELS = 10**12


def what_labels_show(accuracy: float, share_ties: float, num_labels: int, effect: float) -> Detectable:
    """Work out which difference between two models a labeler's verdicts show, and what a difference costs.

    A labeler who is right in a share a of the comparisons (a tie is half) turns a win rate of 1/2 + d into
    1/2 + (2 a - 1) d, whoever the models are: errors that favor one of them are not allowed for. With a share t of ties
    a verdict varies by (1 - t) / 4, so that n verdicts show d at 5% (two-sided) with power 80% from
    (1.960 + 0.842) sqrt((1 - t) / (4 n)) / (2 a - 1) on.

    Args:
        accuracy: How often the labeler is right, from 0 to 1.
        share_ties: How often it says tie, from 0 to 1.
        num_labels: How many independent verdicts there are.
        effect: The win rate beyond one half that is to be shown, in (0, 1/2].

    Returns:
        The smallest difference, and the number of labels that the effect needs, both by this formula.

    Example:
        >>> perfect = what_labels_show(1.0, 0.0, 400, 0.05)
        >>> round(perfect.difference, 4), perfect.num_labels
        (0.07, 785)
        >>> what_labels_show(0.75, 0.0, 400, 0.05).num_labels, what_labels_show(0.5, 0.0, 400, 0.05).num_labels
        (3140, None)

    References:
        Cohen, 1988, Statistical Power Analysis, section 6.3 (a proportion against one half).
    """
    slope, deviation = 2 * accuracy - 1, (Z_95 + POWER_80) * math.sqrt(max(0.0, 1 - share_ties) / 4)
    if slope <= ROUNDING or deviation == 0:
        return Detectable(None, None)
    needed = (deviation / (slope * effect)) ** 2
    difference = deviation / math.sqrt(num_labels) / slope if num_labels else 1.0
    return Detectable(
        difference if difference <= 0.5 else None, math.ceil(needed - 1e-9) if needed < MOST_LABELS else None
    )
