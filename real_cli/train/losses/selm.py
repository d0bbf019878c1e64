"""SELM: DPO with a term that explores."""

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from real_cli.train.knobs import Alpha, Beta
from real_cli.train.logps import CHOSEN, REJECTED, THIRD, Logps
from real_cli.train.objective import Objective, Responses


def selm_loss(logps: Logps, *, beta: Beta = 0.01, alpha: Alpha = 1e-3) -> Tensor:
    """Return -log sigmoid(beta h) + alpha beta lr(y'), y' the model's own greedy answer, lr its log-ratio.

    Self-exploring: DPO which lowers the likelihood of what the last model would have said anyway, so that the next
    round's samples explore. y' is read from the field reference: what the reference model writes at temperature 0. With
    alpha = 0 it is DPO.

    Args:
        logps: Log-probabilities of a batch of triples, under policy and reference.
        beta: Strength of the pull towards the reference, > 0.
        alpha: Weight of the optimism, at least 0; the official recipes use 1e-3 and 1e-4.

    Returns:
        Loss of each triple, shape (batch,), at least in float32: alpha * beta is too small for half precision.

    Example:
        >>> policy, zeros = torch.tensor([[50.0, 0.0, -30.0]]), torch.zeros(1, 3)
        >>> selm_loss(Logps(policy, zeros, zeros + 1, zeros == 0, zeros))
        tensor([0.4738])

    References:
        Zhang et al., 2024, SELM, arXiv:2405.19332.
    """
    wide = torch.promote_types(logps.policy.dtype, torch.float32)
    ratios = logps.policy.to(wide) - logps.reference.to(wide)
    return -logsigmoid(beta * (ratios[:, CHOSEN] - ratios[:, REJECTED])) + alpha * beta * ratios[:, THIRD]


ROWS = {
    "selm": Objective(selm_loss, responses=Responses.triple),
}
