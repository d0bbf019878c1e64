"""Objectives that hold each log-ratio by itself, not only their difference: one value a pair, shape (batch,)."""

from torch import Tensor, sigmoid
from torch.nn.functional import logsigmoid

from real_cli.train.logps import Logps


def nca_loss(logps: Logps, *, beta: float = 0.1) -> Tensor:
    """Return -log sigmoid(r_w) - 0.5 log sigmoid(-r_w) - 0.5 log sigmoid(-r_l), with r = beta times a log-ratio.

    Noise-contrastive alignment: it keeps the likelihood of the chosen response from falling, which DPO allows, and, by
    the middle term, from growing without end. TRL's `nca_pair`. It starts at 2 ln 2 when policy and reference agree.

    Args:
        logps: Log-probabilities of a batch of pairs, under policy and reference.
        beta: Scale of the implicit rewards, > 0.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> nca_loss(made_up_logps([0.0]))
        tensor([1.3863])

    References:
        Chen et al., 2024, NCA, arXiv:2402.05369.
    """
    chosen, rejected = beta * logps.chosen_logratios, beta * logps.rejected_logratios
    return -logsigmoid(chosen) - 0.5 * logsigmoid(-chosen) - 0.5 * logsigmoid(-rejected)


def bco_loss(logps: Logps, *, beta: float = 0.1) -> Tensor:
    """Return -log sigmoid(r_w) - log sigmoid(-r_l), with r = beta times a log-ratio.

    A classifier whose logit is the implicit reward: chosen responses are of one class, rejected of the other. TRL's
    `bco_pair`, which leaves out the running mean of rewards that the paper subtracts. It starts at 2 ln 2.

    Args:
        logps: Log-probabilities of a batch of pairs, under policy and reference.
        beta: Scale of the implicit rewards, > 0.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> bco_loss(made_up_logps([0.0]))
        tensor([1.3863])

    References:
        Jung et al., 2024, BCO, arXiv:2404.04656.
    """
    return -logsigmoid(beta * logps.chosen_logratios) - logsigmoid(-beta * logps.rejected_logratios)


def apo_zero_loss(logps: Logps, *, beta: float = 0.1) -> Tensor:
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


def apo_down_loss(logps: Logps, *, beta: float = 0.1) -> Tensor:
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


def sppo_loss(logps: Logps, *, beta: float = 0.001) -> Tensor:
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


def sppo_hard_loss(logps: Logps, *, beta: float = 0.001) -> Tensor:
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
