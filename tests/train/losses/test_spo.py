"""SPO, Methods 3."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from real_cli.train.losses.dpo import dpo_loss
from real_cli.train.losses.spo import degree_loss, spo_loss
from real_cli.train.objective import Responses
from tests.train.losses.made_logps import BETAS, SEEDS, double, logps_of, random_logps, same


def copies(seed: int):
    return random_logps(seed, responses=Responses.copies)


def with_head(logits: list[list[float]], degrees: list[float], **others):
    size = len(degrees)
    return logps_of([-1.0] * size, marks=degrees, degree_logits=double([logits]), **others)


def test_an_untrained_head_starts_at_ln_of_the_levels():
    """Methods 3(f): ln 4 = 1.386294; with DPO's ln 2 and alpha .1, .693147 + .138629 = .831777."""
    logps = with_head([[0.0] * 4] * 5, [0, 0, 1, 2, 3])
    assert degree_loss(logps).item() == pytest.approx(1.386294, abs=5e-7)
    assert spo_loss(logps).item() == pytest.approx(0.831777, abs=1e-6)


def test_a_head_is_asked_for_the_chosen_response_and_its_copies():
    """Odds 3 : 1 for degree 0, whose response has it: ln(4 / 3) = .287682; 3 : 1 for 0 on a copy of degree 1: ln 4.

    The mean is .836988. The rejected response would have added ln 4.
    """
    three = math.log(3)
    logps = with_head([[three, 0], [0, three], [three, 0]], [0, 0, 1])
    assert degree_loss(logps).item() == pytest.approx(0.836988, abs=5e-7)


@given(seed=SEEDS, beta=BETAS)
@settings(max_examples=10)
def test_spo_with_alpha_zero_is_dpo(seed, beta):
    """Methods 3(f) and 23."""
    torch.testing.assert_close(spo_loss(copies(seed), beta=beta, alpha=0), dpo_loss(copies(seed), beta=beta))


@given(seed=SEEDS, beta=BETAS, alpha=st.floats(0, 2))
@settings(max_examples=15)
def test_spo_in_numpy(seed, beta, alpha):
    """Response by response."""
    logps = copies(seed)
    expected = dpo_loss(logps, beta=beta).numpy().copy()
    for row in range(6):
        asked = [column for column in range(5) if logps.present[row, column] and column != 1]
        losses = []
        for column in asked:
            odds = np.exp(logps.degree_logits[row, column].numpy())
            losses.append(-np.log(odds[int(logps.marks[row, column])] / odds.sum()))
        expected[row] += alpha * np.mean(losses)
    same(spo_loss(logps, beta=beta, alpha=alpha), expected)


@pytest.mark.parametrize("junk", [float("nan"), 1e30])
def test_copies_that_are_not_there_count_for_nothing(junk):
    """Nor does the rejected response; whatever the head says of them, also in its gradient."""
    there = torch.tensor([[True, True, True, False]])
    logps = with_head([[1, 0], [junk, junk], [0, 1], [junk, 0]], [0, 0, 1, junk], present=there)
    head = logps.degree_logits.requires_grad_()
    loss = degree_loss(replace(logps, degree_logits=head))
    assert loss.item() == pytest.approx(math.log1p(math.exp(-1)))
    assert there.tolist() == [[True, True, True, False]]  # as it was handed in
    loss.sum().backward()
    slope = 0.5 * (1 / (1 + math.e))
    assert head.grad[0].flatten().tolist() == pytest.approx([-slope, slope, 0, 0, slope, -slope, 0, 0])


def test_a_pair_without_copies_asks_for_the_chosen_response_alone():
    logps = with_head([[0.0, 0.0], [0.0, 9.0]], [0, 0])
    assert degree_loss(logps).item() == pytest.approx(math.log(2))


def test_the_rejected_response_moves_only_by_dpo():
    logps = copies(0)
    head = logps.degree_logits.clone().requires_grad_()
    spo_loss(replace(logps, degree_logits=head)).sum().backward()
    assert (head.grad[:, 1] == 0).all()
    assert (head.grad[:, 0, 0] < 0).all()
