"""A line with clustered errors, against statsmodels; and what has no line."""

import numpy as np
import pytest
import statsmodels.api as sm

from real_cli.stats.bootstrap import student_quantile
from real_cli.stats.linear import fit_line, intercept_terms


def make_points(seed, rows=200, clusters=40):
    """Lengths of hundreds, heights of tenths; noise that is shared within a cluster."""
    draws = np.random.default_rng(seed)
    groups = draws.integers(0, clusters, rows)
    x = np.round(draws.normal(20, 150, rows))
    y = 0.4 + 0.003 * x + draws.normal(0, 0.5, clusters)[groups] + draws.normal(0, 0.2 + abs(x) / 300)
    return x, y, groups


@pytest.mark.parametrize("seed", range(5))
def test_it_agrees_with_statsmodels_clustered(seed):
    """Estimates and intervals: its small-sample factor, and Student's t with the number of clusters less one."""
    x, y, groups = make_points(seed)
    fit = fit_line(x, y, groups)
    theirs = sm.OLS(y, sm.add_constant(x)).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
    for ours, value, ends in zip((fit.intercept, fit.slope), theirs.params, theirs.conf_int(), strict=True):
        assert ours[:3] == pytest.approx((value, *ends), rel=1e-9)
        assert ours.low < ours.value < ours.high
    assert fit.num_clusters == np.unique(groups).size


def test_shared_noise_widens_the_interval():
    x, y, groups = make_points(0)
    clustered, alone = fit_line(x, y, groups), fit_line(x, y, np.arange(x.size))
    assert clustered.intercept.value == alone.intercept.value
    assert clustered.intercept.high - clustered.intercept.low > 1.2 * (alone.intercept.high - alone.intercept.low)


def test_few_clusters_give_a_line_and_no_interval():
    fit = fit_line(range(20), range(20), [number % 9 for number in range(20)])
    assert (round(fit.slope.value, 9), fit.slope.low, fit.intercept.high) == (1, None, None)
    assert fit_line(range(20), range(20), [number % 10 for number in range(20)]).slope.low is not None


@pytest.mark.parametrize("x", [[], [1, 2], [3, 3, 3, 3]])
def test_what_is_no_line(x):
    assert fit_line(x, x, x) is None


def test_terms_of_the_height_have_its_value_and_its_errors():
    """Their mean is the line's height, and their spread over clusters its sandwich, but for the small-sample factor."""
    draws = np.random.default_rng(3)
    x, groups = draws.normal(2, 5, 80), np.repeat(np.arange(40), 2)
    y = np.stack([1 + 0.3 * x + draws.normal(0, 1, 80), draws.normal(0, 1, 80)], axis=1)
    terms = intercept_terms(x, y)
    for column in range(2):
        fit = fit_line(x, y[:, column], groups)
        assert terms[:, column].mean() == pytest.approx(fit.intercept.value)
        sums = np.bincount(groups, weights=terms[:, column] - fit.intercept.value)
        factor = 40 / 39 * 79 / 78
        half = student_quantile(40) * np.sqrt(factor * (sums**2).sum()) / 80
        assert half == pytest.approx(fit.intercept.high - fit.intercept.value)
    assert terms[:, 0] - terms[:, 1] == pytest.approx(intercept_terms(x, (y[:, 0] - y[:, 1])[:, None])[:, 0])
