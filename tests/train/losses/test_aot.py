"""Objectives that sort a batch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from real_cli.train.logps import pair_logps
from real_cli.train.losses.aot import aot_loss, aot_unpaired_loss
from real_cli.train.losses.dpo import cdpo_loss
from tests.train.losses.made_logps import (
    BETAS,
    SEEDS,
    SMOOTHINGS,
    double,
    examples,
    gradient,
    log_sigmoid,
    random_logps,
    ratios,
    same,
)

LOSSES = [aot_loss, aot_unpaired_loss]


def test_paired_transport_by_hand():
    """Policy margins 10, 0; reference margins 0, 5, sorted 0, 5. The larger, 10, less the larger, 5: beta d = .5;
    0 - 0 = 0: ln 2. The pairs' own differences would be 10 and -5."""
    zeros, item = double([0, 0]), double([1, 1])
    logps = pair_logps(double([10, 0]), zeros, double([0, 5]), zeros, item, item)
    assert aot_loss(logps).tolist() == pytest.approx([0.474077, 0.693147], abs=5e-7)


def test_unpaired_transport_by_hand():
    """Chosen log-ratios 10, 0, rejected 5, 0: 10 less the larger rejected 5, and 0 less 0, whosever they are."""
    zeros, item = double([0, 0]), double([1, 1])
    for rejected in ([5, 0], [0, 5]):
        logps = pair_logps(double([10, 0]), double(rejected), zeros, zeros, item, item)
        assert aot_unpaired_loss(logps).tolist() == pytest.approx([0.474077, 0.693147], abs=5e-7)


def smooth(x, eps):
    return -(1 - eps) * log_sigmoid(x) - eps * log_sigmoid(-x)


@given(seed=SEEDS, beta=BETAS, eps=SMOOTHINGS)
@settings(max_examples=20)
def test_transport_in_numpy(seed, beta, eps):
    """Two sorted lists; the order of the examples is the next test's."""
    logps = random_logps(seed)
    policy, reference = (np.sort(part[:, 0] - part[:, 1]) for part in (logps.policy.numpy(), logps.reference.numpy()))
    chosen, rejected = map(np.sort, ratios(logps))
    ours = {loss: loss(logps, beta=beta, label_smoothing=eps).sort().values for loss in LOSSES}
    same(ours[aot_loss], np.sort(smooth(beta * (policy - reference), eps)))
    same(ours[aot_unpaired_loss], np.sort(smooth(beta * (chosen - rejected), eps)))


@pytest.mark.parametrize("loss", LOSSES)
@given(seed=SEEDS)
@settings(max_examples=10)
def test_a_value_stays_with_its_example(loss, seed):
    """So that a pair's weight meets that pair's loss: a batch in another order gives the same values in that order."""
    logps = random_logps(seed)
    order = np.random.default_rng(seed).permutation(6).tolist()
    torch.testing.assert_close(loss(examples(logps, order)), loss(logps)[order])


@pytest.mark.parametrize("loss", LOSSES)
def test_a_batch_of_one_is_dpo_and_one_of_eight_is_not_eight_of_one(loss):
    logps = random_logps(0, batch=8)
    alone = torch.cat([loss(examples(logps, [i]), label_smoothing=0.1) for i in range(8)])
    torch.testing.assert_close(alone, cdpo_loss(logps))
    assert not torch.allclose(alone.mean(), loss(logps, label_smoothing=0.1).mean())


@pytest.mark.parametrize("loss", LOSSES)
@given(seed=SEEDS)
@settings(max_examples=10)
def test_every_chosen_response_goes_up_and_every_rejected_one_down(loss, seed):
    result = gradient(loss, random_logps(seed))
    assert (result[:, 0] < 0).all()
    assert (result[:, 1] > 0).all()


@given(seed=SEEDS, beta=BETAS)
@settings(max_examples=10)
def test_sorting_is_the_cheapest_way_to_match(seed, beta):
    """Optimal transport: no other way of matching the two lists has a smaller mean."""
    logps = random_logps(seed)
    shuffled = np.random.default_rng(seed).permutation(6).tolist()
    other = logps.policy[:, 0] - logps.policy[:, 1] - (logps.reference[:, 0] - logps.reference[:, 1])[shuffled]
    assert aot_loss(logps, beta=beta).mean().item() <= -log_sigmoid(beta * other.numpy()).mean() + 1e-9
