"""Areas between curves, and the budget at which one reaches what another has reached."""

import math

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from real_cli.stats.crossed_cells import CrossedCells
from real_cli.stats.learning_curves import area_weights, equal_budget, never_falling

SEEDS = [1, 2, 3]


def curves(heights, other, noise=0.02, num_prompts=200):
    """Cells of a curve, and one of another strategy, last."""
    draws = np.random.default_rng(0)
    tables = [
        height + noise * (draws.normal(size=(3, num_prompts)) + draws.normal(size=(3, 1)) / 10)
        for height in [*heights, other]
    ]
    return CrossedCells(tables, ["random"] * len(heights) + ["easy"], [SEEDS] * len(tables))


def test_the_area_is_the_trapezoids_over_the_logarithm():
    budgets, heights = [40, 160, 400, 800], np.array([0.1, 0.4, 0.3, 0.2])
    logs = np.log(budgets)
    assert area_weights(budgets) @ heights == pytest.approx(np.trapezoid(heights, logs) / (logs[-1] - logs[0]))
    assert area_weights(budgets).sum() == pytest.approx(1)


def test_the_closest_curve_that_never_falls_is_the_isotonic_regression():
    heights = np.random.default_rng(0).normal(size=12) + np.arange(12) / 4
    assert never_falling(heights) == pytest.approx(IsotonicRegression().fit_transform(np.arange(12), heights))


def test_a_height_in_between_is_read_off_the_logarithm():
    budget = equal_budget(curves([0.5, 0.6, 0.7], 0.65, noise=1e-6), 3, [0, 1, 2], [100, 400, 1600])
    assert budget.value == pytest.approx(800, rel=1e-3)
    assert budget.low < budget.value < budget.high < 1.001 * budget.low


def test_the_ends_are_budgets_at_which_the_difference_is_just_not_shown():
    """Against a search that asks for one budget at a time."""
    cells = curves([0.5, 0.6, 0.65], 0.59, noise=0.07)
    budget = equal_budget(cells, 3, [0, 1, 2], [100, 400, 1600])

    def is_shown(at):
        share = math.log(at / 100) / math.log(4)
        weights = [share - 1, -share, 0, 1] if at < 400 else [0, share - 2, 1 - share, 1]
        return cells.contrast(weights).p_value() < 0.05

    assert 100 < budget.low < 400 < budget.high < 1600
    assert [is_shown(budget.low * 0.99), is_shown(budget.low * 1.01)] == [True, False]
    assert [is_shown(budget.high * 0.99), is_shown(budget.high * 1.01)] == [False, True]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (0.8, (None, 1600, None, True)),  # not reached: more than the largest
        (0.4, (None, None, 100, False)),  # reached before the smallest
    ],
)
def test_beyond_the_curve_an_end_is_open(other, expected):
    budget = equal_budget(curves([0.5, 0.6, 0.7], other), 3, [0, 1, 2], [100, 400, 1600])
    assert budget[:4] == tuple(end if end is None else pytest.approx(end) for end in expected[:3]) + expected[3:]
    assert budget.is_known


def test_noise_that_hides_the_whole_curve_leaves_both_ends_open():
    budget = equal_budget(curves([0.50, 0.51, 0.52], 0.51, noise=5.0), 3, [0, 1, 2], [100, 400, 1600])
    assert (budget.low, budget.high, budget.is_known) == (None, None, True)


def test_a_curve_that_falls_is_read_where_it_would_not():
    """The height is reached within the part that is flat once the fall is taken out."""
    budget = equal_budget(curves([0.5, 0.7, 0.6, 0.8], 0.64, noise=0.02), 4, [0, 1, 2, 3], [100, 200, 400, 800])
    assert 100 < budget.value < 200
    assert budget.low <= budget.value <= 200
    assert budget.high > 400


def test_one_seed_gives_a_budget_without_an_interval():
    tables = [np.full((1, 50), height) for height in (0.5, 0.7, 0.6)]
    cells = CrossedCells(tables, ["random", "random", "easy"], [[1]] * 3)
    assert equal_budget(cells, 2, [0, 1], [100, 400]) == (pytest.approx(200), None, None, False, False)
