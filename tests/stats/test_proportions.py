"""Intervals of shares whose rows may share a prompt."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint

from real_cli.stats.proportions import estimate_share, share_difference, spread_of, wilson_interval

T_19 = 2.093024054408263  # Student's t of 19 degrees of freedom, 0.975
Z = 1.959963984540054


def ends(result):
    return result.low, result.high


def outcomes(*counts):
    """So many ones, halves and zeros."""
    return np.repeat([1.0, 0.5, 0.0], counts)


# By hand


def test_prompts_of_two_that_differ_by_more_than_chance_are_worth_less():
    """Twenty prompts of two: 6 both right, 6 both wrong, 8 one of each. Share 1/2; sums less their share 1, -1, 0, so
    the sum of squares is 12, and that of rows 40 / 4 = 10: effect 1.2, times 20 / 19 and (t / z)^2."""
    values = np.repeat([1.0, 0.0], 20).tolist()
    prompts = [*np.repeat(np.arange(6), 2), *range(6, 14), *np.repeat(np.arange(14, 20), 2), *range(6, 14)]
    trials = 40 / (1.2 * 20 / 19 * (T_19 / Z) ** 2)
    assert ends(estimate_share(values, prompts)) == pytest.approx(wilson_interval(trials / 2, trials))


def test_prompts_that_differ_less_than_chance_are_worth_no_more_than_rows():
    result = estimate_share(np.tile([1.0, 0.0], 20), np.repeat(np.arange(20), 2))
    assert ends(result) == wilson_interval(20, 40)


def test_rows_of_a_prompt_that_always_agree_count_once():
    prompts = np.repeat(np.arange(30), 4)
    assert ends(estimate_share(np.ones(120), prompts)) == pytest.approx(wilson_interval(30, 30))
    assert ends(estimate_share(prompts % 2, prompts)) == pytest.approx(wilson_interval(15, 30))


def test_where_few_prompts_have_the_rarer_outcome_rows_count_as_if_they_agreed():
    """Four of twenty prompts have one wrong row of eight each: as 20 trials. With a fifth the rows speak."""
    prompts = np.repeat(np.arange(20), 8)
    values = np.ones(160)
    values[[0, 8, 16, 24]] = 0
    assert ends(estimate_share(values, prompts)) == pytest.approx(wilson_interval(19.5, 20))
    values[32] = 0
    assert estimate_share(values, prompts).low > 0.9


def test_twenty_prompts_with_five_labeled_backwards():
    """28 pairs each, alike: 5 of 20, and not 140 of 560."""
    prompts = np.repeat(np.arange(20), 28)
    assert ends(estimate_share(prompts < 5, prompts)) == pytest.approx(wilson_interval(5, 20))


@pytest.mark.parametrize(("num_prompts", "has_interval"), [(9, False), (10, True)])
def test_fewer_than_ten_prompts_that_repeat_have_no_interval(num_prompts, has_interval):
    prompts = np.repeat(np.arange(num_prompts), 2)
    values = np.arange(2 * num_prompts) % 2
    assert (estimate_share(values, prompts).low is not None) is has_interval
    assert (share_difference(values, prompts, 1 - values, prompts).low is not None) is has_interval


def test_three_rows_of_three_prompts_have_wilsons():
    assert ends(estimate_share([1, 1, 0], [4, 5, 6])) == wilson_interval(2, 3)


def test_a_row_of_nan_is_no_row():
    result = estimate_share([1, math.nan, 0, math.nan], [1, 1, 2, 2])
    assert (result.value, result.num_rows, result.low) == (0.5, 2, wilson_interval(1, 2).low)
    assert estimate_share([math.nan], [1]) == (None, None, None, 0)
    assert share_difference([math.nan], [1], [1.0], [1]) == (None, None, None, 0)


def test_ties_vary_less_than_wins_and_losses():
    """Forty ties, and z^2 / 2 wins and losses each: variance z^2 / 4 / (40 + z^2) where zeros and ones have 1/4."""
    trials = 40 * (40 + Z**2) / Z**2
    assert ends(estimate_share(outcomes(0, 40, 0), np.arange(40))) == pytest.approx(wilson_interval(trials / 2, trials))


def test_one_tie_among_fifty_hardly_narrows_the_interval():
    """49 wins and a tie: not [.97, 1]."""
    low, high = ends(estimate_share(outcomes(49, 1, 0), np.arange(50)))
    assert wilson_interval(49.5, 50).low <= low < wilson_interval(49.5, 50).low + 0.015
    assert 0.99 < high < wilson_interval(49.5, 50).high + 1e-9


def test_what_moves_the_estimate_besides_its_rows_widens_the_interval():
    rows = np.arange(100)
    assert ends(estimate_share(rows % 2, rows, inflation=2.0)) == pytest.approx(wilson_interval(25, 50))
    assert ends(estimate_share(rows % 2, rows, inflation=0.5)) == wilson_interval(50, 100)
    assert spread_of([1, -1, 4], [3, 3, 9]) == 16


# Differences


@pytest.mark.parametrize("count", [6, 12, 30, 120, 5000])
def test_four_of_four_that_differ_may_do_so_by_chance(count):
    """4 discordant prompts, all one way: exact McNemar 1/8. With 5 it is 1/16, with 6 1/32."""
    rows = np.arange(count)
    result = [share_difference(rows < number, rows, rows < 0, rows) for number in (4, 5, 6)]
    assert [item.value for item in result] == pytest.approx([4 / count, 5 / count, 6 / count])
    assert [item.low > 0 for item in result] == [False, False, True]


@given(st.integers(0, 14), st.integers(0, 14), st.sampled_from([28, 120, 1000]))
@settings(max_examples=80, deadline=None)
def test_a_difference_that_excludes_zero_is_one_for_mcnemar(one_way, other_way, count):
    """scipy's exact binomial test; near 0.05 the two may differ."""
    rows = np.arange(count)
    first = rows < one_way
    second = (rows >= one_way) & (rows < one_way + other_way)
    result = share_difference(first, rows, second, rows)
    p = binomtest(one_way, one_way + other_way).pvalue if one_way + other_way else 1.0
    excludes = result.low > 0 or result.high < 0
    assert excludes == (p < 0.05) or 0.045 < p < 0.065


