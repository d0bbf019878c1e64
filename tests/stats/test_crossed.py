"""Means over prompts and seeds: against the formulas written another way, and by simulation."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

from real_cli.stats.crossed import crossed_mean
from real_cli.stats.multiple import holm


def table(seed, num_prompts=40, num_seeds=3):
    """Invented numbers with effects of prompts and of seeds."""
    draws = np.random.default_rng(seed)
    prompts, seeds = draws.normal(0, 1, (num_prompts, 1)), draws.normal(0, 0.5, (1, num_seeds))
    return prompts + seeds + draws.normal(0, 1, (num_prompts, num_seeds))


def components(cells):
    """Mean squares by the sums of squares of two-way ANOVA, as a textbook has them."""
    num_prompts, num_seeds = cells.shape
    total = (cells**2).sum() - cells.sum() ** 2 / cells.size
    by_prompt = (cells.sum(axis=1) ** 2).sum() / num_seeds - cells.sum() ** 2 / cells.size
    by_seed = (cells.sum(axis=0) ** 2).sum() / num_prompts - cells.sum() ** 2 / cells.size
    degrees = num_prompts - 1, num_seeds - 1, (num_prompts - 1) * (num_seeds - 1)
    squares = by_prompt, by_seed, total - by_prompt - by_seed
    return [square / degree for square, degree in zip(squares, degrees, strict=True)], degrees


def test_the_variance_is_that_of_two_way_anova():
    cells = table(1)
    (prompts, seeds, rest), degrees = components(cells)
    assert seeds > rest
    found = crossed_mean(cells, np.ones(40))
    assert found.value == pytest.approx(cells.mean())
    assert found.standard_error == pytest.approx(math.sqrt((prompts + seeds - rest) / cells.size))
    parts = zip((prompts, seeds, rest), degrees, strict=True)
    assert found.degrees == pytest.approx((prompts + seeds - rest) ** 2 / sum(part**2 / n for part, n in parts))
    low, high = stats.t.interval(0.95, found.degrees, found.value, found.standard_error)
    assert found.estimate()[1:3] == pytest.approx((low, high))
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(found.value) / found.standard_error, found.degrees))


def test_with_one_seed_it_is_the_t_test_of_prompts():
    values = table(2, num_seeds=1)
    found, test = crossed_mean(values, np.ones(40)), stats.ttest_1samp(values[:, 0], 0)
    assert found.p_value == pytest.approx(test.pvalue)
    assert found.estimate()[1:3] == pytest.approx(tuple(test.confidence_interval()))


def test_seeds_that_repeat_each_other_are_worth_one():
    """Three copies of a run tell nothing that the run does not."""
    values = table(3, num_seeds=1)
    first, copies = (crossed_mean(np.repeat(values, count, axis=1), np.ones(40)) for count in (1, 3))
    assert copies.standard_error == pytest.approx(first.standard_error)
    assert copies.num_rows == 40


def test_seeds_that_differ_by_more_than_prompts_explain_widen_the_interval():
    """The mean is known no better than so few seeds let it be."""
    values = np.random.default_rng(4).normal(0, 0.01, (200, 3)) + np.array([[-1.0, 0.0, 1.0]])
    found = crossed_mean(values, np.ones(200))
    assert found.standard_error == pytest.approx(1 / math.sqrt(3), rel=0.01)
    assert found.degrees == pytest.approx(2, rel=0.01)


def test_a_prompt_with_many_pairs_weighs_as_many():
    """The mean is that over pairs, and its error that of clusters (Kish)."""
    draws = np.random.default_rng(5)
    sizes = draws.integers(1, 5, 60).astype(float)
    sums = np.array([[draws.normal(1, 1, int(size)).sum()] for size in sizes])
    found = crossed_mean(sums, sizes)
    ratio = sums.sum() / sizes.sum()
    residuals = sums[:, 0] - ratio * sizes
    assert found.value == pytest.approx(ratio)
    assert found.num_rows == sizes.sum()
    assert found.standard_error == pytest.approx(math.sqrt(60 / 59 * (residuals**2).sum()) / sizes.sum())
    nothing = crossed_mean(np.vstack([sums, [[0.0]]]), np.append(sizes, 0.0))
    assert nothing == found


@pytest.mark.parametrize(("wins", "losses"), [(5, 0), (6, 0), (12, 3), (30, 18), (9, 9)])
def test_a_difference_of_shares_of_one_seed_is_judged_as_mcnemar_judges(wins, losses):
    """The two prompts more keep a handful of pairs from deciding."""
    values = np.concatenate([np.ones(wins), -np.ones(losses), np.zeros(200 - wins - losses)])[:, None]
    found = crossed_mean(values, np.ones(200), ends=(-1.0, 1.0))
    exact = mcnemar([[0, wins], [losses, 0]], exact=True).pvalue
    assert found.value == pytest.approx((wins - losses) / 200)
    assert (found.p_value < 0.05) == (exact < 0.05)
    assert found.p_value == pytest.approx(exact, abs=0.05)


def test_equal_shares_have_an_interval_with_a_width():
    found = crossed_mean(np.zeros((50, 3)), np.ones(50), ends=(-1.0, 1.0))
    assert found.p_value == 1
    assert found.estimate(-1, 1).low == pytest.approx(-found.estimate(-1, 1).high)
    assert 0.02 < found.estimate(-1, 1).high < 0.1


def test_numbers_without_spread_have_no_interval():
    found = crossed_mean(np.full((50, 3), 0.7), np.ones(50))
    assert found.estimate() == (pytest.approx(0.7), None, None, 50)
    assert (found.p_value, found.detectable(3)) == (None, None)


def test_fewer_than_ten_prompts_have_a_mean_alone():
    found = crossed_mean(table(6, num_prompts=9), np.ones(9))
    assert found.value is not None
    assert found.estimate().low is None
    assert crossed_mean(np.zeros((0, 3)), np.zeros(0)).value is None


def test_a_detectable_difference_is_the_least_that_holm_calls_first():
    found = crossed_mean(table(7), np.ones(40))
    moved = found._replace(value=found.detectable(4))
    assert holm([moved.p_value, 0.9, 0.9, 0.9])[0] == pytest.approx(0.05)


def simulated(draws, num_prompts, num_seeds, shift, seed_sd, num_methods=1):
    """Right answers of a baseline and of others: prompts are hard for all, and every training has luck of its own.

    Policies agree on a prompt as trained ones do (latent correlation 0.7 and more); seed_sd is the standard deviation
    of an accuracy over seeds.
    """
    hard = draws.normal(0, math.sqrt(0.7), (num_prompts, 1))

    def policy(mean):
        kind = draws.normal(0, math.sqrt(0.15), (num_prompts, 1))
        luck = draws.normal(0, seed_sd / stats.norm.pdf(0.2), (1, num_seeds))
        return (mean + luck + hard + kind + draws.normal(0, math.sqrt(0.15), (num_prompts, num_seeds)) > 0).astype(
            float
        )

    base = policy(0.2)
    return [policy(0.2 + shift) - base for _ in range(num_methods)]


def expected(shift, seed_sd):
    spread = math.sqrt(1 + (seed_sd / stats.norm.pdf(0.2)) ** 2)
    return float(stats.norm.cdf((0.2 + shift) / spread) - stats.norm.cdf(0.2 / spread))


@pytest.mark.parametrize("shift", [0.0, 0.15])
@pytest.mark.parametrize("seed_sd", [0.0, 0.01, 0.02])
def test_intervals_hold_the_difference_in_92_of_100(shift, seed_sd):
    """1,000 repeats at seed 0, 240 prompts and 3 seeds: coverage between 92% and 99%."""
    draws = np.random.default_rng(0)
    truth = expected(shift, seed_sd)
    held = 0
    for _ in range(1000):
        (values,) = simulated(draws, 240, 3, shift, seed_sd)
        _, low, high, _ = crossed_mean(values, np.ones(240), ends=(-1.0, 1.0)).estimate(-1, 1)
        held += low <= truth <= high
    assert 920 <= held <= 990


def test_at_most_one_family_in_twenty_has_a_false_winner():
    """Eight methods that differ in nothing: Holm over their p-values, 1,000 repeats at seed 0; without it far more."""
    draws = np.random.default_rng(0)
    corrected = plain = 0
    for _ in range(1000):
        values = simulated(draws, 240, 3, 0.0, 0.01, num_methods=8)
        p_values = [crossed_mean(value, np.ones(240), ends=(-1.0, 1.0)).p_value for value in values]
        plain += min(p_values) < 0.05
        corrected += min(holm(p_values)) < 0.05
    assert corrected <= 50
    assert plain > 100
