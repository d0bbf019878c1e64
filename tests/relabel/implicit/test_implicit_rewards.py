"""A model's opinion as numbers on a record: SPA, DLMA, differences of two responses, labels that disagree."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from real_cli.errors import RecordError, UsageError
from real_cli.records.record import swap_labels
from real_cli.relabel.implicit.rewards import add_contrast, add_implicit, check_beta, contrast_rewards, implicit_rewards
from real_cli.relabel.label_check import LabelCheck
from real_cli.relabel.reward.scores import add_differences, antisymmetrize, preferences_of
from real_cli.relabel.scored import add_scores, check_field
from real_cli.train.losses import OBJECTIVES

PAIR = {"prompt": "q", "chosen": "a", "rejected": "b"}
TWO = {"prompt": "q", "responses": [{"text": "a"}, {"text": "b"}]}
logps = st.floats(-1e4, 0)


def test_spa_8_nats_at_beta_a_tenth_are_a_probability_of_689974():
    """Methods 18(f): r1 - r2 = (-10 - -15) - (-12 - -9) = 5 + 3 = 8 nats, and sigmoid(.8) = .689974."""
    rewards = implicit_rewards([-10, -12], [-15, -9], 0.1)
    scored = add_implicit(TWO, rewards)
    first, second = scored["responses"]
    assert [first["score"], second["score"]] == pytest.approx([0.5, -0.3])
    assert [first["prob"], second["prob"]] == pytest.approx([0.689974, 0.310026], abs=1e-6)
    assert "implicit_margin" not in scored


def test_the_margin_of_a_pair_is_chosen_minus_rejected_and_is_negative_where_the_label_looks_wrong():
    """Methods 22(b): beta (lr(y_w) - lr(y_l)) = .1 ((-12 + 9) - (-10 + 15)) = -.8."""
    scored = add_implicit(PAIR, implicit_rewards([-12, -10], [-9, -15], 0.1))
    assert scored["implicit_margin"] == pytest.approx(-0.8)
    assert [scored["score_chosen"], scored["score_rejected"]] == pytest.approx([-0.3, 0.5])
    assert [scored["prob_chosen"], scored["prob_rejected"]] == pytest.approx([0.310026, 0.689974], abs=1e-6)
    assert list(scored)[:3] == ["prompt", "chosen", "rejected"]


def test_one_response_and_three_have_no_probability():
    for number in (1, 3):
        record = {"prompt": "q", "responses": [{"text": "a"}] * number}
        assert all(set(response) == {"text", "score"} for response in add_implicit(record, [1.0] * number)["responses"])


def test_dlma_the_offset_is_the_reward_of_chosen_minus_that_of_rejected():
    """Methods 9(b): R = (-10 - -14) - (-20 - -19) = 4 + 1 = 5, from log-probabilities after p+ and after p-."""
    scored = add_contrast(PAIR, contrast_rewards([-10, -20], [-14, -19]))
    assert scored == PAIR | {"score_chosen": 4, "score_rejected": -1, "offset": 5}
    assert [column.name for column in OBJECTIVES["dlma"].columns] == ["offset"]


def test_candidates_have_no_offset():
    assert add_contrast(TWO, [1.0, 2.0]) == {
        "prompt": "q",
        "responses": [{"text": "a", "score": 1}, {"text": "b", "score": 2}],
    }


@given(st.tuples(logps, logps), st.tuples(logps, logps))
def test_dlma_swapping_chosen_and_rejected_negates_the_offset(positive, negative):
    """Methods 9(f)."""
    scored = add_contrast(PAIR, contrast_rewards(positive, negative))
    swapped = add_contrast(swap_labels(PAIR), contrast_rewards(positive[::-1], negative[::-1]))
    assert swapped["offset"] == -scored["offset"]
    assert swapped["score_chosen"] == scored["score_rejected"]


@given(st.tuples(logps, logps))
def test_dlma_equal_prompts_give_no_offset(scores):
    """Methods 9(f)."""
    assert add_contrast(PAIR, contrast_rewards(scores, scores))["offset"] == 0


def test_a_name_of_ones_own_keeps_the_scores_that_are_there():
    scored = add_scores(PAIR | {"score_chosen": 3, "score_rejected": 1}, [0.5, 0.25], "score_armo")
    assert (scored["score_chosen"], scored["score_armo_chosen"], scored["score_armo_rejected"]) == (3, 0.5, 0.25)


@pytest.mark.parametrize("field", ["", "text", "rank", "embedding", "ref_logps", "raw_score", "prob", "chosen"])
def test_a_score_cannot_take_the_name_of_something_else(field):
    with pytest.raises(UsageError, match="is not a name for a score"):
        check_field(field)


def test_two_models_opinions_under_two_names_stay_apart():
    scored = add_contrast(
        add_implicit(add_implicit(PAIR, [1.0, 0.0], "score_a"), [0.0, 2.0], "score_b"), [3.0, 1.0], "c"
    )
    assert (scored["score_a_margin"], scored["score_b_margin"], scored["c_offset"]) == (1.0, -2.0, 2.0)
    assert scored["score_a_prob_chosen"] == pytest.approx(1 / (1 + math.exp(-1)))
    assert scored["score_b_prob_chosen"] == pytest.approx(1 / (1 + math.exp(2)))
    assert not {"prob_chosen", "implicit_margin", "offset"} & scored.keys()


@pytest.mark.parametrize("beta", [0.0, -1.0, math.nan, math.inf])
def test_a_scale_that_turns_or_hides_the_labels_is_refused(beta):
    with pytest.raises(UsageError, match="--beta .* must be a number above 0"):
        check_beta(beta)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused_and_never_null(value):
    with pytest.raises(RecordError, match=r"^response 2: the model's score is (nan|inf|-inf); try --dtype float32$"):
        add_scores(TWO, [1.0, value])
    with pytest.raises(RecordError, match="not finite; try --dtype float32"):
        add_differences(TWO, np.array([[0, value], [1, 0]]))


def test_the_margin_of_a_pairwise_model_is_half_the_difference_of_both_orders():
    """d(a, b) = 3 and d(b, a) = 1: m = (3 - 1) / 2 = 1, sigmoid(1) = .731059."""
    differences = np.array([[0.0, 3.0], [1.0, 0.0]])
    assert add_differences(PAIR, differences) == PAIR | {"margin": 1.0}
    scored = add_differences(TWO, differences)
    np.testing.assert_allclose(scored["preferences"], [[0.5, 0.7310586], [0.2689414, 0.5]], atol=1e-7)
    assert "margin" not in scored


@given(st.lists(st.floats(-800, 800), min_size=6, max_size=6))
def test_rdo_differences_are_antisymmetric_and_both_probabilities_sum_to_one(values):
    """Methods 4(f): d(a, b) + d(b, a) = 0."""
    matrix = np.zeros((3, 3))
    matrix[~np.eye(3, dtype=bool)] = values
    margins = antisymmetrize(matrix)
    assert (margins + margins.T == 0).all()
    preferences = np.array(preferences_of(margins))
    assert (preferences + preferences.T == 1).all()
    assert (np.diag(preferences) == 0.5).all()
    assert ((preferences > 0.5) <= (margins > 0)).all()


def test_labels_that_the_scores_speak_against_are_counted():
    """Four labels: against, for, a tie (not against), and ranks 2, 1 against scores 5, 4. One score, one pair of them
    replaced: 3 values."""
    check = LabelCheck()
    check.add(PAIR | {"score_chosen": 1, "score_rejected": 0}, [1.0, 2.0], "score")
    check.add(PAIR, [2.0, 1.0], "score")
    check.add(PAIR, [2.0, 2.0], "score")
    ranked = {"prompt": "q", "responses": [{"text": "a", "rank": 2, "score": 3}, {"text": "b", "rank": 1}]}
    check.add(ranked, [5.0, 4.0], "score")
    check.add(TWO, [5.0, 4.0], "score")
    assert (check.num_labeled, check.num_against, check.num_replaced) == (4, 2, 3)
    assert check.sentence() == "2 of 4 labels disagree; 3 earlier scores replaced"


def test_other_scores_than_those_written_are_not_counted_as_replaced():
    check = LabelCheck()
    check.add(TWO | {"responses": [{"text": "a", "score": 1}]}, [1.0], "score_armo")
    check.add(PAIR | {"score_chosen": 1, "score_rejected": 2}, [1.0, 2.0])
    assert check.sentence() == "1 of 1 labels disagree"
