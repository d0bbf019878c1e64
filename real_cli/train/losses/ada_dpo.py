"""DPO with something of its own for each pair: a temperature, an offset, a suspected flip. Shape (batch,)."""

import math
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from real_cli.train.logps import CHOSEN, REJECTED, Logps


def ada_dpo_loss(
    logps: Logps, *, beta: float = 0.1, rho: float = 0.5, tau_min: float = 0.1, tau_max: float = 5.0
) -> Tensor:
    """Return min over tau in [tau_min, tau_max] of -tau log sigmoid(beta h / tau) - rho tau.

    DPO with adaptive preference scaling: a clear pair gets a large temperature tau, an ambiguous one a small. The
    minimum is known in closed form, tau = clip(|beta h| / x), x the solution of -log sigmoid(x) + x sigmoid(-x) = rho,
    and carries no gradient. The loss is negative for pairs the policy orders well: that is no fault.

    Not read in the paper, so check before quoting: the formula is re-derived from its abstract (the dual of a
    KL-constrained problem), and the defaults of rho, tau_min and tau_max are ours.

    Args:
        logps: Log-probabilities of a batch of pairs, under policy and reference.
        beta: Strength of the pull towards the reference, > 0.
        rho: Reward for a large tau, in (0, ln 2); larger makes tau grow faster with the margin.
        tau_min: Smallest temperature, > 0; that of a tie.
        tau_max: Largest temperature, at least `tau_min`. Both 1 is DPO less the constant rho.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> ada_dpo_loss(made_up_logps([0.5, 5.0, -20.0]))
        tensor([-0.0026, -0.0999,  1.6006])

    References:
        Hong et al., 2024, Adaptive Preference Scaling, arXiv:2406.02764.
    """
    # At the minimum the gradient through tau is 0 (or tau is at an end): the one at fixed tau is exact.
    tau = ada_dpo_tau(logps, beta=beta, rho=rho, tau_min=tau_min, tau_max=tau_max)
    return -tau * logsigmoid(beta * logps.logits / tau) - rho * tau


def ada_dpo_tau(
    logps: Logps, *, beta: float = 0.1, rho: float = 0.5, tau_min: float = 0.1, tau_max: float = 5.0
) -> Tensor:
    """Return the temperature that `ada_dpo_loss` gives each pair, clip(|beta h| / x, tau_min, tau_max).

    Args:
        logps: Log-probabilities of a batch of pairs, under policy and reference.
        beta: As in `ada_dpo_loss`; the other three likewise.
        rho: Entropy in nats that the label is to have, in (0, ln 2).
        tau_min: Smallest temperature.
        tau_max: Largest temperature.

    Returns:
        tau of each pair, shape (batch,); no gradient.

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> ada_dpo_tau(made_up_logps([0.0, 5.0, 100.0]))
        tensor([0.1000, 0.3602, 5.0000])
    """
    return ((beta * logps.logits.detach()).abs() / logit_of_entropy(rho)).clamp(min=tau_min, max=tau_max)


@lru_cache(maxsize=64)
def logit_of_entropy(entropy: float) -> float:
    """Solve -log sigmoid(x) + x sigmoid(-x) = entropy: the positive logit of a coin with that entropy.

    Args:
        entropy: In nats, in (0, ln 2).

    Returns:
        x > 0, to the last bits of a double.

    Example:
        >>> round(logit_of_entropy(0.5), 6)
        1.388108
    """
    low, high = 0.0, 1000.0
    # The entropy falls as x grows; each step halves the interval until no double lies within.
    while low < (middle := (low + high) / 2) < high:
        odds = math.exp(-middle)
        too_close = math.log1p(odds) + middle * odds / (1 + odds) > entropy
        low, high = (middle, high) if too_close else (low, middle)
    return high


def dlma_loss(
    logps: Logps, *, beta: float = 0.1, offset_scale: float = 0.2, offset_min: float = -40.0, offset_max: float = 40.0
) -> Tensor:
    """Return -log sigmoid(beta (h - offset_scale clip(R, offset_min, offset_max))), R the self-reward margin.

    DPO that asks of each pair a margin of its own: the larger the model's own estimate R of how much better the chosen
    response is, the further the two are driven apart. R is read from the field offset, in nats. With R = 0 or
    offset_scale = 0 it is DPO.

    beta multiplies the offset too, as in the official code; the paper is said to put offset_scale * clip(R) outside
    beta (unverified), which with the same offset_scale would be 1 / beta times stronger. To get that, divide
    offset_scale by beta.

    Args:
        logps: Log-probabilities of a batch of pairs, under policy and reference; column offset, in nats.
        beta: Strength of the pull towards the reference, > 0.
        offset_scale: beta_1 of the paper.
        offset_min: Lower end of what R is clipped to, in nats.
        offset_max: Upper end, in nats.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> dlma_loss(made_up_logps([0.0], offset=40.0)), dlma_loss(made_up_logps([0.0], offset=-100.0))
        (tensor([1.1711]), tensor([0.3711]))

    References:
        Liu et al., 2024, DLMA, arXiv:2402.11907.
    """
    offsets = offset_scale * logps.columns["offset"].clamp(min=offset_min, max=offset_max)
    return -logsigmoid(beta * (logps.logits - offsets))


