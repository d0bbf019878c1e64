"""ORPO: the odds ratio of two responses, beside supervised fine-tuning."""

from torch import Tensor
from torch.nn.functional import logsigmoid

from real_cli.train.knobs import Beta
from real_cli.train.logps import CHOSEN, REJECTED, Logps
from real_cli.train.losses.sft import NEARLY_CERTAIN, log1mexp
from real_cli.train.objective import Need, Objective


def orpo_loss(logps: Logps, *, beta: Beta = 0.1) -> Tensor:
    """Return NLL(y_w) - beta log sigmoid(log odds_w - log odds_l), odds = p / (1 - p), p the mean token's probability.

    Odds ratio preference optimization: fine-tuning on the chosen response, and a penalty on the odds of the rejected
    one. No reference. log p is the log-probability per token; NLL is the mean over the response tokens of the batch.
    TRL counts the tokens of the prompt in NLL too, so its values differ from these.

    Args:
        logps: Log-probabilities of a batch of pairs under the policy, and lengths in tokens.
        beta: Weight of the odds ratio, > 0; the paper's lambda.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> import torch
        >>> from real_cli.train.logps import pair_logps
        >>> p, one = torch.tensor([0.5]), torch.ones(1)
        >>> orpo_loss(pair_logps(p.log(), p.log(), 0 * one, 0 * one, one, one))
        tensor([0.7625])

    References:
        Hong et al., 2024, ORPO, arXiv:2403.07691, eq. 4 and 7.
    """
    averages = logps.averages.clamp(max=NEARLY_CERTAIN)
    log_odds = averages - log1mexp(averages)
    return logps.token_mean(CHOSEN) - beta * logsigmoid(log_odds[:, CHOSEN] - log_odds[:, REJECTED])


ROWS = {
    "orpo": Objective(orpo_loss, Need.nothing, averages=True),
}
