"""EXO: the reverse Kullback-Leibler divergence from smoothed labels."""

import math

from torch import Tensor, sigmoid
from torch.nn.functional import logsigmoid

from real_cli.train.knobs import Beta, LabelSmoothing
from real_cli.train.logps import Logps
from real_cli.train.objective import Objective


def exo_loss(logps: Logps, *, beta: Beta = 0.1, label_smoothing: LabelSmoothing = 1e-3) -> Tensor:
    """Return the KL divergence of (q, 1 - q) from (1 - eps, eps), q = sigmoid(beta h), eps the label smoothing.

    Efficient exact optimization: the reverse of DPO's divergence, which seeks a mode instead of covering the labels.
    Written out, q log(q / (1 - eps)) + (1 - q) log((1 - q) / eps). Its minimum, 0, is at q = 1 - eps; eps = 0 would
    make it infinite. As TRL's `exo_pair`. Far from its minimum the gradient vanishes: a pair which the policy orders
    very wrongly is left alone.

    Args:
        logps: Log-probabilities of a batch of pairs, under policy and reference.
        beta: Strength of the pull towards the reference, > 0.
        label_smoothing: eps, in (0, 0.5).

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> exo_loss(made_up_logps([0.0]))
        tensor([2.7612])

    References:
        Ji et al., 2024, EXO, arXiv:2402.00856, eq. 16.
    """
    logits = beta * logps.logits
    right = sigmoid(logits) * (logsigmoid(logits) - math.log1p(-label_smoothing))
    wrong = sigmoid(-logits) * (logsigmoid(-logits) - math.log(label_smoothing))
    return right + wrong


ROWS = {
    "exo": Objective(exo_loss, positive=("label_smoothing",)),
}
