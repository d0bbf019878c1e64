"""DLMA: a margin offset by the policy's own reward."""

from typing import Annotated

from torch import Tensor
from torch.nn.functional import logsigmoid

from real_cli.train.knobs import Beta, Knob
from real_cli.train.logps import Logps
from real_cli.train.objective import Column, Objective

OffsetScale = Annotated[float, Knob("What dlma multiplies its offset by.")]
OffsetMin = Annotated[float, Knob("Offsets of dlma below this count as this.", at_most="offset_max")]
OffsetMax = Annotated[float, Knob("Offsets of dlma above this count as this.")]


def dlma_loss(
    logps: Logps,
    *,
    beta: Beta = 0.1,
    offset_scale: OffsetScale = 0.2,
    offset_min: OffsetMin = -40.0,
    offset_max: OffsetMax = 40.0,
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
