"""Numbers of the authors' own code."""

import math

import numpy as np
import pytest

from real_cli.pair.strategies.active import choose_maxmin_lcb
from real_cli.relabel.shape.shapes import shape_lsc
from real_cli.train.choices import Preset, Schedule
from real_cli.train.losses.ada_dpo import ada_dpo_loss, ada_dpo_tau
from real_cli.train.presets import PRESETS
from tests.train.losses.made_logps import with_h


def test_ada_dpo_has_the_temperature_of_its_authors_code():
    """Methods 7(f). Theirs is -tau log(2 sigmoid(D / tau)) + 0.1 tau: at D = 2 its slope in tau is 0 at tau = 2.120."""
    taus = np.linspace(0.1, 5, 490001)
    theirs = -taus * (np.log(2) - np.logaddexp(0, -2 / taus)) + 0.1 * taus
    assert ada_dpo_tau(with_h(20.0)).item() == pytest.approx(taus[theirs.argmin()], abs=1e-4)
    assert taus[theirs.argmin()] == pytest.approx(2.120, abs=5e-4)
    assert ada_dpo_loss.__kwdefaults__["rho"] == pytest.approx(math.log(2) - 0.1)


def test_dlma_is_constant_after_its_warm_up():
    """Methods 9(e)."""
    preset = PRESETS[Preset.dlma]
    assert (preset["schedule"], preset["warmup"], preset["max_grad_norm"]) == (Schedule.constant, 150, 10.0)


def test_pro_has_no_schedule_and_sixteen_rankings_a_step():
    """Methods 10(e)."""
    preset = PRESETS[Preset.pro]
    assert (preset["schedule"], preset["warmup"], preset["batch_size"]) == (Schedule.constant, 0, 16)


@pytest.mark.parametrize(("references", "value"), [([0, 2], -1.6735), ([-1, 0, 1], -0.7115)])
def test_lsc_takes_the_deviation_of_a_sample(references, value):
    """Methods 16(f): 1 + 1.036433 (1.414214 + 1e-5) = 2.465748; -ln(1 + e^1.465748) = -1.6735."""
    assert shape_lsc(np.array([1.0]), np.array(references, dtype=float)) == pytest.approx([value], abs=5e-5)


def test_what_is_said_of_the_published_maxmin_is_true():
    """Methods 22(a)."""
    assert "returns response 0" in choose_maxmin_lcb.__doc__