def test_bonett_and_price_by_hand():
    """7 and 2 of 50 differ: (8 - 3) / 52 +- z sqrt((11 - 25 / 52) / 52^2)."""
    rows = np.arange(50)
    result = share_difference(rows < 7, rows, (rows >= 7) & (rows < 9), rows)
    half = Z * math.sqrt(11 - 25 / 52) / 52
    assert ends(result) == pytest.approx((5 / 52 - half, 5 / 52 + half))


def test_no_pair_that_differs_is_no_certainty():
    """As if one differed each way: +- z sqrt(2) / 102."""
    rows = np.arange(100)
    result = share_difference(rows % 2, rows, rows % 2, rows)
    assert (result.value, result.high) == (0, pytest.approx(Z * math.sqrt(2) / 102))
    assert result.low == -result.high


def test_prompts_with_each_row_four_times_over_differ_no_more_surely():
    rows = np.arange(120)
    four = np.repeat(rows, 4)
    once = share_difference(rows < 8, rows, rows < 0, rows)
    again = share_difference(four < 8, four, four < 0, four)
    assert again.value == once.value
    assert 0 < again.low < once.low
    assert once.high < again.high < once.high + 0.002


# Against statsmodels, and what must hold


@given(st.integers(1, 200).flatmap(lambda count: st.tuples(st.integers(0, count), st.just(count))))
@settings(max_examples=50, deadline=None)
def test_rows_with_a_prompt_each_have_wilsons_interval(counts):
    successes, trials = counts
    result = estimate_share(np.arange(trials) < successes, np.arange(trials))
    assert ends(result) == pytest.approx(proportion_confint(successes, trials, method="wilson"), abs=1e-9)


@given(
    st.lists(st.tuples(st.integers(0, 14), st.sampled_from([0.0, 0.5, 1.0])), min_size=1, max_size=80),
    st.randoms(use_true_random=False),
)
@settings(max_examples=80, deadline=None)
def test_a_share_lies_in_its_interval_which_order_does_not_move_and_turning_mirrors(rows, shuffler):
    prompts, values = (np.array(column) for column in zip(*rows, strict=True))
    result = estimate_share(values, prompts)
    shuffled = shuffler.sample(rows, len(rows))
    assert estimate_share([value for _, value in shuffled], [prompt + 7 for prompt, _ in shuffled]) == result
    turned = estimate_share(1 - values, prompts)
    if result.low is not None:
        assert 0 <= result.low <= result.value + 1e-12
        assert result.value - 1e-12 <= result.high <= 1
        assert ends(turned) == pytest.approx((1 - result.high, 1 - result.low))


# Coverage


def covered(draw, truth, num_repeats=600):
    """Share of data sets whose interval holds the truth."""
    draws = np.random.default_rng(11)
    result = [estimate_share(*draw(draws)) for _ in range(num_repeats)]
    return np.mean([item.low <= truth <= item.high for item in result])


@pytest.mark.parametrize(
    ("count", "chances"),
    [(50, (0.93, 0.0, 0.07)), (30, (0.9, 0.05, 0.05)), (50, (0.98, 0.02, 0.0)), (30, (0.3, 0.4, 0.3))],
)
def test_the_interval_of_a_win_rate_covers_it(count, chances):
    """Also near 1, and with ties: drawn intervals covered in 89 of 100."""
    truth = chances[0] + chances[1] / 2
    assert covered(lambda draws: (draws.choice([1, 0.5, 0], count, p=chances), np.arange(count)), truth) >= 0.93


@pytest.mark.parametrize(
    ("num_prompts", "size", "mean", "alike"),
    [
        (20, 8, 0.05, 0.3),
        (20, 28, 0.25, 0.98),
        (11, 4, 0.3, 0.95),
        (50, 8, 0.2, 0.5),
        (12, 8, 0.5, 0.3),
        (100, 28, 0.05, 0.3),
    ],
)
def test_the_interval_of_prompts_that_repeat_covers_the_share(num_prompts, size, mean, alike):
    """Rows of a prompt correlate by `alike`: each prompt has a share of its own, of a beta distribution."""
    scale = 1 / alike - 1
    prompts = np.repeat(np.arange(num_prompts), size)

    def draw(draws):
        shares = draws.beta(mean * scale, (1 - mean) * scale, num_prompts)
        return draws.random(prompts.size) < shares[prompts], prompts

    assert covered(draw, mean) >= 0.93


@pytest.mark.parametrize("size", [1, 3])
def test_the_interval_of_a_difference_covers_it(size):
    """Two policies right on 70 and 60 of 100, more alike on one prompt; 60 prompts. Where prompts repeat it is wide:
    the two that are added weigh as much as prompts."""
    draws = np.random.default_rng(5)
    prompts = np.repeat(np.arange(60), size)
    hits = []
    for _ in range(600):
        ease = draws.uniform(-0.3, 0.3, 60)[prompts]
        first, second = (draws.random(prompts.size) < rate + ease for rate in (0.7, 0.6))
        result = share_difference(first, prompts, second, prompts)
        hits.append(result.low <= 0.1 <= result.high)
    assert 0.93 <= np.mean(hits) <= (0.98 if size == 1 else 0.99)
