"""Prompts compared together: each gets what it gets by itself, to the last bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from real_cli.errors import RecordError
from real_cli.pair.choices import Emit, Strategy
from real_cli.pair.choose import Settings
from real_cli.pair.similarity_batch import SimilarityBatch
from real_cli.records.vectors import stack_embeddings
from real_cli.stats.cosine import cosine_similarities
from tests.pair.choosing import choose_pairs

shapes = st.tuples(st.sampled_from([1, 2, 3, 8]), st.sampled_from([1, 2, 5, 384]))


def embedded(seed: int, n: int, dim: int) -> dict:
    vectors = np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32).tolist()
    scores = np.random.default_rng(seed).permutation(n).tolist()
    rows = zip(scores, vectors, strict=True)
    responses = [
        {"text": f"t{i}", "score": score, "score_std": 0.5, "embedding": vector}
        for i, (score, vector) in enumerate(rows)
    ]
    return {"prompt": f"q{seed}", "responses": responses}


def announced(records: list[dict]) -> SimilarityBatch:
    comparisons = SimilarityBatch()
    for record in records:
        comparisons.add(record)
    return comparisons


@given(st.lists(shapes, min_size=1, max_size=9))
@settings(max_examples=50)
def test_neighbors_do_not_change_a_bit(sizes):
    records = [embedded(seed, n, dim) for seed, (n, dim) in enumerate(sizes)]
    comparisons = announced(records)
    for record in records:
        embeddings, similarities = comparisons.take(record)
        alone = stack_embeddings(record["responses"])
        assert (embeddings == alone).all()
        assert (similarities == cosine_similarities(alone)).all()


@pytest.mark.parametrize(
    "odd",
    [
        {"prompt": "q"},
        {"prompt": "q", "responses": "none"},
        {"prompt": "q", "responses": []},
        {"prompt": "q", "responses": ["a", "b"]},
        {"prompt": "q", "responses": [{"text": "a"}, {"text": "b"}]},
        {"prompt": "q", "responses": [{"text": "a", "embedding": [1, 0]}, {"text": "b", "embedding": [0, 0]}]},
        {"prompt": "q", "responses": [{"text": "a", "embedding": [1, 0]}, {"text": "b", "embedding": [0, 1e39]}]},
        {"prompt": "q", "responses": [{"text": "a", "embedding": [1, 0]}, {"text": "b", "embedding": [1, 0, 0]}]},
    ],
)
def test_an_odd_record_gets_none_and_its_neighbors_get_theirs(odd):
    before, after = embedded(1, 2, 2), embedded(2, 2, 2)
    comparisons = announced([before, odd, after])
    assert comparisons.take(before) is not None
    assert comparisons.take(odd) is None
    assert comparisons.take(after) is not None


def test_a_comparison_is_handed_out_once_and_to_its_very_record():
    record, stranger = embedded(1, 2, 2), embedded(1, 2, 2)
    comparisons = announced([record])
    assert comparisons.take(stranger) is None
    assert comparisons.take(record) is not None
    assert comparisons.take(record) is None


@given(shapes, st.sampled_from(Strategy), st.sampled_from([Emit.pairs, Emit.triples, Emit.ranking]))
@settings(max_examples=80)
def test_the_choice_is_the_same_with_a_comparison_and_without(shape, strategy, emit):
    record = embedded(7, *shape)
    record["responses"].append(record["responses"][0] | {"text": "t0"})  # an equal text: not all of them are compared
    for given_record in (record, record | {"responses": record["responses"][:-1]}):
        expected = choose_pairs(given_record, Settings(strategy, emit=emit))
        comparison = announced([given_record]).take(given_record)
        assert choose_pairs(given_record, Settings(strategy, emit=emit), comparison) == expected


def test_a_pair_that_still_has_its_candidates_is_not_compared_by_them():
    record = embedded(3, 4, 2) | {"chosen": "x", "rejected": "y", "similarity": 0.25}
    alone = choose_pairs(record, Settings(Strategy.all))
    assert choose_pairs(record, Settings(Strategy.all), announced([record]).take(record)) == alone


def test_the_message_of_an_odd_record_is_the_same_when_it_was_announced():
    record = embedded(1, 2, 2)
    record["responses"][1]["embedding"] = [0.5, 1e39]
    comparison = announced([record]).take(record)
    with pytest.raises(RecordError, match=r"^response 2: 'embedding' is \[0.5, 1e\+39\]; a JSON array"):
        choose_pairs(record, Settings(), comparison)
