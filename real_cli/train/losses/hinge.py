"""The hinge of SLiC-HF on the reward margin."""

from torch import Tensor, relu

from real_cli.train.knobs import Beta
from real_cli.train.logps import Logps
from real_cli.train.objective import Objective


def hinge_loss(logps: Logps, *, beta: Beta = 0.1) -> Tensor:
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


ROWS = {
    "hinge": Objective(hinge_loss),
}
