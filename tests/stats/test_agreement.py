"""Agreement beyond chance, against scikit-learn, published numbers, and numbers by hand."""

import math

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.proportion import proportion_confint

from real_cli.stats.agreement import cohen_kappa, gwet_ac1, repeat_agreement, what_labels_show

MIRROR = (2, 1, 0)


def ratings(table):
    """The two raters' categories of each row of a table of counts."""
    cells = [(i, j) for i, row in enumerate(table) for j, count in enumerate(row) for _ in range(count)]
    return np.array(cells).T


def random_ratings(seed, count=200, categories=3):
    draws = np.random.default_rng(seed)
    first = draws.integers(0, categories, count)
    return first, np.where(draws.random(count) < 0.6, first, draws.integers(0, categories, count))


@pytest.mark.parametrize("seed", range(5))
def test_kappa_is_scikit_learn_s(seed):
    first, second = random_ratings(seed)
    assert cohen_kappa(first, second, np.arange(200)).value == pytest.approx(cohen_kappa_score(first, second))


@pytest.mark.parametrize("seed", range(5))
def test_where_order_is_arbitrary_kappa_is_scikit_learn_s_of_both_orders(seed):
    first, second = random_ratings(seed)
    both = np.concatenate([first, 2 - first]), np.concatenate([second, 2 - second])
    estimate = cohen_kappa(first, second, np.arange(200), MIRROR)
    assert estimate.value == pytest.approx(cohen_kappa_score(*both))
    flips = np.random.default_rng(seed).random(200) < 0.5
    turned = (np.where(flips, 2 - side, side) for side in (first, second))
    assert cohen_kappa(*turned, np.arange(200), MIRROR) == pytest.approx(estimate)


def test_a_person_whose_choice_is_always_first_leaves_kappa_as_it_is():
    """chosen stands first in every record: kappa of fixed categories would be 0 whatever the judge says."""
    judge = np.array([2] * 80 + [0] * 20)
    person = np.full(100, 2)
    assert cohen_kappa(judge, person, np.arange(100)).value == 0
    assert cohen_kappa(judge, person, np.arange(100), MIRROR).value == pytest.approx(2 * 0.8 - 1)


def test_kappa_s_width_is_the_delta_method_s():
    """statsmodels has Fleiss, Cohen and Everitt's standard error; Wilson's ends are as far apart, but for 1/n."""
    table = [[700, 70, 10], [20, 110, 10], [10, 20, 50]]
    estimate = cohen_kappa(*ratings(table), np.arange(1000))
    theirs = cohens_kappa(np.array(table))
    assert estimate.value == pytest.approx(theirs.kappa)
    assert estimate.high - estimate.low == pytest.approx(2 * norm.ppf(0.975) * theirs.std_kappa, rel=0.01)


def gwet_variance(table):
    """Gwet, 2008, eq. 14: of two raters, in counts of a table, all rows rated by both."""
    p = np.array(table, dtype=float) / np.sum(table)
    q, n = len(p), np.sum(table)
    pi = (p.sum(axis=0) + p.sum(axis=1)) / 2
    pa, pe = np.trace(p), (pi * (1 - pi)).sum() / (q - 1)
    value = (pa - pe) / (1 - pe)
    first = 4 * (1 - value) * ((np.diag(p) * (1 - pi)).sum() / (q - 1) - pa * pe)
    pairs = sum(p[k, m] * (1 - (pi[k] + pi[m]) / 2) ** 2 for k in range(q) for m in range(q))
    second = 4 * (1 - value) ** 2 * (pairs / (q - 1) ** 2 - pe**2)
    return value, (pa * (1 - pa) - first + second) / (n * (1 - pe) ** 2)


def test_ac1_and_its_width_are_gwet_s():
    table = [[700, 70, 10], [20, 110, 10], [10, 20, 50]]
    value, variance = gwet_variance(table)
    estimate = gwet_ac1(*ratings(table), np.arange(1000))
    assert estimate.value == pytest.approx(value)
    assert estimate.high - estimate.low == pytest.approx(2 * norm.ppf(0.975) * math.sqrt(variance), rel=0.01)


def test_the_paradox_of_kappa():
    """Gwet's own example, 118, 5, 2, 0: agreement on 94%, kappa -0.023, AC1 0.941."""
    first, second = ratings([[118, 5], [2, 0]])
    assert cohen_kappa(first, second, np.arange(125)).value == pytest.approx(-0.0234, abs=5e-5)
    assert gwet_ac1(first, second, np.arange(125)).value == pytest.approx(0.9408, abs=5e-5)


