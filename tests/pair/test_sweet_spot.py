"""The best response against one that is bad and not the worst: best-two-sigma, best-worst-of-5. Methods 22(f)."""

import math
import statistics
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from real_cli.pair.strategies import Pool
from real_cli.pair.strategies.scores import choose_best_two_sigma, choose_best_worst, choose_best_worst_of_5

# As judges give them: few different ones, so that ties are common.
GRADES = st.lists(st.integers(1, 10), min_size=2, max_size=16)
BOTH = [choose_best_two_sigma, choose_best_worst_of_5]


def pool_of(quality, seed=0):
    return Pool(len(quality), quality=np.array(quality, float), seed=seed.to_bytes(8, "big"))


# By hand


def test_two_sigma_of_the_manual():
    """3, 11 times 1, -5, -9: the mean is 0, the variance (9 + 11 + 25 + 81) / 14 = 9, the target -6. -5 is 1 from it,
    -9 is 3: the last but one is rejected, not the worst."""
    assert choose_best_two_sigma(pool_of([3, *[1] * 11, -5, -9])) == [(0, 12)]


def test_two_sigma_takes_the_worse_of_two_as_near():
    """3, 9 times 1, -3, -9: the mean is 0, the variance (9 + 9 + 9 + 81) / 12 = 9, and -3 and -9 are 3 from -6."""
    assert choose_best_two_sigma(pool_of([3, *[1] * 9, -3, -9])) == [(0, 11)]
    assert choose_best_two_sigma(pool_of([-9, -3, *[1] * 9, 3])) == [(11, 0)]


def test_of_equal_scores_the_first_response_wins():
    assert choose_best_two_sigma(pool_of([1, 9, 1, 9, 1])) == [(1, 0)]


def test_the_deviation_is_over_n():
    """3, 8 times 1, -5, -6: mu 0, 78 / 11 less; over n the target is -5.33, over n - 1 it would be -5.59."""
    quality = [3, *[1] * 8, -5, -6]
    over_n, over_less = (statistics.mean(quality) - 2 * f(quality) for f in (statistics.pstdev, statistics.stdev))
    nearest = [min(quality[1:], key=lambda score: abs(score - target)) for target in (over_n, over_less)]
    assert nearest == [-5, -6]
    assert choose_best_two_sigma(pool_of(quality)) == [(0, 9)]


@pytest.mark.parametrize("choose", BOTH)
@pytest.mark.parametrize("quality", [(4, 4), (0, 0, 0), (-1e308, -1e308), (7,) * 12])
def test_equally_good_responses_make_no_pair(choose, quality):
    assert choose(pool_of(quality)) == []


# Against an independent implementation


def by_fractions(quality):
    """Exact but for the root: the squared distance to the target is compared by its sign."""
    exact = [Fraction(score) for score in quality]
    mean = sum(exact) / len(exact)
    deviation = Fraction(math.sqrt(sum((score - mean) ** 2 for score in exact) / len(exact))).limit_denominator(10**15)
    best = max(exact)
    worse = [number for number, score in enumerate(exact) if score < best]
    if not worse:
        return []
    distance = {number: round(float(abs(exact[number] - mean + 2 * deviation)), 9) for number in worse}
    return [(exact.index(best), min(worse, key=lambda number: (distance[number], exact[number], number)))]


@given(GRADES)
@settings(max_examples=200)
def test_two_sigma_is_that_of_exact_numbers(quality):
    assert choose_best_two_sigma(pool_of(quality)) == by_fractions(quality)


@given(GRADES, st.integers(0, 99))
@settings(max_examples=100)
def test_the_worst_of_five_is_the_least_of_what_a_plain_sample_draws(quality, seed):
    pool = pool_of(quality, seed)
    drawn = sorted(pool_of(quality, seed).draw.sample(range(len(quality)), min(5, len(quality))))
    least = min(quality[number] for number in drawn)
    chosen = choose_best_worst_of_5(pool)
    if max(quality) == min(quality):
        assert chosen == []
    elif least < max(quality):
        assert chosen == [(quality.index(max(quality)), next(n for n in drawn if quality[n] == least))]
    else:
        assert quality[chosen[0][1]] < max(quality)


