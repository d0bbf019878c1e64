"""Bradley and Terry's strengths against statsmodels, and who cannot be ranked."""

import math

import numpy as np
import pytest
import statsmodels.api as sm

from real_cli.stats.bradley_terry import fit_bradley_terry, groups_of
from real_cli.stats.numeric import sigmoid

TRUE = np.array([1.0, 0.2, -0.3, -0.9])


def played(seed, prompts=80, each=3):
    """Comparisons of four models, some a prompt, one in ten a tie."""
    draws = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(prompts), each)
    first = draws.integers(0, 4, clusters.size)
    second = (first + draws.integers(1, 4, clusters.size)) % 4
    chances = sigmoid(TRUE[first] - TRUE[second])
    points = (draws.random(clusters.size) < chances).astype(float)
    points[draws.random(clusters.size) < 0.1] = 0.5
    return first, second, points, clusters


def test_two_models_are_their_log_odds_apart():
    """3 wins of 4: log 3 = 1.0986, half of it up and half down."""
    fit = fit_bradley_terry([0, 1, 0, 0], [1, 0, 1, 1], [1, 0, 1, 0], [0, 1, 2, 3])
    assert fit.values == pytest.approx([math.log(3) / 2, -math.log(3) / 2])


def test_a_tie_is_half_a_win_and_half_a_loss():
    """Two ties and a win against a loss, a win and a win: 2 of 3 both times."""
    ties = fit_bradley_terry([0, 0, 0], [1, 1, 1], [0.5, 0.5, 1], [0, 1, 2])
    wins = fit_bradley_terry([0, 0, 0], [1, 1, 1], [0, 1, 1], [0, 1, 2])
    assert ties.values == pytest.approx(wins.values)


@pytest.mark.parametrize("seed", range(4))
def test_it_agrees_with_statsmodels(seed):
    """A logistic model whose first model is 0, then centered: values C b, covariance C V C'."""
    first, second, points, clusters = played(seed)
    fit = fit_bradley_terry(first, second, points, clusters)
    design = np.zeros((first.size, 4))
    design[np.arange(first.size), first] += 1
    design[np.arange(first.size), second] -= 1
    theirs = sm.GLM(points, design[:, 1:], family=sm.families.Binomial()).fit(
        tol=1e-12, cov_type="cluster", cov_kwds={"groups": clusters, "use_correction": False}
    )
    center = (np.eye(4) - 0.25)[:, 1:]
    assert fit.values == pytest.approx(center @ theirs.params, abs=1e-6)
    assert fit.covariance == pytest.approx(80 / 79 * center @ theirs.cov_params() @ center.T, abs=1e-6)
    assert fit.values.sum() == pytest.approx(0)


def test_which_side_a_model_stands_on_changes_nothing():
    first, second, points, clusters = played(9)
    single, other = (
        fit_bradley_terry(first, second, points, clusters),
        fit_bradley_terry(second, first, 1 - points, clusters),
    )
    assert single.values == pytest.approx(other.values)
    assert single.covariance == pytest.approx(other.covariance)


def test_whom_nobody_beat_is_a_group_of_his_own():
    assert groups_of([0, 1, 2], [1, 2, 0], [1, 1, 1]) == [[0, 1, 2]]  # in a circle
    assert groups_of([0, 1, 0], [1, 2, 2], [1, 1, 1]) == [[0], [1], [2]]
    assert groups_of([0, 2], [1, 3], [0.5, 0.5]) == [[0, 1], [2, 3]]  # never met
    assert groups_of([], [], []) == []
    assert fit_bradley_terry([0, 1, 0], [1, 2, 2], [1, 1, 1], [0, 1, 2]) is None


def test_one_prompt_has_no_interval_and_gives_none():
    assert fit_bradley_terry([0, 0], [1, 1], [1, 0], [5, 5]) is None


def test_intervals_cover_the_truth():
    """300 data sets of 80 prompts, three comparisons each: at least 93 % of 1,200 intervals must hold the truth."""
    from scipy.stats import t

    draws = np.random.default_rng(0)
    held = []
    for seed in draws.integers(0, 2**31, 300):
        first, second, points, clusters = played(seed)
        # A tie in place of one row in ten draws all strengths to the middle; LIKELIEST is what endless data would give.
        fit = fit_bradley_terry(first, second, points, clusters)
        half = t.ppf(0.975, 79) * np.sqrt(np.diag(fit.covariance))
        held.append(np.abs(fit.values - LIKELIEST) <= half)
    assert np.mean(held) >= 0.93


def _likeliest():
    """The strengths that endless data would give: every two models with both outcomes, weighed."""
    from scipy.optimize import minimize

    pairs = [(i, j) for i in range(4) for j in range(4) if i != j]
    chances = [0.9 * sigmoid(TRUE[i] - TRUE[j]) + 0.05 for i, j in pairs]

    def loss(values):
        odds = [values[i] - values[j] for i, j in pairs]
        return -sum(
            p * -np.logaddexp(0, -o) + (1 - p) * -np.logaddexp(0, o) for p, o in zip(chances, odds, strict=True)
        )

    result = minimize(loss, TRUE, tol=1e-12).x
    return result - result.mean()


LIKELIEST = _likeliest()
