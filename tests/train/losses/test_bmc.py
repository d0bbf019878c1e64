"""BMC, Methods 5."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from real_cli.train.logps import Logps, TokenLogps
from real_cli.train.losses.bmc import bmc_code_loss, bmc_loss, token_weights
from real_cli.train.losses.dpo import dpo_loss
from tests.train.losses.made_logps import (
    BETAS,
    LN_2,
    SEEDS,
    double,
    gradient,
    log_sigmoid,
    logps_of,
    random_logps,
    same,
)

BOTH = [bmc_loss, bmc_code_loss]


def one_token(policy: list[float], reference: list[float]) -> Logps:
    """A pair of one differing token each."""
    tokens = TokenLogps(double([policy]).unsqueeze(2), double([reference]).unsqueeze(2), torch.ones(1, 2, 1).bool())
    return logps_of(policy, reference, tokens=tokens)


@pytest.mark.parametrize(("p", "delta", "weight"), [(0.9, 1.5, 2.111111), (0.2, 1.5, 2.5), (0.5, 0.4, 1.4), (1, 3, 2)])
def test_weights_at_the_points_of_the_manual(p, delta, weight):
    """Methods 5(f): 1 + min(1 / .9, 1.5) = 2.1111; 1 + min(5, 1.5) = 2.5; 1 + .4; 1 + min(1, 3)."""
    differs = torch.tensor([True, False])
    assert token_weights(double(np.log([p, p])), differs, delta).tolist() == pytest.approx([weight, 1], abs=5e-7)


def test_the_worked_case_of_the_manual():
    """Methods 5(g), beta .05, delta 1.5, policy and reference -.1, -.3 (chosen), -.2, -.1 (rejected).

    lambda 1 + e^.1 = 2.105171, 1 + e^.2 = 2.221403: h = 2.105171 * .2 + 2.221403 * .1 = .643174, ln(1 + e^-.032159).
    The code: the reference with 1 + e^.3 = 2.349859, 1 + e^.1: -.2105171 + .7049576 + .4442806 - .2105171 = .728204.
    """
    logps = one_token([-0.1, -0.2], [-0.3, -0.1])
    assert bmc_loss(logps, beta=0.05, delta=1.5).item() == pytest.approx(0.677197, abs=5e-7)
    assert bmc_code_loss(logps, beta=0.05, delta=1.5).item() == pytest.approx(0.675108, abs=5e-7)
    assert np.log(np.expm1(0.677197)) == pytest.approx(-0.05 * 0.643174, abs=2e-6)
    assert np.log(np.expm1(0.675108)) == pytest.approx(-0.05 * 0.728204, abs=2e-6)


@pytest.mark.parametrize("loss", BOTH)
@given(seed=SEEDS, beta=BETAS)
@settings(max_examples=10)
def test_bmc_with_delta_zero_is_dpo(loss, seed, beta):
    """Methods 5(f) and 23."""
    torch.testing.assert_close(loss(random_logps(seed), beta=beta, delta=0), dpo_loss(random_logps(seed), beta=beta))


@pytest.mark.parametrize("loss", BOTH)
@given(seed=SEEDS, beta=BETAS)
@settings(max_examples=10)
def test_bmc_of_tokens_that_do_not_differ_is_dpo(loss, seed, beta):
    """Methods 5(f); the same response twice is DPO with h = 0, ln 2."""
    logps = random_logps(seed)
    alike = replace(logps, tokens=replace(logps.tokens, differs=torch.zeros_like(logps.tokens.differs)))
    torch.testing.assert_close(loss(alike, beta=beta), dpo_loss(logps, beta=beta))
    first = TokenLogps(*(getattr(alike.tokens, name)[:, [0, 0]] for name in ("policy", "reference", "differs")))
    torch.testing.assert_close(loss(replace(alike, tokens=first), beta=beta), torch.full((6,), np.log(2)).double())


@pytest.mark.parametrize("loss", BOTH)
@given(seed=SEEDS)
@settings(max_examples=10)
def test_bmc_starts_at_ln_two_in_every_variant(loss, seed):
    """Methods 5(f) and 23: policy == reference."""
    logps = random_logps(seed)
    start = replace(logps, tokens=replace(logps.tokens, reference=logps.tokens.policy))
    assert loss(start).tolist() == pytest.approx([LN_2] * 6, abs=5e-7)


@given(seed=SEEDS, beta=BETAS, delta=st.floats(0, 3))
@settings(max_examples=15)
def test_bmc_in_numpy(seed, beta, delta):
    """Token by token."""
    logps = random_logps(seed)
    papers, codes = np.zeros((2, 6, 2))
    for index in np.ndindex(6, 2, 12):
        policy, reference, differs = (getattr(logps.tokens, name)[index].item() for name in TokenLogps.__annotations__)
        ours, others = (1 + min(np.exp(-logp), delta) if differs else 1 for logp in (policy, reference))
        papers[index[:2]] += ours * (policy - reference)
        codes[index[:2]] += ours * policy - others * reference
    same(bmc_loss(logps, beta=beta, delta=delta), -log_sigmoid(beta * (papers[:, 0] - papers[:, 1])))
    same(bmc_code_loss(logps, beta=beta, delta=delta), -log_sigmoid(beta * (codes[:, 0] - codes[:, 1])))


@pytest.mark.parametrize("loss", BOTH)
def test_nothing_flows_through_the_weights(loss):
    """Methods 5(b): at h = 0 by the chosen token -beta / 2 * lambda = -.025 * 2.105171."""
    result = gradient(loss, one_token([-0.1, -0.2], [-0.1, -0.2]), beta=0.05, delta=1.5)[0].tolist()
    assert result == pytest.approx([-0.025 * 2.105171, 0.025 * 2.221403], abs=5e-7)


@given(logp=st.floats(-1000, 0), delta=st.floats(0, 5))
@settings(max_examples=20)
def test_weights_of_differing_tokens_lie_between_their_ends(logp, delta):
    """Methods 5(f): from 1 + min(1, delta), a certain token, to 1 + delta; never infinite."""
    weight = token_weights(double([logp]), torch.tensor([True]), delta).item()
    assert 1 + min(1, delta) <= weight <= 1 + delta
