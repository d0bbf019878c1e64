"""Objectives that compare the pairs of a batch, where the batch is more than one pass, or in more than one process."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from real_cli.train.logps import Logps, join_logps
from real_cli.train.mixture import Mixture
from real_cli.train.world import World


def whole_batch_slopes(mixture: Mixture, parts: Sequence[Logps], world: World) -> tuple[Tensor, dict[str, Tensor]]:
    """Work out the losses of a batch whose examples are compared, and the gradient by each log-probability.

    Every process works all of it out, each the same, and keeps what belongs to its examples.

    Args:
        mixture: The objectives.
        parts: The examples of this process, no gradient; none where the others have all of them.
        world: The processes that have the batch together.

    Returns:
        The gradient of the batch's total by the policy's log-probabilities, shape (examples, responses), and the value
        of each objective for each example, shape (examples,); of this process's examples in the order of `parts`.
    """
    mine = join_logps(list(parts)) if parts else None
    if world.size == 1:
        before, theirs = 0, [mine]
    else:
        device = mine.policy.device if mine is not None else None
        theirs = world.gather(None if mine is None else mine.moved("cpu"))
        before = sum(len(logps.policy) for logps in theirs[: world.rank] if logps is not None)
        theirs = [logps if logps is None or device is None else logps.moved(device) for logps in theirs]
    whole = join_logps([logps for logps in theirs if logps is not None])
    policy = whole.policy.clone().requires_grad_()
    with torch.enable_grad():
        values = mixture.values(replace(whole, policy=policy))
        (grad,) = torch.autograd.grad(mixture.total(values).sum(), policy)
    rows = slice(before, before + (0 if mine is None else len(mine.policy)))
    return grad[rows], {name: value.detach()[rows] for name, value in values.items()}


def with_order(slopes: tuple[Tensor, dict[str, Tensor]], examples: Sequence[Tensor]) -> dict[str, Any]:
    """Put slopes and values in the order of a batch's examples, as a part of the batch."""
    grad, values = slopes
    order = torch.cat(list(examples)).argsort() if examples else torch.zeros(0, dtype=torch.long)
    return {"slopes": grad[order], "values": {name: value[order] for name, value in values.items()}}
