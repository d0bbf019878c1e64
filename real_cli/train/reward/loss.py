"""What a reward model minimizes: Bradley and Terry's likelihood that the chosen response wins."""

from torch import Tensor
from torch.nn.functional import logsigmoid


def bradley_terry_loss(rewards: Tensor, margins: Tensor | None = None, *, center: float = 0.0) -> Tensor:
    """Return -log sigmoid(r_chosen - r_rejected - m) + c (r_chosen + r_rejected)^2, head by head.

    A pair says nothing of the level of its two rewards: any constant could be added to both. The second term, if c is
    above 0, holds their mean near 0, which makes rewards of several heads comparable.

    Args:
        rewards: Of chosen, then rejected responses, one for each head; shape (pairs, 2, heads).
        margins: m, by how much chosen is to win, in the unit of the rewards; shape (pairs,). None for 0.
        center: c, at least 0; the source recommends 0.01.

    Returns:
        Loss of each pair under each head, in nats, shape (pairs, heads).

    Example:
        >>> import torch
        >>> rewards = torch.tensor([[[2.0], [1.0]]])
        >>> bradley_terry_loss(rewards)
        tensor([[0.3133]])
        >>> bradley_terry_loss(rewards, torch.tensor([1.0]), center=0.01)
        tensor([[0.7831]])

    References:
        Ouyang et al., 2022, arXiv:2203.02155, eq. 1; margins from Llama 2 (Touvron et al., 2023, arXiv:2307.09288, eq.
        2); centering from Eisenstein et al., 2023, arXiv:2312.09244, eq. 2. All as in TRL's RewardTrainer.
    """
    chosen, rejected = rewards.unbind(dim=1)
    gaps = chosen - rejected
    losses = -logsigmoid(gaps if margins is None else gaps - margins[:, None])
    return losses + center * (chosen + rejected) ** 2 if center else losses
