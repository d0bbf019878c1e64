"""Logistic regression against statsmodels, and what has no finite fit."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from real_cli.stats.logistic import fit_logistic, maximize_likelihood
from real_cli.stats.numeric import sigmoid


def make_rows(seed, rows=300, clusters=60):
    """Two features and an intercept, outcomes with ties, clusters of unequal size."""
    draws = np.random.default_rng(seed)
    features = np.column_stack([np.ones(rows), draws.normal(size=rows), draws.normal(size=rows)])
    outcomes = (draws.random(rows) < sigmoid(features @ [0.3, 1.2, -0.7])).astype(float)
    outcomes[draws.random(rows) < 0.1] = 0.5
    return features, outcomes, draws.integers(0, clusters, rows), draws.integers(1, 4, rows)


def test_an_intercept_alone_is_the_log_odds_and_its_error():
    """3 of 4: log(3 / 1). Residuals .25 three times and -.75: meat 3 / 16 + 9 / 16 = .75; bread 1 / (4 * 3 / 16) = 4/3;
    4/3 of 16/9 * .75 = 16/9."""
    fit = fit_logistic(np.ones((4, 1)), [1, 1, 1, 0], [1, 2, 3, 4])
    assert fit.coefficients == pytest.approx([math.log(3)])
    assert fit.covariance == pytest.approx(np.array([[16 / 9]]))
    assert fit.num_clusters == 4


def test_rows_of_one_cluster_do_not_narrow_the_error():
    """Every row twice, in its own cluster: the sums of scores double, the bread halves, all stays as it was."""
    features, outcomes, _, _ = make_rows(0)
    once = fit_logistic(features, outcomes, np.arange(300))
    twice = fit_logistic(np.repeat(features, 2, axis=0), np.repeat(outcomes, 2), np.repeat(np.arange(300), 2))
    assert twice.coefficients == pytest.approx(once.coefficients, abs=1e-9)
    assert twice.covariance == pytest.approx(once.covariance, abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_it_agrees_with_statsmodels_clustered_by_prompt(seed):
    features, outcomes, clusters, _ = make_rows(seed)
    fit = fit_logistic(features, outcomes, clusters)
    model = sm.GLM(outcomes, features, family=sm.families.Binomial())
    theirs = model.fit(tol=1e-12, cov_type="cluster", cov_kwds={"groups": clusters, "use_correction": False})
    size = np.unique(clusters).size
    assert fit.coefficients == pytest.approx(theirs.params, abs=1e-6)
    assert fit.covariance == pytest.approx(size / (size - 1) * theirs.cov_params(), abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_a_weight_is_that_many_rows(seed):
    features, outcomes, clusters, weights = make_rows(seed)
    fit = fit_logistic(features, outcomes, clusters, weights)
    places = np.repeat(np.arange(300), weights)
    repeated = fit_logistic(features[places], outcomes[places], clusters[places])
    assert fit.coefficients == pytest.approx(repeated.coefficients, abs=1e-9)
    assert fit.covariance == pytest.approx(repeated.covariance, abs=1e-9)


def test_it_agrees_with_scikit_learn_without_a_penalty():
    features, outcomes, clusters, weights = make_rows(7)
    decided = outcomes != 0.5
    theirs = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-12, max_iter=10_000).fit(
        features[decided], outcomes[decided], sample_weight=weights[decided]
    )
    fit = fit_logistic(features[decided], outcomes[decided], clusters[decided], weights[decided])
    assert fit.coefficients == pytest.approx(theirs.coef_[0], abs=1e-5)


@pytest.mark.parametrize(
    ("x", "outcomes"),
    [
        ([-2, -1, 1, 2], [0, 0, 1, 1]),
        ([-2, -1, 0, 0, 1, 2], [0, 0, 0, 1, 1, 1]),  # all but one point: still no finite maximum
        ([-2, -1, 1, 2], [1, 1, 1, 1]),
        ([1, 1, 1, 1], [0, 1, 0, 1]),  # collinear with the intercept
        ([-2000, -1000, 1000, 2000], [1, 1, 0, 0]),
    ],
    ids=["separable", "but for one point", "one side", "collinear", "far apart"],
)
def test_what_has_no_finite_fit_gives_none(x, outcomes):
    features = np.column_stack([np.ones(len(x)), x])
    assert fit_logistic(features, outcomes, range(len(x))) is None


def test_one_cluster_has_no_covariance():
    assert fit_logistic(np.ones((4, 1)), [1, 1, 1, 0], [1, 1, 1, 1]) is None


@given(st.lists(st.tuples(st.integers(-9, 9), st.sampled_from([0.0, 0.5, 1.0])), min_size=2, max_size=30))
@settings(max_examples=150, deadline=None)
def test_there_is_a_fit_exactly_where_no_threshold_parts_wins_from_losses(rows):
    """Albert and Anderson: losses and ties on one side of a threshold, wins and ties on the other, or the reverse."""
    x, outcomes = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    won, lost = x[outcomes > 0], x[outcomes < 1]
    apart = not won.size or not lost.size or won.max() <= lost.min() or lost.max() <= won.min() or np.ptp(x) == 0
    result = maximize_likelihood(np.column_stack([np.ones(x.size), x]), outcomes, np.ones(x.size))
    assert (result is None) == apart


def test_extreme_log_odds_do_not_overflow():
    assert sigmoid(np.array([-1e308, 1e308])).tolist() == [0, 1]
