"""DPO, its conservative form for noisy labels, and its form with log-ratios per token.

`beta` is the strength of the pull towards the reference; `label_smoothing` the share of labels thought to be flipped.
"""

from torch import Tensor
from torch.nn.functional import logsigmoid

from real_cli.train.knobs import Beta, LabelSmoothing
from real_cli.train.logps import CHOSEN, REJECTED, Logps
from real_cli.train.objective import Objective


def dpo_loss(logps: Logps, *, beta: Beta = 0.1) -> Tensor:
    """Return -log sigmoid(beta h), h the log-ratio of the chosen less that of the rejected response.

    The plain objective: it raises the chosen response over the rejected one, relative to the reference. It starts at
    ln 2 when policy and reference are the same model. It takes no label smoothing; `cdpo` and `robust` do.

    Args:
        logps: Log-probabilities of a batch of pairs, under policy and reference.
        beta: Strength of the pull towards the reference, > 0; the paper uses 0.1 to 0.5.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> dpo_loss(made_up_logps([0.0, 5.0]))
        tensor([0.6931, 0.4741])

    References:
        Rafailov et al., 2023, arXiv:2305.18290, eq. 7.
    """
    return -logsigmoid(beta * logps.logits)


def cdpo_loss(logps: Logps, *, beta: Beta = 0.1, label_smoothing: LabelSmoothing = 0.1) -> Tensor:
    """Return -(1 - eps) log sigmoid(beta h) - eps log sigmoid(-beta h), eps the label smoothing.

    Conservative DPO, the expected DPO loss if a share eps of the labels is flipped. It has its minimum at a finite h,
    where sigmoid(beta h) = 1 - eps, so that pairs that are already clear are not driven further apart. TRL's `sigmoid`
    ignores label smoothing and cannot express it; it is not `robust` either.

    Args:
        logps: Log-probabilities of a batch of pairs, under policy and reference.
        beta: Strength of the pull towards the reference, > 0.
        label_smoothing: eps, share of flipped labels, in [0, 0.5); 0 is DPO.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> cdpo_loss(made_up_logps([5.0]), label_smoothing=0.3)
        tensor([0.6241])

    References:
        Mitchell, 2023, A note on DPO with noisy preferences and its relationship to IPO, eq. 3.
    """
    return smoothed(beta * logps.logits, label_smoothing)


def robust_loss(logps: Logps, *, beta: Beta = 0.1, label_smoothing: LabelSmoothing = 0.1) -> Tensor:
    """Return [-(1 - eps) log sigmoid(beta h) + eps log sigmoid(-beta h)] / (1 - 2 eps), eps the label smoothing.

    DPO that flipped labels do not bias: its mean over labels of which a share eps is flipped is the DPO loss on clean
    ones. It can be negative. It is not `cdpo`, whose second term has the other sign.

    Args:
        logps: Log-probabilities of a batch of pairs, under policy and reference.
        beta: Strength of the pull towards the reference, > 0.
        label_smoothing: eps, the share of flipped labels, in [0, 0.5); 0 is DPO.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> robust_loss(made_up_logps([5.0]), label_smoothing=0.3)
        tensor([0.0991])

    References:
        Chowdhury et al., 2024, Robust DPO, arXiv:2403.00409, eq. 12.
    """
    logits = beta * logps.logits
    clean = -(1 - label_smoothing) * logsigmoid(logits)
    flipped = -label_smoothing * logsigmoid(-logits)
    return (clean - flipped) / (1 - 2 * label_smoothing)


def dpo_norm_loss(logps: Logps, *, beta: Beta = 0.1) -> Tensor:
    """Return -log sigmoid(beta h), with log-ratios per token.

    DPO that does not reward length: a long response has no larger margin than a short one with the same log-ratio a
    token. TRL's `sigmoid_norm`. Margins are smaller than summed ones, so beta is commonly larger than DPO's.

    Args:
        logps: Log-probabilities of a batch of pairs, under policy and reference, and lengths in tokens.
        beta: Strength of the pull towards the reference, > 0.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> dpo_norm_loss(made_up_logps([10.0], length=2))
        tensor([0.4741])

    References:
        Rafailov et al., 2023, arXiv:2305.18290, eq. 7, divided by lengths as TRL 1.16 does.
    """
    return -logsigmoid(beta * token_logits(logps))


def smoothed(logits: Tensor, label_smoothing: float) -> Tensor:
    """Return -(1 - eps) log sigmoid(logits) - eps log sigmoid(-logits), eps the probability of a flipped label."""
    return -(1 - label_smoothing) * logsigmoid(logits) - label_smoothing * logsigmoid(-logits)


def token_logits(logps: Logps) -> Tensor:
    """Return the difference of log-ratios in nats a token, shape (batch,); an empty response counts as one token."""
    ratios = logps.logratios / logps.lengths.clamp(min=1)
    return ratios[:, CHOSEN] - ratios[:, REJECTED]


ROWS = {
    "dpo": Objective(dpo_loss),
    "cdpo": Objective(cdpo_loss),
    "robust": Objective(robust_loss),
    "dpo-norm": Objective(dpo_norm_loss),
}
