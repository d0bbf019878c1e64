"""CPO: contrastive preference optimization, without a reference."""

from torch import Tensor

from real_cli.train.knobs import Alpha, Beta, LabelSmoothing
from real_cli.train.logps import CHOSEN, REJECTED, Logps
from real_cli.train.losses.dpo import smoothed
from real_cli.train.objective import Need, Objective


def cpo_loss(logps: Logps, *, beta: Beta = 0.1, alpha: Alpha = 1.0, label_smoothing: LabelSmoothing = 0.0) -> Tensor:
    """Return -log sigmoid(beta (lp_w - lp_l)) + alpha NLL(y_w), without a reference.

    Contrastive preference optimization: DPO with a uniform reference, and the likelihood of the chosen response to keep
    the policy near the data. NLL is the mean over all response tokens of the batch, as in TRL. With label smoothing
    eps, the first term is -(1 - eps) log sigmoid(beta (lp_w - lp_l)) - eps log sigmoid(-beta (lp_w - lp_l)).

    Args:
        logps: Log-probabilities of a batch of pairs under the policy, and lengths in tokens.
        beta: Scale of the margin, > 0.
        alpha: Weight of the likelihood of the chosen response, at least 0; TRL's cpo_alpha.
        label_smoothing: eps, in [0, 0.5).

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> cpo_loss(made_up_logps([-5.0], length=5))
        tensor([1.9741])

    References:
        Xu et al., 2024, CPO, arXiv:2401.08417, eq. 3.
    """
    logits = beta * (logps.policy[:, CHOSEN] - logps.policy[:, REJECTED])
    return smoothed(logits, label_smoothing) + alpha * logps.token_mean(CHOSEN)


ROWS = {
    "cpo": Objective(cpo_loss, Need.nothing),
}
