"""NCA: noise contrastive alignment."""

from torch import Tensor
from torch.nn.functional import logsigmoid

from real_cli.train.knobs import Beta
from real_cli.train.logps import Logps
from real_cli.train.objective import Objective


def nca_loss(logps: Logps, *, beta: Beta = 0.1) -> Tensor:
    """Return -log sigmoid(r_w) - 0.5 log sigmoid(-r_w) - 0.5 log sigmoid(-r_l), with r = beta times a log-ratio.

    Noise-contrastive alignment: it keeps the likelihood of the chosen response from falling, which DPO allows, and, by
    the middle term, from growing without end. TRL's `nca_pair`. It starts at 2 ln 2 when policy and reference agree.

    Args:
        logps: Log-probabilities of a batch of pairs, under policy and reference.
        beta: Scale of the implicit rewards, > 0.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> nca_loss(made_up_logps([0.0]))
        tensor([1.3863])

    References:
        Chen et al., 2024, NCA, arXiv:2402.05369.
    """
    chosen, rejected = beta * logps.chosen_logratios, beta * logps.rejected_logratios
    return -logsigmoid(chosen) - 0.5 * logsigmoid(-chosen) - 0.5 * logsigmoid(-rejected)


ROWS = {
    "nca": Objective(nca_loss),
}
