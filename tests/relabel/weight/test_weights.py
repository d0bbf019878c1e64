"""Weights of pairs, Methods 4 (RDO) and 6 (OPTune)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from real_cli.errors import RealError, RecordError, UsageError
from real_cli.relabel.weight.choices import Negative, Normalization, WeightRule
from real_cli.relabel.weight.weights import (
    NEGATIVES,
    NEVER_NEGATIVE,
    NORMALIZATIONS,
    WEIGHTS,
    Weigher,
    gap_utility,
    reward_difference,
    scale_to_mean,
    scale_to_range,
)


def pair(chosen, rejected):
    return {"prompt": "q", "chosen": "a", "rejected": "b", "score_chosen": chosen, "score_rejected": rejected}


def test_the_names_of_the_help_are_those_of_the_tables():
    assert set(WeightRule) == set(WEIGHTS)
    assert set(Negative) == set(NEGATIVES)
    assert set(Normalization) == set(NORMALIZATIONS)


# By hand


def test_reward_difference_weighs_dpo_as_the_manual_says():
    """Methods 4(f): at beta h = .5 DPO is .474077; R = 2 -> .948154, R = .1 -> .047408."""
    dpo = np.log1p(np.exp(-0.5))
    losses = [Weigher()(pair(chosen, 1)) * dpo for chosen in (3, 1.1, 2)]
    assert losses == pytest.approx([0.948154, 0.047408, 0.474077], abs=1e-6)


def test_gap_utility_is_sigmoid_of_the_gap():
    """Methods 6(b): sigmoid(gap / T); s(2) = .880797, s(0) = 1/2, s(-2) = .119203."""
    weigher = Weigher(WeightRule.gap_utility)
    assert [weigher(pair(gap, 0)) for gap in (2, 0, -2)] == pytest.approx([0.880797, 0.5, 0.119203], abs=1e-6)
    assert Weigher(WeightRule.gap_utility, temperature=2)(pair(5, 1)) == pytest.approx(0.880797, abs=1e-6)


def test_equal_gaps_are_dpo_up_to_a_constant():
    """Methods 6(f): after scaling to mean 1 every pair weighs 1."""
    for rule in WeightRule:
        weigher = Weigher(rule)
        weights = np.array([weigher(pair(score + 3, score)) for score in (0, 1, 5)])
        assert scale_to_mean(weights) == pytest.approx(np.ones(3))


def test_temperature_divides_the_reward_difference_too():
    assert Weigher(temperature=4)(pair(9, 1)) == 2


def test_scaling_to_mean_and_to_range():
    """Mean of 1, 2, 6 is 3; range 5: (2 - 1) / 5 = .2."""
    weights = np.array([1.0, 2.0, 6.0])
    assert scale_to_mean(weights) == pytest.approx([1 / 3, 2 / 3, 2])
    assert scale_to_range(weights) == pytest.approx([0, 0.2, 1])
    assert scale_to_range(np.array([-1.6e308, 1.6e308])).tolist() == [0, 1]


# Negative weights, Methods 4(g), and bounds


def test_a_negative_weight_becomes_zero_and_is_counted():
    weigher = Weigher()
    assert [weigher(pair(4, 9)), weigher(pair(4, 4)), weigher(pair(9, 4))] == [0, 0, 5]
    assert weigher.sentence() == "3 pairs weighed; 1 label disagrees with the scores; 1 negative weight set to 0"


def test_a_negative_weight_is_kept_when_asked():
    weigher = Weigher(negative=Negative.keep)
    assert weigher(pair(4, 9)) == -5
    assert weigher.sentence() == "1 pair weighed; 1 label disagrees with the scores"


def test_labels_that_disagree_are_counted_under_gap_utility_too_where_no_weight_is_negative():
    weigher = Weigher(WeightRule.gap_utility)
    assert [weigher(pair(chosen, 3)) < 0.5 for chosen in (1, 2, 3, 4)] == [True, True, False, False]
    assert weigher.sentence() == "4 pairs weighed; 2 labels disagree with the scores"
    for rule in set(WeightRule) - NEVER_NEGATIVE:
        assert WEIGHTS[rule](-1.0, 1.0) < 0
    for rule in NEVER_NEGATIVE:
        assert WEIGHTS[rule](-700.0, 1.0) > 0


def test_an_expression_says_nothing_of_labels_it_may_not_read():
    weigher = Weigher(expression="score_chosen - score_rejected")
    assert weigher(pair(4, 9)) == 0
    assert weigher.sentence() == "1 pair weighed; 1 negative weight set to 0"


def test_a_negative_weight_is_refused_when_asked():
    weigher = Weigher(negative=Negative.refuse)
    assert weigher(pair(4, 4)) == 0
    with pytest.raises(RecordError, match="the weight is -5; --negative clip makes it 0, keep leaves it"):
        weigher(pair(4, 9))
    assert weigher.num_weights == 1


def test_bounds_come_after_the_negative_rule_and_are_counted():
    """-5 -> 0 -> .5; 5 -> 3; 1 stays."""
    weigher = Weigher(bounds=(0.5, 3))
    assert [weigher(pair(*scores)) for scores in ((4, 9), (9, 4), (2, 1))] == [0.5, 3, 1]
    assert weigher.sentence() == (
        "3 pairs weighed; 1 label disagrees with the scores; 1 negative weight set to 0; 2 weights clipped to 0.5 and 3"
    )


@given(st.floats(-100, 100), st.floats(-100, 100))
def test_clipped_weights_are_antisymmetric_parts(first, second):
    """max(0, d) - max(0, -d) = d: of a pair and its mirror image one at most weighs anything."""
    weigher = Weigher()
    assert weigher(pair(first, second)) - weigher(pair(second, first)) == first - second


@given(st.lists(st.floats(0.01, 100), min_size=2, max_size=9, unique=True))
def test_scaling_keeps_the_order_and_scaling_twice_is_scaling_once(values):
    weights = np.array(values)
    for scale in filter(None, NORMALIZATIONS.values()):
        once = scale(weights)
        assert scale(once) == pytest.approx(once)
        assert (np.diff(once[np.argsort(weights)]) >= 0).all()
    assert scale_to_mean(weights).mean() == pytest.approx(1)


@pytest.mark.parametrize("rule", WeightRule)
@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(0.1, 10))
def test_a_wider_gap_never_weighs_less(rule, first, second, temperature):
    low, high = sorted((first, second))
    assert WEIGHTS[rule](low, temperature) <= WEIGHTS[rule](high, temperature)


# Expressions


def test_an_expression_replaces_the_rule():
    weigher = Weigher(expression="sqrt(score_chosen - score_rejected) * (votes > 3)")
    assert [weigher(pair(9, 5) | {"votes": votes}) for votes in (4, 3)] == [2, 0]


# Errors


def test_missing_scores_are_named():
    with pytest.raises(RecordError, match="field 'score_rejected' is None; a weight needs the score of both"):
        Weigher()(pair(1, None))
    with pytest.raises(RecordError, match="field 'score_chosen' is missing; a weight needs the score of both"):
        Weigher()({"prompt": "q", "chosen": "a", "rejected": "b"})
    with pytest.raises(RecordError, match="2 responses and no 'chosen'"):
        Weigher(expression="1")({"prompt": "q", "responses": [{"text": "a"}, {"text": "b"}]})


def test_a_weight_beyond_all_floats_is_refused():
    with pytest.raises(RecordError, match="the weight is inf; the scores are too far apart"):
        Weigher()(pair(1.7e308, -1.7e308))


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"expression": "1", "rule": WeightRule.gap_utility}, "--expression and --by: .*; give one"),
        ({"expression": "1", "temperature": 2}, "--expression and --temperature: .*; give one"),
        ({"bounds": (2, 1)}, "--clip 2 1: give the smaller number first"),
        ({"bounds": (float("nan"), 1)}, "--clip nan 1: both must be finite numbers"),
        ({"bounds": (float("-inf"), 5)}, "--clip -inf 5: both must be finite numbers"),
        ({"bounds": (0, float("inf"))}, "--clip 0 inf: both must be finite numbers"),
        ({"rule": WeightRule.gap_utility, "negative": Negative.refuse}, "--by gap-utility gives no negative weight"),
        ({"rule": WeightRule.gap_utility, "negative": Negative.clip}, "--by gap-utility gives no negative weight"),
        ({"temperature": 0}, "--temperature 0: must be a number above 0"),
    ],
)
def test_settings_that_contradict_themselves_are_refused(settings, complaint):
    with pytest.raises(UsageError, match=complaint):
        Weigher(**settings)


@pytest.mark.parametrize(
    ("scale", "weights", "complaint"),
    [
        (scale_to_mean, [0, 0, 0], "--normalize mean: all 3 weights are 0; a mean above 0 is needed"),
        (scale_to_mean, [-2, 1], "--normalize mean: the mean of the weights is -0.5; a mean above 0 is needed"),
        (scale_to_mean, [0], "--normalize mean: the only weight is 0; a mean above 0 is needed"),
        (scale_to_range, [2], "--normalize min-max: the only weight is 2; two different ones are needed"),
        (scale_to_range, [2, 2], "--normalize min-max: all 2 weights are 2; two different ones are needed"),
    ],
)
def test_weights_that_cannot_be_scaled_are_refused(scale, weights, complaint):
    with pytest.raises(RealError, match=complaint):
        scale(np.array(weights, dtype=float))


def test_rules_are_plain_functions_of_the_gap():
    assert (reward_difference(5, 2), gap_utility(0, 2)) == (2.5, 0.5)
