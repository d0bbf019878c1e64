"""Who is chosen and who is rejected."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from real_cli.pair.choices import Orient
from real_cli.pair.orient import order_pair, read_quality

numbers = st.integers(-5, 5) | st.floats(-5, 5)
BOTH_WAYS = {"score": 1, "rank": 1}, {"score": 2, "rank": 2}  # by score the second is better, by rank the first


# By hand


def test_scores_are_read_as_they_are():
    assert read_quality([{"score": 2}, {"score": 7.5}]).tolist() == [2.0, 7.5]


def test_ranks_are_turned_round_so_that_larger_is_better():
    assert read_quality([{"rank": 1}, {"rank": 3}]).tolist() == [-1.0, -3.0]


@pytest.mark.parametrize(
    ("orient", "quality"),
    [(Orient.auto, [1, 2]), (Orient.score, [1, 2]), (Orient.rank, [-1, -2])],
)
def test_scores_go_before_ranks_unless_ranks_are_asked_for(orient, quality):
    assert read_quality(list(BOTH_WAYS), orient).tolist() == quality


def test_one_missing_score_makes_auto_read_the_ranks():
    assert read_quality([{"score": 9, "rank": 2}, {"rank": 1}]).tolist() == [-2, -1]
    assert read_quality([{"score": None, "rank": 2}, {"score": 1, "rank": 1}]).tolist() == [-2, -1]


@pytest.mark.parametrize(
    ("responses", "orient"),
    [
        ([{"score": 1}, {"rank": 1}], Orient.auto),
        ([{"score": 1}, {}], Orient.auto),
        ([{"rank": 1}, {"rank": 2}], Orient.score),
        ([{"score": 1}, {"score": 2}], Orient.rank),
        ([{"score": True}, {"score": False}], Orient.auto),
    ],
)
def test_a_quality_that_not_every_response_has_is_none(responses, orient):
    assert read_quality(responses, orient) is None


@pytest.mark.parametrize(
    ("orient", "order"), [(Orient.auto, -1), (Orient.score, -1), (Orient.rank, 1), (Orient.none, 0)]
)
def test_orient_decides_what_decides(orient, order):
    assert order_pair(*BOTH_WAYS, orient) == order


def test_equally_good_is_none_and_unknown_is_zero():
    assert order_pair({"score": 3}, {"score": 3.0}, Orient.auto) is None
    assert order_pair({"rank": 1}, {"rank": 1}, Orient.auto) is None
    assert order_pair({}, {}, Orient.auto) == 0
    assert order_pair({"score": 3}, {"score": 3}, Orient.none) == 0


# Properties


@given(numbers, numbers)
def test_the_higher_score_is_preferred_and_the_lower_rank(first, second):
    sign = (first > second) - (first < second) or None
    assert order_pair({"score": first}, {"score": second}, Orient.auto) == sign
    assert order_pair({"rank": second}, {"rank": first}, Orient.auto) == sign


@given(numbers, numbers, st.sampled_from(["score", "rank"]))
def test_exchanging_the_responses_negates_the_order(first, second, field):
    there = order_pair({field: first}, {field: second}, Orient.auto)
    back = order_pair({field: second}, {field: first}, Orient.auto)
    assert back == (None if there is None else -there)


@given(st.integers(-5, 5), st.integers(-5, 5), st.integers(-100, 100))
def test_moving_all_scores_by_one_amount_changes_no_label(first, second, shift):
    moved = order_pair({"score": first + shift}, {"score": second + shift}, Orient.score)
    assert moved == order_pair({"score": first}, {"score": second}, Orient.score)
