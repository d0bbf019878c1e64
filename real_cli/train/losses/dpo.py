"""Objectives on the difference of the two log-ratios, h in METHODS 0.1: one value a pair, shape (batch,).

`beta` is the strength of the pull towards the reference; `label_smoothing` the share of labels thought to be flipped.
"""

import math

import torch
from torch import Tensor, relu, sigmoid
from torch.nn.functional import logsigmoid

from real_cli.train.logps import CHOSEN, REJECTED, Logps


def dpo_loss(logps: Logps, *, beta: float = 0.1) -> Tensor:
    """Return -log sigmoid(beta h), h the log-ratio of the chosen less that of the rejected response.

    The plain objective: it raises the chosen response over the rejected one, relative to the reference. It starts at
    ln 2 when policy and reference are the same model. It takes no label smoothing; `cdpo` and `robust` do.

    Args:
        logps: Log-probabilities of a batch of pairs, under policy and reference.
        beta: Strength of the pull towards the reference, > 0; the paper uses 0.1 to 0.5.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> dpo_loss(made_up_logps([0.0, 5.0]))
        tensor([0.6931, 0.4741])

    References:
        Rafailov et al., 2023, arXiv:2305.18290, eq. 7.
    """
    return -logsigmoid(beta * logps.logits)


def cdpo_loss(logps: Logps, *, beta: float = 0.1, label_smoothing: float = 0.1) -> Tensor:
    """Return -(1 - eps) log sigmoid(beta h) - eps log sigmoid(-beta h), eps the label smoothing.

    Conservative DPO, the expected DPO loss if a share eps of the labels is flipped. It has its minimum at a finite h,
    where sigmoid(beta h) = 1 - eps, so that pairs that are already clear are not driven further apart. TRL's `sigmoid`
    ignores label smoothing and cannot express it; it is not `robust` either.

    Args:
        logps: Log-probabilities of a batch of pairs, under policy and reference.
        beta: Strength of the pull towards the reference, > 0.
        label_smoothing: eps, share of flipped labels, in [0, 0.5); 0 is DPO.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> cdpo_loss(made_up_logps([5.0]), label_smoothing=0.3)
        tensor([0.6241])

    References:
        Mitchell, 2023, A note on DPO with noisy preferences and its relationship to IPO, eq. 3.
    """
    return smoothed(beta * logps.logits, label_smoothing)


def ipo_loss(logps: Logps, *, beta: float = 0.1) -> Tensor:
    """Return (h - 1 / (2 beta))^2, with log-ratios per token.

    It pulls the margin to a target instead of pushing it without end, so that labels that are always right do not
    wipe out the reference. The paper sums log-ratios over tokens; TRL averages them, as its authors confirmed they
    did, and so do we.

    Args:
        logps: Log-probabilities of a batch of pairs, under policy and reference, and lengths in tokens.
        beta: The paper's tau, > 0; the target is 1 / (2 beta) nats a token.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> ipo_loss(made_up_logps([10.0], length=2))
        tensor([0.])

    References:
        Azar et al., 2023, arXiv:2310.12036, eq. 17.
    """
    return (token_logits(logps) - 1 / (2 * beta)) ** 2


def hinge_loss(logps: Logps, *, beta: float = 0.1) -> Tensor:
    """Return max(0, 1 - beta h), SLiC's calibration loss on the implicit rewards.

    Sequence likelihood calibration: pairs with a margin above 1 / beta have no gradient any more.

    Args:
        logps: Log-probabilities of a batch of pairs, under policy and reference.
        beta: Reciprocal of the wanted margin in nats, > 0.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> hinge_loss(made_up_logps([5.0, 20.0]))
        tensor([0.5000, 0.0000])

    References:
        Zhao et al., 2023, SLiC-HF, arXiv:2305.10425, eq. 2, normalized as in Liu et al., 2023, RSO, arXiv:2309.06657.
    """
    return relu(1 - beta * logps.logits)


def robust_loss(logps: Logps, *, beta: float = 0.1, label_smoothing: float = 0.1) -> Tensor:
    """Return [-(1 - eps) log sigmoid(beta h) + eps log sigmoid(-beta h)] / (1 - 2 eps), eps the label smoothing.

    DPO that flipped labels do not bias: its mean over labels of which a share eps is flipped is the DPO loss on clean
    ones. It can be negative. It is not `cdpo`, whose second term has the other sign.

    Args:
        logps: Log-probabilities of a batch of pairs, under policy and reference.
        beta: Strength of the pull towards the reference, > 0.
        label_smoothing: eps, the share of flipped labels, in [0, 0.5); 0 is DPO.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> robust_loss(made_up_logps([5.0]), label_smoothing=0.3)
        tensor([0.0991])

    References:
        Chowdhury et al., 2024, Robust DPO, arXiv:2403.00409, eq. 12.
    """
    logits = beta * logps.logits
    clean = -(1 - label_smoothing) * logsigmoid(logits)
    flipped = -label_smoothing * logsigmoid(-logits)
    return (clean - flipped) / (1 - 2 * label_smoothing)


