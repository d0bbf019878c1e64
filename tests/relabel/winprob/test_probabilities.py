"""Win probabilities, Methods 12."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from real_cli.errors import RecordError, UsageError
from real_cli.records.preferences import check_order, given_preferences
from real_cli.records.response_fields import read_numbers, values_of, with_values
from real_cli.relabel.scored import check_temperature
from real_cli.relabel.winprob.choices import Evidence
from real_cli.relabel.winprob.probabilities import (
    PREFERENCES,
    ROWS,
    add_win_probabilities,
    scored_preferences,
    win_probabilities,
)
from real_cli.stats.numeric import sigmoid

PAIR = {"prompt": "q", "chosen": "a", "rejected": "b"}
ROCK_PAPER_SCISSORS = [[0.5, 0.0, 1.0], [1.0, 0.5, 0.0], [0.0, 1.0, 0.5]]


def scored(*scores):
    return {"prompt": "q", "responses": [{"text": str(n), "score": score} for n, score in enumerate(scores)]}


def judged(rows, size=None):
    size = len(rows) if size is None else size
    return {"prompt": "q", "responses": [{"text": str(n)} for n in range(size)], "preferences": rows}


def probabilities(record, evidence=Evidence.scores, temperature=1.0):
    return np.array(win_probabilities(PREFERENCES[evidence](record, temperature)))


def matrix_of_scores(record, temperature=1.0):
    return np.concatenate(list(scored_preferences(record, temperature)))


def test_the_names_of_the_help_are_those_of_the_table():
    assert set(Evidence) == set(PREFERENCES)


# By hand


def test_win_probabilities_at_the_point_of_the_manual():
    """Methods 12(f): scores 1, 0, -1, .5, -.5.

    The first: (1/2 + s(1) + s(2) + s(.5) + s(1.5)) / 5 = (.5 + .731059 + .880797 + .622459 + .817574) / 5 = .710378.
    """
    probs = probabilities(scored(1, 0, -1, 0.5, -0.5))
    assert probs == pytest.approx([0.710378, 0.5, 0.289622, 0.609727, 0.390273], abs=5e-7)
    assert probs.mean() == pytest.approx(0.5)


def test_the_row_of_the_better_response_comes_first_in_the_difference():
    """s(2) = .880797: row 0 beats column 1."""
    assert matrix_of_scores(scored(2, 0)).round(6).tolist() == [[0.5, 0.880797], [0.119203, 0.5]]


def test_temperature_divides_the_gap():
    """s(4 / 2) = s(2) = .880797; itself at 1/2: (.5 + .880797) / 2 = .690399."""
    assert probabilities(scored(4, 0), temperature=2.0) == pytest.approx([0.690399, 0.309601], abs=5e-7)


def test_a_pair_is_read_as_chosen_and_rejected():
    record = PAIR | {"score_chosen": 2, "score_rejected": 0}
    assert probabilities(record) == pytest.approx(probabilities(scored(2, 0)))


def test_a_circle_stays_a_circle():
    """Rock, paper, scissors: each wins one, loses one and ties with itself, (1 + 0 + 1/2) / 3 = 1/2."""
    matrix = given_preferences(judged(ROCK_PAPER_SCISSORS))
    assert matrix.tolist() == ROCK_PAPER_SCISSORS
    assert win_probabilities([matrix]) == [0.5, 0.5, 0.5]


def test_the_diagonal_is_one_half_whatever_stands_there():
    """(1/2 + .8) / 2 = .65, not (1 + .8) / 2."""
    assert probabilities(judged([[1, 0.8], [0.2, 7]]), Evidence.preferences) == pytest.approx([0.65, 0.35])


def test_one_response_has_even_odds_and_none_has_none():
    assert probabilities(scored(3)).tolist() == [0.5]
    assert probabilities(scored()).tolist() == []
    assert probabilities(judged([]), Evidence.preferences).tolist() == []


# Properties

numbers = st.floats(-50, 50)


@given(st.lists(st.floats(allow_nan=False), max_size=8))
def test_sigmoid_is_scipys(values):
    assert sigmoid(np.array(values)) == pytest.approx(expit(np.array(values)), rel=1e-12)


@given(st.lists(numbers, min_size=1, max_size=8), st.floats(0.1, 10))
def test_both_directions_sum_to_one_and_the_mean_of_means_is_one_half(scores, temperature):
    matrix = matrix_of_scores(scored(*scores), temperature)
    assert matrix + matrix.T == pytest.approx(np.ones_like(matrix))
    assert np.mean(win_probabilities([matrix])) == pytest.approx(0.5)


@given(st.lists(numbers, min_size=1, max_size=8), numbers)
def test_scores_moved_together_change_nothing(scores, shift):
    moved = scored(*(score + shift for score in scores))
    assert matrix_of_scores(scored(*scores)) == pytest.approx(matrix_of_scores(moved), abs=1e-9)


@given(st.lists(st.integers(-20, 20), min_size=1, max_size=6, unique=True))
def test_the_order_of_the_scores_is_the_order_of_the_probabilities(scores):
    assert np.argsort(probabilities(scored(*scores))).tolist() == np.argsort(scores).tolist()


@given(st.lists(st.integers(-20, 20), min_size=1, max_size=6))
def test_a_matrix_that_was_written_is_read_again(scores):
    matrix = matrix_of_scores(scored(*scores))
    again = given_preferences(judged(json.loads(json.dumps(matrix.tolist()))))
    assert again.tolist() == matrix.tolist()


def test_a_gap_beyond_all_floats_is_certain():
    assert matrix_of_scores(scored(1.7e308, -1.7e308), 0.5).tolist() == [[0.5, 1.0], [0.0, 0.5]]


def test_blocks_of_rows_are_the_rows_of_the_whole_matrix():
    draw = np.random.default_rng(0).normal(size=2 * ROWS + 1)
    blocks = list(scored_preferences(scored(*draw.tolist())))
    assert [len(block) for block in blocks] == [ROWS, ROWS, 1]
    whole = expit(draw[:, None] - draw[None, :])
    assert np.concatenate(blocks) == pytest.approx(whole, abs=1e-12)
    assert win_probabilities(blocks) == pytest.approx(whole.mean(axis=1), abs=1e-12)


# Errors


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        (None, "field 'preferences' is missing; 'real relabel judge' makes it, or use --from scores"),
        ("AB", "field 'preferences' is 'AB'; 2 lists of 2 numbers are needed"),
        ([[0.5, 1]], "2 lists of 2 numbers are needed"),
        ([[0.5, 1], [0]], "2 lists of 2 numbers are needed"),
        ([[0.5, True], [0, 0.5]], "2 lists of 2 numbers are needed"),
        ([[0.5, 1.5], [-0.5, 0.5]], "responses 2 and 1 have -0.5 and 1.5; probabilities from 0 to 1 are needed"),
        ([[0.5, 0.7], [0.30001, 0.5]], "responses 2 and 1 have 0.30001 and 0.7; the two must sum to 1"),
    ],
)
def test_a_matrix_that_is_none_is_refused(rows, complaint):
    with pytest.raises(RecordError, match=complaint):
        given_preferences(judged(rows, size=2))


def test_what_rounding_leaves_is_accepted():
    assert given_preferences(judged([[0.5, 0.7], [0.3000009, 0.5]])).tolist() == [[0.5, 0.7], [0.3000009, 0.5]]


def test_a_labeled_pair_has_no_order_for_a_matrix():
    with pytest.raises(RecordError, match="a labeled pair does not keep the order .* before it is labeled"):
        given_preferences(PAIR | {"preferences": [[0.5, 1], [0, 0.5]]})
    with pytest.raises(RecordError, match="a labeled pair"):
        check_order(PAIR)


@pytest.mark.parametrize("temperature", [0, -1, float("nan"), float("inf")])
def test_a_temperature_is_above_zero(temperature):
    with pytest.raises(UsageError, match="--temperature .*: must be a number above 0"):
        check_temperature(temperature)


# Values on responses


def test_a_missing_score_is_named():
    with pytest.raises(RecordError, match="response 2: 'score' is None; 'relabel winprob' needs the score of every"):
        matrix_of_scores(scored(1, None))
    with pytest.raises(RecordError, match="field 'score_chosen' is '9'; a test needs the score of every response"):
        read_numbers(PAIR | {"score_chosen": "9", "score_rejected": 1}, "score", "a test")
    with pytest.raises(RecordError, match="response 1: 'score' is missing"):
        read_numbers(judged([[0.5]]), "score", "a test")


def test_values_are_put_back_without_touching_the_record():
    for record in (scored(1, 2), PAIR | {"prob_chosen": 1, "prob_rejected": 0}):
        before = json.dumps(record)
        labeled = with_values(record, "prob", [0.25, 0.75])
        assert values_of(labeled, "prob") == [0.25, 0.75]
        assert with_values(labeled, "prob", [0.25, 0.75]) == labeled
        assert json.dumps(record) == before


def test_a_record_with_responses_and_a_label_is_candidates():
    record = scored(1, 2, 3) | {"chosen": "x", "rejected": "y"}
    assert values_of(with_values(record, "prob", [1, 2, 3]), "prob") == [1, 2, 3]


def test_without_scores_the_win_probability_is_the_score_that_pair_orders_by():
    bare = {"prompt": "q", "responses": [{"text": "a"}, {"text": "b"}]}
    # Row means (.5 + 1) / 2 and (0 + .5) / 2.
    ranked = add_win_probabilities(bare, win_probabilities([np.array([[0.5, 1.0], [0.0, 0.5]])]))
    assert values_of(ranked, "score") == values_of(ranked, "prob") == [0.75, 0.25]
    assert add_win_probabilities(ranked, [0.75, 0.25]) == ranked


def test_a_score_that_is_there_stays():
    ranked = add_win_probabilities(scored(3, 1), [0.35, 0.65])
    assert values_of(ranked, "score") == [3, 1]
    assert values_of(ranked, "prob") == pytest.approx([0.35, 0.65])