# Properties


@given(st.lists(st.integers(1, 10), min_size=2, max_size=5), st.integers(0, 99))
@settings(max_examples=100)
def test_up_to_five_responses_both_are_best_worst(quality, seed):
    """None of n numbers is more than sqrt(n - 1) deviations from the mean, which is 2 for five of them."""
    worst = choose_best_worst(pool_of(quality))
    assert choose_best_two_sigma(pool_of(quality)) == worst
    assert choose_best_worst_of_5(pool_of(quality, seed)) == worst


@given(GRADES, st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_permuting_the_responses_keeps_the_scores_of_the_choice(quality, random):
    shuffled = random.sample(quality, len(quality))
    before, after = (choose_best_two_sigma(pool_of(scores)) for scores in (quality, shuffled))
    assert [[quality[n] for n in pair] for pair in before] == [[shuffled[n] for n in pair] for pair in after]


@given(GRADES, st.sampled_from([(1e-300, 0), (1e300, 0), (1, 1e6), (0.1, -7), (1e-3, 1e3)]))
@settings(max_examples=100)
def test_neither_unit_nor_zero_point_of_the_scores_decides(quality, scale):
    factor, shift = scale
    moved = [score * factor + shift for score in quality]
    assert choose_best_two_sigma(pool_of(moved)) == choose_best_two_sigma(pool_of(quality))


def test_scores_whose_difference_is_too_large_for_a_number_are_compared():
    """In units of 1e307: mean 38 / 14 = 2.7, deviation 6.9, target -11.0: -10 is nearer than -17."""
    assert choose_best_two_sigma(pool_of([1e308, *[5e307] * 11, -1e308, -1.7e308])) == [(0, 12)]


@pytest.mark.parametrize("choose", BOTH)
@given(quality=GRADES, seed=st.integers(0, 99))
@settings(max_examples=50)
def test_the_first_is_the_best_and_the_second_is_worse(choose, quality, seed):
    for chosen, rejected in choose(pool_of(quality, seed)):
        assert quality[chosen] == max(quality) > quality[rejected]
    assert bool(choose(pool_of(quality, seed))) == (len(set(quality)) > 1)


def test_five_are_drawn_without_a_response_twice():
    """Of 20 with scores 1 to 20 the least of five is k with probability C(20 - k, 4) / C(20, 5)."""
    runs = 4000
    counts = Counter(choose_best_worst_of_5(pool_of(list(range(1, 21)), seed))[0][1] + 1 for seed in range(runs))
    for score in range(1, 9):
        expected = math.comb(20 - score, 4) / math.comb(20, 5)
        assert counts[score] / runs == pytest.approx(expected, abs=4 * math.sqrt(expected / runs))
    assert max(counts) <= 16


def test_where_all_five_are_as_good_as_the_best_a_worse_one_takes_the_place():
    """Twelve responses, ten of them best: five of these are drawn in C(10, 5) / C(12, 5) = 32% of draws."""
    quality = [9] * 10 + [1, 2]
    rejected = Counter(choose_best_worst_of_5(pool_of(quality, seed))[0][1] for seed in range(300))
    assert set(rejected) == {10, 11}
    assert rejected[11] > 300 * 0.32 / 4


def test_the_least_of_five_normal_numbers_lies_as_the_manual_says():
    """The mean of the least of five is -1.16 deviations: by simulation, 3 standard errors of .669 / 1000."""
    least = np.random.default_rng(0).normal(size=(1_000_000, 5)).min(axis=1)
    assert least.mean() == pytest.approx(-1.163, abs=0.003)
