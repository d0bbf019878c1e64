"""ASFT: supervised fine-tuning aligned by how likely each response is."""

from torch import Tensor

from real_cli.train.knobs import Alpha
from real_cli.train.logps import CHOSEN, REJECTED, Logps
from real_cli.train.losses.sft import NEARLY_CERTAIN, log1mexp
from real_cli.train.objective import Need, Objective


def asft_loss(logps: Logps, *, alpha: Alpha = 1.0) -> Tensor:
    """Return NLL(y_w) + alpha [-log p_w - log(1 - p_l)], p the mean token's probability.

    Aligned fine-tuning by absolute likelihood: the chosen response up, the rejected one down, each by itself and
    without a reference. The pull on a rejected response fades as it becomes unlikely, while DPO pulls both equally.
    NLL is the mean over the response tokens of the batch.

    Not read in the paper, so check before quoting: that p is normalized by length (the plain product of probabilities
    would make the last term 0) and the weight alpha.

    Args:
        logps: Log-probabilities of a batch of pairs under the policy, and lengths in tokens.
        alpha: Weight of the alignment term, at least 0.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> import torch
        >>> from real_cli.train.logps import pair_logps
        >>> p, one = torch.tensor([0.6]), torch.ones(1)
        >>> asft_loss(pair_logps(p.log(), (p / 2).log(), 0 * one, 0 * one, one, one))
        tensor([1.3783])

    References:
        Wang et al., 2024, ASFT, arXiv:2409.10571.
    """
    return logps.token_mean(CHOSEN) + alpha * asft_align(logps)


def asft_align(logps: Logps) -> Tensor:
    """Return the alignment term of `asft_loss`, -log p_w - log(1 - p_l).

    Args:
        logps: Log-probabilities of a batch of pairs under the policy, and lengths in tokens.

    Returns:
        One value a pair, shape (batch,). p_l is held a millionth below 1, and has no gradient above that.

    Example:
        >>> import torch
        >>> from real_cli.train.logps import pair_logps
        >>> p, one = torch.tensor([0.6]), torch.ones(1)
        >>> asft_align(pair_logps(p.log(), (p / 2).log(), 0 * one, 0 * one, one, one))
        tensor([0.8675])
    """
    averages = logps.averages
    return -averages[:, CHOSEN] - log1mexp(averages[:, REJECTED].clamp(max=NEARLY_CERTAIN))


ROWS = {
    "asft": Objective(asft_loss, Need.nothing, averages=True),
}
