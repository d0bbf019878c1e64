"""DLMA: a margin offset by the policy's own reward."""

from torch import Tensor
from torch.nn.functional import logsigmoid

from real_cli.train.logps import Logps
from real_cli.train.objective import Column, Objective


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


ROWS = {
    "dlma": Objective(dlma_loss, columns=(Column("offset"),)),
}
