"""Contrasts of means over prompts and seeds, against textbook tables worked out another way."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.proportion import proportion_confint

from real_cli.stats.crossed_cells import CrossedCells, linearized


def crossed(draws, num_seeds=3, num_prompts=40, seeds=0.5):
    """A table with effects of prompts, of seeds, and of both."""
    return (
        draws.normal(size=num_prompts)
        + seeds * draws.normal(size=(num_seeds, 1))
        + draws.normal(size=(num_seeds, num_prompts))
    )


def mean_squares(table):
    """Those of prompts, seeds and what is left, by a linear model."""
    from pandas import DataFrame
    from statsmodels.formula.api import ols

    seeds, prompts = np.indices(table.shape)
    frame = DataFrame({"y": table.ravel(), "seed": seeds.ravel(), "prompt": prompts.ravel()})
    anova = anova_lm(ols("y ~ C(prompt) + C(seed)", frame).fit())
    return anova["mean_sq"].to_list()


def test_a_cell_has_the_variance_of_a_two_way_table():
    table = crossed(np.random.default_rng(3))
    by_prompt, by_seed, rest = mean_squares(table)
    assert by_seed > rest  # else nothing would be added for seeds
    contrast = CrossedCells([table], ["easy"], [[1, 2, 3]]).contrast([1])
    error, degrees = contrast.error()
    expected = (by_prompt + by_seed - rest) / 120
    assert error**2 == pytest.approx(expected)
    assert degrees == pytest.approx(expected**2 / ((by_prompt / 120) ** 2 / 39 + (by_seed / 120) ** 2 / 2))
    low, high = stats.t.interval(0.95, degrees, table.mean(), math.sqrt(expected))
    assert contrast.estimate()[:3] == pytest.approx((table.mean(), low, high))
    assert contrast.p_value() == pytest.approx(2 * stats.t.sf(table.mean() / error, degrees))


def test_seeds_that_do_not_stray_add_nothing_and_take_nothing_away():
    draws = np.random.default_rng(0)
    table = crossed(draws, seeds=0.0)
    table += table.mean() - table.mean(axis=1, keepdims=True)
    by_prompt, by_seed, rest = mean_squares(table)
    assert by_seed < rest
    error, degrees = CrossedCells([table], ["easy"], [[1, 2, 3]]).contrast([1]).error()
    assert error**2 == pytest.approx(by_prompt / 120)
    assert degrees == pytest.approx(39)


def test_a_difference_shares_its_prompts_and_not_its_seeds():
    """Each side's seeds by their own table, prompts by the differences of their means over seeds."""
    draws = np.random.default_rng(1)
    tables = [crossed(draws, num_seeds, seeds=2.0) for num_seeds in (3, 5)]
    cells = CrossedCells(tables, ["easy", "random"], [[1, 2, 3], [1, 2, 3, 4, 5]])
    contrast = cells.contrast([1, -1])
    apart = tables[0].mean(axis=0) - tables[1].mean(axis=0)
    seen = [table.mean(axis=1).var(ddof=1) / len(table) for table in tables]
    noise = [mean_squares(table)[2] / table.size for table in tables]
    variance = apart.var(ddof=1) / 40 + sum(seen) - sum(noise)
    error, degrees = contrast.error()
    assert contrast.value == pytest.approx(tables[0].mean() - tables[1].mean())
    assert error**2 == pytest.approx(variance)
    spread = (apart.var(ddof=1) / 40) ** 2 / 39 + seen[0] ** 2 / 2 + seen[1] ** 2 / 4
    assert degrees == pytest.approx(variance**2 / spread)
    assert cells.half_widths(np.array([[1.0, -1.0]]))[0] == pytest.approx(stats.t.ppf(0.975, degrees) * error)