def test_without_ties_both_are_agreement_s_share_stretched_and_so_are_the_ends():
    first, second = np.array([2] * 70 + [0] * 30), np.array([2] * 50 + [0] * 50)
    low, high = (2 * end - 1 for end in proportion_confint(80, 100, method="wilson"))
    for measure in (cohen_kappa, gwet_ac1):
        estimate = measure(first, second, np.arange(100), MIRROR)
        assert estimate[:3] == pytest.approx((0.6, low, high), abs=1e-9)


@pytest.mark.parametrize("measure", [cohen_kappa, gwet_ac1])
def test_rows_of_a_prompt_that_agree_count_once(measure):
    first, second = random_ratings(3, 60)
    once = measure(first, second, np.arange(60), MIRROR)
    thrice = measure(np.repeat(first, 3), np.repeat(second, 3), np.repeat(np.arange(60), 3), MIRROR)
    assert thrice.value == pytest.approx(once.value)
    assert thrice.high - thrice.low == pytest.approx(once.high - once.low, rel=0.02)
    apart = measure(np.repeat(first, 3), np.repeat(second, 3), np.arange(180), MIRROR)
    assert apart.high - apart.low < 0.65 * (once.high - once.low)


@pytest.mark.parametrize("measure", [cohen_kappa, gwet_ac1])
def test_perfect_agreement_has_an_interval_and_nothing_has_none(measure):
    estimate = measure([0, 2] * 20, [0, 2] * 20, np.arange(40), MIRROR)
    assert (estimate.value, estimate.high) == (1, 1)
    assert 0.8 < estimate.low < 0.9
    assert measure([], [], [], MIRROR)[:3] == (None, None, None)
    assert measure([0] * 12, [0] * 12, [1] * 12, MIRROR)[1:3] == (None, None)


def test_one_category_alone():
    """All are ties: chance explains that for kappa; AC1 knows of one category and calls it agreement."""
    assert cohen_kappa([1] * 20, [1] * 20, np.arange(20), MIRROR).value is None
    assert gwet_ac1([1] * 20, [1] * 20, np.arange(20), MIRROR).value == 1


def test_repeats_of_a_thing_are_averaged_over_things():
    """Three ratings of which two agree have 1 of 3 pairs, two alike 1 of 1: (1/3 + 1) / 2, in any order."""
    rows = np.array([[0, 5, 1], [0, 5, 1], [2, 5, 1], [1, 6, 2], [1, 6, 2], [2, 7, 3]])
    for order in (np.arange(6), np.array([4, 1, 5, 2, 0, 3])):
        estimate = repeat_agreement(*rows[order].T)
        assert (estimate.value, estimate.num_rows) == (pytest.approx(2 / 3), 2)
    assert repeat_agreement([1, 2], [1, 2], [1, 2]).value is None


def test_labels_show_what_a_simulation_says():
    """A labeler right in 80% of the comparisons and with 10% ties: the difference shown is missed once in five."""
    draws = np.random.default_rng(0)
    count, ties, right = 400, 0.1, 0.8
    shown = what_labels_show(right, ties, count, 0.05).difference
    wins = draws.random((4000, count)) < 0.5 + shown
    # Of the decided 0.9 the share 0.75 / 0.9 + ... is right so that right - wrong is 0.6 of all.
    decided = draws.random((4000, count)) >= ties
    named = np.where(draws.random((4000, count)) < 0.5 + 0.3 / (1 - ties), wins, ~wins)
    means = np.where(decided, named, 0.5).mean(axis=1)
    errors = np.where(decided, named, 0.5).std(axis=1) / math.sqrt(count)
    assert np.mean((means - 0.5) / errors > norm.ppf(0.975)) == pytest.approx(0.8, abs=0.03)


def test_labels_needed_show_the_effect():
    needed = what_labels_show(0.7, 0.2, 100, 0.04).num_labels
    assert what_labels_show(0.7, 0.2, needed, 0.04).difference <= 0.04
    assert what_labels_show(0.7, 0.2, needed - 1, 0.04).difference > 0.04


@pytest.mark.parametrize("case", [(0.5, 0, 100), (0.3, 0, 100), (0.9, 1.0, 100), (0.55, 0, 3), (0.9, 0, 0)])
def test_labels_that_show_no_difference(case):
    assert what_labels_show(*case, 0.05).difference is None


def test_a_number_of_labels_that_nobody_could_pay_for_is_none():
    assert what_labels_show(0.5 + 1e-9, 0, 100, 0.05) == (None, None)