def spa_loss(
    logps: Logps,
    *,
    beta: float = 0.1,
    label_smoothing: float = 0.1,
    flip_quantile: float = 0.1,
    warm_share: float = 0.2,
    extrapolate: float = 0.5,
) -> Tensor:
    """Return -(1 - a z) log sigmoid(beta h) - a z log sigmoid(-beta h), z = 1 for pairs whose label is in doubt.

    For labels that the model itself gave: DPO, with label smoothing a for doubtful pairs alone. A pair is in doubt if
    its detector margin is below the flip_quantile quantile of those of the last 50 batches, and the run's first
    warm_share is over. The detector margin is beta times the difference of the log-ratios, with the policy's logits
    extrapolated away from the reference, (1 + extrapolate) policy - extrapolate reference. With a = 0, or without a
    doubtful pair, it is DPO.

    The official code takes the threshold from batch means and, by an oversight in its recipe, does not extrapolate; we
    take it from single pairs. extrapolate = 0.5 is the paper's value as remembered, unverified.

    Args:
        logps: Log-probabilities of a batch of pairs, under policy and reference; `decoupled`, `recent` and `progress`
            for the detector.
        beta: Strength of the pull towards the reference, > 0.
        label_smoothing: a, in [0, 0.5).
        flip_quantile: Share of pairs that are in doubt, in [0, 1].
        warm_share: Share of the run's steps during which no pair is, in [0, 1].
        extrapolate: lambda, at least 0, of whoever makes `logps.decoupled`; 0 for the policy itself.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from dataclasses import replace
        >>> from real_cli.train.logps import made_up_logps
        >>> logps = replace(made_up_logps([-3.0, 5.0]), progress=0.5, recent=torch.zeros(1))
        >>> spa_loss(logps)
        tensor([0.8244, 0.4741])

    References:
        Kim et al., 2024, SPA, arXiv:2406.04412.
    """
    flagged = spa_flagged(logps, beta=beta, flip_quantile=flip_quantile, warm_share=warm_share)
    share = label_smoothing * flagged
    logits = beta * logps.logits
    return -(1 - share) * logsigmoid(logits) - share * logsigmoid(-logits)


def spa_detector(logps: Logps, *, beta: float = 0.1) -> Tensor:
    """Return the margin by which `spa_loss` finds doubtful pairs: beta h under the extrapolated policy.

    Args:
        logps: Log-probabilities of a batch of pairs; the policy's own are taken if `decoupled` is None.
        beta: Strength of the pull towards the reference, > 0.

    Returns:
        Margin of each pair, shape (batch,); no gradient.

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> spa_detector(made_up_logps([5.0]))
        tensor([0.5000])
    """
    policy = logps.policy if logps.decoupled is None else logps.decoupled
    ratios = policy.detach() - logps.reference
    return beta * (ratios[:, CHOSEN] - ratios[:, REJECTED])


def spa_flagged(logps: Logps, *, beta: float = 0.1, flip_quantile: float = 0.1, warm_share: float = 0.2) -> Tensor:
    """Return which pairs `spa_loss` doubts.

    Args:
        logps: Log-probabilities of a batch of pairs; without `recent` no pair is in doubt.
        beta: As in `spa_loss`; the other two likewise.
        flip_quantile: Share of pairs that are in doubt, in [0, 1].
        warm_share: Share of the run's steps during which no pair is, in [0, 1].

    Returns:
        z of each pair, 0 or 1, shape (batch,); no gradient.

    Example:
        >>> from dataclasses import replace
        >>> from real_cli.train.logps import made_up_logps
        >>> spa_flagged(replace(made_up_logps([-3.0, 5.0]), progress=0.2, recent=torch.zeros(1)))
        tensor([1., 0.])
    """
    margins = spa_detector(logps, beta=beta)
    if logps.recent is None or not len(logps.recent) or logps.progress < warm_share:
        return torch.zeros_like(margins)
    threshold = torch.quantile(logps.recent.to(margins), flip_quantile)
    return (margins < threshold).to(margins.dtype)
