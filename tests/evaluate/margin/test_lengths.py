"""Accuracy by which response is longer, and the margin that is left at equal length."""

import numpy as np
import pytest
import statsmodels.api as sm

from real_cli.evaluate.margin.lengths import with_cuts
from real_cli.evaluate.margin.margins import MarginTally, PairMargin
from real_cli.records.messages import text_key
from real_cli.stats.by_length import describe_lengths
from real_cli.stats.by_prompt import PromptIntervals
from real_cli.stats.proportions import estimate_share


def described(margins, lengths, prompts=None):
    keys = np.arange(len(margins)) if prompts is None else np.asarray(prompts)
    keys = keys.astype(np.uint64) << np.uint64(48)
    return describe_lengths(np.asarray(margins, float), np.asarray(lengths, float), keys, PromptIntervals(keys))


def draw(seed, gain, slope, rows=400, prompts=100):
    """Margins of a policy that gains so much at equal length, and so much a token more."""
    draws = np.random.default_rng(seed)
    keys = draws.integers(0, prompts, rows)
    lengths = np.round(draws.normal(15, 40, rows))
    return gain + slope * lengths + draws.normal(0, 1, prompts)[keys] + draws.normal(0, 1, rows), lengths, keys


def test_a_gain_by_length_alone_is_gone_at_equal_length():
    """The longer response is chosen more often: the mean margin is 0.75 nats, and nothing of it is left."""
    margins, lengths, prompts = draw(0, 0.0, 0.05)
    result = described(margins, lengths, prompts)
    assert margins.mean() > 0.4
    assert result["margin_equal_length_low"] < 0 < result["margin_equal_length_high"]
    assert result["margin_per_extra_token_low"] < 0.05 < result["margin_per_extra_token_high"]
    longer, shorter = result["by_length"][0], result["by_length"][-1]
    assert longer["accuracy_low"] > 0.5 > shorter["accuracy_high"]
    assert result["accuracy_length_gap_low"] > 0


def test_a_gain_that_is_none_of_length_outlives_it():
    result = described(*draw(1, 0.8, 0.0))
    assert 0.3 < result["margin_equal_length_low"] < 0.8 < result["margin_equal_length_high"]
    assert result["margin_per_extra_token_low"] < 0 < result["margin_per_extra_token_high"]
    assert result["accuracy_length_gap_low"] < 0 < result["accuracy_length_gap_high"]
    assert (result["num_lengths"], result["equal_length_note"]) == (400, None)


def test_the_numbers_are_those_of_statsmodels_and_of_shares_by_prompt():
    margins, lengths, prompts = draw(2, 0.3, 0.02)
    result = described(margins, lengths, prompts)
    fit = sm.OLS(margins, sm.add_constant(lengths)).fit(cov_type="cluster", cov_kwds={"groups": prompts}, use_t=True)
    for name, value, ends in zip(
        ("margin_equal_length", "margin_per_extra_token"), fit.params, fit.conf_int(), strict=True
    ):
        assert [result[name + end] for end in ("", "_low", "_high")] == pytest.approx([value, *ends], rel=1e-9)
    for row, inside in zip(result["by_length"], (lengths > 0, lengths == 0, lengths < 0), strict=True):
        share = estimate_share(margins[inside] > 0, prompts[inside])
        assert (row["accuracy"], row["accuracy_low"], row["accuracy_high"]) == pytest.approx(share[:3])
        assert (row["num_pairs"], row["margin"]) == (inside.sum(), pytest.approx(margins[inside].mean()))


@pytest.mark.parametrize(
    ("lengths", "words"),
    [
        ([1.0, 2.0], "a line needs 3 pairs"),
        ([np.nan] * 30, "a line needs 3 pairs"),
        ([0.0] * 30, "equally long in every pair"),
        ([7.0] * 30, "all differences of length are the same"),
        ([*range(1, 31)], "one side is always the longer"),
        ([-number for number in range(1, 31)], "one side is always the longer"),
    ],
)
def test_what_cannot_be_known_is_said(lengths, words):
    result = described(np.ones(len(lengths)), lengths)
    assert words in result["equal_length_note"]
    assert result["margin_equal_length"] is None
    assert result["margin_equal_length_low"] is None
    assert result["num_lengths"] == sum(not np.isnan(length) for length in lengths)


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ((0, 0), ""),
        ((8, 0), "; a limit may have made them so: 8 pairs with a response cut when it was sampled"),
        ((0, 1), "; a limit may have made them so: 1 pair with a response cut to --max-length"),
        ((2, 1), ": 2 pairs with a response cut when it was sampled, 1 pair with a response cut to --max-length"),
    ],
)
def test_equal_lengths_that_a_limit_made_are_told_as_such(counts, words):
    numbers = dict(zip(("num_is_cut", "num_truncated"), counts, strict=True))
    note = described(np.ones(30), [0.0] * 30)["equal_length_note"]
    assert with_cuts(note, numbers).endswith(words or "so that length explains nothing")
    assert with_cuts(None, numbers) is None
    assert with_cuts("another reason", numbers) == "another reason"


def test_few_prompts_have_a_margin_and_no_interval():
    result = described([1.0, 2.0, 3.0], [-1.0, 0.0, 1.0])
    assert (round(result["margin_equal_length"], 9), result["margin_equal_length_low"]) == (2, None)
    assert result["equal_length_note"] == "too few prompts for an interval"
    assert [row["chosen_is"] for row in result["by_length"]] == ["longer", "equally long", "shorter"]


def test_a_tally_counts_tokens_and_leaves_out_pairs_without():
    tally = MarginTally(0.1)
    for number, (chosen, rejected) in enumerate([(9, 3), (2, 8), (5, 5), (0, 4)]):
        tally.add(PairMargin(1.0, 0.0, 0.0, None, chosen, rejected), text_key(str(number)))
    summary = tally.summary()
    assert {row["chosen_is"]: row["num_pairs"] for row in summary["by_length"]} == dict.fromkeys(
        ("longer", "equally long", "shorter"), 1
    )
    assert (summary["num_lengths"], summary["num_pairs"]) == (3, 4)


def test_the_order_of_the_input_changes_nothing():
    margins, lengths, prompts = draw(3, 0.3, 0.02, rows=60, prompts=30)
    pairs = [
        (PairMargin(margin, 0.0, 0.0, None, int(max(1, 1 + length)), int(max(1, 1 - length))), text_key(str(prompt)))
        for margin, length, prompt in zip(margins, lengths, prompts, strict=True)
    ]
    summaries = []
    for order in (pairs, pairs[::-1]):
        tally = MarginTally(0.1)
        for pair, key in order:
            tally.add(pair, key)
        summaries.append(tally.summary())
    assert summaries[0] == summaries[1]
