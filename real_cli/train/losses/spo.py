"""SPO: DPO, and a head that tells by how much a response was degraded."""

from typing import Annotated

from torch import Tensor
from torch.nn.functional import cross_entropy

from real_cli.train.knobs import Alpha, Beta, Knob, Range
from real_cli.train.logps import REJECTED, Logps
from real_cli.train.losses.dpo import dpo_loss
from real_cli.train.objective import Need, Objective, Responses

Levels = Annotated[int, Knob("Degrees that spo tells apart, 0 among them.", Range(2, whole=True))]


def spo_loss(logps: Logps, *, beta: Beta = 0.1, alpha: Alpha = 0.1, levels: Levels = 4) -> Tensor:
    """Return -log sigmoid(beta h) + alpha L_degree, L_degree the cross entropy of a head that names the degree.

    Self-supervised preference optimization: DPO, and a classifier on the policy's hidden states which has to tell the
    chosen response (degree 0) from copies of it with more and more of its content removed (degrees 1 to levels - 1).
    L_degree is the mean over the chosen response and its copies; the rejected one takes no part. An untrained head has
    ln(levels). With alpha = 0 it is DPO.

    Only the shape of the sum is known from the abstract: the number of levels, where the head reads the states, and
    alpha (the paper's gamma) are ours, unverified; no official code is published.

    Args:
        logps: Log-probabilities of a batch of pairs with degraded copies, under policy and reference; the degree of
            each response as `marks`, what the head says as `degree_logits`.
        beta: Strength of the pull towards the reference, > 0.
        alpha: Weight of the degree, at least 0.
        levels: Number of degrees that the head tells apart, at least 2; of whoever makes the head.

    Returns:
        Loss of each example, shape (batch,).

    Example:
        >>> import torch
        >>> ones = torch.ones(1, 4)
        >>> marks = torch.tensor([[0.0, 0.0, 1.0, 2.0]])
        >>> spo_loss(Logps(-ones, -ones, ones, ones > 0, marks, degree_logits=torch.zeros(1, 4, 4)))
        tensor([0.8318])

    References:
        Li et al., 2024, SPO, arXiv:2409.17791.
    """
    return dpo_loss(logps, beta=beta) + alpha * degree_loss(logps)


def degree_loss(logps: Logps) -> Tensor:
    """Return the mean cross entropy of the degrees of the chosen response and its copies.

    Args:
        logps: With `marks` and `degree_logits`; what is not `present` counts for nothing.

    Returns:
        Nats, one value an example, shape (batch,).

    Example:
        >>> import torch
        >>> ones = torch.ones(1, 4)
        >>> degree_loss(Logps(-ones, -ones, ones, ones > 0, 0 * ones, degree_logits=torch.zeros(1, 4, 4)))
        tensor([1.3863])
    """
    assert logps.degree_logits is not None, "the head's logits were not gathered"
    counted = logps.present.clone()
    counted[:, REJECTED] = False
    logits = logps.degree_logits.where(counted.unsqueeze(2), 0)
    degrees = logps.marks.where(counted, 0).long()
    entropies = cross_entropy(logits.transpose(1, 2), degrees, reduction="none")
    return (entropies * counted).sum(dim=1) / counted.sum(dim=1)


ROWS = {
    "spo": Objective(spo_loss, Need.reference | Need.degrees, Responses.copies),
}
