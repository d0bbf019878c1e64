"""DPO with something of its own for each pair: a temperature, an offset, a suspected flip."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from real_cli.train.losses.ada_dpo import ada_dpo_loss, ada_dpo_tau, logit_of_entropy
from real_cli.train.losses.dlma import dlma_loss
from real_cli.train.losses.dpo import dpo_loss
from real_cli.train.losses.spa import spa_detector, spa_flagged, spa_loss
from tests.train.losses.made_logps import (
    BETAS,
    LN_2,
    SEEDS,
    double,
    gradient,
    log_sigmoid,
    logps_of,
    random_logps,
    ratios,
    same,
    with_h,
)

# Ada-DPO, Methods 7; beta 1, so that h is D


@pytest.mark.parametrize(("rho", "logit"), [(0.1, 3.866343), (0.3, 2.327063), (0.5, 1.388108), (0.6, 0.907008)])
def test_the_logit_of_an_entropy_at_the_points_of_the_manual(rho, logit):
    assert logit_of_entropy(rho) == pytest.approx(logit, abs=5e-7)


@given(entropy=st.floats(1e-12, 0.693))
@settings(max_examples=30)
def test_a_coin_with_the_solved_logit_has_the_entropy(entropy):
    p = 1 / (1 + math.exp(-logit_of_entropy(entropy)))
    rest = 1 / (1 + math.exp(logit_of_entropy(entropy)))
    assert -p * math.log(p) - rest * math.log(rest) == pytest.approx(entropy, rel=1e-6)


@pytest.mark.parametrize("entropy", [1e-300, math.log(2) - 1e-15])
def test_the_logit_of_an_entropy_is_above_zero_at_both_ends(entropy):
    assert 0 < logit_of_entropy(entropy) < 1000


@pytest.mark.parametrize(
    ("difference", "tau", "loss"),
    [
        (0.05, 0.1, -0.002592),
        (0.5, 0.360202, -0.099855),
        (2, 1.440810, -0.399420),
        (10, 5, -1.865360),
        (-2, 1.440810, 1.600580),
    ],
)
def test_ada_dpo_at_the_points_of_the_manual(difference, tau, loss):
    """Methods 7(f), rho .5: tau = |D| / 1.388108 within [.1, 5]; -tau ln s(D / tau) - .5 tau.

    D = .05: .036 is below .1; .1 * ln(1 + e^-.5) - .05 = .0474077 - .05 = -.002592.
    """
    assert ada_dpo_tau(with_h(difference), beta=1, rho=0.5).item() == pytest.approx(tau, abs=5e-7)
    assert ada_dpo_loss(with_h(difference), beta=1, rho=0.5).item() == pytest.approx(loss, abs=5e-7)


def test_a_tie_has_the_smallest_tau():
    """Methods 7(g): 0 / 0 guard. .1 * .693147 - .5 * .1 = .019315."""
    assert ada_dpo_tau(with_h(0)).item() == 0.1
    assert ada_dpo_loss(with_h(0), rho=0.5).item() == pytest.approx(0.019315, abs=5e-7)
    assert torch.isfinite(gradient(ada_dpo_loss, with_h(0))).all()


@given(seed=SEEDS, beta=BETAS, rho=st.floats(0.01, 0.69))
@settings(max_examples=10)
def test_ada_dpo_with_tau_held_at_one_is_dpo_less_rho(seed, beta, rho):
    """Methods 7(f) and 23."""
    logps = random_logps(seed)
    held = ada_dpo_loss(logps, beta=beta, rho=rho, tau_min=1, tau_max=1)
    torch.testing.assert_close(held, dpo_loss(logps, beta=beta) - rho)


@given(seed=SEEDS, rho=st.floats(0.01, 0.69), low=st.floats(0.05, 1), high=st.floats(1, 6))
@settings(max_examples=15)
def test_ada_dpo_is_the_least_over_all_tau(seed, rho, low, high):
    """By trying 2,000 temperatures: none is better, and the best of them is hardly worse."""
    logps = random_logps(seed)
    chosen, rejected = ratios(logps)
    taus = np.geomspace(low, high, 2000)[:, None]
    tried = (-taus * log_sigmoid((chosen - rejected) / taus) - rho * taus).min(axis=0)
    ours = ada_dpo_loss(logps, beta=1, rho=rho, tau_min=low, tau_max=high).numpy()
    np.testing.assert_allclose(ours, tried, atol=1e-4)
    assert (ours <= tried + 1e-9).all()


@pytest.mark.parametrize(("h", "slope"), [(0.5, -0.199710), (2, -0.199710), (-0.5, -0.800290), (-2, -0.800290)])
def test_ada_dpo_has_two_slopes(h, slope):
    """Methods 7(f), rho .5, tau not clipped: -(1 - p) for D > 0 and -p for D < 0, p = s(1.388108) = .800290."""
    result = gradient(ada_dpo_loss, with_h(h), beta=1, rho=0.5)[0].tolist()
    assert result == pytest.approx([slope, -slope], abs=5e-7)


@given(h=st.floats(-20, 20), rho=st.floats(0.05, 0.68))
@settings(max_examples=20)
def test_the_gradient_at_fixed_tau_is_that_of_the_minimum(h, rho):
    """Envelope theorem, against a difference quotient; at D = 0 the two slopes meet in a kink of width tau_min."""
    step = 1e-6
    rise = ada_dpo_loss(with_h(h + step), beta=1, rho=rho) - ada_dpo_loss(with_h(h - step), beta=1, rho=rho)
    slope = gradient(ada_dpo_loss, with_h(h), beta=1, rho=rho)[0, 0].item()
    assert slope == pytest.approx(rise.item() / (2 * step), abs=1e-4)


@given(h=st.floats(0.01, 50), more=st.floats(0, 50), sign=st.sampled_from([-1, 1]))
@settings(max_examples=20)
def test_clear_pairs_have_a_larger_tau_than_ambiguous_ones(h, more, sign):
    low, high = (ada_dpo_tau(with_h(sign * size)).item() for size in (h, h + more))
    assert 0.1 <= low <= high <= 5


# DLMA, Methods 9


@pytest.mark.parametrize(("offset", "loss"), [(40, 1.171101), (100, 1.171101), (-100, 0.371101), (0, LN_2)])
def test_dlma_at_the_points_of_the_manual(offset, loss):
    """Methods 9(f), h = 0, beta .1: -ln s(-.1 * .2 * 40) = ln(1 + e^.8) = 1.171101; clipped at +-40."""
    assert dlma_loss(with_h(0, offset=offset)).item() == pytest.approx(loss, abs=5e-7)


@given(seed=SEEDS, beta=BETAS)
@settings(max_examples=10)
def test_dlma_without_offset_is_dpo(seed, beta):
    """Methods 9(f) and 23: R = 0, or a scale of 0."""
    logps = random_logps(seed)
    torch.testing.assert_close(dlma_loss(logps, beta=beta, offset_scale=0), dpo_loss(logps, beta=beta))
    none = replace(logps, columns={"offset": 0 * logps.columns["offset"]})
    torch.testing.assert_close(dlma_loss(none, beta=beta), dpo_loss(logps, beta=beta))


@given(seed=SEEDS, beta=BETAS, scale=st.floats(-2, 2), low=st.floats(-60, 0), high=st.floats(0, 60))
@settings(max_examples=15)
def test_dlma_in_numpy(seed, beta, scale, low, high):
    logps = random_logps(seed)
    chosen, rejected = ratios(logps)
    offsets = np.clip(logps.columns["offset"].numpy(), low, high)
    ours = dlma_loss(logps, beta=beta, offset_scale=scale, offset_min=low, offset_max=high)
    same(ours, np.logaddexp(0, -beta * (chosen - rejected - scale * offsets)))


def test_an_offset_scale_over_beta_puts_the_offset_outside_of_beta():
    """Methods 9(b): beta h - .2 R = 1 - 2 = -1: ln(1 + e) = 1.313262."""
    assert dlma_loss(with_h(10, offset=10), offset_scale=0.2 / 0.1).item() == pytest.approx(1.313262, abs=5e-7)


# SPA, Methods 18


def doubtful(h: float, **others):
    """One pair whose detector margin is below all others if h < 0."""
    return replace(with_h(h), progress=0.5, recent=double([0.0]), **others)


@pytest.mark.parametrize(("recent", "loss"), [(0.0, 0.824355), (-1.0, 0.854355)])
def test_spa_at_the_points_of_the_manual(recent, loss):
    """Methods 18(f), beta h = -.3: ln(1 + e^.3) = .854355; flagged .9 * .854355 + .1 * .554355 = .824355."""
    logps = replace(doubtful(-3), recent=double([recent]))
    assert spa_loss(logps).item() == pytest.approx(loss, abs=5e-7)


@given(seed=SEEDS, beta=BETAS)
@settings(max_examples=10)
def test_spa_without_smoothing_or_without_doubt_is_dpo(seed, beta):
    """Methods 18(f) and 23."""
    logps, dpo = random_logps(seed), dpo_loss(random_logps(seed), beta=beta)
    torch.testing.assert_close(spa_loss(logps, beta=beta, label_smoothing=0), dpo)
    for certain in (
        replace(logps, recent=None),
        replace(logps, recent=double([])),
        replace(logps, recent=double([-1e9])),
        replace(logps, progress=0.199),
    ):
        torch.testing.assert_close(spa_loss(certain, beta=beta), dpo)


@given(seed=SEEDS, beta=BETAS, a=st.floats(0, 0.45), share=st.floats(0, 1))
@settings(max_examples=15)
def test_spa_in_numpy(seed, beta, a, share):
    logps = random_logps(seed)
    chosen, rejected = ratios(logps)
    decoupled = logps.decoupled.numpy() - logps.reference.numpy()
    threshold = np.quantile(logps.recent.numpy(), share)
    x = beta * (chosen - rejected)
    expected = []
    for margin, apart in zip(x, decoupled[:, 0] - decoupled[:, 1], strict=True):
        z = 1 if beta * apart < threshold else 0
        expected.append(-(1 - a * z) * log_sigmoid(margin) - a * z * log_sigmoid(-margin))
    same(spa_loss(logps, beta=beta, label_smoothing=a, flip_quantile=share), expected)


@given(seed=SEEDS, beta=BETAS)
@settings(max_examples=10)
def test_without_extrapolation_the_detector_is_beta_h(seed, beta):
    """Methods 18(f): lambda = 0."""
    logps = replace(random_logps(seed), decoupled=None)
    torch.testing.assert_close(spa_detector(logps, beta=beta), beta * logps.logits)


def test_the_detector_reads_the_extrapolated_policy():
    """beta .1: .1 * ((-4 - -10) - (-9 - -20)) = .1 * (6 - 11) = -.5, where the policy itself says +.5."""
    logps = logps_of([-5, -20], [-10, -20], decoupled=double([[-4, -9]]))
    assert spa_detector(logps).item() == pytest.approx(-0.5)
    assert spa_detector(replace(logps, decoupled=None)).item() == pytest.approx(0.5)


def test_a_pair_is_in_doubt_below_the_quantile_of_the_recent_margins():
    """Of 0, .1, ... 1 a tenth is .1: margins .09, .1 and .11, of which only the first is below."""
    zeros = double([[0, 0]] * 3)
    policy = double([[0.9, 0], [1.0, 0], [1.1, 0]])
    logps = replace(logps_of([0, 0]), policy=policy, reference=zeros, progress=0.2, recent=double(np.arange(11) / 10))
    assert spa_flagged(logps, beta=0.1, flip_quantile=0.1 + 1e-12).tolist() == [1, 1, 0]
    assert spa_flagged(logps, beta=0.1, flip_quantile=0.1 - 1e-9).tolist() == [1, 0, 0]
    assert spa_flagged(logps, beta=0.1, flip_quantile=0).tolist() == [0, 0, 0]
    assert spa_flagged(logps, beta=0.1, flip_quantile=1).tolist() == [1, 1, 1]
    assert spa_flagged(doubtful(0)).item() == 0  # the very quantile is not below it


def test_no_pair_is_in_doubt_before_the_warm_share_is_over():
    """z is 0 in the first 20 % of the steps; at exactly 20 % they are over."""
    assert [spa_flagged(replace(doubtful(-3), progress=at)).item() for at in (0, 0.19, 0.2, 0.9)] == [0, 0, 1, 1]
    assert spa_flagged(replace(doubtful(-3), progress=0.0), warm_share=0).item() == 1


def test_a_pair_in_doubt_is_pushed_less_and_nothing_flows_through_the_detector():
    """By h, beta .1, h -3: beta (s(-.3) - 1 + a z): .1 * (.425557 - 1) = -.057444; + .1 * .1 = -.047444."""
    certain, flagged = replace(doubtful(-3), recent=None), doubtful(-3)
    assert gradient(spa_loss, certain)[0, 0].item() == pytest.approx(-0.057444, abs=5e-7)
    assert gradient(spa_loss, flagged)[0, 0].item() == pytest.approx(-0.047444, abs=5e-7)
    assert not spa_detector(replace(flagged, policy=flagged.policy.requires_grad_())).requires_grad
