"""Objectives on h, the difference of the log-ratios of chosen and rejected, Methods 0(a)."""

import inspect
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from real_cli.train import losses
from real_cli.train.logps import made_up_logps
from real_cli.train.losses.discopop import discopop_loss
from real_cli.train.losses.dpo import cdpo_loss, dpo_loss, dpo_norm_loss, robust_loss
from real_cli.train.losses.exo import exo_loss
from real_cli.train.losses.hinge import hinge_loss
from real_cli.train.losses.ipo import ipo_loss
from tests.train.losses.made_logps import (
    BETAS,
    LN_2,
    SEEDS,
    SMOOTHINGS,
    gradient,
    log_sigmoid,
    logps_of,
    random_logps,
    ratios,
    same,
    shifted,
    swapped,
    with_h,
)


def at(loss, h: float, **knobs: float) -> float:
    """The loss of one pair with this h."""
    return loss(with_h(h), **knobs).item()


# By hand


def test_the_difference_of_log_ratios():
    """(-10 - -12) - (-20 - -15) = 2 - -5 = 7."""
    logps = logps_of([-10, -20], [-12, -15])
    assert (logps.chosen_logratios.item(), logps.rejected_logratios.item(), logps.logits.item()) == (2, -5, 7)


@pytest.mark.parametrize(("h", "loss"), [(0, LN_2), (5, 0.474077), (-5, 0.974077)])
def test_dpo_at_the_points_of_the_manual(h, loss):
    """Methods 0(a) with beta .1: ln(1 + e^0) = .693147, ln(1 + e^-.5) = .474077, ln(1 + e^.5) = .974077."""
    assert at(dpo_loss, h, beta=0.1) == pytest.approx(loss, abs=5e-7)


def test_conservative_dpo_at_the_point_of_the_manual():
    """Methods 0(a), beta h = .5, eps = .3: .7 * .474077 + .3 * .974077 = .624077."""
    assert at(cdpo_loss, 5, beta=0.1, label_smoothing=0.3) == pytest.approx(0.624077, abs=5e-7)


def test_robust_dpo_at_the_point_of_the_manual():
    """Methods 0(a), beta h = .5, eps = .3: (.7 * .474077 - .3 * .974077) / .4 = .099077."""
    assert at(robust_loss, 5, beta=0.1, label_smoothing=0.3) == pytest.approx(0.099077, abs=5e-7)


@pytest.mark.parametrize(("weight", "loss"), [(2, 0.948154), (0.1, 0.047408), (1, 0.474077)])
def test_weighted_by_a_reward_difference(weight, loss):
    """Methods 4(f), beta h = .5: 2 * .474077 = .948154, .1 * .474077 = .047408, 1 is DPO."""
    assert weight * at(dpo_loss, 5, beta=0.1) == pytest.approx(loss, abs=5e-7)


@pytest.mark.parametrize(("h", "loss"), [(0, 1), (5, 0.5), (10, 0), (20, 0), (-10, 2)])
def test_hinge_is_one_minus_beta_h_and_never_negative(h, loss):
    """beta .1: 1 - 0, 1 - .5, 1 - 1, max(0, 1 - 2), 1 + 1."""
    assert at(hinge_loss, h, beta=0.1) == pytest.approx(loss)


def test_ipo_takes_log_ratios_per_token():
    """12 / 4 - (-6) / 3 = 3 + 2 = 5; 1 / (2 * .25) = 2; (5 - 2)^2 = 9."""
    assert ipo_loss(logps_of([12, -6], lengths=[4, 3]), beta=0.25).item() == pytest.approx(9)


def test_ipo_of_an_empty_response_divides_by_one():
    """3 / max(0, 1) - 0 - 1 / (2 * .5) = 2; 2^2 = 4."""
    assert ipo_loss(logps_of([3, 0], lengths=[0, 0]), beta=0.5).item() == pytest.approx(4)


def test_normalized_dpo_takes_log_ratios_per_token():
    """(12 - 4) / 4 - (-6 - 3) / 3 = 2 + 3 = 5; beta .1: ln(1 + e^-.5) = .474077."""
    logps = logps_of([12, -6], [4, 3], lengths=[4, 3])
    assert dpo_norm_loss(logps, beta=0.1).item() == pytest.approx(0.474077, abs=5e-7)


def test_exo_by_hand():
    """q = s(0) = .5, eps .1: .5 ln(.5 / .9) + .5 ln(.5 / .1) = .5 * -.587787 + .5 * 1.609438 = .510826."""
    assert at(exo_loss, 0, label_smoothing=0.1) == pytest.approx(0.510826, abs=5e-7)


def test_exo_is_nothing_where_the_policy_has_the_labels_odds():
    """q = .9 at beta h = ln(.9 / .1) = 2.197225: .9 ln 1 + .1 ln 1 = 0."""
    assert at(exo_loss, 21.97224577, label_smoothing=0.1) == pytest.approx(0, abs=1e-9)


