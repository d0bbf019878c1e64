"""APO-zero and APO-down: anchored preference optimization."""

from torch import Tensor, sigmoid

from real_cli.train.knobs import Beta
from real_cli.train.logps import Logps
from real_cli.train.objective import Objective


def apo_zero_loss(logps: Logps, *, beta: Beta = 0.1) -> Tensor:
    """Return 1 - sigmoid(r_w) + sigmoid(r_l), with r = beta times a log-ratio.

    Anchored preference optimization for chosen responses that are better than what the model writes: chosen up,
    rejected down, each by itself. Between 0 and 2; it starts at 1.

    Args:
        logps: Log-probabilities of a batch of pairs, under policy and reference.
        beta: Scale of the implicit rewards, > 0.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> apo_zero_loss(made_up_logps([0.0, 5.0]))
        tensor([1.0000, 0.8775])

    References:
        D'Oosterlinck et al., 2024, APO, arXiv:2408.06266, eq. 7.
    """
    return sigmoid(-beta * logps.chosen_logratios) + sigmoid(beta * logps.rejected_logratios)


def apo_down_loss(logps: Logps, *, beta: Beta = 0.1) -> Tensor:
    """Return sigmoid(r_w) + 1 - sigmoid(r_w - r_l), with r = beta times a log-ratio.

    Anchored preference optimization for chosen responses that are worse than what the model writes: both go down, the
    rejected one more. Between 0 and 2; it starts at 1.

    Args:
        logps: Log-probabilities of a batch of pairs, under policy and reference.
        beta: Scale of the implicit rewards, > 0.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> apo_down_loss(made_up_logps([0.0, 5.0]))
        tensor([1., 1.])

    References:
        D'Oosterlinck et al., 2024, APO, arXiv:2408.06266, eq. 8.
    """
    return sigmoid(beta * logps.chosen_logratios) + sigmoid(-beta * logps.logits)


ROWS = {
    "apo-zero": Objective(apo_zero_loss),
    "apo-down": Objective(apo_down_loss),
}
