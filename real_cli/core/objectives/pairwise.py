"""Objectives of two responses: one value a pair, shape (batch,), no reduction.

All have one signature. `beta` is the strength of the pull towards the reference; `label_smoothing` the share of labels
thought to be flipped, in [0, 0.5).
"""

from torch import Tensor, relu
from torch.nn.functional import logsigmoid

from real_cli.core.objectives.logps import PairLogps


def dpo_loss(logps: PairLogps, *, beta: float, label_smoothing: float = 0.0) -> Tensor:
    """Return -log sigmoid(beta h), with label smoothing the conservative DPO loss.

    -(1 - eps) log sigmoid(beta h) - eps log sigmoid(-beta h). TRL's `sigmoid` ignores label smoothing.

    Args:
        logps: Log-probabilities of a batch of pairs.
        beta: Strength of the pull towards the reference, > 0; the paper uses 0.1 to 0.5.
        label_smoothing: eps, in [0, 0.5).

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.core.objectives.logps import made_up_logps
        >>> dpo_loss(made_up_logps([0.0, 5.0]), beta=0.1)
        tensor([0.6931, 0.4741])

    References:
        Rafailov et al., 2023, arXiv:2305.18290, eq. 7; smoothing: Mitchell, 2023, cDPO, eq. 3.
    """
    logits = beta * logps.logits
    return -(1 - label_smoothing) * logsigmoid(logits) - label_smoothing * logsigmoid(-logits)


def ipo_loss(logps: PairLogps, *, beta: float, label_smoothing: float = 0.0) -> Tensor:
    """Return (h - 1 / (2 beta))^2 on log-ratios per token.

    The paper sums over tokens; TRL averages, as its authors confirmed they did, and so do we.

    Args:
        logps: Log-probabilities of a batch of pairs.
        beta: The paper's tau, > 0.
        label_smoothing: Not used by this objective.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.core.objectives.logps import made_up_logps
        >>> ipo_loss(made_up_logps([10.0], length=2), beta=0.1)
        tensor([0.])

    References:
        Azar et al., 2023, arXiv:2310.12036, eq. 17.
    """
    chosen = logps.chosen_logratios / logps.chosen_lengths.clamp(min=1)
    rejected = logps.rejected_logratios / logps.rejected_lengths.clamp(min=1)
    return (chosen - rejected - 1 / (2 * beta)) ** 2


def hinge_loss(logps: PairLogps, *, beta: float, label_smoothing: float = 0.0) -> Tensor:
    """Return max(0, 1 - beta h), SLiC's calibration loss on the implicit rewards.

    Args:
        logps: Log-probabilities of a batch of pairs.
        beta: Reciprocal of the margin, > 0.
        label_smoothing: Not used by this objective.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.core.objectives.logps import made_up_logps
        >>> hinge_loss(made_up_logps([5.0, 20.0]), beta=0.1)
        tensor([0.5000, 0.0000])

    References:
        Zhao et al., 2023, SLiC-HF, arXiv:2305.10425, eq. 2, normalized as in Liu et al., 2023, RSO, arXiv:2309.06657.
    """
    return relu(1 - beta * logps.logits)


def robust_loss(logps: PairLogps, *, beta: float, label_smoothing: float = 0.0) -> Tensor:
    """Return the loss whose mean under flipped labels is the DPO loss under clean ones.

    [-(1 - eps) log sigmoid(beta h) + eps log sigmoid(-beta h)] / (1 - 2 eps). Not the smoothing of `dpo_loss`.

    Args:
        logps: Log-probabilities of a batch of pairs.
        beta: Strength of the pull towards the reference, > 0.
        label_smoothing: eps, the share of flipped labels, in [0, 0.5).

    Returns:
        Loss of each pair, shape (batch,); it can be negative.

    Example:
        >>> from real_cli.core.objectives.logps import made_up_logps
        >>> robust_loss(made_up_logps([5.0]), beta=0.1, label_smoothing=0.3)
        tensor([0.0991])

    References:
        Chowdhury et al., 2024, Robust DPO, arXiv:2403.00409, eq. 12.
    """
    logits = beta * logps.logits
    clean = -(1 - label_smoothing) * logsigmoid(logits)
    flipped = -label_smoothing * logsigmoid(-logits)
    return (clean - flipped) / (1 - 2 * label_smoothing)


def sppo_hard_loss(logps: PairLogps, *, beta: float, label_smoothing: float = 0.0) -> Tensor:
    """Return the squared distance of both log-ratios from +-1 / (2 beta), SPPO with win probabilities 1 and 0.

    TRL sums the two squares; the paper's code takes half of that.

    Args:
        logps: Log-probabilities of a batch of pairs.
        beta: Reciprocal of the paper's eta, > 0.
        label_smoothing: Not used by this objective.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.core.objectives.logps import made_up_logps
        >>> sppo_hard_loss(made_up_logps([0.0]), beta=0.5)
        tensor([2.])

    References:
        Wu et al., 2024, SPPO, arXiv:2405.00675, eq. 4.7, as TRL's `sppo_hard`.
    """
    target = 0.5 / beta
    return (logps.chosen_logratios - target) ** 2 + (logps.rejected_logratios + target) ** 2
