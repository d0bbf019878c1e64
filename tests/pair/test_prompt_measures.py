"""`pair --by mean-score` and `--by score-variance`: of all responses of a prompt, before two of them are chosen."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from real_cli.errors import RecordError
from real_cli.pair.choices import MEASURES, PROMPT_MEASURES, Emit, Strategy
from real_cli.pair.choose import Settings
from real_cli.pair.prompt_measures import FUNCTIONS, measure_prompt
from real_cli.records.number_columns import MEASURES as NUMBER_COLUMNS
from tests.pair.choosing import choose_pairs

BOTH = sorted(PROMPT_MEASURES)


def candidates(*scores, **fields):
    responses = [{"text": f"answer {number}", "score": score} for number, score in enumerate(scores)]
    return {"prompt": "q", "responses": responses, **fields}


def test_every_measure_of_a_prompt_has_a_function_and_is_offered():
    assert set(FUNCTIONS) == set(PROMPT_MEASURES)
    assert set(PROMPT_MEASURES) < set(MEASURES)


def test_a_table_has_them_as_numbers():
    """`pair --keep` over a pair that went through CSV."""
    assert set(PROMPT_MEASURES.values()) <= NUMBER_COLUMNS


def test_by_hand():
    """1, 2, 6: the mean is 3, the variance (4 + 1 + 9) / 3 = 14 / 3. Methods 22(g) and (h)."""
    assert measure_prompt(candidates(1, 2, 6), "mean-score") == {"mean_score": 3}
    assert measure_prompt(candidates(1, 2, 6), "score-variance") == {"score_variance": pytest.approx(14 / 3)}


def test_the_pair_carries_the_measure_that_was_asked_for_and_no_other():
    """Of all three responses, though 2 is in no pair; without --by the pair is as it ever was."""
    for by, value in (("mean-score", {"mean_score": 3}), ("score-gap", {}), ("", {})):
        (pair,) = choose_pairs(candidates(1, 2, 6), Settings(Strategy.best_worst, by=by)).records
        assert {name: pair[name] for name in pair if name in PROMPT_MEASURES.values()} == value


def test_equal_texts_count_as_often_as_they_were_sampled():
    """The paper's mean is over N samples: (9 + 9 + 0) / 3 = 6, not 4.5."""
    record = candidates(9, 9, 0)
    record["responses"][1]["text"] = record["responses"][0]["text"]
    (pair,) = choose_pairs(record, Settings(Strategy.best_worst, by="mean-score")).records
    assert pair["mean_score"] == 6


def test_each_pair_of_a_prompt_carries_it():
    pairs = choose_pairs(candidates(1, 2, 6), Settings(Strategy.best_vs_rest, by="mean-score")).records
    assert [pair["mean_score"] for pair in pairs] == [3, 3]


def test_triples_count_the_reference_too():
    record = candidates(1, 2, 6)
    (triple,) = choose_pairs(record, Settings(Strategy.best_worst, emit=Emit.triples, by="mean-score")).records
    assert (triple["reference"], triple["mean_score"]) == ("answer 2", 3)


@pytest.mark.parametrize("by", BOTH)
def test_a_pair_that_was_chosen_from_more_keeps_what_it_says(by):
    """`pair` twice: the second one sees two responses and must not measure these."""
    first = choose_pairs(candidates(1, 2, 6), Settings(Strategy.best_worst, by=by)).records[0]
    second = choose_pairs(first, Settings(Strategy.best_worst, by=by)).records[0]
    assert second == first


@pytest.mark.parametrize("by", BOTH)
def test_two_responses_are_not_taken_for_the_prompt_they_were_chosen_from(by):
    """1 and 6 of 1, 2, 6: their mean is 3.5, the prompt's was 3."""
    first = choose_pairs(candidates(1, 2, 6), Settings(Strategy.best_worst)).records[0]
    with pytest.raises(RecordError, match=f"chosen from 3 responses.* give --by {by} where the pair is chosen"):
        choose_pairs(first, Settings(Strategy.best_worst, by=by))
    whole = choose_pairs(candidates(1, 6), Settings(Strategy.best_worst)).records[0]
    assert PROMPT_MEASURES[by] in choose_pairs(whole, Settings(Strategy.best_worst, by=by)).records[0]


@pytest.mark.parametrize("by", BOTH)
def test_a_stale_number_on_candidates_is_measured_anew(by):
    field = PROMPT_MEASURES[by]
    assert measure_prompt(candidates(1, 2, 6, **{field: 99}), by) == measure_prompt(candidates(1, 2, 6), by)
    assert measure_prompt(candidates(1, 3, **{field: "high"}), by) == measure_prompt(candidates(1, 3), by)


@pytest.mark.parametrize("by", BOTH)
@pytest.mark.parametrize("score", [None, "9", True, [1]])
def test_a_response_without_a_number_is_named(by, score):
    with pytest.raises(RecordError, match=f"response 2: field 'score' is .*; --by {by} needs a number on every"):
        measure_prompt(candidates(1, score, 2), by)
    with pytest.raises(RecordError, match="response 1: field 'score' is missing"):
        measure_prompt({"responses": [{"text": "a", "rank": 1}, {"text": "b", "rank": 2}]}, by)


def test_scores_too_large_for_a_variance_are_refused_and_have_a_mean():
    """Never a null: JSON has no infinity."""
    with pytest.raises(RecordError, match="the scores are too large for --by score-variance"):
        measure_prompt(candidates(1e308, -1e308), "score-variance")
    assert measure_prompt(candidates(1e308, 1e308, 1e308), "mean-score") == {"mean_score": 1e308}


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=12), st.integers(0, 99))
def test_both_are_numpys_and_do_not_depend_on_the_order(scores, seed):
    shuffled = random.Random(seed).sample(scores, len(scores))
    for by, function in (("mean-score", np.mean), ("score-variance", np.var)):
        (value,) = measure_prompt(candidates(*scores), by).values()
        assert value == pytest.approx(float(function(scores)), rel=1e-9, abs=1e-6)
        assert measure_prompt(candidates(*shuffled), by) == {PROMPT_MEASURES[by]: value}
