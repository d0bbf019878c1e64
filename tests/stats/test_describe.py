"""Histograms of a summary."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from real_cli.stats.describe import MOST_BINS, histogram


def test_a_histogram_of_four_numbers():
    """Sturges asks for log2(4) + 1 = 3 bins over 0 to 4: 0 and 1, then 2, then 4."""
    result = histogram(np.array([4.0, 0.0, math.nan, 2.0, 1.0]))
    assert result["edges"] == pytest.approx([0, 4 / 3, 8 / 3, 4])
    assert result["counts"] == [2, 1, 1]


def test_no_number_is_no_histogram_and_a_constant_is_one_bin():
    assert histogram(np.array([math.nan])) is None
    assert histogram(np.array([3.0, 3.0])) == {"edges": [2.5, 3.5], "counts": [2]}


def test_an_outlier_does_not_ask_for_a_million_bins():
    result = histogram(np.r_[np.linspace(0, 1, 1000), 1e300])
    assert (len(result["counts"]), sum(result["counts"])) == (MOST_BINS, 1001)


@given(st.lists(st.integers(-100, 100).map(float), min_size=2, max_size=60))
@settings(max_examples=100)
def test_the_bins_are_those_of_numpy_up_to_forty(values):
    """The narrower of two of numpy's rules; it has one bin where the quartiles are equal, and for a constant."""
    numbers = [len(np.histogram_bin_edges(values, rule)) - 1 for rule in ("sturges", "fd")]
    edges = np.histogram_bin_edges(values, min(MOST_BINS, max(numbers)))
    result = histogram(np.array(values))
    assert result["edges"] == pytest.approx(edges.tolist())
    assert result["counts"] == np.histogram(values, edges)[0].tolist()


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=40), st.randoms())
@settings(max_examples=50)
def test_the_order_of_the_numbers_does_not_matter_and_none_is_lost(values, draw):
    result = histogram(np.array(values))
    assert result == histogram(np.array(draw.sample(values, len(values))))
    assert sum(result["counts"]) == len(values)
    assert len(result["edges"]) == len(result["counts"]) + 1
