"""SPPO: each log-ratio regressed on a win probability, soft or hard."""

from torch import Tensor

from real_cli.train.knobs import Beta
from real_cli.train.logps import Logps
from real_cli.train.objective import Column, Objective


def sppo_loss(logps: Logps, *, beta: Beta = 0.001) -> Tensor:
    """Return 1/2 [(lr_w - (P_w - 1/2) / beta)^2 + (lr_l - (P_l - 1/2) / beta)^2], lr a log-ratio, P a win probability.

    Self-play: each log-ratio is pulled to how far its response is above or below even odds against the other samples
    of the prompt. P_w and P_l are read from the fields prob_chosen and prob_rejected; both 1/2 pull the policy to the
    reference. With 1 and 0 it is half of `sppo-hard`.

    Args:
        logps: Log-probabilities of a batch of pairs, under policy and reference; columns prob_chosen and prob_rejected,
            in [0, 1].
        beta: Reciprocal of the paper's eta, > 0; the official recipe has eta = 1000.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> sppo_loss(made_up_logps([1.0], prob_chosen=0.75, prob_rejected=0.5), beta=0.25)
        tensor([0.])

    References:
        Wu et al., 2024, SPPO, arXiv:2405.00675, eq. 4.7; the factor 1/2 as in its code.
    """
    chosen_target = (logps.columns["prob_chosen"] - 0.5) / beta
    rejected_target = (logps.columns["prob_rejected"] - 0.5) / beta
    squares = (logps.chosen_logratios - chosen_target) ** 2 + (logps.rejected_logratios - rejected_target) ** 2
    return 0.5 * squares


def sppo_hard_loss(logps: Logps, *, beta: Beta = 0.001) -> Tensor:
    """Return (lr_w - 1 / (2 beta))^2 + (lr_l + 1 / (2 beta))^2, lr a log-ratio: SPPO with win probabilities 1 and 0.

    SPPO for pairs without win probabilities. TRL sums the two squares and so do we; the paper's code takes half of
    that.

    Args:
        logps: Log-probabilities of a batch of pairs, under policy and reference.
        beta: Reciprocal of the paper's eta, > 0.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> sppo_hard_loss(made_up_logps([0.0]), beta=0.5)
        tensor([2.])

    References:
        Wu et al., 2024, SPPO, arXiv:2405.00675, eq. 4.7, as TRL's `sppo_hard`.
    """
    target = 0.5 / beta
    return (logps.chosen_logratios - target) ** 2 + (logps.rejected_logratios + target) ** 2


ROWS = {
    "sppo": Objective(sppo_loss, columns=(Column("prob_chosen", 0, 1), Column("prob_rejected", 0, 1))),
    "sppo-hard": Objective(sppo_hard_loss),
}
