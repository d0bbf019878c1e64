"""What every pair of a step weighs: the one place that knows which batches, of which processes, make one step."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

# Adds a number up over all processes, and puts the rows of all of them into one tensor.
AddUp = Callable[[Tensor], Tensor]
Gather = Callable[[Tensor], Tensor]


def weigh_step(
    batches: Sequence[dict[str, Any]], add_up: AddUp, gather: Gather, num_processes: int = 1
) -> list[dict[str, Any]]:
    """Tell the batches of one step how many pairs it has, so that each pair weighs the same however they are split.

    A trainer means the losses of a step's batches, and the processes mean their gradients. Over a batch's mean a pair
    of the last, smaller batch would weigh more; so a batch divides the sum of its losses by what is its share.

    Args:
        batches: Those of one step, in this process; `lengths` has a row a pair.
        add_up: Adds a number up over the processes.
        gather: Puts the rows of all processes into one tensor.
        num_processes: How many processes make the step together.

    Returns:
        The batches, each with `share` (pairs of the whole step, over batches and processes) and `step_lengths` (the
        lengths of all its responses, for means over tokens).

    Example:
        >>> two, one = {"lengths": torch.ones(2, 2)}, {"lengths": torch.ones(1, 2)}
        >>> weighed = weigh_step([two, one], lambda number: number, lambda rows: rows)
        >>> [float(batch["share"]) for batch in weighed], weighed[0]["step_lengths"].shape
        ([1.5, 1.5], torch.Size([3, 2]))
    """
    if not batches:
        return []
    width = max(batch["lengths"].shape[1] for batch in batches)
    rows = torch.cat([pad(batch["lengths"], (0, width - batch["lengths"].shape[1])) for batch in batches])
    share = add_up(rows.new_tensor(len(rows))) / (len(batches) * num_processes)
    lengths = gather(rows)
    return [batch | {"share": share, "step_lengths": lengths} for batch in batches]


class EvenSteps:
    """Part of a transformers Trainer: it fetches the batches of a step, and each pair of them weighs the same."""

    accelerator: Any

    def get_batch_samples(self, epoch_iterator: Iterator[Any], num_batches: int, device: Any) -> tuple[list[Any], Any]:
        """Fetch the batches of one step."""
        batches, num_items = super().get_batch_samples(epoch_iterator, num_batches, device)  # type: ignore[misc]
        accelerator = self.accelerator
        if accelerator.num_processes == 1:
            return weigh_step(batches, _same, _same), num_items

        def add_up(number: Tensor) -> Tensor:
            total: Tensor = accelerator.reduce(number.to(device), "sum")
            return total

        def gather(rows: Tensor) -> Tensor:
            padded = accelerator.pad_across_processes(accelerator.pad_across_processes(rows.to(device), dim=1), dim=0)
            gathered: Tensor = accelerator.gather(padded)
            return gathered[gathered.sum(dim=1) > 0]  # rows that fill up have no tokens

        return weigh_step(batches, add_up, gather, accelerator.num_processes), num_items


def _same(value: Tensor) -> Tensor:
    return value