def test_discopop_at_a_tie_is_halfway():
    """m = s(0) = .5: .5 * .693147 + .5 * e^0 = .846574."""
    assert at(discopop_loss, 0) == pytest.approx(0.846574, abs=5e-7)


def test_discopop_far_from_a_tie_is_one_of_the_two():
    """beta h = -1: m = s(-20) = 2e-9, ln(1 + e) = 1.313262; beta h = 1: e^-1 = .367879."""
    assert at(discopop_loss, -10) == pytest.approx(1.313262, abs=5e-7)
    assert at(discopop_loss, 10) == pytest.approx(0.367879, abs=5e-7)


def test_made_up_logps_have_the_given_difference_and_length():
    logps = made_up_logps([5.0, -1.0], length=3, offset=2.0)
    assert logps.logits.tolist() == [5.0, -1.0]
    assert logps.lengths.tolist() == [[3.0, 3.0]] * 2
    assert logps.columns["offset"].tolist() == [2.0, 2.0]


# Against a few lines of numpy


def exo(chosen, rejected, beta, eps):
    """Kullback-Leibler divergence of two coins."""
    q = 1 / (1 + np.exp(-beta * (chosen - rejected)))
    return q * np.log(q / (1 - eps)) + (1 - q) * np.log((1 - q) / eps)


def discopop(chosen, rejected, beta, tau):
    x = beta * (chosen - rejected)
    mix = 1 / (1 + np.exp(-x / tau))
    return (1 - mix) * np.log1p(np.exp(-x)) + mix * np.exp(-x)


@given(seed=SEEDS, beta=BETAS, eps=SMOOTHINGS)
@settings(max_examples=20)
def test_objectives_of_h_in_numpy(seed, beta, eps):
    logps = random_logps(seed)
    chosen, rejected = ratios(logps)
    h = chosen - rejected
    right, wrong = -log_sigmoid(beta * h), -log_sigmoid(-beta * h)
    same(dpo_loss(logps, beta=beta), right)
    same(cdpo_loss(logps, beta=beta, label_smoothing=eps), (1 - eps) * right + eps * wrong)
    same(robust_loss(logps, beta=beta, label_smoothing=eps), ((1 - eps) * right - eps * wrong) / (1 - 2 * eps))
    same(hinge_loss(logps, beta=beta), np.maximum(0, 1 - beta * h))
    per_token = chosen / logps.lengths[:, 0].numpy() - rejected / logps.lengths[:, 1].numpy()
    same(ipo_loss(logps, beta=beta), (per_token - 1 / (2 * beta)) ** 2)
    same(dpo_norm_loss(logps, beta=beta), -log_sigmoid(beta * per_token))


@given(seed=SEEDS, beta=st.floats(0.01, 0.2), eps=st.floats(0.001, 0.45), tau=st.floats(0.05, 0.9))
@settings(max_examples=20)
def test_exo_and_discopop_in_numpy(seed, beta, eps, tau):
    logps = random_logps(seed)
    same(exo_loss(logps, beta=beta, label_smoothing=eps), exo(*ratios(logps), beta, eps))
    same(discopop_loss(logps, beta=beta, tau=tau), discopop(*ratios(logps), beta, tau))


# Gradients


@given(h=st.floats(-20, 20), beta=BETAS, eps=SMOOTHINGS)
@settings(max_examples=20)
def test_the_gradient_of_dpo_is_that_of_the_paper(h, beta, eps):
    """Rafailov et al., 2023, section 4: -beta s(-beta h) by h; with smoothing beta (s(beta h) - 1 + eps)."""
    right = 1 / (1 + math.exp(-beta * h))
    for slope, match in (
        (beta * (right - 1), gradient(dpo_loss, with_h(h), beta=beta)),
        (beta * (right - 1 + eps), gradient(cdpo_loss, with_h(h), beta=beta, label_smoothing=eps)),
    ):
        assert match.flatten().tolist() == pytest.approx([slope, -slope], abs=1e-12)


@pytest.mark.parametrize(
    ("loss", "short", "long", "knobs"),
    [
        (cdpo_loss, 8.4, 8.6, {"label_smoothing": 0.3}),  # s(.847298) = .7
        (ipo_loss, 4.9, 5.1, {}),  # 1 / (2 * .1) = 5
        (exo_loss, 21.9, 22.1, {"label_smoothing": 0.1}),  # s(2.197225) = .9
    ],
    ids=["cdpo", "ipo", "exo"],
)
def test_some_objectives_have_a_finite_target(loss, short, long, knobs):
    """beta .1: short of the target the chosen response is pushed up, beyond it down."""
    before, beyond = (gradient(loss, with_h(h), beta=0.1, **knobs)[0, 0] for h in (short, long))
    assert before < 0 < beyond


def test_hinge_leaves_pairs_beyond_its_margin_alone():
    assert gradient(hinge_loss, with_h(10.1), beta=0.1).tolist() == [[0, 0]]
    assert gradient(hinge_loss, with_h(9.9), beta=0.1)[0].tolist() == pytest.approx([-0.1, 0.1])


