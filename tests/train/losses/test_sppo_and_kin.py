"""Objectives that hold each log-ratio by itself."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from real_cli.train.losses.apo import apo_down_loss, apo_zero_loss
from real_cli.train.losses.bco import bco_loss
from real_cli.train.losses.nca import nca_loss
from real_cli.train.losses.sppo import sppo_hard_loss, sppo_loss
from tests.train.losses.made_logps import (
    BETAS,
    SEEDS,
    double,
    gradient,
    log_sigmoid,
    logps_of,
    random_logps,
    ratios,
    same,
)


def with_odds(chosen: float, rejected: float, prob_chosen: float, prob_rejected: float):
    columns = {"prob_chosen": double([prob_chosen]), "prob_rejected": double([prob_rejected])}
    return logps_of([chosen, rejected], columns=columns)


# By hand; beta .1, so log-ratios of 10 and -20 are rewards of 1 and -2


def test_nca_by_hand():
    """-ln s(1) - .5 ln s(-1) - .5 ln s(2) = .313262 + .5 * 1.313262 + .5 * .126928 = 1.033357."""
    assert nca_loss(logps_of([10, -20])).item() == pytest.approx(1.033357, abs=5e-7)


def test_bco_by_hand():
    """-ln s(1) - ln s(2) = .313262 + .126928 = .440190."""
    assert bco_loss(logps_of([10, -20])).item() == pytest.approx(0.440190, abs=5e-7)


def test_apo_zero_by_hand():
    """1 - s(1) + s(-2) = 1 - .731059 + .119203 = .388144."""
    assert apo_zero_loss(logps_of([10, -20])).item() == pytest.approx(0.388144, abs=5e-7)


def test_apo_down_by_hand():
    """s(1) + 1 - s(3) = .7310586 + 1 - .9525741 = .7784845."""
    assert apo_down_loss(logps_of([10, -20])).item() == pytest.approx(0.7784845, abs=5e-7)


def test_sppo_at_the_point_of_the_manual():
    """Methods 12(f), eta 1000: .5 * [(10 - 300)^2 + (-20 + 250)^2] = .5 * (84100 + 52900) = 68500."""
    assert sppo_loss(with_odds(10, -20, 0.8, 0.25), beta=0.001).item() == pytest.approx(68500)


def test_sppo_hard_starts_at_two():
    """Methods 0(b), beta .5: (0 - .5 / .5)^2 + (0 + .5 / .5)^2 = 1 + 1 = 2."""
    assert sppo_hard_loss(logps_of([0, 0]), beta=0.5).item() == 2.0


def test_sppo_hard_pulls_each_log_ratio_to_its_own_target():
    """beta .25: targets +-2. lr_w 3, lr_l -1: (3 - 2)^2 + (-1 + 2)^2 = 2, where h = 4 alone would say 0."""
    assert sppo_hard_loss(logps_of([3, -1]), beta=0.25).item() == pytest.approx(2)
    assert sppo_hard_loss(logps_of([2, -2]), beta=0.25).item() == 0


# Against a few lines of numpy


@given(seed=SEEDS, beta=BETAS)
@settings(max_examples=20)
def test_anchored_objectives_in_numpy(seed, beta):
    logps = random_logps(seed)
    chosen, rejected = (beta * ratio for ratio in ratios(logps))
    s = lambda x: np.exp(log_sigmoid(x))  # noqa: E731
    same(nca_loss(logps, beta=beta), -log_sigmoid(chosen) - (log_sigmoid(-chosen) + log_sigmoid(-rejected)) / 2)
    same(bco_loss(logps, beta=beta), -log_sigmoid(chosen) - log_sigmoid(-rejected))
    same(apo_zero_loss(logps, beta=beta), (1 - s(chosen)) + s(rejected))
    same(apo_down_loss(logps, beta=beta), s(chosen) + (1 - s(chosen - rejected)))


@given(seed=SEEDS, beta=st.floats(0.001, 1))
@settings(max_examples=20)
def test_sppo_in_numpy(seed, beta):
    logps = random_logps(seed)
    chosen, rejected = ratios(logps)
    win, lose = (logps.columns[name].numpy() - 0.5 for name in ("prob_chosen", "prob_rejected"))
    same(sppo_loss(logps, beta=beta), ((chosen - win / beta) ** 2 + (rejected - lose / beta) ** 2) / 2)
    same(sppo_hard_loss(logps, beta=beta), (chosen - 0.5 / beta) ** 2 + (rejected + 0.5 / beta) ** 2)


# Limits and gradients


@pytest.mark.parametrize("loss", [nca_loss, bco_loss])
def test_nca_and_bco_start_at_two_ln_two(loss):
    assert loss(logps_of([-7, -9], [-7, -9])).item() == pytest.approx(2 * np.log(2))


@given(chosen=st.floats(-30, 30), rejected=st.floats(-30, 30), beta=BETAS)
@settings(max_examples=10)
def test_sppo_with_certain_odds_is_half_of_sppo_hard(chosen, rejected, beta):
    """Methods 12(d) and 23."""
    logps = with_odds(chosen, rejected, 1, 0)
    torch.testing.assert_close(sppo_loss(logps, beta=beta), sppo_hard_loss(logps, beta=beta) / 2)


def test_sppo_with_even_odds_pulls_the_policy_to_its_reference():
    """Methods 12(f): both targets are 0, so the gradient is the log-ratio itself."""
    logps = with_odds(3, -2, 0.5, 0.5)
    assert sppo_loss(logps).item() == pytest.approx((9 + 4) / 2)
    assert gradient(sppo_loss, logps).tolist() == [[3, -2]]


def test_the_gradient_of_sppo_is_the_distance_from_its_target():
    """Methods 12(f): by lr_w it is lr_w - target: 10 - 300 = -290; by lr_l -20 + 250 = 230."""
    assert gradient(sppo_loss, with_odds(10, -20, 0.8, 0.25))[0].tolist() == pytest.approx([-290, 230])


def test_nca_pulls_a_chosen_response_back_that_has_gone_too_far():
    """By r_w: -s(-r) + .5 s(r), which changes its sign where s(r) = 2/3, r = ln 2, a log-ratio of 6.93."""
    slopes = [gradient(nca_loss, logps_of([ratio, 0]))[0, 0].item() for ratio in (-50, 6.9, 7, 50)]
    assert [slope > 0 for slope in slopes] == [False, False, True, True]


@pytest.mark.parametrize("loss", [nca_loss, bco_loss, apo_zero_loss, sppo_hard_loss])
def test_each_response_is_held_by_itself(loss):
    """The gradient of the chosen one does not know the rejected one."""
    grads = [gradient(loss, logps_of([2, rejected]))[0, 0].item() for rejected in (-9, 4)]
    assert grads[0] == grads[1]


@given(seed=SEEDS, beta=BETAS)
@settings(max_examples=10)
def test_apo_stays_between_zero_and_two(seed, beta):
    for loss in (apo_zero_loss, apo_down_loss):
        values = loss(random_logps(seed), beta=beta)
        assert ((values >= 0) & (values <= 2)).all()
