"""The pair whose label tells most: `information`. Methods 22(i)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from real_cli.pair.strategies import Pool
from real_cli.pair.strategies.design import RIDGE, choose_information, information_gains
from real_cli.pair.strategies.similarity import choose_easy

SEEDS, SIZES = st.integers(0, 2**32 - 1), st.integers(2, 9)
# Methods 22(i): a right angle, 2 between its sides, and 3 and 4 on the same one.
MANUAL = np.array([[1, 0], [0.8, 0.6], [0, 1], [0, 1]])


def features(seed, n, dim=3):
    vectors = np.random.default_rng(seed).normal(size=(n, dim))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def pool_of(vectors):
    return Pool(len(vectors), similarities=vectors @ vectors.T)


def unknown(vectors, i, j, ridge=RIDGE):
    """What the paper's criterion is for one label: tr(I (r Id + g g^T)^-1), by inverting the matrix."""
    information = np.cov(vectors.T, bias=True).reshape(vectors.shape[1], -1)
    g = (vectors[i] - vectors[j])[:, None]
    return float(np.trace(information @ np.linalg.inv(ridge * np.eye(len(g)) + g @ g.T)))


# By hand


def test_the_gains_of_the_manual():
    """Means .45 and .65; Cov = ((.2075, -.1725), (-.1725, .1675)). (1, 3): g = (1, -1), g^T I g = .2075 + .1675 + .345
    = .72, over .1 + 2: .342857. (1, 2): g = (.2, -.6): .0083 + .0603 + .0414 = .11, over .1 + .4: .22. (2, 3): g =
    (.8, -.4): .1328 + .0268 + .1104 = .27, over .1 + .8: .3. (3, 4) is the same response: 0."""
    gains = information_gains(MANUAL @ MANUAL.T)
    assert gains[0, 2] == pytest.approx(0.342857, abs=5e-7)
    assert gains[0, 1] == pytest.approx(0.22)
    assert gains[1, 2] == pytest.approx(0.3)
    assert gains[2, 3] == pytest.approx(0, abs=1e-12)
    assert choose_information(pool_of(MANUAL)) == [(0, 2)]


def test_the_ridge_is_that_of_the_published_settings():
    """1e-3 beside (beta g)(beta g)^T with beta .1 is .1 beside g g^T."""
    assert pytest.approx(0.1) == RIDGE


def test_a_long_difference_that_nobody_shares_may_lose_to_one_that_all_vary_along():
    """Twelve responses in two groups 60 degrees apart, and one at a right angle to both: it is farthest from all."""
    half = np.sqrt(3) / 2
    vectors = np.array([[1, 0, 0]] * 6 + [[0.5, half, 0]] * 6 + [[0, 0, 1]])
    assert choose_easy(pool_of(vectors)) == [(0, 12)]
    assert choose_information(pool_of(vectors)) == [(0, 6)]


# Against an independent implementation


@given(SEEDS, SIZES, st.integers(1, 6), st.sampled_from([1e-3, RIDGE, 1.0, 50.0]))
@settings(max_examples=60)
def test_the_gain_is_what_the_label_takes_off_the_trace(seed, n, dim, ridge):
    """tr(I) / r less the trace after one label, times r: Sherman and Morrison say so, the inverse must."""
    vectors = np.random.default_rng(seed).normal(size=(n, dim))
    total = np.trace(np.cov(vectors.T, bias=True).reshape(dim, dim)) / ridge
    gains = information_gains(vectors @ vectors.T, ridge)
    for i in range(n):
        for j in range(n):
            assert gains[i, j] == pytest.approx((total - unknown(vectors, i, j, ridge)) * ridge, rel=1e-6, abs=1e-7)


@given(SEEDS, SIZES)
@settings(max_examples=60)
def test_no_pair_leaves_less_unknown(seed, n):
    vectors = features(seed, n)
    (chosen,) = choose_information(pool_of(vectors))
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    assert chosen in pairs
    assert unknown(vectors, *chosen) == pytest.approx(min(unknown(vectors, *pair) for pair in pairs))


# Properties


@given(SEEDS, SIZES)
@settings(max_examples=30)
def test_permuting_the_responses_permutes_the_choice(seed, n):
    vectors = features(seed, n)
    order = np.random.default_rng(seed + 1).permutation(n)
    (before,), (after,) = choose_information(pool_of(vectors)), choose_information(pool_of(vectors[order]))
    assert {int(order[number]) for number in after} == set(before)


@given(SEEDS, SIZES)
@settings(max_examples=30)
def test_turning_all_features_changes_nothing(seed, n):
    vectors = features(seed, n)
    turn, _ = np.linalg.qr(np.random.default_rng(seed + 1).normal(size=(3, 3)))
    assert choose_information(pool_of(vectors @ turn)) == choose_information(pool_of(vectors))


@given(SEEDS)
@settings(max_examples=30)
def test_of_three_responses_it_is_easy(seed):
    """Unit vectors: the longest side of a triangle is also what its corners vary along."""
    vectors = features(seed, 3)
    assert choose_information(pool_of(vectors)) == choose_easy(pool_of(vectors))


@pytest.mark.parametrize("n", [2, 3, 7])
def test_equal_embeddings_give_the_first_pair_and_no_response_twice(n):
    assert choose_information(pool_of(np.tile([[0.6, 0.8]], (n, 1)))) == [(0, 1)]


def test_of_pairs_that_tell_as_much_the_first_wins():
    """Corners of a square, seen from its middle: both diagonals tell as much, and each side less. Turned by any angle
    they still do, but for the last digit, which must not decide."""
    for degrees in range(90):
        angles = np.radians(degrees + 90 * np.arange(4))
        assert choose_information(pool_of(np.column_stack([np.cos(angles), np.sin(angles)]))) == [(0, 2)]
