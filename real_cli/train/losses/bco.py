"""BCO: a binary classifier of each response, against a baseline of the batch."""

from torch import Tensor
from torch.nn.functional import logsigmoid

from real_cli.train.knobs import Beta
from real_cli.train.logps import Logps
from real_cli.train.objective import Objective


def bco_loss(logps: Logps, *, beta: Beta = 0.1) -> Tensor:
    """Return -log sigmoid(r_w) - log sigmoid(-r_l), with r = beta times a log-ratio.

    A classifier whose logit is the implicit reward: chosen responses are of one class, rejected of the other. TRL's
    `bco_pair`, which leaves out the running mean of rewards that the paper subtracts. It starts at 2 ln 2.

    Args:
        logps: Log-probabilities of a batch of pairs, under policy and reference.
        beta: Scale of the implicit rewards, > 0.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> bco_loss(made_up_logps([0.0]))
        tensor([1.3863])

    References:
        Jung et al., 2024, BCO, arXiv:2404.04656.
    """
    return -logsigmoid(beta * logps.chosen_logratios) - logsigmoid(-beta * logps.rejected_logratios)


ROWS = {
    "bco": Objective(bco_loss),
}
