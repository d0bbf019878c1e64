"""The numbers of a run on single completions: sums over each label, read where they are logged."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from real_cli.train.callbacks import IMPOSSIBLE
from real_cli.train.logps import Logps
from real_cli.train.losses.kto import COMPLETION, is_desirable

# What is summed of each completion, in this order.
SUMMED = ("desirable", "reward+", "reward-", "logp+", "logp-", "right", "impossible", "kl")


def completion_sums(rewards: Tensor, logps: Logps, kl: Tensor, beta: float) -> list[Tensor]:
    """List what is summed of each completion, shape (batch,) each.

    Args:
        rewards: Of each completion and its mismatched one, shape (batch, 2).
        logps: Of these.
        kl: The reference point of the batch, in nats, shape (batch,).
        beta: Scale of the rewards.

    Returns:
        A value an example for each name of SUMMED.
    """
    desirable = is_desirable(logps)
    good, bad = desirable.to(rewards.dtype), (~desirable).to(rewards.dtype)
    reward, logp = rewards[:, COMPLETION], logps.policy[:, COMPLETION]
    is_right = torch.where(desirable, reward > beta * kl, reward < beta * kl)
    return [good, good * reward, bad * reward, good * logp, bad * logp, is_right.float(), logps.impossible, kl]


def completion_metrics(totals: Sequence[float], num_examples: float) -> Mapping[str, float]:
    """Turn sums into means, in the names of TRL's KTOTrainer; a label that did not come has none.

    >>> metrics = completion_metrics([1, 0.5, -0.3, -4, -6, 2, 0, 0.2], 2)
    >>> metrics["rewards/chosen"], metrics["rewards/margins"], metrics["kl"]
    (0.5, 0.8, 0.1)
    """
    sums = dict(zip(SUMMED, totals, strict=True))
    num_good, num_bad = sums["desirable"], num_examples - sums["desirable"]
    metrics: dict[str, float] = {}
    if num_good:
        metrics |= {"rewards/chosen": sums["reward+"] / num_good, "logps/chosen": sums["logp+"] / num_good}
    if num_bad:
        metrics |= {"rewards/rejected": sums["reward-"] / num_bad, "logps/rejected": sums["logp-"] / num_bad}
    if num_good and num_bad:
        metrics["rewards/margins"] = metrics["rewards/chosen"] - metrics["rewards/rejected"]
    means = {"rewards/accuracies": "right", IMPOSSIBLE: "impossible", "kl": "kl"}
    return metrics | {name: sums[summed] / num_examples for name, summed in means.items()}
