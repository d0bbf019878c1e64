"""SimPO: mean log-probabilities with a target margin."""

from torch import Tensor
from torch.nn.functional import logsigmoid

from real_cli.train.knobs import Beta, Gamma
from real_cli.train.logps import CHOSEN, REJECTED, Logps
from real_cli.train.objective import Need, Objective


def simpo_loss(logps: Logps, *, beta: Beta = 2.0, gamma: Gamma = 1.0) -> Tensor:
    """Return -log sigmoid(beta (avg_w - avg_l) - gamma), avg a log-probability per token.

    Without a reference: the reward is what generation ranks by, and the chosen response is to win by the margin gamma.
    TRL's CPO trainer with loss simpo also adds the likelihood of the chosen response unless its cpo_alpha is 0; sum
    simpo,sft for that.

    Args:
        logps: Log-probabilities of a batch of pairs under the policy, and lengths in tokens.
        beta: Scale of the reward, > 0; the paper uses 2.0 to 2.5, later recipes 10.
        gamma: Target margin, in units of the reward.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> simpo_loss(made_up_logps([2.0], length=4))
        tensor([0.6931])

    References:
        Meng et al., 2024, SimPO, arXiv:2405.14734.
    """
    averages = logps.averages
    return -logsigmoid(beta * (averages[:, CHOSEN] - averages[:, REJECTED]) - gamma)


ROWS = {
    "simpo": Objective(simpo_loss, Need.nothing, averages=True),
}
