"""The one place that rounds, and the small functions beside it."""

import json
import math

import pytest

from real_cli.stats.numeric import number_or_nan, rounded


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1 / 3, 0.3333333333), (1 / 30, 0.03333333333), (2e9 / 3, 666666666.7), (1e-20 / 3, 3.333333333e-21), (5, 5)],
)
def test_ten_significant_digits_stay_whatever_the_scale(value, shown):
    assert rounded(value) == shown


def test_what_is_no_float_stays_as_it_is_at_any_depth():
    summary = {"a": [True, None, "0.33333333333333", 10**17 + 1, {"b": 2 / 3}], "edges": [0.1 + 0.2]}
    assert rounded(summary) == {"a": [True, None, "0.33333333333333", 10**17 + 1, {"b": 0.6666666667}], "edges": [0.3]}


def test_a_zero_has_no_sign():
    assert json.dumps(rounded([-0.0, 0.0])) == "[0.0, 0.0]"


def test_what_is_no_number_is_nan():
    assert number_or_nan(2) == 2
    assert [math.isnan(number_or_nan(value)) for value in (None, "2", True, [2], math.nan)] == [True] * 5
