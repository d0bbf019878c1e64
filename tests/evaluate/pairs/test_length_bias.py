"""Length bias: Cohen's d against scipy and statsmodels, and its intervals."""

import numpy as np
import pytest
from scipy.stats import ttest_ind, ttest_rel
from statsmodels.stats.meta_analysis import effectsize_smd

from real_cli.evaluate.pairs import length_bias as lengths
from real_cli.evaluate.pairs.length_bias import LengthBias, cohens_d, paired_d
from real_cli.stats.bootstrap import Bootstrap, tail_shares


def summary_of(chosen, rejected):
    bias = LengthBias()
    cells = [number % 4096 for number in range(len(chosen))]
    for number, (first, other) in enumerate(zip(chosen, rejected, strict=True)):
        bias.add(cells[number], number, int(first), int(other))
    return bias.summary(Bootstrap(cells))


def test_both_effects_of_three_pairs():
    """Chosen 3 5 1, rejected 1 1 1: means 3 and 1, variances 4 and 0, pooled 2, d = 2 / sqrt(2). Gaps 2 4 0: mean 2,
    variance 4, so 2 / 2 = 1."""
    summary, _ = summary_of([3, 5, 1], [1, 1, 1])
    assert summary["length_effect"] == pytest.approx(2**0.5)
    assert summary["length_effect_paired"] == pytest.approx(1)


@pytest.mark.parametrize("seed", range(5))
def test_the_effects_are_those_of_scipy_and_statsmodels(seed):
    """t = d sqrt(n / 2) of two groups of n, t = d sqrt(n) of n pairs (scipy 1.17); statsmodels 0.15 corrects for bias
    by 1 - 3 / (4 N - 9), N = 2 n."""
    draws = np.random.default_rng(seed)
    chosen, rejected = draws.integers(1, 900, 40) * 1.0, draws.integers(1, 700, 40) * 1.0
    ours = cohens_d(chosen, rejected)
    assert ours == pytest.approx(ttest_ind(chosen, rejected).statistic * (2 / 40) ** 0.5)
    assert paired_d(chosen, rejected) == pytest.approx(ttest_rel(chosen, rejected).statistic / 40**0.5)
    groups = [part(values) for values in (chosen, rejected) for part in (np.mean, lambda v: np.var(v, ddof=1))]
    hedges, _ = effectsize_smd(groups[0], groups[1] ** 0.5, 40, groups[2], groups[3] ** 0.5, 40)
    assert ours * (1 - 3 / (4 * 80 - 9)) == pytest.approx(hedges)


@pytest.mark.parametrize("seed", range(3))
def test_the_interval_is_near_the_one_of_large_samples(seed):
    """Of independent groups the variance of d is 2 / n + d^2 / (4 n): n = 2000."""
    draws = np.random.default_rng(seed)
    chosen, rejected = draws.normal(530, 100, 2000), draws.normal(500, 100, 2000)
    summary, _ = summary_of(chosen, rejected)
    half = 1.96 * (2 / 2000 + summary["length_effect"] ** 2 / 8000) ** 0.5
    assert summary["length_effect_low"] == pytest.approx(summary["length_effect"] - half, abs=0.012)
    assert summary["length_effect_high"] == pytest.approx(summary["length_effect"] + half, abs=0.012)


def test_the_interval_of_the_paired_effect_covers_it_and_is_its_own():
    """Rejected is chosen less 10 or so: paired, the effect is large and sure; of two groups it is small."""
    draws = np.random.default_rng(1)
    chosen = draws.integers(100, 1000, 300)
    summary, notes = summary_of(chosen, chosen - draws.integers(5, 16, 300))
    assert summary["length_effect"] < 0.1
    assert summary["length_effect_low"] < summary["length_effect"] < summary["length_effect_high"]
    assert 2 < summary["length_effect_paired_low"] < summary["length_effect_paired"]
    assert summary["length_effect_paired"] < summary["length_effect_paired_high"]
    assert notes == []


def test_a_drawn_effect_is_that_of_the_drawn_pairs():
    """Where each prompt has one pair, a draw is twelve pairs: its effects are Cohen's of them, with n - 1."""
    draws = np.random.default_rng(3)
    chosen, rejected = draws.integers(10, 90, (2, 12)) * 1.0
    bootstrap, cells = Bootstrap(np.arange(12), num_resamples=40), np.arange(12)
    times = np.rint([12 * bootstrap.means(cells, cells == item) for item in range(12)]).astype(int)
    drawn = lengths._resampled(bootstrap, cells, chosen, rejected)
    for number in range(40):
        rows = np.repeat(cells, times[:, number])
        for samples, effect in zip(drawn, (cohens_d, paired_d), strict=True):
            assert samples[number] == pytest.approx(effect(chosen[rows], rejected[rows]))


def test_the_effect_stands_on_the_prompts_that_are_labeled():
    """Twelve labeled prompts of 300: the percentiles of t with 11 degrees of freedom."""
    draws = np.random.default_rng(3)
    chosen, rejected = draws.integers(10, 90, (2, 12)) * 1.0
    bias, bootstrap = LengthBias(), Bootstrap(np.arange(300))
    for number in range(12):
        bias.add(number, number, int(chosen[number]), int(rejected[number]))
    summary, _ = bias.summary(bootstrap)
    samples = lengths._resampled(bootstrap, np.arange(12), chosen, rejected)[0]
    ends = summary["length_effect_low"], summary["length_effect_high"]
    assert ends == pytest.approx(tuple(np.nanquantile(samples, tail_shares(12))))


def test_swapping_the_labels_turns_the_sign():
    chosen, rejected = np.array([5.0, 9, 2, 8]), np.array([4.0, 1, 3, 3])
    assert cohens_d(rejected, chosen) == -cohens_d(chosen, rejected)
    assert paired_d(rejected, chosen) == -paired_d(chosen, rejected)


@pytest.mark.parametrize("number", [2, 30])
def test_lengths_without_variance_have_no_effect_and_a_note(number):
    summary, notes = summary_of([4] * number, [3] * number)
    assert {summary[f"length_effect{end}"] for end in ("", "_low", "_high", "_paired", "_paired_low")} == {None}
    assert "no length_effect: the lengths of the labeled pairs do not vary" in notes
    assert summary["share_chosen_longer"] == 1


def test_equal_gaps_have_an_effect_of_groups_and_none_of_pairs():
    summary, notes = summary_of(range(10, 40), range(5, 35))
    assert summary["length_effect"] > 0
    assert summary["length_effect_paired"] is None
    assert [note for note in notes if note.startswith("no length_effect_paired")]


def test_fewer_than_ten_prompts_have_no_interval():
    summary, _ = summary_of([3, 5, 1], [1, 1, 1])
    assert summary["length_effect_low"] is None
    assert summary["length_effect_paired_high"] is None


def test_nothing_is_none_without_a_note():
    summary, notes = summary_of([], [])
    assert (summary["length_effect"], summary["share_chosen_longer"], notes) == (None, None, [])
