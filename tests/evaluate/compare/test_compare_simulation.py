"""What `eval compare` says of methods whose truth is known: 1,000 repeats at seed 0, 240 prompts and 3 seeds."""

import math

import numpy as np
import pytest
from scipy import stats

from real_cli.evaluate.compare.cells import AlignedCells, CellName
from real_cli.evaluate.compare.measures import MEASURES, difference
from real_cli.stats.multiple import holm

PROMPTS, SEEDS, REPEATS = 240, 3, 1000
# Where a baseline is right in 58 of 100 pairs.
BASE = 0.2


def simulated(draws, gains, seed_sd, together=0.5):
    """Margins of a baseline and of others: a prompt is hard for all, and every training has luck of its own.

    Policies agree on a prompt as trained ones do (latent correlation 0.7 and more). seed_sd is the standard deviation
    of an accuracy over seeds, of which a part is the order of the pairs, which a seed decides for every method.
    """
    scale = seed_sd / stats.norm.pdf(BASE)
    hard = draws.normal(0, math.sqrt(0.7), (PROMPTS, 1))
    order = draws.normal(0, scale * math.sqrt(together), (1, SEEDS))
    kinds, rest = (draws.normal(0, math.sqrt(0.15), (len(gains), PROMPTS, size)) for size in (1, SEEDS))
    luck = draws.normal(0, scale * math.sqrt(1 - together), (len(gains), 1, SEEDS))
    margins = np.array(gains)[:, None, None] + BASE + hard + order + luck + kinds + rest
    names = tuple(CellName(str(method), str(seed)) for method in range(len(gains)) for seed in range(SEEDS))
    flat = np.concatenate(list(margins), axis=1)
    return AlignedCells(names, np.arange(PROMPTS), flat, flat, np.zeros_like(flat), 0, {})


def differences(cells, count):
    columns = [list(range(SEEDS * method, SEEDS * (method + 1))) for method in range(count + 1)]
    return [difference(cells, MEASURES[0], each, columns[0]) for each in columns[1:]]


@pytest.mark.parametrize("gain", [0.0, 0.15])
@pytest.mark.parametrize("seed_sd", [0.0, 0.01, 0.02])
def test_intervals_hold_the_difference(gain, seed_sd):
    """In 92 of 100 repeats at least; an interval that always holds it would be too wide to say anything."""
    draws = np.random.default_rng(0)
    spread = math.sqrt(1 + (seed_sd / stats.norm.pdf(BASE)) ** 2)
    truth = stats.norm.cdf((BASE + gain) / spread) - stats.norm.cdf(BASE / spread)
    held = 0
    for _ in range(REPEATS):
        (result,) = differences(simulated(draws, [0, gain], seed_sd), 1)
        _, low, high, _ = result.estimate()
        held += low <= truth <= high
    assert 0.92 * REPEATS <= held <= 0.99 * REPEATS


def test_at_most_one_comparison_in_twenty_has_a_false_winner():
    """Eight methods that differ in nothing: Holm over their p-values; without it there are three times as many."""
    draws = np.random.default_rng(0)
    corrected = plain = 0
    for _ in range(REPEATS):
        p_values = [each.p_value() for each in differences(simulated(draws, [0.0] * 9, 0.01), 8)]
        plain += min(p_values) < 0.05
        corrected += min(holm(p_values)) < 0.05
    assert corrected <= 0.05 * REPEATS
    assert plain > 3 * corrected
