"""Rewards from a model's log-probabilities, and where they go on a record."""

import math
from collections.abc import Sequence

import numpy as np

from real_cli.errors import UsageError
from real_cli.records.record import Record, is_preference
from real_cli.records.response_fields import with_values
from real_cli.relabel.scored import add_scores
from real_cli.stats.numeric import sigmoid


def check_beta(beta: float) -> float:
    """Check --beta: 0 would make all responses equal, less would turn the labels around."""
    if not 0 < beta < math.inf:
        raise UsageError(f"--beta {beta:g}: must be a number above 0")
    return beta


def _beside(field: str, name: str) -> str:
    """Name a field written beside a score, so that several models' numbers stay apart."""
    return name if field == "score" else f"{field}_{name.removeprefix('implicit_')}"


def implicit_rewards(policy: Sequence[float], reference: Sequence[float], beta: float) -> list[float]:
    """Return r = beta (log pi(y | x) - log pi_ref(y | x)), how much more a policy likes a response than its reference.

    Args:
        policy: Summed log-probability of each response under the policy, in nats.
        reference: The same under the reference.
        beta: Scale of the reward; SPA uses 0.1.

    Returns:
        One reward a response.

    Example:
        >>> implicit_rewards([-10.0, -20.0], [-12.0, -14.0], 0.1)
        [0.2, -0.6000000000000001]

    References:
        Rafailov et al., 2023, arXiv:2305.18290, eq. 5; as a judge: Kim et al., 2024, SPA, arXiv:2406.04412.
    """
    return [beta * (logp - ref_logp) for logp, ref_logp in zip(policy, reference, strict=True)]


def contrast_rewards(positive: Sequence[float], negative: Sequence[float]) -> list[float]:
    """Return R = log pi(y | p+, x) - log pi(y | p-, x), how much a good instruction makes a response more probable.

    Args:
        positive: Summed log-probability of each response after the prompt that asks for the good, in nats.
        negative: The same after the prompt that asks for its opposite.

    Returns:
        One reward a response, in nats.

    Example:
        >>> contrast_rewards([-10.0, -20.0], [-12.0, -14.0])
        [2.0, -6.0]

    References:
        Liu et al., 2024, DLMA, arXiv:2402.11907; this is one half of its self-reward margin.
    """
    return [good - opposite for good, opposite in zip(positive, negative, strict=True)]


def add_implicit(record: Record, rewards: Sequence[float], field: str = "score") -> Record:
    """Put implicit rewards on a record; of two responses also P = sigmoid(r_i - r_j), of a pair also their margin.

    >>> add_implicit({"prompt": "q", "chosen": "a", "rejected": "b"}, [0.75, -0.25])  # doctest: +ELLIPSIS
    {... 'score_chosen': 0.75, 'score_rejected': -0.25, 'prob_chosen': 0.731..., 'prob_rejected': 0.268..., \
'implicit_margin': 1.0}

    References:
        P: Kim et al., 2024, SPA, arXiv:2406.04412. Margin: arXiv:2508.04149, which keeps the pairs with the smallest.
    """
    scored = add_scores(record, rewards, field)
    if len(rewards) == 2:
        gap = rewards[0] - rewards[1]
        scored = with_values(scored, _beside(field, "prob"), sigmoid(np.array([gap, -gap])).tolist())
    if is_preference(record):
        scored |= {_beside(field, "implicit_margin"): rewards[0] - rewards[1]}
    return scored


def add_contrast(record: Record, rewards: Sequence[float], field: str = "score") -> Record:
    """Put contrastive rewards on a record, and on a pair the offset that DLMA's loss reads.

    Args:
        record: A checked candidates or preference record.
        rewards: R of each response, in nats.
        field: Their name.

    Returns:
        A new record with the rewards; `offset`, R of chosen minus R of rejected, on a preference record (FIELD_offset
        for another field than `score`).

    Raises:
        RecordError: If a reward is not finite.

    Example:
        >>> add_contrast({"prompt": "q", "chosen": "a", "rejected": "b"}, [2.0, -6.0])
        {'prompt': 'q', 'chosen': 'a', 'rejected': 'b', 'score_chosen': 2.0, 'score_rejected': -6.0, 'offset': 8.0}

    References:
        Liu et al., 2024, DLMA, arXiv:2402.11907: the self-reward margin.
    """
    scored = add_scores(record, rewards, field)
    return scored | {_beside(field, "offset"): rewards[0] - rewards[1]} if is_preference(record) else scored
