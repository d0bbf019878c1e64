"""IPO: the squared distance of the margin from a target."""

from torch import Tensor

from real_cli.train.knobs import Beta
from real_cli.train.logps import Logps
from real_cli.train.losses.dpo import token_logits
from real_cli.train.objective import Objective


def ipo_loss(logps: Logps, *, beta: Beta = 0.1) -> Tensor:
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


ROWS = {
    "ipo": Objective(ipo_loss),
}
