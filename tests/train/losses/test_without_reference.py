"""Objectives on the policy's likelihood alone."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from real_cli.train.losses.asft import asft_align, asft_loss
from real_cli.train.losses.cpo import cpo_loss
from real_cli.train.losses.orpo import orpo_loss
from real_cli.train.losses.sft import log1mexp, sft_loss
from real_cli.train.losses.simpo import simpo_loss
from tests.train.losses.made_logps import (
    BETAS,
    SEEDS,
    SMOOTHINGS,
    double,
    examples,
    from_probabilities,
    gradient,
    log_sigmoid,
    logps_of,
    random_logps,
    same,
    token_mean,
)

# By hand


def test_fine_tuning_is_the_mean_over_the_tokens_of_a_batch():
    """Responses of 1 and 3 tokens, -4 and -2: 6 nats over 4 tokens = 1.5; the mean of 4 / 2 and 2 / 2."""
    logps = replace(logps_of([0, 0]), policy=double([[-4, -1], [-2, -1]]), lengths=double([[1, 9], [3, 9]]))
    assert sft_loss(logps).tolist() == [2, 1]
    assert sft_loss(logps).mean().item() == 1.5


@pytest.mark.parametrize("loss", [sft_loss, cpo_loss, orpo_loss, asft_loss])
@given(seed=SEEDS)
@settings(max_examples=5)
def test_a_token_counts_the_same_in_whatever_part_of_a_batch_it_is(loss, seed):
    """A batch worked off in two halves which know the lengths of the whole has the value of the whole."""
    logps = random_logps(seed)
    halves = torch.cat([loss(examples(logps, half)) for half in ([0, 1], [2, 3, 4, 5])])
    torch.testing.assert_close(halves, loss(logps))
    torch.testing.assert_close(sft_loss(logps).mean(), -logps.policy[:, 0].sum() / logps.lengths[:, 0].sum())


def test_simpo_by_hand():
    """avg -2 / 4 = -.5 and -4 / 5 = -.8; beta 10, gamma 2: -ln s(3 - 2) = ln(1 + e^-1) = .313262."""
    logps = logps_of([-2, -4], lengths=[4, 5])
    assert simpo_loss(logps, beta=10, gamma=2).item() == pytest.approx(0.313262, abs=5e-7)


def test_cpo_by_hand():
    """beta .1, -20 and -30: ln(1 + e^-1) = .313262; with .5 times 20 / 10 tokens 1.313262."""
    logps = logps_of([-20, -30], lengths=[10, 10])
    assert cpo_loss(logps, alpha=0).item() == pytest.approx(0.313262, abs=5e-7)
    assert cpo_loss(logps, alpha=0.5).item() == pytest.approx(1.313262, abs=5e-7)


def test_cpo_with_smoothed_labels_by_hand():
    """.7 * .313262 + .3 * 1.313262 = .613262."""
    logps = logps_of([-20, -30], lengths=[10, 10])
    assert cpo_loss(logps, alpha=0, label_smoothing=0.3).item() == pytest.approx(0.613262, abs=5e-7)


def test_orpo_by_hand():
    """p .6 and .3: odds 1.5 and .428571, ratio 3.5; s(ln 3.5) = 3.5 / 4.5; -ln .6 - .1 ln .777778 = .535957."""
    assert orpo_loss(from_probabilities(0.6, 0.3)).item() == pytest.approx(0.535957, abs=5e-7)


def test_asft_at_the_point_of_the_manual():
    """Methods 17(f): -ln .6 - ln .7 = .510826 + .356675 = .867501; with the likelihood's .510826, 1.378326."""
    assert asft_align(from_probabilities(0.6, 0.3)).item() == pytest.approx(0.867501, abs=5e-7)
    assert asft_loss(from_probabilities(0.6, 0.3)).item() == pytest.approx(1.378326, abs=1e-6)
    assert asft_loss(from_probabilities(0.6, 0.3), alpha=0.5).item() == pytest.approx(0.510826 + 0.433750, abs=1e-6)


def test_asft_takes_the_probability_of_the_mean_token():
    """2 and 3 tokens of .6 and .3 each are no other than 1 and 1."""
    logps = logps_of([2 * math.log(0.6), 3 * math.log(0.3)], lengths=[2, 3])
    assert asft_align(logps).item() == pytest.approx(0.867501, abs=5e-7)


# Against a few lines of numpy


