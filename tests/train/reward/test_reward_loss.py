"""Bradley and Terry's loss by hand, and its gradient."""

import math

import pytest
import torch

from real_cli.train.reward.loss import bradley_terry_loss


def pairs(*rewards):
    """Rewards of one head: chosen and rejected of each pair."""
    return torch.tensor(rewards, dtype=torch.float64)[:, :, None]


def test_the_loss_is_that_of_the_sigmoid_of_the_gap():
    """ln(1 + e^-1) = 0.313262, ln 2 for a tie, ln(1 + e^2) = 2.126928."""
    losses = bradley_terry_loss(pairs([2.0, 1.0], [5.0, 5.0], [-1.0, 1.0]))
    assert losses[:, 0].tolist() == pytest.approx([0.313262, math.log(2), 2.126928], abs=1e-6)


def test_a_margin_is_demanded_of_the_gap_pair_by_pair():
    losses = bradley_terry_loss(pairs([2.0, 1.0], [2.0, 1.0]), torch.tensor([0.0, 3.0]))
    assert losses[:, 0].tolist() == pytest.approx([0.313262, 2.126928], abs=1e-6)


def test_centering_adds_the_square_of_the_sum_of_both():
    """0.01 (2 + 1)^2 = 0.09; rewards that are each other's opposites cost nothing."""
    losses = bradley_terry_loss(pairs([2.0, 1.0], [1.0, -1.0]), center=0.01)
    assert losses[:, 0].tolist() == pytest.approx([0.403262, math.log(1 + math.exp(-2))], abs=1e-6)


def test_each_head_has_a_loss_of_its_own():
    losses = bradley_terry_loss(torch.tensor([[[2.0, 0.0], [1.0, 0.0]]]), torch.tensor([1.0]))
    assert losses.shape == (1, 2)
    assert losses[0].tolist() == pytest.approx([math.log(2), math.log(1 + math.e)], abs=1e-6)


@pytest.mark.parametrize("center", [0.0, 0.3])
def test_the_gradient_is_that_of_finite_differences(center):
    rewards = torch.randn(3, 2, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    margins = torch.tensor([0.0, 0.5, -1.0], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda values: bradley_terry_loss(values, margins, center=center), rewards)


def test_hopeless_pairs_have_a_finite_loss():
    losses = bradley_terry_loss(pairs([-500.0, 500.0]))
    assert losses.item() == pytest.approx(1000)