def test_runs_of_one_strategy_go_along_from_budget_to_budget():
    """The mean of two budgets of the same seeds is that of the tables' mean, and strays as far."""
    draws = np.random.default_rng(2)
    run = 3 * draws.normal(size=(3, 1))
    tables = [crossed(draws) + run for _ in range(2)]
    together = CrossedCells(tables, ["easy", "easy"], [[1, 2, 3]] * 2).contrast([0.5, 0.5])
    mean = CrossedCells([sum(tables) / 2], ["easy"], [[1, 2, 3]]).contrast([1])
    assert together.error() == pytest.approx(mean.error())
    apart = CrossedCells(tables, ["easy", "random"], [[1, 2, 3]] * 2).contrast([0.5, 0.5])
    assert apart.error()[0] < 0.8 * together.error()[0]
    turned = CrossedCells([tables[0], tables[1][::-1]], ["easy", "easy"], [[1, 2, 3], [3, 2, 1]]).contrast([0.5, 0.5])
    assert turned.error() == pytest.approx(together.error())


def test_the_linearized_mean_is_that_over_pairs():
    draws = np.random.default_rng(0)
    sizes = draws.integers(1, 5, (3, 40)).astype(float)
    sums = draws.binomial(sizes.astype(int), 0.6).astype(float)
    cells = linearized(sums, sizes)
    assert cells.mean(axis=1) == pytest.approx(sums.sum(axis=1) / sizes.sum(axis=1))
    residuals = (sums[0] - sizes[0] * sums[0].sum() / sizes[0].sum()) / sizes[0].sum()
    assert cells[0].var(ddof=0) / 40 == pytest.approx((residuals**2).sum())


@pytest.mark.parametrize("correct", [0, 40])
def test_a_share_that_never_varies_has_wilsons_interval_of_its_prompts(correct):
    table = np.full((3, 40), correct / 40)
    estimate = CrossedCells([table], ["easy"], [[1, 2, 3]], is_share=True).share(0)
    assert estimate[1:3] == pytest.approx(proportion_confint(correct, 40, method="wilson"), abs=1e-9)


def test_the_interval_of_a_share_of_independent_rows_is_wilsons():
    table = (np.random.default_rng(0).normal(size=(100, 300)) + 0.3 > 0).astype(float)
    share = CrossedCells([table], ["easy"], [list(range(100))], is_share=True).share(0)
    low, high = proportion_confint(table.sum(), table.size, method="wilson")
    assert share[:3] == pytest.approx((table.mean(), low, high), abs=0.1 * (high - low))


def test_a_handful_of_prompts_makes_no_difference():
    """Four prompts of 240, right under one strategy in each run: as McNemar's test has it, that may be chance."""
    tables = [np.ones((3, 240)), np.ones((3, 240))]
    tables[1][:, :4] = 0
    seeds = [[1, 2, 3]] * 2
    few = CrossedCells(tables, ["easy", "random"], seeds, is_share=True).contrast([1, -1])
    assert few.p_value() > 0.05
    tables[1][:, :30] = 0
    many = CrossedCells(tables, ["easy", "random"], seeds, is_share=True).contrast([1, -1])
    assert many.p_value() < 1e-4


@pytest.mark.parametrize(("num_seeds", "num_prompts"), [(1, 40), (3, 9)])
def test_one_seed_and_few_prompts_have_no_interval(num_seeds, num_prompts):
    table = crossed(np.random.default_rng(0), num_seeds, num_prompts)
    cells = CrossedCells([table], ["easy"], [list(range(num_seeds))])
    contrast = cells.contrast([1])
    assert contrast.value == pytest.approx(table.mean())
    assert contrast.estimate()[1:3] == (None, None)
    assert contrast.p_value() is contrast.prompts_needed() is contrast.seeds_needed() is None
    assert cells.share(0)[1:3] == (None, None)


def test_what_is_needed_is_the_smallest_number_that_shows_it():
    draws = np.random.default_rng(0)
    contrast = CrossedCells([crossed(draws, 4, 100, 0.05) / 10 + 0.02], ["easy"], [[1, 2, 3, 4]]).contrast([1])
    prompts, seeds = contrast.prompts_needed(2), contrast.seeds_needed(2)
    assert contrast.smallest_shown(2, more_prompts=prompts / 100) <= abs(contrast.value)
    assert contrast.smallest_shown(2, more_prompts=(prompts - 1) / 100) > abs(contrast.value)
    assert seeds is None  # prompts alone keep it undecided
    assert contrast.smallest_shown(2, more_seeds=1e6) > abs(contrast.value)
    assert contrast.smallest_shown(20) > contrast.smallest_shown(2)
