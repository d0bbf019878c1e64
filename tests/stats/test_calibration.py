"""Whether a policy is right as often as its implicit reward says."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from real_cli.stats.by_prompt import PromptIntervals
from real_cli.stats.calibration import calibrate
from real_cli.stats.proportions import wilson_interval


def calibrated(margins, beta=1.0):
    """One prompt a pair."""
    prompts = np.arange(len(margins), dtype=np.uint64) << np.uint64(48)
    return calibrate(np.array(margins, dtype=float), beta, PromptIntervals(prompts))


def test_two_bins_by_hand():
    """beta 1. Margins ln 4, ln 4, -ln 4: 0.8 is said of each, two of three are right: off by |.8 - .667| = .1333.
    Margin ln 1.5: 0.6 is said, and it is right: off by .4. (3 * .1333 + 1 * .4) / 4 = .2. The tie is left out."""
    result = calibrated([*np.log([4, 4]), -np.log(4), np.log(1.5), 0])
    assert result["ece"] == pytest.approx(0.2)
    assert result["num_calibrated"] == 4
    used = [item for item in result["calibration"] if item["num_pairs"]]
    assert [(item["num_pairs"], item["said"], item["right"]) for item in used] == [
        (1, pytest.approx(0.6), 1),
        (3, pytest.approx(0.8), pytest.approx(2 / 3)),
    ]
    assert (used[1]["right_low"], used[1]["right_high"]) == wilson_interval(2, 3)


def test_there_are_always_ten_bins_from_a_half_to_one():
    bins = calibrated([])["calibration"]
    assert len(bins) == 10
    assert (bins[0]["low"], bins[-1]["high"]) == (0.5, 1)
    assert all(item["high"] == pytest.approx(item["low"] + 0.05) for item in bins)
    assert {item["said"] for item in bins} == {None}
    assert calibrated([])["ece"] is None


def test_a_margin_beyond_all_doubt_is_in_the_last_bin():
    assert calibrated([1e6, -1e6])["calibration"][-1]["num_pairs"] == 2


@pytest.mark.parametrize(("seed", "beta"), [(0, 1.0), (1, 0.1), (2, 3.0)])
def test_the_curve_is_that_of_scikit_learn_and_the_error_what_follows_from_it(seed, beta):
    margins = np.random.default_rng(seed).normal(0.4, 1.5, 2000)
    result = calibrated(margins, beta)
    messages = 1 / (1 + np.exp(-np.abs(margins) * beta))
    # Twenty bins from 0 to 1: the ten from a half on, and the empty ones are left out. scikit-learn 1.9
    right, mean = calibration_curve(margins > 0, messages, n_bins=20)
    used = [item for item in result["calibration"] if item["num_pairs"]]
    assert [item["right"] for item in used] == pytest.approx(right.tolist())
    assert [item["said"] for item in used] == pytest.approx(mean.tolist())
    counts = np.histogram(messages, np.linspace(0.5, 1, 11))[0]
    assert result["ece"] == pytest.approx(np.abs(right - mean) @ counts[counts > 0] / 2000)


def test_a_policy_that_says_the_truth_has_an_error_near_zero_and_another_beta_has_not():
    draws = np.random.default_rng(4)
    sizes = draws.exponential(1.5, 20000)
    margins = np.where(draws.uniform(size=20000) < 1 / (1 + np.exp(-sizes)), sizes, -sizes)
    assert calibrated(margins)["ece"] < 0.01
    assert calibrated(margins, beta=0.1)["ece"] > 0.1


@pytest.mark.parametrize("truth", [1.0, 0.3])
def test_the_interval_of_the_error_covers_it_and_what_chance_makes_is_told(truth):
    """A policy whose rewards are `truth` of what it says: its true error is |sigmoid(m) - sigmoid(truth m)|, here about
    0 and .14. Where it says the truth, the error shown is what chance makes of it."""
    draws = np.random.default_rng(3)
    hits, shown, expected = [], [], []
    for _ in range(300):
        margins = np.abs(draws.normal(size=120)) * 1.5
        chances = 1 / (1 + np.exp(-truth * margins))
        signs = np.where(draws.random(120) < chances, 1, -1)
        result = calibrated(margins * signs)
        messages = 1 / (1 + np.exp(-margins))
        places = np.clip(np.ceil((messages - 0.5) * 20), 1, 10)
        true = sum(abs((messages - chances)[places == place].sum()) for place in range(1, 11)) / 120
        hits.append(result["ece_low"] <= true <= result["ece_high"])
        shown.append(result["ece"])
        expected.append(result["ece_by_chance"])
    assert np.mean(hits) >= 0.95
    if truth == 1:
        assert np.mean(shown) == pytest.approx(np.mean(expected), rel=0.15)
