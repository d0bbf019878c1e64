"""Intervals of means and shares over pairs, some of which may share a prompt."""

import numpy as np
import pytest

from real_cli.stats.bootstrap import Bootstrap, tail_shares
from real_cli.stats.by_prompt import PromptIntervals
from real_cli.stats.proportions import wilson_interval


def prompts_of(count, each=1):
    """So many prompts, each in a cell of its own, with so many pairs each."""
    return np.repeat(np.arange(count, dtype=np.uint64) << np.uint64(48), each)


def ends(fields, name):
    return fields[f"{name}_low"], fields[f"{name}_high"]


def expanded(bootstrap, cells, values, num_prompts):
    """The percentiles of the very draws, as Student's t asks for of so many prompts."""
    return tuple(np.quantile(bootstrap.means(cells, values), tail_shares(num_prompts)))


def test_the_mean_of_a_bucket_stands_on_the_prompts_of_the_bucket():
    """Twelve prompts of 200: t of 11 degrees of freedom, not of 199."""
    prompts = prompts_of(200)
    values = np.random.default_rng(0).normal(size=200)
    result = PromptIntervals(prompts).mean("margin", values, np.arange(12))
    expected = expanded(Bootstrap(np.arange(200)), np.arange(12), values[:12], 12)
    assert ends(result, "margin") == pytest.approx(expected)
    assert ends(result, "margin") != pytest.approx(expanded(Bootstrap(np.arange(200)), np.arange(12), values[:12], 200))


def test_the_mean_of_prompts_that_repeat_stands_on_prompts_and_not_on_pairs():
    prompts = prompts_of(15, each=8)
    values = np.random.default_rng(0).normal(size=120)
    result = PromptIntervals(prompts).mean("margin", values)
    assert ends(result, "margin") == pytest.approx(
        expanded(Bootstrap(np.arange(15)), np.repeat(np.arange(15), 8), values, 15)
    )


def test_a_difference_stands_on_the_prompts_of_its_smaller_side():
    values = np.random.default_rng(0).normal(size=60)
    bootstrap, cells = Bootstrap(np.arange(60)), np.arange(60)
    result = bootstrap.difference(cells[:12], values[:12], cells, values)
    samples = bootstrap.means(cells[:12], values[:12]) - bootstrap.means(cells, values)
    assert (result.low, result.high) == pytest.approx(tuple(np.quantile(samples, tail_shares(12))))
    assert (result.value, result.num_rows) == (pytest.approx(values[:12].mean() - values.mean()), 12)


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, 1e9])
def test_what_never_varies_has_a_mean_and_no_interval(value):
    bootstrap, cells = Bootstrap(np.arange(30)), np.arange(30)
    assert bootstrap.mean(cells, np.full(30, value)) == (pytest.approx(value), None, None, 30)
    assert bootstrap.difference(cells, cells + value, cells, cells * 1.0)[1:3] == (None, None)
    intervals = PromptIntervals(prompts_of(30))
    assert ends(intervals.mean("margin", np.full(30, value)), "margin") == (None, None)
    assert intervals.notes() == ["the same number for every pair, so no interval: margin"]


@pytest.mark.parametrize("number", [9, 10])
def test_a_bucket_of_fewer_than_ten_prompts_has_no_mean_with_an_interval(number):
    values = np.arange(40.0)
    result = PromptIntervals(prompts_of(40)).mean("margin", values, np.arange(number))
    assert (result["margin_low"] is None) == (number < 10)


def test_a_share_of_a_bucket_is_wilsons_where_the_prompts_of_the_bucket_do_not_repeat():
    """Prompts repeat elsewhere."""
    prompts = np.concatenate([prompts_of(8), prompts_of(30, each=2)[16:]])
    outcomes = np.arange(prompts.size) % 2.0
    intervals = PromptIntervals(prompts)
    assert ends(intervals.share("accuracy", outcomes, np.arange(8)), "accuracy") == wilson_interval(4, 8)
    assert intervals.notes()[0].startswith("52 pairs have 30 prompts and are not independent")


def test_a_share_keeps_its_fraction():
    """Eleven of two rows each, half of the rows right: 5.5 of 11, not 6."""
    outcomes = np.tile([1.0, 1, 0, 0], 6)[:22]
    result = PromptIntervals(prompts_of(11, each=2)).share("accuracy", outcomes)
    agreed = np.repeat(np.arange(11) % 2 == 0, 2)
    assert result["accuracy"] == pytest.approx(12 / 22)
    assert np.array_equal(outcomes, agreed)
    assert ends(result, "accuracy") == pytest.approx(wilson_interval(6, 11))
    mixed = np.where(np.arange(22) < 20, outcomes, [np.nan] * 20 + [1.0, 0.0])
    low, high = ends(PromptIntervals(prompts_of(11, each=2)).share("accuracy", mixed), "accuracy")
    assert low + high == pytest.approx(1)


def test_the_interval_of_a_bucket_covers_its_mean():
    """Fifteen of 200 prompts: with t of 199 it was 92 of 100."""
    draws = np.random.default_rng(2)
    intervals, hits = PromptIntervals(prompts_of(200)), []
    for _ in range(1000):
        values = draws.normal(size=200)
        result = intervals.mean("margin", values, np.arange(15))
        hits.append(result["margin_low"] <= 0 <= result["margin_high"])
    assert np.mean(hits) >= 0.93
