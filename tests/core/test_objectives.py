"""What `train-dpo` minimizes. h is the difference of the log-ratios of chosen and rejected, METHODS 0.1."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from real_cli.core.names import Loss
from real_cli.core.objectives import OBJECTIVES, PairLogps, check_objective
from real_cli.core.objectives.logps import made_up_logps
from real_cli.core.objectives.pairwise import dpo_loss, hinge_loss, ipo_loss, robust_loss, sppo_hard_loss
from real_cli.errors import UsageError

LN_2 = 0.693147
SEEDS = st.integers(0, 2**32 - 1)
BETAS = st.floats(0.01, 2)
SMOOTHINGS = st.floats(0, 0.49)
LOGITS = st.floats(-50, 50)


def logps_of(
    policy_chosen: float,
    policy_rejected: float,
    reference_chosen: float = 0.0,
    reference_rejected: float = 0.0,
    lengths: tuple[int, int] = (1, 1),
) -> PairLogps:
    numbers = (policy_chosen, policy_rejected, reference_chosen, reference_rejected, *lengths)
    return PairLogps(*(torch.tensor([number], dtype=torch.float64) for number in numbers))


def random_logps(seed: int, batch: int = 6) -> PairLogps:
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 30, size=(2, batch)).astype(float)
    return PairLogps(*map(torch.from_numpy, (*rng.normal(-20, 8, size=(4, batch)), *lengths)))


def swapped(logps: PairLogps) -> PairLogps:
    return PairLogps(
        logps.policy_rejected,
        logps.policy_chosen,
        logps.reference_rejected,
        logps.reference_chosen,
        logps.rejected_lengths,
        logps.chosen_lengths,
    )


def at(loss, h: float, **settings: float) -> float:
    """The loss of one pair with this h."""
    return loss(logps_of(h, 0.0), **settings).item()


def test_every_objective_has_a_function():
    assert set(Loss) == set(OBJECTIVES)


# By hand


def test_the_difference_of_log_ratios():
    """(-10 - -12) - (-20 - -15) = 2 - -5 = 7."""
    logps = logps_of(-10, -20, -12, -15)
    assert (logps.chosen_logratios.item(), logps.rejected_logratios.item(), logps.logits.item()) == (2, -5, 7)


@pytest.mark.parametrize(("h", "loss"), [(0, LN_2), (5, 0.474077), (-5, 0.974077)])
def test_dpo_at_the_points_of_the_fact_sheet(h, loss):
    """METHODS 0.1 with beta .1: ln(1 + e^0) = .693147, ln(1 + e^-.5) = .474077, ln(1 + e^.5) = .974077."""
    assert at(dpo_loss, h, beta=0.1) == pytest.approx(loss, abs=5e-7)


def test_conservative_dpo_at_the_point_of_the_fact_sheet():
    """METHODS 0.1, beta h = .5, eps = .3: .7 * .474077 + .3 * .974077 = .624077."""
    assert at(dpo_loss, 5, beta=0.1, label_smoothing=0.3) == pytest.approx(0.624077, abs=5e-7)


def test_robust_dpo_at_the_point_of_the_fact_sheet():
    """METHODS 0.1, beta h = .5, eps = .3: (.7 * .474077 - .3 * .974077) / .4 = .099077."""
    assert at(robust_loss, 5, beta=0.1, label_smoothing=0.3) == pytest.approx(0.099077, abs=5e-7)


@pytest.mark.parametrize(("h", "loss"), [(0, 1), (5, 0.5), (10, 0), (20, 0), (-10, 2)])
def test_hinge_is_one_minus_beta_h_and_never_negative(h, loss):
    """beta .1: 1 - 0, 1 - .5, 1 - 1, max(0, 1 - 2), 1 + 1."""
    assert at(hinge_loss, h, beta=0.1) == pytest.approx(loss)


def test_ipo_takes_log_ratios_per_token():
    """12 / 4 - (-6) / 3 = 3 + 2 = 5; 1 / (2 * .25) = 2; (5 - 2)^2 = 9."""
    assert ipo_loss(logps_of(12, -6, lengths=(4, 3)), beta=0.25).item() == pytest.approx(9)


def test_ipo_of_an_empty_response_divides_by_one():
    """3 / max(0, 1) - 0 - 1 / (2 * .5) = 2; 2^2 = 4."""
    assert ipo_loss(logps_of(3, 0, lengths=(0, 0)), beta=0.5).item() == pytest.approx(4)


def test_sppo_hard_starts_at_two():
    """METHODS 0.3, beta .5: (0 - .5 / .5)^2 + (0 + .5 / .5)^2 = 1 + 1 = 2."""
    assert at(sppo_hard_loss, 0, beta=0.5) == 2.0


def test_sppo_hard_pulls_each_log_ratio_to_its_own_target():
    """beta .25: targets +-2. lr_w 3, lr_l -1: (3 - 2)^2 + (-1 + 2)^2 = 2, where h = 4 alone would say 0."""
    assert sppo_hard_loss(logps_of(3, -1), beta=0.25).item() == pytest.approx(2)
    assert sppo_hard_loss(logps_of(2, -2), beta=0.25).item() == 0


def test_made_up_logps_have_the_given_difference_and_length():
    logps = made_up_logps([5.0, -1.0], length=3)
    assert logps.logits.tolist() == [5.0, -1.0]
    assert logps.chosen_lengths.tolist() == logps.rejected_lengths.tolist() == [3.0, 3.0]


# Against the branches of TRL 1.16.0's DPOTrainer, METHODS 0.1 and 0.3, in float64 numpy


def branch(loss: Loss, p: PairLogps, beta: float, eps: float) -> np.ndarray:
    chosen, rejected = (
        (p.policy_chosen - p.reference_chosen).numpy(),
        (p.policy_rejected - p.reference_rejected).numpy(),
    )
    h = chosen - rejected
    log_s = -np.log1p(np.exp(-beta * h))  # log sigmoid(beta h)
    log_not_s = -np.log1p(np.exp(beta * h))  # log sigmoid(-beta h)
    return {
        Loss.dpo: -(1 - eps) * log_s - eps * log_not_s,
        Loss.robust: (-(1 - eps) * log_s + eps * log_not_s) / (1 - 2 * eps),
        Loss.ipo: (chosen / p.chosen_lengths.numpy() - rejected / p.rejected_lengths.numpy() - 1 / (2 * beta)) ** 2,
        Loss.hinge: np.maximum(0, 1 - beta * h),
        Loss.sppo_hard: (chosen - 0.5 / beta) ** 2 + (rejected + 0.5 / beta) ** 2,
    }[loss]


@pytest.mark.parametrize("loss", list(Loss))
@given(seed=SEEDS, beta=BETAS, eps=SMOOTHINGS)
@settings(max_examples=25)
def test_each_objective_is_the_branch_of_trl(loss, seed, beta, eps):
    logps = random_logps(seed)
    eps = eps if OBJECTIVES[loss].smooths_labels else 0.0
    ours = OBJECTIVES[loss].loss(logps, beta=beta, label_smoothing=eps)
    assert ours.shape == (6,)
    np.testing.assert_allclose(ours.numpy(), branch(loss, logps, beta, eps), rtol=1e-10, atol=1e-10)


@given(h=st.floats(-20, 20), beta=BETAS, eps=SMOOTHINGS)
@settings(max_examples=25)
def test_the_gradient_of_dpo_is_that_of_the_paper(h, beta, eps):
    """Rafailov et al., 2023, section 4: -beta s(-beta h) by h; with smoothing beta (s(beta h) - 1 + eps)."""
    chosen = torch.tensor([h], dtype=torch.float64, requires_grad=True)
    zero, one = torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    dpo_loss(PairLogps(chosen, zero, zero, zero, one, one), beta=beta, label_smoothing=eps).sum().backward()
    expected = beta * (1 / (1 + math.exp(-beta * h)) - 1 + eps)
    assert chosen.grad.item() == pytest.approx(expected, abs=1e-12)


# Properties


@given(beta=BETAS, logp=st.floats(-500, 0))
@settings(max_examples=25)
def test_a_policy_equal_to_its_reference_starts_at_ln_two(beta, logp):
    """METHODS 23."""
    assert dpo_loss(logps_of(logp, -9, logp, -9), beta=beta).item() == pytest.approx(math.log(2))


@given(h=LOGITS, step=st.floats(0.1, 10), beta=BETAS)
@settings(max_examples=50)
def test_dpo_falls_as_h_grows(h, step, beta):
    assert at(dpo_loss, h + step, beta=beta) < at(dpo_loss, h, beta=beta)


@pytest.mark.parametrize("loss", [Loss.dpo, Loss.robust])
@given(seed=SEEDS, beta=BETAS, eps=SMOOTHINGS)
@settings(max_examples=15)
def test_only_h_matters(loss, seed, beta, eps):
    """A shift of both log-ratios changes nothing."""
    logps = random_logps(seed)
    shifted = PairLogps(
        logps.policy_chosen + 3,
        logps.policy_rejected + 3,
        logps.reference_chosen,
        logps.reference_rejected,
        logps.chosen_lengths,
        logps.rejected_lengths,
    )
    function = OBJECTIVES[loss].loss
    torch.testing.assert_close(
        function(logps, beta=beta, label_smoothing=eps), function(shifted, beta=beta, label_smoothing=eps)
    )


@given(seed=SEEDS)
@settings(max_examples=25)
def test_swapping_chosen_and_rejected_negates_the_margin(seed):
    logps = random_logps(seed)
    torch.testing.assert_close(swapped(logps).logits, -logps.logits)


@given(seed=SEEDS, beta=BETAS)
@settings(max_examples=25)
def test_smoothing_near_one_half_does_not_know_chosen_from_rejected(seed, beta):
    logps = random_logps(seed)
    losses = [dpo_loss(pair, beta=beta, label_smoothing=0.5 - 1e-12) for pair in (logps, swapped(logps))]
    torch.testing.assert_close(*losses, rtol=1e-9, atol=1e-9)


@given(seed=SEEDS, beta=BETAS, eps=SMOOTHINGS)
@settings(max_examples=25)
def test_conservative_dpo_is_the_mean_over_flipped_labels(seed, beta, eps):
    logps = random_logps(seed)
    mean = (1 - eps) * dpo_loss(logps, beta=beta) + eps * dpo_loss(swapped(logps), beta=beta)
    torch.testing.assert_close(dpo_loss(logps, beta=beta, label_smoothing=eps), mean)


@given(seed=SEEDS, beta=BETAS, eps=st.floats(0, 0.45))
@settings(max_examples=25)
def test_the_mean_of_robust_over_flipped_labels_is_plain_dpo(seed, beta, eps):
    """Chowdhury et al., 2024, lemma 3.1: what makes the estimate unbiased."""
    logps = random_logps(seed)
    clean, flipped = (robust_loss(pair, beta=beta, label_smoothing=eps) for pair in (logps, swapped(logps)))
    torch.testing.assert_close((1 - eps) * clean + eps * flipped, dpo_loss(logps, beta=beta))


@pytest.mark.parametrize("loss", [Loss.dpo, Loss.robust])
def test_without_smoothing_robust_is_dpo_and_with_it_they_part(loss):
    """METHODS 0.1: cDPO and robust are not the same loss."""
    assert at(OBJECTIVES[loss].loss, 5, beta=0.1) == pytest.approx(0.474077, abs=5e-7)
    assert at(dpo_loss, 5, beta=0.1, label_smoothing=0.3) - at(robust_loss, 5, beta=0.1, label_smoothing=0.3) > 0.5


@pytest.mark.parametrize("loss", list(Loss))
def test_one_batch_of_eight_is_eight_of_one(loss):
    logps = random_logps(0, batch=8)
    alone = [
        OBJECTIVES[loss].loss(PairLogps(*(getattr(logps, name)[[i]] for name in logps.__dataclass_fields__)), beta=0.1)
        for i in range(8)
    ]
    torch.testing.assert_close(OBJECTIVES[loss].loss(logps, beta=0.1), torch.cat(alone))


@pytest.mark.parametrize("loss", list(Loss))
@pytest.mark.parametrize("h", [-1e6, 1e6])
def test_a_large_h_gives_a_finite_loss(loss, h):
    assert torch.isfinite(OBJECTIVES[loss].loss(made_up_logps([h]), beta=0.1)).all()


# Settings


@pytest.mark.parametrize("loss", list(Loss))
def test_an_objective_that_says_it_smooths_labels_does_and_no_other(loss):
    plain, smooth = (OBJECTIVES[loss].loss(random_logps(1), beta=0.1, label_smoothing=eps).tolist() for eps in (0, 0.3))
    assert (plain != smooth) == OBJECTIVES[loss].smooths_labels


@pytest.mark.parametrize("loss", list(Loss))
def test_smoothing_that_would_be_ignored_is_refused(loss):
    """METHODS 0.3: TRL ignores it in silence."""
    check_objective(loss, 0.1, 0)
    if OBJECTIVES[loss].smooths_labels:
        check_objective(loss, 0.1, 0.49)
    else:
        with pytest.raises(UsageError, match=f"--loss {loss.value} does not read --label-smoothing; dpo, robust do"):
            check_objective(loss, 0.1, 0.3)


@pytest.mark.parametrize("beta", [0, -0.1, math.nan])
def test_beta_is_above_zero(beta):
    with pytest.raises(UsageError, match="--beta .*: must be greater than 0"):
        check_objective(Loss.dpo, beta, 0)


@pytest.mark.parametrize("eps", [-0.1, 0.5, 1, math.nan])
def test_smoothing_is_below_one_half(eps):
    with pytest.raises(UsageError, match="--label-smoothing .*: must be at least 0 and below 0.5"):
        check_objective(Loss.robust, 0.1, eps)


def test_all_complaints_are_in_one_message():
    with pytest.raises(UsageError, match="--beta .*; --label-smoothing .*; --loss ipo"):
        check_objective(Loss.ipo, 0, 0.7)