@given(seed=SEEDS, beta=BETAS, alpha=st.floats(0, 2), gamma=st.floats(-1, 2), eps=SMOOTHINGS)
@settings(max_examples=15)
def test_objectives_without_a_reference_in_numpy(seed, beta, alpha, gamma, eps):
    logps = random_logps(seed)
    chosen, rejected = logps.policy.numpy().T
    average, worse = (logps.policy / logps.lengths).numpy().T
    nll = token_mean(logps, 0)
    x = beta * (chosen - rejected)
    same(sft_loss(logps), nll)
    same(simpo_loss(logps, beta=beta, gamma=gamma), -log_sigmoid(beta * (average - worse) - gamma))
    expected = -(1 - eps) * log_sigmoid(x) - eps * log_sigmoid(-x) + alpha * nll
    same(cpo_loss(logps, beta=beta, alpha=alpha, label_smoothing=eps), expected)
    p, q = np.exp(average), np.exp(worse)
    ratio = (p / (1 - p)) / (q / (1 - q))
    same(orpo_loss(logps, beta=beta), nll - beta * np.log(ratio / (1 + ratio)))
    same(asft_loss(logps, alpha=alpha), nll - alpha * (np.log(p) + np.log(1 - q)))


@given(p=st.floats(1e-12, 1 - 1e-6))
@example(p=1e-12)
@example(p=1 - 2e-6)
@settings(max_examples=30)
def test_log1mexp_keeps_its_digits(p):
    """log(1 - p) by math.log1p, in float64 and, on the rounded argument, in float32."""
    assert log1mexp(double([math.log(p)])).item() == pytest.approx(math.log1p(-p), rel=1e-9)
    rounded = torch.tensor([math.log(p)], dtype=torch.float32)
    expected = math.log(-math.expm1(rounded.item()))
    assert log1mexp(rounded).item() == pytest.approx(expected, rel=1e-5)


# Limits and gradients


@given(p=st.floats(0.01, 0.99), q=st.floats(0.01, 0.99))
@settings(max_examples=20)
def test_the_gradients_of_asft_are_those_of_the_paper(p, q):
    """Methods 17(f): by log p_w always -1; by log p_l p_l / (1 - p_l), which vanishes as p_l does."""
    result = gradient(asft_align, from_probabilities(p, q))[0].tolist()
    assert result == pytest.approx([-1, q / (1 - q)], rel=1e-6)


@given(p=st.floats(0.01, 0.99), q=st.floats(0.01, 0.99), other=st.floats(0.01, 0.99))
@settings(max_examples=10)
def test_asft_is_separable(p, q, other):
    """Methods 17(f): changing the rejected response never changes what the chosen one adds."""
    change = asft_align(from_probabilities(p, other)) - asft_align(from_probabilities(p, q))
    assert change.item() == pytest.approx(math.log1p(-q) - math.log1p(-other), abs=1e-9)


def test_asft_with_a_certain_rejected_response_is_held():
    """Methods 17(g): p_l -> 1 explodes: 13.8 = -ln 1e-6 at most, and no gradient."""
    logps = logps_of([-1, 0])
    assert asft_align(logps).item() == pytest.approx(1 - math.log(1e-6), rel=1e-6)
    assert gradient(asft_align, logps).tolist() == [[-1, 0]]
    assert torch.isfinite(gradient(orpo_loss, logps_of([0, 0]))).all()


def test_orpo_sets_asfts_log_odds_against_each_other():
    """Methods 17(b) and (d): f the log odds, s(f) = p, so that ASFT is -ln s(f_w) - ln s(-f_l)."""
    p, q = 0.6, 0.3
    f, g = math.log(p / (1 - p)), math.log(q / (1 - q))
    assert asft_align(from_probabilities(p, q)).item() == pytest.approx(-log_sigmoid(f) - log_sigmoid(-g))
    assert orpo_loss(from_probabilities(p, q), beta=1).item() == pytest.approx(-math.log(p) - log_sigmoid(f - g))


@given(seed=SEEDS)
@settings(max_examples=10)
def test_simpo_does_not_reward_length(seed):
    """Twice the tokens with the same log-probability each: the same loss, where CPO's margin doubles."""
    logps = random_logps(seed)
    longer = replace(logps, policy=2 * logps.policy, lengths=2 * logps.lengths)
    torch.testing.assert_close(simpo_loss(longer), simpo_loss(logps))
    torch.testing.assert_close(cpo_loss(longer, alpha=0), cpo_loss(logps, alpha=0, beta=0.2))
