"""The completion of another prompt beside each completion, and how the two labels weigh."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from real_cli.errors import RealError
from real_cli.train.batches.mismatch import _batches, _cut, _partners, balance_sentence
from real_cli.train.settings import TrainingSettings

EVEN = {"desirable_weight": 1.0, "undesirable_weight": 1.0}


def test_prompts_that_differ_take_the_completion_before_theirs_as_in_trl():
    assert list(_partners([[0, 1, 2], [3, 4]], [5, 6, 7, 8, 9])) == [2, 0, 1, 4, 3]


def test_a_completion_of_the_same_prompt_is_no_mismatch():
    assert list(_partners([[0, 1, 2]], [5, 5, 6])) == [2, 2, 1]


def test_a_batch_of_one_prompt_takes_a_row_of_another_batch():
    assert list(_partners([[0, 1], [2, 3], [4]], [5, 6, 7, 7, 5])) == [1, 0, 0, 0, 1]


def test_a_single_prompt_is_refused():
    with pytest.raises(RealError, match="all completions answer one prompt"):
        list(_partners([[0, 1]], [5, 5]))


@given(
    st.lists(st.integers(0, 3), min_size=2, max_size=12).filter(lambda prompts: len(set(prompts)) > 1),
    st.integers(2, 5),
)
def test_no_partner_ever_answers_the_same_prompt(prompts, size):
    rows = list(range(len(prompts)))
    batches = [rows[start : start + size] for start in range(0, len(rows), size)]
    partners = list(_partners(batches, prompts))
    assert len(partners) == len(prompts)
    for row, partner in zip(rows, partners, strict=True):
        assert prompts[row] != prompts[partner]
        batch = batches[row // size]
        if len({prompts[other] for other in batch}) > 1:
            assert partner in batch


def test_each_stage_is_shuffled_once_by_the_seed():
    stages = [list(range(10)), [10, 11, 12]]
    first, again = (list(_batches(stages, TrainingSettings(loss=("kto",), batch_size=4, seed=1))) for _ in range(2))
    other = list(_batches(stages, TrainingSettings(loss=("kto",), batch_size=4, seed=2)))
    given_order = list(_batches(stages, TrainingSettings(loss=("kto",), batch_size=4, order="given")))
    assert first == again != other
    assert given_order == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9], [10, 11, 12]]
    assert [len(batch) for batch in first] == [4, 4, 2, 3]
    assert sorted(row for batch in first for row in batch) == list(range(13))
    assert sorted(first[-1]) == [10, 11, 12]


def test_a_long_completion_is_cut_to_the_room_behind_its_new_prompt():
    assert _cut([4, 5, 6], 2) == [4, 5]
    # Tokens of context, which are below 0, do not count.
    assert _cut([-4, -5, 6], 2) == [6]


@pytest.mark.parametrize(
    ("numbers", "knobs", "advice"),
    [
        ((10, 10), {}, ""),
        ((12, 9), {}, ""),  # 4:3
        ((30, 10), {}, "weigh 3 to 1, outside 1:1 to 4:3; try --undesirable-weight 3"),
        ((10, 30), {}, "weigh 0.333 to 1, outside 1:1 to 4:3; try --desirable-weight 3"),
        ((10, 30), {"desirable_weight": 3.0}, ""),
        ((30, 7), {}, "try --undesirable-weight 4.24"),  # 4.2857, of which 4.29 would be out of range
        ((7, 30), {}, "try --desirable-weight 4.29"),
        ((10, 20), {"undesirable_weight": 0.5}, ""),
        ((10, 10), {"desirable_weight": 2.0}, "weigh 2 to 1"),
        ((10, 10), {"undesirable_weight": 0.0}, "weigh all to nothing"),
        ((0, 10), {}, "with one label alone"),
        ((1, 0), {}, "with one label alone"),
    ],
)
def test_labels_that_weigh_differently_are_told(numbers, knobs, advice):
    sentence = balance_sentence(*numbers, EVEN | knobs)
    assert (advice in sentence) if advice else sentence == ""
    if "try" in sentence:  # and what it says to try is in range
        option, value = sentence.split("try --")[1].split()
        assert balance_sentence(*numbers, EVEN | knobs | {option.replace("-", "_"): float(value)}) == ""
