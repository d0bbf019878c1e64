"""`--keep`: which pairs of the whole data set stay."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from real_cli.errors import RecordError, UsageError
from real_cli.pair.keep import keep_mask, keep_value
from real_cli.stats.quota import Keep, parse_keep

# Few different numbers, so that ties are common.
values_with_ties = st.lists(st.integers(0, 4).map(float), max_size=25).map(np.array)


def halves(values: np.ndarray) -> tuple[set[int], set[int]]:
    """Positions of REAL's easy and hard half."""
    count = parse_keep("50%").of(len(values))
    masks = (keep_mask(values, count, lowest=lowest) for lowest in (True, False))
    easy, hard = (set(np.flatnonzero(mask).tolist()) for mask in masks)
    return easy, hard


def pair(chosen: str, rejected: str, **fields: object) -> dict:
    return {"prompt": "q", "chosen": chosen, "rejected": rejected, **fields}


# By hand


def test_the_halves_of_the_manual():
    """Methods 1(f): similarities .99, .90, .97, .80, .95, keep .5 -> easy {.80, .90}, hard {.97, .99}, .95 dropped."""
    values = np.array([0.99, 0.90, 0.97, 0.80, 0.95])
    easy, hard = halves(values)
    assert {values[i] for i in easy} == {0.80, 0.90}
    assert {values[i] for i in hard} == {0.97, 0.99}


@pytest.mark.parametrize(
    ("keep", "total", "number"),
    [
        ("29%", 100, 29),  # 0.29 * 100 = 28.999999999999996 in floating point
        ("57%", 100, 57),
        ("58%", 50, 29),
        ("50%", 5, 2),
        ("35%", 10, 3),
        ("99.9%", 1000, 999),
        ("0%", 7, 0),
        ("100%", 7, 7),
        ("12.5%", 8, 1),
        ("3", 7, 3),
        ("9", 7, 7),
        ("0", 7, 0),
    ],
)
def test_shares_are_exact_and_rounded_down(keep, total, number):
    assert parse_keep(keep).of(total) == number


def test_a_share_is_read_exactly():
    assert parse_keep("12.5%") == Keep(Fraction(1, 8), None)
    assert parse_keep("2000") == Keep(None, 2000)


@pytest.mark.parametrize("text", ["", "%", "x", "101%", "-1%", "-3", "0.5", "1e3", "nan%", "inf%", "1/0%", "50 %%"])
def test_what_is_neither_a_share_nor_a_count_is_refused(text):
    with pytest.raises(UsageError, match="^--keep .*: give a share from 0% to 100% or a whole number of pairs"):
        parse_keep(text)


def test_the_score_gap_has_no_sign():
    """|9 - 4| = |4 - 9| = 5, labeled or not."""
    assert keep_value(pair("a", "b", score_chosen=9, score_rejected=4), "score-gap", 0) == 5
    assert keep_value(pair("a", "b", score_chosen=4, score_rejected=9), "score-gap", 0) == 5
    unlabeled = {"prompt": "q", "responses": [{"text": "a", "score": 4}, {"text": "b", "score": 9}]}
    assert keep_value(unlabeled, "score-gap", 0) == 5


def test_the_length_of_the_rejected_response_is_in_characters():
    """As `eval pairs` counts; of a conversation its messages, a blank line between: 2 + 2 + 3."""
    assert keep_value(pair("abcdef", "\u00e4bc"), "rejected-length", 0) == 3
    turns = [{"role": "assistant", "content": "ab"}, {"role": "assistant", "content": "cde"}]
    assert keep_value(pair("a", turns), "rejected-length", 0) == 7


def test_the_measures_of_a_prompt_are_read_from_their_fields():
    record = pair("a", "b", mean_score=2.5, score_variance=4)
    assert keep_value(record, "mean-score", 0) == 2.5
    assert keep_value(record, "score-variance", 0) == 4


def test_any_field_that_holds_a_number_sorts():
    assert keep_value(pair("a", "b", margin=-2.5), "margin", 0) == -2.5
    assert keep_value(pair("a", "b", similarity=0), "similarity", 0) == 0


