"""What an objective is given: log-probabilities of the responses of a batch of examples."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import torch
from torch import Tensor

CHOSEN, REJECTED = 0, 1
# Of a triple: the gold response of TPO, the policy's own sample of SELM.
THIRD = 2


# What a log-probability of -inf counts as, in nats: less than any response's, and squares of it are still numbers.
NEXT_TO_NEVER = -1e7


@dataclass(frozen=True)
class TokenLogps:
    """Log-probabilities token by token; rows are filled up to the longest response. None is infinite, as in `Logps`.

    Attributes:
        policy: Of each token under the policy, in nats, shape (batch, responses, tokens); 0 where there is none.
        reference: The same under the reference; no gradient.
        differs: Whether the token is one in which chosen and rejected differ, shape (batch, responses, tokens).
    """

    policy: Tensor
    reference: Tensor
    differs: Tensor

    def __post_init__(self) -> None:
        _make_finite(self, "policy", "reference")


@dataclass(frozen=True)
class Logps:
    """Log-probabilities of a batch, in nats, summed over the tokens of each response.

    A row is an example, a column a response: the chosen one, the rejected one, then what an objective has beside them
    (a third response, degraded copies). In a ranking the columns go from the best response to the worst.

    For every objective alike, a response to which a model gives no probability counts as one with -1e7 nats, and no
    gradient moves it: where neither policy nor reference gives it any, their ratio is 1.

    Attributes:
        policy: Under the policy, shape (batch, responses).
        reference: Under the reference, no gradient; 0 if the run has none. Shape (batch, responses).
        lengths: Tokens of each response, shape (batch, responses).
        present: Whether there is such a response; rankings differ in length. Shape (batch, responses).
        marks: One number a response: its score in a ranking, the degree of a degraded copy. Shape (batch, responses).
        columns: Numbers of the examples by name, shape (batch,) each.
        batch_lengths: `lengths` of the whole step where this is a part of it; for means over a step's tokens.
        progress: Share of the run's steps that are done, in [0, 1).
        recent: What the objective asked to remember of the batches before this one, shape (any,).
        tokens: Log-probabilities token by token, where an objective needs them.
        degree_logits: What the degree head says of each response, shape (batch, responses, levels).
        decoupled: Under the policy extrapolated away from the reference, no gradient, shape (batch, responses).
    """

    policy: Tensor
    reference: Tensor
    lengths: Tensor
    present: Tensor
    marks: Tensor
    columns: Mapping[str, Tensor] = field(default_factory=dict)
    batch_lengths: Tensor | None = None
    progress: float = 0.0
    recent: Tensor | None = None
    tokens: TokenLogps | None = None
    degree_logits: Tensor | None = None
    decoupled: Tensor | None = None

    def __post_init__(self) -> None:
        _make_finite(self, "policy", "reference", "decoupled")

    def moved(self, device: Any) -> "Logps":
        """Move what a batch is joined of to a device.

        Args:
            device: Of torch.

        Returns:
            The same numbers; what is known of single tokens, and by other heads or models, is left out.
        """
        names = ("policy", "reference", "lengths", "present", "marks", "batch_lengths", "recent")
        tensors = {name: getattr(self, name) for name in names}
        moved = {name: value if value is None else value.to(device) for name, value in tensors.items()}
        columns = {name: value.to(device) for name, value in self.columns.items()}
        return Logps(**moved, columns=columns, progress=self.progress)

    @property
    def impossible(self) -> Tensor:
        """Share of an example's responses to which the policy gives no probability, shape (batch,)."""
        never = (self.policy <= _least(self.policy)) & self.present
        return never.sum(dim=1) / self.present.sum(dim=1).clamp(min=1)

    @property
    def logratios(self) -> Tensor:
        """Log of policy over reference, shape (batch, responses)."""
        return self.policy - self.reference

    @property
    def chosen_logratios(self) -> Tensor:
        """Log of policy over reference for the chosen responses, shape (batch,)."""
        return self.logratios[:, CHOSEN]

    @property
    def rejected_logratios(self) -> Tensor:
        """Log of policy over reference for the rejected responses, shape (batch,)."""
        return self.logratios[:, REJECTED]

    @property
    def logits(self) -> Tensor:
        """Difference of the two log-ratios, h in real-methods(7), section 0(a), before beta. Shape (batch,)."""
        return self.chosen_logratios - self.rejected_logratios

    @property
    def averages(self) -> Tensor:
        """Log-probability per token under the policy, shape (batch, responses); 0 for an empty response."""
        return self.policy / self.lengths.clamp(min=1)

    def token_mean(self, column: int) -> Tensor:
        """Share out the negative log-likelihood per token of one column: its mean over a batch is the token mean.

        Args:
            column: Which response of each example.

        Returns:
            -log p over the mean length of that response in the whole batch, shape (batch,).
        """
        lengths = self.lengths if self.batch_lengths is None else self.batch_lengths
        return -self.policy[:, column] / lengths[:, column].to(self.policy.dtype).mean().clamp(min=1)


