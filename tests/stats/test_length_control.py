"""The win rate at equal length: against statsmodels, by simulation, and where it is refused."""

import numpy as np
import pytest
import statsmodels.api as sm

from real_cli.stats.length_control import control_length
from real_cli.stats.numeric import sigmoid


def compared(seed, prompts=150, each=2, theta=0.4, gamma=1.5):
    """Comparisons whose lengths differ; those of a prompt share their length difference and lean."""
    draws = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(prompts), each)
    gaps = np.round(draws.normal(40, 120, prompts)[clusters])
    chances = sigmoid(theta + gamma * np.tanh(gaps / gaps.std(ddof=1)))
    return (draws.random(clusters.size) < chances).astype(float), gaps, clusters


@pytest.mark.parametrize("seed", range(4))
def test_it_agrees_with_statsmodels(seed):
    points, gaps, clusters = compared(seed)
    points[::9] = 0.5
    result = control_length(points, gaps, clusters)
    design = sm.add_constant(np.tanh(gaps / np.std(gaps, ddof=1)))
    theirs = sm.GLM(points, design, family=sm.families.Binomial()).fit(
        tol=1e-12, cov_type="cluster", cov_kwds={"groups": clusters, "use_correction": False}
    )
    from scipy.stats import t

    half = t.ppf(0.975, 149) * np.sqrt(150 / 149) * theirs.bse
    assert result.note is None
    assert result.rate[:3] == pytest.approx(
        [1 / (1 + np.exp(-end)) for end in (theirs.params[0], theirs.params[0] - half[0], theirs.params[0] + half[0])],
        abs=1e-6,
    )
    assert result.effect[:3] == pytest.approx(
        [theirs.params[1], theirs.params[1] - half[1], theirs.params[1] + half[1]], abs=1e-6
    )


def test_the_other_side_has_the_rest():
    points, gaps, clusters = compared(3)
    first, other = control_length(points, gaps, clusters), control_length(1 - points, -gaps, clusters)
    assert first.rate.value == pytest.approx(1 - other.rate.value)
    assert first.rate.low == pytest.approx(1 - other.rate.high)
    assert first.effect[:3] == pytest.approx(other.effect[:3])


def test_intervals_cover_the_truth_where_raw_rates_do_not():
    """300 data sets: theta .4 is a rate of .5987 at equal length; the longer model's raw rate is well above."""
    held, raw_held = 0, 0
    for seed in range(300):
        points, gaps, clusters = compared(seed)
        result = control_length(points, gaps, clusters)
        held += result.rate.low <= sigmoid(np.array(0.4)) <= result.rate.high
        raw_held += abs(points.mean() - sigmoid(np.array(0.4))) < 0.02
    assert held >= 0.93 * 300
    assert raw_held < 0.5 * 300


def test_intervals_cover_the_truth_where_a_prompt_decides():
    """Five comparisons a prompt that all end alike: rows would be counted five times over."""
    held = 0
    for seed in range(300):
        points, gaps, clusters = compared(seed, prompts=120, each=1)
        result = control_length(np.repeat(points, 5), np.repeat(gaps, 5), np.repeat(clusters, 5))
        held += result.rate.low <= sigmoid(np.array(0.4)) <= result.rate.high
    assert held >= 0.93 * 300


def alternating(count):
    return np.arange(count) % 2.0


@pytest.mark.parametrize(
    ("points", "gaps", "note"),
    [
        (np.zeros(0), np.zeros(0), "0 decided"),
        (np.full(100, 0.5), np.arange(100) - 50, "0 decided"),
        (np.r_[alternating(29), np.full(9, 0.5)], np.arange(38) - 20, "29 decided"),
        (np.ones(30), np.arange(30) - 15, "all 30 decided comparisons went one way"),
        (alternating(30), np.full(30, 7), "all length differences are the same"),
        (alternating(30), np.arange(30) + 1, "one side is always the longer"),
        (alternating(30), -np.arange(30) - 1, "one side is always the longer"),
        (np.repeat([0.0, 1.0], 15), np.arange(30) - 15, "length tells wins from losses without an error"),
    ],
    ids=["nothing", "all ties", "29", "one way", "no variance", "longer", "shorter", "separable"],
)
def test_what_carries_no_rate_is_refused_with_the_reason(points, gaps, note):
    result = control_length(points, gaps, np.arange(points.size))
    assert result.note.startswith(note)
    assert (result.rate.value, result.rate.low, result.effect.value, result.effect.high) == (None, None, None, None)


def test_thirty_are_enough():
    points, gaps, _ = compared(1, prompts=30, each=1)
    assert control_length(points, gaps, np.arange(30)).note is None


def test_nine_prompts_give_a_rate_without_an_interval():
    points, gaps, clusters = compared(1, prompts=9, each=20)
    result = control_length(points, gaps, clusters)
    assert result.rate.value is not None
    assert (result.rate.low, result.rate.high, result.effect.low) == (None, None, None)
    assert result.note == "9 prompts, and an interval of a length-controlled rate needs 10"


@pytest.mark.parametrize("seed", range(3))
def test_an_effect_of_nothing_is_zero_on_every_processor(seed):
    """Wins and losses at mirrored lengths; Newton's last step leaves 1e-17 or another such number."""
    lengths = np.random.default_rng(seed).integers(1, 60, 40).astype(float)
    gaps = np.r_[lengths, -lengths, lengths, -lengths]
    points = np.repeat([1.0, 0.0], 80)
    control = control_length(points, gaps, np.arange(160))
    assert (control.rate.value, control.effect.value) == (0.5, 0)
