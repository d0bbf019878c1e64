"""How a pair is chosen from the responses of one prompt."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from real_cli.pair.choices import Strategy
from real_cli.pair.strategies import STRATEGIES, Pool
from real_cli.pair.strategies.scores import choose_all, choose_best_random, choose_best_vs_rest, choose_best_worst
from real_cli.pair.strategies.similarity import (
    EXACT_SPLIT_LIMIT,
    aepo_objective,
    choose_aepo,
    choose_centroid,
    choose_easy,
    choose_hard,
    choose_random,
    split_in_two,
)
from real_cli.stats.cosine import cosine_similarities

SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.integers(2, 9)
BY_SIMILARITY = [choose_easy, choose_hard, choose_centroid, choose_random, choose_aepo]

# Methods 1(f): y1, y2, y3, y4; here they are numbered from 0.
FOUR = np.array([[1, 0], [0.96, 0.28], [0.8, 0.6], [0, 1]])
# Methods 21(f): u12=.9, u13=.1, u14=.5, u23=.2, u24=.5, u34=.5.
AEPO = np.array([[1, 0.9, 0.1, 0.5], [0.9, 1, 0.2, 0.5], [0.1, 0.2, 1, 0.5], [0.5, 0.5, 0.5, 1]])


def unit_vectors(seed: int, n: int, dim: int = 4) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(n, dim))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def seed_of(number: int) -> bytes:
    return number.to_bytes(8, "big")


def pool_of(vectors: np.ndarray, *, seed: int = 0, aepo_lambda: float = 1.0) -> Pool:
    return Pool.of_embeddings(vectors, seed=seed_of(seed), aepo_lambda=aepo_lambda)


def pool_of_quality(*quality: float, seed: int = 0) -> Pool:
    return Pool(len(quality), quality=np.array(quality, dtype=float), seed=seed_of(seed))


def inertia(vectors: np.ndarray, members: np.ndarray) -> float:
    """Sum of squared distances to the mean of each side."""
    return sum(float(((side - side.mean(axis=0)) ** 2).sum()) for side in (vectors[members], vectors[~members]))


def test_every_strategy_has_a_function():
    assert set(Strategy) == set(STRATEGIES)


# By hand: REAL


def test_easy_takes_the_least_similar_pair_of_the_manual():
    """Methods 1(f): the smallest of .96, .80, 0, .936, .28, .60 is 0, responses 1 and 4."""
    assert choose_easy(pool_of(FOUR)) == [(0, 3)]


def test_hard_takes_the_most_similar_pair_of_the_manual():
    """Methods 1(f): the largest of .96, .80, 0, .936, .28, .60 is .96, responses 1 and 2."""
    assert choose_hard(pool_of(FOUR)) == [(0, 1)]


def test_centroid_takes_the_pair_of_the_manual():
    """Methods 1(f): clusters {1, 2, 3} and {4}; mean of the first ((1 + .96 + .8) / 3, (0 + .28 + .6) / 3)
    = (.92, .2933). Squared distances: y1 .08^2 + .2933^2 = .0924, y2 .04^2 + .0133^2 = .0018,
    y3 .12^2 + .3067^2 = .1084. Nearest is y2, so the pair is (2, 4)."""
    assert choose_centroid(pool_of(FOUR)) == [(1, 3)]


def test_the_split_of_the_manual_is_the_first_three_against_the_last():
    """Methods 1(f)."""
    assert split_in_two(FOUR, cosine_similarities(FOUR)).tolist() == [True, True, True, False]


@pytest.mark.parametrize(("choose", "pair"), [(choose_easy, (0, 1)), (choose_hard, (0, 1))])
def test_of_equal_similarities_the_first_pair_wins(choose, pair):
    """Three vectors at right angles: all similarities are 0. Methods 1(c): lexicographic order."""
    assert choose(pool_of(np.eye(3))) == [pair]


def test_of_two_responses_as_near_to_their_mean_the_first_wins():
    """Two clusters of two: both members are always equally far from the mean of the two."""
    angles = np.radians([0, 10, 80, 90])
    assert choose_centroid(pool_of(np.column_stack([np.cos(angles), np.sin(angles)]))) == [(0, 2)]


# By hand: AEPO


@pytest.mark.parametrize(
    ("aepo_lambda", "pair", "value"), [(0.0, (0, 1), 0.5167), (1.0, (0, 2), 0.2833), (2.0, (0, 2), 0.1833)]
)
def test_aepo_takes_the_optimum_of_the_manual(aepo_lambda, pair, value):
    """Methods 21(f). Means to the others: r1 (.9 + .1 + .5) / 3 = .5, r2 .5333, r3 .2667, r4 .5.
    lambda 0: (.5 + .5333) / 2 = .5167, tied with (2, 4); lambda 1: (.5 + .2667) / 2 - .1 = .2833; lambda 2: .1833."""
    assert choose_aepo(Pool(4, similarities=AEPO, aepo_lambda=aepo_lambda)) == [pair]
    assert aepo_objective(AEPO, aepo_lambda)[pair] == pytest.approx(value, abs=5e-5)


def test_aepo_without_diversity_is_a_tie_of_the_two_most_central_pairs():
    """Methods 21(f): lambda 0 -> {1, 2} and {2, 4} tie at .5167."""
    objective = aepo_objective(AEPO, 0.0)
    assert objective[0, 1] == pytest.approx(objective[1, 3])
    assert objective[0, 1] == pytest.approx(0.51667, abs=5e-6)


def test_aepo_says_the_same_twice_and_leaves_the_matrix_alone():
    """Methods 21(g): the official objective scores {1, 3} -.3833 at first, then .2833, and edits its input."""
    given = AEPO.copy()
    assert aepo_objective(given, 1.0)[0, 2] == aepo_objective(given, 1.0)[0, 2] == pytest.approx(0.28333, abs=5e-6)
    assert (given == AEPO).all()


def test_aepo_with_infinite_lambda_is_easy():
    """Methods 21(f): lambda -> infinity with k=2 -> argmin similarity; {1, 3} with .1."""
    assert choose_aepo(Pool(4, similarities=AEPO, aepo_lambda=math.inf)) == [(0, 2)]


# By hand: scores


def test_best_worst_takes_the_largest_and_the_smallest_quality():
    assert choose_best_worst(pool_of_quality(2, 5, 1, 5, 1)) == [(1, 2)]


def test_best_random_never_takes_one_as_good_as_the_best():
    drawn = {choose_best_random(pool_of_quality(2, 5, 1, 5, seed=seed))[0] for seed in range(50)}
    assert drawn == {(1, 0), (1, 2)}


def test_best_vs_rest_goes_from_the_widest_gap_to_the_narrowest():
    """Methods 19(f): scores 5, 4, 3, 2 -> gaps 3, 2, 1, the best always first."""
    quality = [5, 4, 3, 2]
    pairs = choose_best_vs_rest(pool_of_quality(*quality))
    assert pairs == [(0, 3), (0, 2), (0, 1)]
    assert [quality[i] - quality[j] for i, j in pairs] == [3, 2, 1]


def test_best_vs_rest_drops_zero_gap_pairs():
    """Methods 19(g)."""
    assert choose_best_vs_rest(pool_of_quality(5, 5, 3, 2)) == [(0, 3), (0, 2)]


@pytest.mark.parametrize("choose", [choose_best_worst, choose_best_random, choose_best_vs_rest])
def test_equally_good_responses_make_no_pair(choose):
    assert choose(pool_of_quality(3, 3, 3)) == []


def test_all_takes_each_pair_once():
    """4 * 3 / 2 = 6."""
    assert list(choose_all(Pool(4))) == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]


# Against independent implementations


@given(seed=SEEDS, n=SIZES)
@settings(max_examples=50)
def test_easy_and_hard_are_the_extremes_of_a_plain_loop(seed, n):
    vectors = unit_vectors(seed, n)
    similarity = {(i, j): math.fsum(vectors[i] * vectors[j]) for i, j in combinations(range(n), 2)}
    assert choose_easy(pool_of(vectors)) == [min(similarity, key=similarity.get)]
    assert choose_hard(pool_of(vectors)) == [max(similarity, key=similarity.get)]


@given(seed=SEEDS, n=st.integers(3, EXACT_SPLIT_LIMIT))
@settings(max_examples=30)
def test_the_exact_split_never_has_a_larger_inertia_than_scikit_learn(seed, n):
    """KMeans of scikit-learn 1.9.1."""
    vectors = unit_vectors(seed, n)
    ours = inertia(vectors, split_in_two(vectors, cosine_similarities(vectors)))
    assert ours <= KMeans(2, n_init=3, random_state=0).fit(vectors).inertia_ + 1e-9


def test_the_exact_split_beats_the_start_that_the_paper_fixes():
    """One run of scikit-learn 1.9.1 from random_state=0, as in Methods 1(c), is sometimes stuck; ours never is."""
    gains = []
    for seed in range(30):
        vectors = unit_vectors(seed, 8)
        ours = inertia(vectors, split_in_two(vectors, cosine_similarities(vectors)))
        gains.append(KMeans(2, n_init=1, random_state=0).fit(vectors).inertia_ - ours)
    assert min(gains) > -1e-9
    assert max(gains) > 1e-3


@given(seed=SEEDS, n=SIZES)
@settings(max_examples=50)
def test_the_exact_split_is_the_best_of_all_splits(seed, n):
    vectors = unit_vectors(seed, n)
    splits = [np.array([True, *((code >> i) & 1 for i in range(n - 1))], bool) for code in range(2 ** (n - 1) - 1)]
    best = min(inertia(vectors, members) for members in splits)
    members = split_in_two(vectors, cosine_similarities(vectors))
    assert members[0]
    assert inertia(vectors, members) == pytest.approx(best, abs=1e-12)


@given(seed=SEEDS, n=st.integers(EXACT_SPLIT_LIMIT + 1, 40))
@settings(max_examples=20)
def test_beyond_the_limit_two_clear_groups_are_found_in_any_order(seed, n):
    rng = np.random.default_rng(seed)
    group = rng.permutation(np.arange(n) % 3 == 0)
    vectors = np.where(group[:, None], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]) + rng.normal(size=(n, 3)) * 0.05
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    members = split_in_two(vectors, cosine_similarities(vectors))
    assert members.tolist() == (group == group[0]).tolist()


@given(seed=SEEDS, n=st.integers(EXACT_SPLIT_LIMIT + 1, 30))
@settings(max_examples=20)
def test_beyond_the_limit_no_cluster_is_empty_and_each_response_is_with_the_nearer_mean(seed, n):
    vectors = unit_vectors(seed, n)
    members = split_in_two(vectors, cosine_similarities(vectors))
    assert members[0]
    assert not members.all()
    means = [vectors[side].mean(axis=0) for side in (members, ~members)]
    nearer = np.linalg.norm(vectors - means[0], axis=1) < np.linalg.norm(vectors - means[1], axis=1)
    start = list(choose_easy(pool_of(vectors))[0])  # the two that Lloyd's iterations start from stay apart
    assert (np.delete(nearer, start) == np.delete(members, start)).all()


def aepo_by_the_book(u: np.ndarray, chosen: tuple[int, ...], aepo_lambda: float) -> float:
    """Methods 21(b), word by word, for any k."""
    n, k = len(u), len(chosen)
    representative = sum(u[y, other] for y in chosen for other in range(n) if other != y) / (n - 1) / k
    repeated = sum(u[y, other] for y in chosen for other in chosen if other != y) / (k * (k - 1))
    return representative - aepo_lambda * repeated


@given(seed=SEEDS, n=SIZES, aepo_lambda=st.sampled_from([0.0, 0.3, 1.0, 2.0, 50.0]))
@settings(max_examples=50)
def test_aepo_is_the_best_of_all_pairs(seed, n, aepo_lambda):
    u = cosine_similarities(unit_vectors(seed, n))
    values = {pair: aepo_by_the_book(u, pair, aepo_lambda) for pair in combinations(range(n), 2)}
    (pair,) = choose_aepo(Pool(n, similarities=u, aepo_lambda=aepo_lambda))
    assert values[pair] == pytest.approx(max(values.values()), abs=1e-12)
    assert aepo_objective(u, aepo_lambda)[pair] == pytest.approx(values[pair], abs=1e-12)


# Properties


@pytest.mark.parametrize("choose", BY_SIMILARITY)
@given(seed=SEEDS, n=SIZES)
@settings(max_examples=25)
def test_the_pair_is_two_responses_in_their_order(choose, seed, n):
    ((i, j),) = choose(pool_of(unit_vectors(seed, n)))
    assert 0 <= i < j < n


@pytest.mark.parametrize("choose", BY_SIMILARITY)
@given(seed=SEEDS, n=SIZES)
@settings(max_examples=25)
def test_no_pair_is_less_similar_than_easy_or_more_than_hard(choose, seed, n):
    pool = pool_of(unit_vectors(seed, n))
    easy, other, hard = (pool.similarities[rule(pool)[0]] for rule in (choose_easy, choose, choose_hard))
    assert easy <= other <= hard


@pytest.mark.parametrize("choose", BY_SIMILARITY)
@given(seed=SEEDS)
@settings(max_examples=10)
def test_of_two_responses_every_strategy_takes_both(choose, seed):
    assert choose(pool_of(unit_vectors(seed, 2))) == [(0, 1)]


@pytest.mark.parametrize("choose", [choose_easy, choose_hard, choose_aepo])
@given(seed=SEEDS, n=SIZES)
@settings(max_examples=25)
def test_permuting_the_responses_permutes_the_choice(choose, seed, n):
    vectors = unit_vectors(seed, n)
    order = np.random.default_rng(seed + 1).permutation(n)
    before, after = choose(pool_of(vectors)), choose(pool_of(vectors[order]))
    assert {int(order[index]) for index in after[0]} == set(before[0])


@given(seed=SEEDS, n=st.integers(2, EXACT_SPLIT_LIMIT))
@settings(max_examples=50)
def test_permuting_the_responses_permutes_centroid_unless_two_are_as_near(seed, n):
    vectors = unit_vectors(seed, n)
    order = np.random.default_rng(seed + 1).permutation(n)
    members = split_in_two(vectors, cosine_similarities(vectors))
    permuted = split_in_two(vectors[order], cosine_similarities(vectors[order]))
    sides = {frozenset(np.flatnonzero(side)) for side in (members, ~members)}
    assert {frozenset(order[np.flatnonzero(side)]) for side in (permuted, ~permuted)} == sides
    assume(2 not in map(len, sides))  # two responses are equally far from their mean: a tie
    before, after = choose_centroid(pool_of(vectors)), choose_centroid(pool_of(vectors[order]))
    assert {int(order[index]) for index in after[0]} == set(before[0])


@given(seed=SEEDS, n=SIZES)
@settings(max_examples=25)
def test_centroid_takes_one_response_of_each_cluster_and_none_is_nearer_to_the_mean(seed, n):
    vectors = unit_vectors(seed, n)
    pool = pool_of(vectors)
    members = split_in_two(vectors, pool.similarities)
    ((i, j),) = choose_centroid(pool)
    assert members[i] != members[j]
    for index, side in ((i, members == members[i]), (j, members == members[j])):
        distances = np.linalg.norm(vectors[side] - vectors[side].mean(axis=0), axis=1)
        assert np.linalg.norm(vectors[index] - vectors[side].mean(axis=0)) <= distances.min() + 1e-9


@given(seed=SEEDS, n=st.integers(3, 9))
@settings(max_examples=25)
def test_aepo_with_a_large_lambda_is_easy(seed, n):
    """Methods 23: AEPO lambda -> infinity, k=2 = REAL easy."""
    vectors = unit_vectors(seed, n)
    assert choose_aepo(pool_of(vectors, aepo_lambda=1e9)) == choose_easy(pool_of(vectors))


@given(quality=st.lists(st.integers(1, 10), min_size=2, max_size=8), seed=SEEDS)
@settings(max_examples=50)
def test_score_strategies_put_the_better_response_first(quality, seed):
    for choose in (choose_best_worst, choose_best_random, choose_best_vs_rest):
        pairs = choose(pool_of_quality(*quality, seed=seed))
        assert all(quality[i] == max(quality) > quality[j] for i, j in pairs)
        assert bool(pairs) == (len(set(quality)) > 1)


# The faults of the paper's code, Methods 1(g)


@pytest.mark.parametrize("choose", BY_SIMILARITY)
@pytest.mark.parametrize("n", [2, 3, 4, 12, 13, 20])
def test_fault_identical_embeddings_never_give_a_response_twice(choose, n):
    """Methods 1(g), fault 3: easy's list is empty, centroid's pair is (0, 0)."""
    ((i, j),) = choose(pool_of(np.tile([0.6, 0.8, 0.0], (n, 1))))
    assert i < j


def test_fault_random_of_four_is_not_always_the_second_and_third():
    """Methods 1(g), fault 2: all 6 pairs occur about equally often; of 1,200 draws 200 each, give or take 13."""
    pairs = [choose_random(Pool(4, seed=seed_of(number)))[0] for number in range(1200)]
    counts = {pair: pairs.count(pair) for pair in combinations(range(4), 2)}
    assert sum(counts.values()) == 1200
    assert all(150 < count < 250 for count in counts.values()), counts


def test_fault_the_same_seed_draws_the_same_pair():
    """Methods 1(g), fault 4: two draws for one prompt disagree."""
    assert [choose_random(Pool(6, seed=seed_of(number))) for number in range(20)] == [
        choose_random(Pool(6, seed=seed_of(number))) for number in range(20)
    ]
