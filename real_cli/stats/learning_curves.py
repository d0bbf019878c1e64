"""Learning curves: how much larger one is than another, and at which budget one reaches what another has reached."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from real_cli.stats.bootstrap import FEWEST_CELLS
from real_cli.stats.contrast import Floats
from real_cli.stats.crossed_cells import CrossedCells

# Between two budgets; the ends of an interval are set straight between these.
NUM_STEPS = 32


class EqualBudget(NamedTuple):
    """The budget at which a curve reaches a height.

    Attributes:
        value: The budget; None where the curve does not reach the height, or begins above it.
        low: Lower end of its 95% interval; None where it lies below the smallest budget, or is not known.
        high: Upper end; None where it lies beyond the largest budget, or is not known.
        is_beyond: Whether the height is more than the curve reaches.
        is_known: Whether there is an interval, of which an end may be open.
    """

    value: float | None
    low: float | None
    high: float | None
    is_beyond: bool
    is_known: bool


def area_weights(budgets: ArrayLike) -> Floats:
    """Weigh heights so that their sum is a curve's mean over the logarithm of the budget.

    Args:
        budgets: Growing, greater than 0, shape (budgets,).

    Returns:
        Weights that sum to 1, by the trapezoid rule, the same shape.

    Example:
        >>> area_weights([10, 100, 1000]), area_weights([320])
        (array([0.25, 0.5 , 0.25]), array([1.]))
    """
    logs = np.log(np.asarray(budgets, dtype=np.float64))
    if logs.size < 2:
        return np.ones(logs.size)
    widths = np.diff(logs)
    return np.asarray((np.append(widths, 0.0) + np.append(0.0, widths)) / (2 * widths.sum()))


def never_falling(heights: ArrayLike) -> Floats:
    """Fit the closest heights that never fall.

    Args:
        heights: Shape (budgets,).

    Returns:
        The isotonic regression with equal weights, the same shape.

    Example:
        >>> never_falling([0.5, 0.75, 0.25, 1.0])
        array([0.5, 0.5, 0.5, 1. ])

    References:
        Barlow and Brunk, 1972, Journal of the American Statistical Association 67, 140-147: the min-max formula.
    """
    values = np.asarray(heights, dtype=np.float64)
    sums, size = np.append(0.0, np.cumsum(values)), values.size
    starts, ends = np.arange(size), np.arange(1, size + 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = (sums[ends] - sums[starts, None]) / (ends - starts[:, None])  # of heights from start to before end
    return np.array([max(min(means[start, place:]) for start in range(place + 1)) for place in range(size)])


def equal_budget(cells: CrossedCells, cell: int, curve: list[int], budgets: ArrayLike) -> EqualBudget:
    """Find the budget at which a curve reaches what a cell has reached.

    Between its budgets the curve runs straight over the logarithm of the budget. The budget itself is read off the
    closest curve that never falls. The interval is of those budgets at which cell and curve are not shown to differ: a
    difference at each is a weighted sum of means, so both share the prompts, and no distribution of a ratio is needed.

    Args:
        cells: The means and how they vary.
        cell: The number of the cell.
        curve: Numbers of the curve's cells, at least two, in the order of their budgets.
        budgets: Of the curve's cells, growing, shape (budgets,).

    Returns:
        The budget and its interval.

    Example:
        >>> draws = np.random.default_rng(0)
        >>> heights = np.array([0.5, 0.6, 0.7, 0.6])[:, None, None]
        >>> tables = list(heights + draws.normal(0, 0.2, (4, 3, 400)))
        >>> cells = CrossedCells(tables, ["random"] * 3 + ["easy"], [[1, 2, 3]] * 4)
        >>> budget = equal_budget(cells, 3, [0, 1, 2], [100, 200, 400])
        >>> 150 < budget.low < budget.value < budget.high < 260
        True

    References:
        Fieller, 1954, Journal of the Royal Statistical Society B 16, 175-185: intervals by the values not rejected.
    """
    logs = np.log(np.asarray(budgets, dtype=np.float64))
    height, heights = float(cells.means[cell]), never_falling(cells.means[curve])
    is_beyond = height > heights[-1]
    value = None if is_beyond or height < heights[0] else float(np.exp(_place(height, heights, logs)))
    if cells.num_prompts < FEWEST_CELLS or cells.num_seeds[[cell, *curve]].min() < 2:
        return EqualBudget(value, None, None, is_beyond, False)
    points, weights = _differences(cells, cell, curve, logs)
    gaps, halves = weights @ cells.means, cells.half_widths(weights)
    low, high = _ends(points, gaps, halves)
    if value is not None:  # the curve that never falls is not quite the one that was measured
        low = None if low is None else min(low, float(np.log(value)))
        high = None if high is None else max(high, float(np.log(value)))
    ends = [None if end is None else float(np.exp(end)) for end in (low, high)]
    return EqualBudget(value, ends[0], ends[1], is_beyond, True)


def _place(height: float, heights: Floats, logs: Floats) -> float:
    """Find the first place at which a curve that never falls has a height that it reaches."""
    after = int(np.argmax(heights >= height))
    if after == 0:
        return float(logs[0])
    share = (height - heights[after - 1]) / (heights[after] - heights[after - 1])
    return float(logs[after - 1] + share * (logs[after] - logs[after - 1]))


def _differences(cells: CrossedCells, cell: int, curve: list[int], logs: Floats) -> tuple[Floats, Floats]:
    """Weigh cell minus curve at places along the curve: the places, and a row of weights each."""
    shares = np.arange(NUM_STEPS) / NUM_STEPS
    points = np.append((logs[:-1, None] + shares * np.diff(logs)[:, None]).ravel(), logs[-1])
    weights = np.zeros((points.size, cells.means.size))
    for place, number in enumerate(curve):
        weights[:, number] -= np.interp(points, logs, np.eye(len(curve))[place])
    weights[:, cell] += 1.0
    return points, weights


def _ends(points: Floats, gaps: Floats, halves: Floats) -> tuple[float | None, float | None]:
    """Find the first place where the cell is not shown to be higher, and the last where it is not shown to be lower."""
    over, under = gaps - halves, gaps + halves
    low = points[-1] if over[-1] > 0 else None
    if over[0] <= 0:
        low = None
    elif (over <= 0).any():
        after = int(np.argmax(over <= 0))
        low = _between(points, over, after - 1)
    high = points[0] if under[0] < 0 else None
    if under[-1] >= 0:
        high = None
    elif (under >= 0).any():
        before = points.size - 1 - int(np.argmax(under[::-1] >= 0))
        high = _between(points, under, before)
    return low, high


def _between(points: Floats, values: Floats, index: int) -> float:
    """Find where a line from one point to the next crosses 0."""
    first, second = values[index], values[index + 1]
    share = 0.0 if first == second else first / (first - second)
    return float(points[index] + share * (points[index + 1] - points[index]))
