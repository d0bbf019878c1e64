"""Objectives with a third response."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from real_cli.train.losses.cpo import cpo_loss
from real_cli.train.losses.dpo import dpo_loss
from real_cli.train.losses.selm import selm_loss
from real_cli.train.losses.simpo import simpo_loss
from real_cli.train.losses.tpo import tpo_l_loss, tpo_loss
from real_cli.train.objective import Responses
from tests.train.losses.made_logps import (
    BETAS,
    LN_2,
    SEEDS,
    gradient,
    log_sigmoid,
    logps_of,
    random_logps,
    same,
    token_mean,
)


def triples(seed: int):
    return random_logps(seed, responses=Responses.triple)


# SELM, Methods 8


def test_selm_at_the_point_of_the_manual():
    """Methods 8(f), beta .01, alpha .001, h 50, lr(y') -30: .474077 - .001 * .01 * 30 = .473777."""
    logps = logps_of([-50, -100, -80], [-100, -100, -50])
    assert selm_loss(logps).item() == pytest.approx(0.473777, abs=5e-7)


@given(seed=SEEDS, beta=BETAS, alpha=st.floats(0, 1))
@settings(max_examples=15)
def test_selm_in_numpy(seed, beta, alpha):
    logps = triples(seed)
    chosen, rejected, ours = (logps.policy.numpy() - logps.reference.numpy()).T
    same(selm_loss(logps, beta=beta, alpha=alpha), -log_sigmoid(beta * (chosen - rejected)) + alpha * beta * ours)


@given(seed=SEEDS, beta=BETAS)
@settings(max_examples=10)
def test_selm_with_alpha_zero_is_dpo(seed, beta):
    """Methods 8(f) and 23."""
    torch.testing.assert_close(selm_loss(triples(seed), beta=beta, alpha=0), dpo_loss(triples(seed), beta=beta))


def test_selm_starts_at_ln_two_and_lowers_its_own_answer():
    """Methods 8(f): at step 0 the extra term is 0, its gradient alpha * beta = 1e-5."""
    logps = logps_of([-8, -9, -7], [-8, -9, -7])
    assert selm_loss(logps).item() == pytest.approx(LN_2, abs=5e-7)
    assert gradient(selm_loss, logps)[0].tolist() == pytest.approx([-0.005, 0.005, 1e-5])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_selm_keeps_its_small_term_in_any_precision(dtype):
    """Methods 8(g): alpha beta lr(y') is -3e-4 of .474, which half precision cannot add."""
    logps = logps_of([-50, -100, -80], [-100, -100, -50])
    logps = replace(logps, policy=logps.policy.to(dtype), reference=logps.reference.to(dtype))
    assert selm_loss(logps).dtype == torch.float32
    assert selm_loss(logps).item() == pytest.approx(0.473777, abs=1e-6)
    assert selm_loss(triples(0)).dtype == torch.float64


# TPO, Methods 14


def test_tpo_at_the_point_of_the_manual():
    """Methods 14(f), beta .1, -20 and -30, CE 12 / 10 = 1.2, alpha .5: ln(1 + e^-1) + .6 = .913262."""
    logps = logps_of([-20, -30, -12], lengths=[5, 5, 10])
    assert tpo_loss(logps, beta=0.1, alpha=0.5).item() == pytest.approx(0.913262, abs=5e-7)


def test_tpo_l_at_the_point_of_the_manual():
    """Methods 14(f), avg -.5 and -.8, beta 10, gamma 3: -ln s(10 * .3 - 3) = ln 2."""
    logps = logps_of([-2, -4, -3], lengths=[4, 5, 2])
    assert tpo_l_loss(logps, beta=10, gamma=3, alpha=0).item() == pytest.approx(LN_2, abs=5e-7)
    assert tpo_l_loss(logps, beta=10, gamma=3, alpha=0.5).item() == pytest.approx(LN_2 + 0.75, abs=5e-7)


@given(seed=SEEDS, beta=BETAS, gamma=st.floats(-1, 2), alpha=st.floats(0, 2))
@settings(max_examples=15)
def test_tpo_in_numpy(seed, beta, gamma, alpha):
    logps = triples(seed)
    chosen, rejected = logps.policy.numpy()[:, :2].T
    average, worse = (logps.policy / logps.lengths).numpy()[:, :2].T
    gold = alpha * token_mean(logps, 2)
    same(tpo_loss(logps, beta=beta, alpha=alpha), np.logaddexp(0, -beta * (chosen - rejected)) + gold)
    same(
        tpo_l_loss(logps, beta=beta, gamma=gamma, alpha=alpha),
        np.logaddexp(0, gamma - beta * (average - worse)) + gold,
    )


@given(seed=SEEDS, beta=BETAS, gamma=st.floats(-1, 2))
@settings(max_examples=10)
def test_tpo_with_alpha_zero_is_cpo_without_likelihood(seed, beta, gamma):
    """Methods 14(f) and 23; TPO-L is then SimPO, and TPO of one-token responses SimPO with gamma 0."""
    logps = triples(seed)
    torch.testing.assert_close(tpo_loss(logps, beta=beta, alpha=0), cpo_loss(logps, beta=beta, alpha=0))
    torch.testing.assert_close(
        tpo_l_loss(logps, beta=beta, gamma=gamma, alpha=0), simpo_loss(logps, beta=beta, gamma=gamma)
    )
    short = replace(logps, lengths=torch.ones_like(logps.lengths))
    torch.testing.assert_close(tpo_loss(short, beta=beta, alpha=0), simpo_loss(short, beta=beta, gamma=0))
