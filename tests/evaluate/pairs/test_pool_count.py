"""What each strategy would have people label."""

import numpy as np
import pytest

from real_cli.evaluate.pairs.pool_count import PoolCount, num_pairs, savings
from real_cli.pair.strategies import STRATEGIES, Pool

UNSCORED = {"easy", "hard", "centroid", "random", "aepo", "information", "all"}


def test_labels_of_two_prompts():
    """K = 4 and K = 3: 6 + 3 pairs; one a prompt; 3 + 2 of the best against the rest; a prompt of one response none."""
    rows = {row["strategy"]: row for row in savings({4: 1, 3: 1, 1: 5})}
    assert {row["num_possible_pairs"] for row in rows.values()} == {9}
    assert [rows[name]["num_labels"] for name in ("easy", "best-worst", "best-vs-rest", "all")] == [2, 2, 5, 9]
    assert rows["easy"]["share_saved"] == pytest.approx(7 / 9)
    assert rows["all"]["share_saved"] == 0
    assert {name for name, row in rows.items() if row["needs_scores"]} == set(STRATEGIES) - UNSCORED


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("size", [2, 3, 5])
def test_the_count_is_that_of_the_strategy_itself(name, size):
    draws = np.random.default_rng(size)
    embeddings = draws.normal(size=(size, 8))
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    result = Pool.of_embeddings(embeddings, seed=b"1")
    pool = Pool(
        size, result.similarities, embeddings, draws.permutation(size) * 1.0, deviations=draws.random(size), seed=b"1"
    )
    assert num_pairs(STRATEGIES[name], size) == len(list(STRATEGIES[name].choose(pool)))


def test_no_possible_pair_is_no_table():
    assert savings({}) == savings({1: 9}) == []


def test_a_pool_counts_distinct_texts():
    pool = PoolCount()
    pool.add({"prompt": "q", "responses": [{"text": text} for text in "aab"]})
    assert pool.sizes == {2: 1}
