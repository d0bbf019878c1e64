"""DiscoPOP: the objective that a language model discovered."""

from typing import Annotated

import torch
from torch import Tensor, sigmoid
from torch.nn.functional import logsigmoid

from real_cli.train.knobs import POSITIVE, Beta, Knob
from real_cli.train.logps import Logps
from real_cli.train.objective import Objective

Tau = Annotated[float, Knob("Temperature of discopop's blend.", POSITIVE)]


def discopop_loss(logps: Logps, *, beta: Beta = 0.1, tau: Tau = 0.05) -> Tensor:
    """Return (1 - m) (-log sigmoid(beta h)) + m exp(-beta h), with the mixing weight m = sigmoid(beta h / tau).

    The log-ratio modulated loss that a language model proposed: DPO for pairs the policy orders wrongly, an exponential
    loss for the others. It is not convex: within about 2 tau of beta h = 0 it rises, so that some pairs are held just
    short of a tie.

    Args:
        logps: Log-probabilities of a batch of pairs, under policy and reference.
        beta: Strength of the pull towards the reference, > 0.
        tau: Width of the step between the two losses, in units of beta h, in (0, 1).

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> discopop_loss(made_up_logps([0.0, 5.0]))
        tensor([0.8466, 0.6065])

    References:
        Lu et al., 2024, DiscoPOP, arXiv:2406.08414, eq. 5.
    """
    logits = beta * logps.logits
    # One exponent for m exp(-beta h): each factor alone would overflow for a pair that is ordered very wrongly.
    exponential = torch.exp(logsigmoid(logits / tau) - logits)
    return -sigmoid(-logits / tau) * logsigmoid(logits) + exponential


ROWS = {
    "discopop": Objective(discopop_loss),
}
