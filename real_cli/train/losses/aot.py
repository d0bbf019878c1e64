"""AOT: alignment by optimal transport, which compares the sorted rewards of a whole batch."""

import torch
from torch import Tensor

from real_cli.train.knobs import Beta, LabelSmoothing
from real_cli.train.logps import CHOSEN, REJECTED, Logps
from real_cli.train.losses.dpo import smoothed
from real_cli.train.objective import Need, Objective


def aot_loss(logps: Logps, *, beta: Beta = 0.1, label_smoothing: LabelSmoothing = 0.0) -> Tensor:
    """Return -log sigmoid(beta d), d = sort(lp_w - lp_l) - sort(ref_w - ref_l), each sorted over the batch.

    Alignment by optimal transport, paired: the distribution of the policy's margins is to lie above that of the
    reference's, rank by rank, instead of pair by pair. With label smoothing eps, -(1 - eps) log sigmoid(beta d) -
    eps log sigmoid(-beta d). A batch of one is DPO, so a larger batch is another objective, not only less noise.

    Args:
        logps: Log-probabilities of a whole batch of pairs, under policy and reference.
        beta: Strength of the pull towards the reference, > 0.
        label_smoothing: eps, in [0, 0.5).

    Returns:
        Loss of each pair, shape (batch,): that of the rank which its margin under the policy has.

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> aot_loss(made_up_logps([5.0, 0.0]))
        tensor([0.4741, 0.6931])

    References:
        Melnyk et al., 2024, AOT, arXiv:2406.05882; as TRL's `aot`.
    """
    policy = logps.policy[:, CHOSEN] - logps.policy[:, REJECTED]
    reference = logps.reference[:, CHOSEN] - logps.reference[:, REJECTED]
    return smoothed(beta * _less_its_rank(policy, reference), label_smoothing)


def aot_unpaired_loss(logps: Logps, *, beta: Beta = 0.1, label_smoothing: LabelSmoothing = 0.0) -> Tensor:
    """Return -log sigmoid(beta d), d = sort(lr_w) - sort(lr_l), log-ratios each sorted over the batch.

    Alignment by optimal transport, unpaired: the log-ratios of all chosen responses are to lie above those of all
    rejected ones, rank by rank; which chosen belongs to which rejected response is forgotten. With label smoothing eps,
    -(1 - eps) log sigmoid(beta d) - eps log sigmoid(-beta d). A batch of one is DPO.

    Args:
        logps: Log-probabilities of a whole batch of pairs, under policy and reference.
        beta: Strength of the pull towards the reference, > 0.
        label_smoothing: eps, in [0, 0.5).

    Returns:
        Loss of each pair, shape (batch,): that of the rank which its chosen log-ratio has.

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> aot_unpaired_loss(made_up_logps([5.0, 0.0]))
        tensor([0.4741, 0.6931])

    References:
        Melnyk et al., 2024, AOT, arXiv:2406.05882; as TRL's `aot_unpaired`.
    """
    return smoothed(beta * _less_its_rank(logps.chosen_logratios, logps.rejected_logratios), label_smoothing)


def _less_its_rank(upper: Tensor, lower: Tensor) -> Tensor:
    """Subtract from each value the other set's value of the same rank; an example keeps its place in the batch."""
    ranks = torch.argsort(torch.argsort(upper, stable=True))
    return upper - torch.sort(lower).values[ranks]


ROWS = {
    "aot": Objective(aot_loss, Need.reference | Need.whole_batch),
    "aot-unpaired": Objective(aot_unpaired_loss, Need.reference | Need.whole_batch),
}
