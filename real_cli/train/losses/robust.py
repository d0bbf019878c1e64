"""Robust DPO (rDPO): unbiased under labels that are flipped at a known rate."""

from torch import Tensor
from torch.nn.functional import logsigmoid

from real_cli.train.logps import Logps
from real_cli.train.objective import Objective


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


ROWS = {
    "robust": Objective(robust_loss),
}
