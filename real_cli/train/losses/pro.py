"""PRO: each response of a ranking against all behind it."""

import torch
from torch import Tensor

from real_cli.train.knobs import Alpha
from real_cli.train.logps import CHOSEN, Logps
from real_cli.train.objective import Need, Objective, Responses


def pro_loss(logps: Logps, *, alpha: Alpha = 0.05) -> Tensor:
    """Return sum_k L_k + alpha (n - 1)^2 NLL(y_1), over n responses, best first, with scores r.

    Preference ranking optimization: each response is to beat all that are ranked below it, the harder the larger the
    difference of their scores. L_k = -log[exp(s_k T_k) / (exp(s_k T_k) + sum_{j > k} exp(s_j T_kj))], with s a
    log-probability per token, T_kj = r_k - r_j and T_k the largest of them. No reference. Of two responses it is SimPO
    with beta = r_1 - r_2 and gamma = 0, and the last term; of equal scores only the last term moves the policy.

    Every token of a response counts, its first and its end too. The official code masks input positions, so that an end
    is learned only where a response is padded. In the log, rejected is the second best response. NLL is the sum over
    the tokens of the best response, as in the official code, while s is a mean: for long responses the last term rules.

    Args:
        logps: Log-probabilities of a batch of rankings under the policy, lengths in tokens, scores as `marks`;
            rankings may differ in length, what is not `present` counts for nothing.
        alpha: Weight of the best response's likelihood, at least 0.

    Returns:
        Loss of each ranking, shape (batch,).

    Example:
        >>> policy, zeros = torch.tensor([[-1.0, -1.5]]), torch.zeros(1, 2)
        >>> pro_loss(Logps(policy, zeros, zeros + 1, zeros == 0, torch.tensor([[2.0, 0.0]])), alpha=0)
        tensor([0.3133])

    References:
        Song et al., 2023, PRO, arXiv:2306.17492.
    """
    present = logps.present
    averages = logps.averages.where(present, 0)
    size = present.shape[1]
    # [example, k, j]: j is ranked below k.
    below = torch.ones(size, size, dtype=torch.bool, device=present.device).triu(1)
    below = below & present.unsqueeze(2) & present.unsqueeze(1)
    gaps = (logps.marks.unsqueeze(2) - logps.marks.unsqueeze(1)).where(below, -torch.inf)
    # A response with none below has temperature 0 and, alone in its sum, loss 0.
    temperatures = gaps.amax(dim=2).where(below.any(dim=2), 0)
    lifted = averages * temperatures
    others = (averages.unsqueeze(1) * gaps.where(below, 0)).where(below, -torch.inf)
    ranking = torch.cat([lifted.unsqueeze(2), others], dim=2).logsumexp(dim=2) - lifted
    beaten = (present.sum(dim=1) - 1).clamp(min=0).to(logps.policy.dtype)
    return ranking.sum(dim=1) - alpha * beaten**2 * logps.policy[:, CHOSEN]


ROWS = {
    "pro": Objective(pro_loss, Need.nothing, Responses.ranking, averages=True),
}