def _make_finite(logps: Logps | TokenLogps, *names: str) -> None:
    """Put a number in the place of log-probabilities of -inf; infinite differences have neither sign nor gradient."""
    for name in names:
        values = getattr(logps, name)
        if values is not None:
            object.__setattr__(logps, name, torch.where(values == -torch.inf, _least(values), values))


def _least(values: Tensor) -> Tensor:
    """Return what -inf counts as, as these values' type writes it."""
    return torch.tensor(max(NEXT_TO_NEVER, torch.finfo(values.dtype).min / 8), dtype=values.dtype, device=values.device)


def join_logps(parts: list[Logps]) -> Logps:
    """Put the parts of a batch together again, for objectives that compare its examples with each other.

    Args:
        parts: With equally many columns.

    Returns:
        One batch; what is known of the run is the first part's.
    """
    first = parts[0]
    tensors = {
        item.name: torch.cat([getattr(part, item.name) for part in parts])
        for item in fields(Logps)
        if item.name in ("policy", "reference", "lengths", "present", "marks")
    }
    columns = {name: torch.cat([part.columns[name] for part in parts]) for name in first.columns}
    known: dict[str, Any] = {"batch_lengths": first.batch_lengths, "recent": first.recent}
    return Logps(**tensors, columns=columns, progress=first.progress, **known)


def pair_logps(
    policy_chosen: Tensor,
    policy_rejected: Tensor,
    reference_chosen: Tensor,
    reference_rejected: Tensor,
    chosen_lengths: Tensor,
    rejected_lengths: Tensor,
    **others: Any,
) -> Logps:
    """Make the log-probabilities of a batch of pairs.

    Args:
        policy_chosen: Of each chosen response under the policy, in nats, shape (batch,). The other three likewise.
        policy_rejected: Of each rejected response under the policy.
        reference_chosen: Of each chosen response under the reference.
        reference_rejected: Of each rejected response under the reference.
        chosen_lengths: Tokens of each chosen response, shape (batch,).
        rejected_lengths: Tokens of each rejected response, shape (batch,).
        **others: Further attributes of `Logps`.

    Returns:
        Two columns: chosen and rejected.
    """
    policy = torch.stack([policy_chosen, policy_rejected], dim=1)
    return Logps(
        policy,
        torch.stack([reference_chosen, reference_rejected], dim=1),
        torch.stack([chosen_lengths, rejected_lengths], dim=1),
        torch.ones_like(policy, dtype=torch.bool),
        torch.zeros_like(policy).detach(),
        **others,
    )


def made_up_logps(logits: list[float], length: int = 1, **columns: float) -> Logps:
    """Make log-probabilities of pairs with given differences of log-ratios, for examples and checks.

    Args:
        logits: The wanted `Logps.logits`; all of it is put on the chosen responses.
        length: Tokens of every response.
        **columns: Numbers that all examples have.

    Returns:
        Log-probabilities with a reference of zero.

    Example:
        >>> made_up_logps([5.0]).logits
        tensor([5.])
    """
    zeros = torch.zeros(len(logits))
    lengths = torch.full((len(logits),), float(length))
    given = {name: torch.full((len(logits),), value) for name, value in columns.items()}
    return pair_logps(torch.tensor(logits), zeros, zeros, zeros, lengths, lengths, columns=given)
