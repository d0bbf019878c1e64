"""SPA: the labels of pairs that the policy itself doubts are softened."""

from typing import Annotated

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from real_cli.train.knobs import NOT_NEGATIVE, SHARE, Beta, Knob, LabelSmoothing
from real_cli.train.logps import CHOSEN, REJECTED, Logps
from real_cli.train.objective import Need, Objective

FlipQuantile = Annotated[float, Knob("Share of recent pairs, those of least margin, that spa distrusts.", SHARE)]
WarmShare = Annotated[float, Knob("Share of the steps before spa distrusts any.", SHARE)]
Extrapolate = Annotated[float, Knob("How far spa's detector goes beyond the policy; 0 is the policy.", NOT_NEGATIVE)]


def spa_loss(
    logps: Logps,
    *,
    beta: Beta = 0.1,
    label_smoothing: LabelSmoothing = 0.1,
    flip_quantile: FlipQuantile = 0.1,
    warm_share: WarmShare = 0.2,
    extrapolate: Extrapolate = 0.5,
) -> Tensor:
    """Return -(1 - a z) log sigmoid(beta h) - a z log sigmoid(-beta h), z = 1 for pairs whose label is in doubt.

    For labels that the model itself gave: DPO, with label smoothing a for doubtful pairs alone. A pair is in doubt if
    its detector margin is below the flip_quantile quantile of those of the last 50 batches, and the run's first
    warm_share is over. The detector margin is beta times the difference of the log-ratios, with the policy's logits
    extrapolated away from the reference, (1 + extrapolate) policy - extrapolate reference. With a = 0, or without a
    doubtful pair, it is DPO.

    The official code has one pair a device and takes the threshold from the last 50 of that device, midway between two
    of them; it is 0 until there are 50. Ours is of all pairs of the last 50 batches. By an oversight in its recipe the
    code does not extrapolate. extrapolate = 0.5 is the paper's value as remembered, unverified.

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


def spa_detector(logps: Logps, *, beta: Beta = 0.1) -> Tensor:
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


def spa_flagged(
    logps: Logps, *, beta: Beta = 0.1, flip_quantile: FlipQuantile = 0.1, warm_share: WarmShare = 0.2
) -> Tensor:
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
    # Quantiles of half precision are not defined.
    wide = torch.promote_types(margins.dtype, torch.float32)
    threshold = torch.quantile(logps.recent.to(margins.device, wide), flip_quantile)
    return (margins < threshold).to(margins.dtype)


ROWS = {
    "spa": Objective(
        spa_loss,
        Need.reference | Need.decoupled,
        remembers=spa_detector,
        shows=(("flagged", spa_flagged), ("detector", spa_detector)),
    ),
}
