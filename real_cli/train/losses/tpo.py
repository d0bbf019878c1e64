"""TPO and TPO-L: preferences and supervised fine-tuning on a gold response."""

from torch import Tensor
from torch.nn.functional import logsigmoid

from real_cli.train.knobs import Alpha, Beta, Gamma
from real_cli.train.logps import CHOSEN, REJECTED, THIRD, Logps
from real_cli.train.objective import Need, Objective, Responses


def tpo_loss(logps: Logps, *, beta: Beta = 0.1, alpha: Alpha = 1.0) -> Tensor:
    """Return -log sigmoid(beta (lp_w - lp_l)) + alpha NLL(y_ref), y_ref a gold response; no reference model.

    Triple preference optimization: the order of two responses is learned from the pair, what a good response is from
    the gold one, in one run. NLL is the mean over the gold tokens of the batch, as in TRL. The gold response is read
    from the field reference. With alpha = 0 it is CPO without likelihood.

    Args:
        logps: Log-probabilities of a batch of triples under the policy, and lengths in tokens.
        beta: Scale of the margin, > 0; the paper's repository has 0.1 and 0.2, TRL 0.01.
        alpha: Weight of the gold response, at least 0; the paper's repository has 0.5 to 1.

    Returns:
        Loss of each triple, shape (batch,).

    Example:
        >>> import torch
        >>> policy, zeros = torch.tensor([[-20.0, -30.0, -12.0]]), torch.zeros(1, 3)
        >>> tpo_loss(Logps(policy, zeros, torch.full((1, 3), 10.0), zeros == 0, zeros), alpha=0.5)
        tensor([0.9133])

    References:
        Saeidi et al., 2024, TPO, arXiv:2405.16681.
    """
    margins = logps.policy[:, CHOSEN] - logps.policy[:, REJECTED]
    return -logsigmoid(beta * margins) + alpha * logps.token_mean(THIRD)


def tpo_l_loss(logps: Logps, *, beta: Beta = 2.0, gamma: Gamma = 0.5, alpha: Alpha = 1.0) -> Tensor:
    """Return -log sigmoid(beta (avg_w - avg_l) - gamma) + alpha NLL(y_ref), avg a log-probability per token.

    TPO with rewards per token and a target margin, as SimPO has them, so that length is not rewarded. NLL is the mean
    over the gold tokens of the batch; the gold response is read from the field reference.

    Args:
        logps: Log-probabilities of a batch of triples under the policy, and lengths in tokens.
        beta: Scale of the reward, > 0.
        gamma: Target margin, in units of the reward; TRL's tpo_l_gamma.
        alpha: Weight of the gold response, at least 0.

    Returns:
        Loss of each triple, shape (batch,).

    Example:
        >>> import torch
        >>> policy, zeros = torch.tensor([[-0.5, -0.8, -1.0]]), torch.zeros(1, 3)
        >>> tpo_l_loss(Logps(policy, zeros, zeros + 1, zeros == 0, zeros), beta=10, gamma=3, alpha=0)
        tensor([0.6931])

    References:
        Saeidi et al., 2024, TPO, arXiv:2405.16681; as TRL's `tpo-l`.
    """
    averages = logps.averages
    margins = averages[:, CHOSEN] - averages[:, REJECTED]
    return -logsigmoid(beta * margins - gamma) + alpha * logps.token_mean(THIRD)


ROWS = {
    "tpo": Objective(tpo_loss, Need.nothing, Responses.triple),
    "tpo-l": Objective(tpo_l_loss, Need.nothing, Responses.triple, averages=True),
}