def test_robust_never_lets_go():
    """Chowdhury et al., 2024: -[(1 - eps) s(-z) + eps s(z)] / (1 - 2 eps), at large z -eps / (1 - 2 eps)."""
    assert gradient(robust_loss, with_h(1000), beta=1, label_smoothing=0.1)[0, 0].item() == pytest.approx(-0.125)


def test_discopop_rises_around_a_tie():
    """beta h = -.12 to .07, tau .05: not convex, so h of 0 is pushed down; outside it is pushed up."""
    slopes = [gradient(discopop_loss, with_h(h))[0, 0].item() for h in (-10, -1.5, -1, 0, 0.5, 1, 10)]
    assert [slope > 0 for slope in slopes] == [False, False, True, True, True, False, False]


# Properties


@given(beta=BETAS, logp=st.floats(-500, 0))
@settings(max_examples=20)
@pytest.mark.parametrize("loss", [dpo_loss, cdpo_loss, robust_loss, dpo_norm_loss])
def test_a_policy_equal_to_its_reference_starts_at_ln_two(loss, beta, logp):
    """Methods 23."""
    assert loss(logps_of([logp, -9], [logp, -9]), beta=beta).item() == pytest.approx(math.log(2))


def test_a_soup_as_the_reference_does_not_start_at_ln_two():
    """Methods 15(f): -log s(.1 * ((-10 - -11) - (-12 - -11.5))) = ln(1 + e^-.15) = .620957."""
    assert dpo_loss(logps_of([-10, -12], [-11, -11.5])).item() == pytest.approx(0.620957, abs=5e-7)


@given(h=st.floats(-50, 50), step=st.floats(0.1, 10), beta=BETAS)
@settings(max_examples=30)
def test_dpo_falls_as_h_grows(h, step, beta):
    assert at(dpo_loss, h + step, beta=beta) < at(dpo_loss, h, beta=beta)


@pytest.mark.parametrize("loss", [dpo_loss, cdpo_loss, hinge_loss, robust_loss, exo_loss, discopop_loss])
@given(seed=SEEDS, beta=BETAS)
@settings(max_examples=10)
def test_only_h_matters(loss, seed, beta):
    """A shift of both log-ratios changes nothing."""
    logps = random_logps(seed)
    torch.testing.assert_close(loss(logps, beta=beta), loss(shifted(logps, 3), beta=beta))


@given(seed=SEEDS)
@settings(max_examples=10)
def test_swapping_chosen_and_rejected_negates_the_margin(seed):
    logps = random_logps(seed)
    torch.testing.assert_close(swapped(logps).logits, -logps.logits)


@given(seed=SEEDS, beta=BETAS)
@settings(max_examples=10)
def test_smoothing_near_one_half_does_not_know_chosen_from_rejected(seed, beta):
    logps = random_logps(seed)
    losses = [cdpo_loss(pair, beta=beta, label_smoothing=0.5 - 1e-12) for pair in (logps, swapped(logps))]
    torch.testing.assert_close(*losses, rtol=1e-9, atol=1e-9)


@given(seed=SEEDS, beta=BETAS, eps=SMOOTHINGS)
@settings(max_examples=10)
def test_conservative_dpo_is_the_mean_over_flipped_labels(seed, beta, eps):
    logps = random_logps(seed)
    mean = (1 - eps) * dpo_loss(logps, beta=beta) + eps * dpo_loss(swapped(logps), beta=beta)
    torch.testing.assert_close(cdpo_loss(logps, beta=beta, label_smoothing=eps), mean)


@given(seed=SEEDS, beta=BETAS, eps=SMOOTHINGS)
@settings(max_examples=10)
def test_the_mean_of_robust_over_flipped_labels_is_plain_dpo(seed, beta, eps):
    """Chowdhury et al., 2024, lemma 3.1: what makes the estimate unbiased."""
    logps = random_logps(seed)
    clean, flipped = (robust_loss(pair, beta=beta, label_smoothing=eps) for pair in (logps, swapped(logps)))
    torch.testing.assert_close((1 - eps) * clean + eps * flipped, dpo_loss(logps, beta=beta))


def test_without_smoothing_cdpo_and_robust_are_dpo_and_with_it_they_part():
    """Methods 0(a): cDPO and robust are not the same loss: .624077 - .099077 = .525."""
    for loss in (cdpo_loss, robust_loss):
        assert at(loss, 5, beta=0.1, label_smoothing=0) == pytest.approx(0.474077, abs=5e-7)
    apart = at(cdpo_loss, 5, beta=0.1, label_smoothing=0.3) - at(robust_loss, 5, beta=0.1, label_smoothing=0.3)
    assert apart == pytest.approx(0.525)


def test_dpo_and_hinge_take_no_smoothing_that_they_would_ignore():
    """Methods 0(b): TRL's sigmoid ignores it in silence."""
    smooth = {name for name, row in losses.OBJECTIVES.items() if "label_smoothing" in row.knobs}
    assert smooth == {"cdpo", "robust", "exo", "aot", "aot-unpaired", "spa", "cpo"}
    assert "label_smoothing" not in inspect.signature(dpo_loss).parameters