@pytest.mark.parametrize(
    ("record", "by", "message"),
    [
        (pair("a", "b"), "similarity", "field 'similarity' is missing; run 'real embed' first"),
        (pair("a", "b", margin="big"), "margin", "field 'margin' is 'big'; --by needs a number on every pair"),
        (pair("a", "b", margin=True), "margin", "field 'margin' is True"),
        (pair("a", "b", margin=None), "margin", "field 'margin' is None"),
        (pair("a", "b", score_chosen=1), "score-gap", "a score is missing on this pair"),
        ({"prompt": "q", "responses": [{"text": "a"}, {"text": "b"}]}, "rejected-length", "this pair has no label"),
        (pair("a", "b"), "mean-score", "field 'mean_score' is missing"),
        (pair("a", "b", score_chosen=None, score_rejected=1), "score-gap", "a score is missing on this pair"),
    ],
)
def test_a_missing_number_is_named(record, by, message):
    with pytest.raises(RecordError, match=message):
        keep_value(record, by, 0)


# Against an independent implementation: Methods 1(c), sorted rows, first n and last n


@given(values_with_ties)
@settings(max_examples=100)
def test_the_halves_are_the_two_ends_of_the_sorted_rows(values):
    rows = sorted(range(len(values)), key=lambda row: values[row])
    n = math.floor(len(values) / 2)
    assert halves(values) == (set(rows[:n]), set(rows[len(rows) - n :]))


# Properties


@given(values_with_ties)
@settings(max_examples=100)
def test_the_halves_are_of_equal_size_disjoint_and_ordered_with_ties_too(values):
    """Methods 1(f): |easy| = |hard| = floor(N/2); max sim(easy) <= min sim(hard); all rows iff N even."""
    easy, hard = halves(values)
    assert len(easy) == len(hard) == len(values) // 2
    assert not easy & hard
    assert (len(easy | hard) == len(values)) == (len(values) % 2 == 0)
    if easy:
        assert max(values[i] for i in easy) <= min(values[i] for i in hard)


@given(values_with_ties)
@settings(max_examples=50)
def test_keeping_all_keeps_the_input(values):
    """Methods 1(f): keep fraction 1.0 -> easy = hard = input set."""
    count = parse_keep("100%").of(len(values))
    assert keep_mask(values, count, lowest=True).tolist() == keep_mask(values, count, lowest=False).tolist()
    assert keep_mask(values, count, lowest=True).all()


@given(values_with_ties, st.integers(0, 25), st.booleans())
@settings(max_examples=100)
def test_as_many_stay_as_were_asked_for_and_none_that_goes_would_be_better(values, wanted, lowest):
    count = parse_keep(str(wanted)).of(len(values))
    mask = keep_mask(values, count, lowest=lowest)
    assert mask.sum() == count == min(wanted, len(values))
    if 0 < count < len(values):
        stays, goes = values[mask], values[~mask]
        assert stays.max() <= goes.min() if lowest else stays.min() >= goes.max()


@given(st.integers(0, 100), st.integers(0, 10**9))
def test_whole_percents_are_whole_division(percent, total):
    assert parse_keep(f"{percent}%").of(total) == percent * total // 100


def test_a_mask_keeps_the_order_of_the_input():
    """Of 3, 1, 2 the lowest two are 1 and 2, in the order they came."""
    values = np.array([3.0, 1.0, 2.0])
    assert values[keep_mask(values, 2, lowest=True)].tolist() == [1.0, 2.0]
    assert values[keep_mask(values, 2, lowest=False)].tolist() == [3.0, 2.0]


def test_of_equal_values_the_first_are_lowest_and_the_last_are_highest():
    assert keep_mask(np.zeros(4), 2, lowest=True).tolist() == [True, True, False, False]
    assert keep_mask(np.zeros(4), 2, lowest=False).tolist() == [False, False, True, True]


def test_a_random_value_depends_on_seed_and_content_alone():
    record = pair("a", "b")
    value = keep_value(record, "random", 1)
    assert keep_value(record | {"id": 9, "similarity": 0.5}, "random", 1) == value
    assert keep_value({"prompt": "q", "responses": [{"text": "a"}, {"text": "b"}]}, "random", 1) == value
    assert keep_value(record, "random", 2) != value
    assert keep_value(pair("a", "c"), "random", 1) != value
    assert keep_value(record | {"prompt": "p"}, "random", 1) != value


def test_random_values_are_uniform():
    """Kolmogorov-Smirnov of scipy 1.17.1: the largest distance to the diagonal is below 1.63 / sqrt(n) at 1 %."""
    values = [keep_value(pair(str(number), "b"), "random", 0) for number in range(1000)]
    assert 0 <= min(values) <= max(values) < 1
    assert kstest(values, "uniform").statistic < 1.63 / math.sqrt(1000)
