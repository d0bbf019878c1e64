"""Several comparisons at once."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from real_cli.stats.multiple import holm


@pytest.mark.parametrize("seed", range(5))
def test_holm_is_that_of_statsmodels(seed):
    draws = np.random.default_rng(seed)
    p_values = [*(draws.random(12) ** 3).tolist(), 0.04, 0.04, 1.0]
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1].tolist())


def test_what_cannot_be_tested_is_no_comparison():
    assert holm([0.02, None, 0.01]) == [0.02, None, 0.02]
    assert holm([None]) == [None]
    assert holm([]) == []