def exo_loss(logps: Logps, *, beta: float = 0.1, label_smoothing: float = 1e-3) -> Tensor:
    """Return the KL divergence of (q, 1 - q) from (1 - eps, eps), q = sigmoid(beta h), eps the label smoothing.

    Efficient exact optimization: the reverse of DPO's divergence, which seeks a mode instead of covering the labels.
    Written out, q log(q / (1 - eps)) + (1 - q) log((1 - q) / eps). Its minimum, 0, is at q = 1 - eps; eps = 0 would
    make it infinite. As TRL's `exo_pair`. Far from its minimum the gradient vanishes: a pair which the policy orders
    very wrongly is left alone.

    Args:
        logps: Log-probabilities of a batch of pairs, under policy and reference.
        beta: Strength of the pull towards the reference, > 0.
        label_smoothing: eps, in (0, 0.5).

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> exo_loss(made_up_logps([0.0]))
        tensor([2.7612])

    References:
        Ji et al., 2024, EXO, arXiv:2402.00856, eq. 16.
    """
    logits = beta * logps.logits
    right = sigmoid(logits) * (logsigmoid(logits) - math.log1p(-label_smoothing))
    wrong = sigmoid(-logits) * (logsigmoid(-logits) - math.log(label_smoothing))
    return right + wrong


def discopop_loss(logps: Logps, *, beta: float = 0.1, tau: float = 0.05) -> Tensor:
    """Return (1 - m) (-log sigmoid(beta h)) + m exp(-beta h), with the mixing weight m = sigmoid(beta h / tau).

    The log-ratio modulated loss that a language model proposed: DPO for pairs the policy orders wrongly, an exponential
    loss for the others. It is not convex: within about 2 tau of beta h = 0 it rises, so that some pairs are held just
    short of a tie.

    Args:
        logps: Log-probabilities of a batch of pairs, under policy and reference.
        beta: Strength of the pull towards the reference, > 0.
        tau: Width of the step between the two losses, in units of beta h, in (0, 1).

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> discopop_loss(made_up_logps([0.0, 5.0]))
        tensor([0.8466, 0.6065])

    References:
        Lu et al., 2024, DiscoPOP, arXiv:2406.08414, eq. 5.
    """
    logits = beta * logps.logits
    # One exponent for m exp(-beta h): each factor alone would overflow for a pair that is ordered very wrongly.
    exponential = torch.exp(logsigmoid(logits / tau) - logits)
    return -sigmoid(-logits / tau) * logsigmoid(logits) + exponential


def dpo_norm_loss(logps: Logps, *, beta: float = 0.1) -> Tensor:
    """Return -log sigmoid(beta h), with log-ratios per token.

    DPO that does not reward length: a long response has no larger margin than a short one with the same log-ratio a
    token. TRL's `sigmoid_norm`. Margins are smaller than summed ones, so beta is commonly larger than DPO's.

    Args:
        logps: Log-probabilities of a batch of pairs, under policy and reference, and lengths in tokens.
        beta: Strength of the pull towards the reference, > 0.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> dpo_norm_loss(made_up_logps([10.0], length=2))
        tensor([0.4741])

    References:
        Rafailov et al., 2023, arXiv:2305.18290, eq. 7, divided by lengths as TRL 1.16 does.
    """
    return -logsigmoid(beta * token_logits(logps))


def smoothed(logits: Tensor, label_smoothing: float) -> Tensor:
    """Return the negative log-likelihood of a label that is flipped with a given probability.

    Args:
        logits: Of the label as it is, any shape.
        label_smoothing: Probability of a flip, in [0, 0.5).

    Returns:
        -(1 - eps) log sigmoid(logits) - eps log sigmoid(-logits), shape of `logits`.

    Example:
        >>> smoothed(torch.tensor([0.5]), 0.3)
        tensor([0.6241])
    """
    return -(1 - label_smoothing) * logsigmoid(logits) - label_smoothing * logsigmoid(-logits)


def token_logits(logps: Logps) -> Tensor:
    """Return the difference of the log-ratios per token.

    Args:
        logps: Log-probabilities of a batch of pairs.

    Returns:
        Nats a token, shape (batch,); an empty response counts as one token.

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> token_logits(made_up_logps([10.0], length=2))
        tensor([5.])
    """
    ratios = logps.logratios / logps.lengths.clamp(min=1)
    return ratios[:, CHOSEN] - ratios[:, REJECTED]
