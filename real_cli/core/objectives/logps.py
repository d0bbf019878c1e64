"""What an objective is given: log-probabilities of the pairs of one batch."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class PairLogps:
    """Summed log-probabilities of a batch of pairs, in nats, and the lengths they were summed over.

    Attributes:
        policy_chosen: Of each chosen response under the policy, shape (batch,). The other three likewise.
        policy_rejected: Of each rejected response under the policy.
        reference_chosen: Of each chosen response under the reference; no gradient.
        reference_rejected: Of each rejected response under the reference; no gradient.
        chosen_lengths: Tokens of each chosen response, shape (batch,).
        rejected_lengths: Tokens of each rejected response, shape (batch,).
    """

    policy_chosen: Tensor
    policy_rejected: Tensor
    reference_chosen: Tensor
    reference_rejected: Tensor
    chosen_lengths: Tensor
    rejected_lengths: Tensor

    @property
    def chosen_logratios(self) -> Tensor:
        """Log of policy over reference for the chosen responses, shape (batch,)."""
        return self.policy_chosen - self.reference_chosen

    @property
    def rejected_logratios(self) -> Tensor:
        """Log of policy over reference for the rejected responses, shape (batch,)."""
        return self.policy_rejected - self.reference_rejected

    @property
    def logits(self) -> Tensor:
        """Difference of the two log-ratios, h in METHODS 0.1, before beta. Shape (batch,)."""
        return self.chosen_logratios - self.rejected_logratios


def made_up_logps(logits: list[float], length: int = 1) -> PairLogps:
    """Make log-probabilities with given differences of log-ratios, for examples and checks.

    Args:
        logits: The wanted `PairLogps.logits`; all of it is put on the chosen responses.
        length: Tokens of every response.

    Returns:
        Log-probabilities with a reference of zero.

    Example:
        >>> made_up_logps([5.0]).logits
        tensor([5.])
    """
    zeros = torch.zeros(len(logits))
    lengths = torch.full((len(logits),), float(length))
    return PairLogps(torch.tensor(logits), zeros, zeros, zeros, lengths, lengths)
