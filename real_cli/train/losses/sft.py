"""SFT: the likelihood of the chosen response alone."""

import math

import torch
from torch import Tensor

from real_cli.train.logps import CHOSEN, Logps
from real_cli.train.objective import Need, Objective

# Log-probability per token above which a response counts as certain: log(1 - p) and its gradient stay finite.
NEARLY_CERTAIN = -1e-6


def sft_loss(logps: Logps) -> Tensor:
    """Return -lp(y_w) / (mean number of tokens of y_w), whose mean over a batch is the negative log-likelihood a token.

    Supervised fine-tuning on the chosen responses, for sums such as dpo,sft. As in TRL every token of a batch counts
    the same, so a long response counts more than a short one.

    Args:
        logps: Log-probabilities under the policy, and lengths in tokens of the whole batch.

    Returns:
        Share of each chosen response, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> sft_loss(made_up_logps([-6.0, -2.0], length=4))
        tensor([1.5000, 0.5000])

    References:
        As the `sft` part of TRL's DPO trainer; together with DPO in Pang et al., 2024, arXiv:2404.19733.
    """
    return logps.token_mean(CHOSEN)


def log1mexp(x: Tensor) -> Tensor:
    """Return log(1 - exp(x)) of x below 0 without losing digits."""
    return torch.where(x > -math.log(2), torch.log(-torch.expm1(x)), torch.log1p(-torch.exp(x)))


ROWS = {
    "sft": Objective(sft_loss, Need.nothing),
}
