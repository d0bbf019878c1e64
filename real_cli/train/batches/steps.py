"""What every pair of a step weighs: the one place that knows which batches, of which processes, make one step."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad
from torch.utils.data import RandomSampler, SequentialSampler

from real_cli.train.batches.shares import sharing_loader
from real_cli.train.world import World

# Puts the rows of all processes into one tensor.
Gather = Callable[[Tensor], Tensor]


def weigh_step(batches: Sequence[dict[str, Any]], gather: Gather, num_processes: int = 1) -> list[dict[str, Any]]:
    """Tell the batches of one step how many pairs it has, so that each pair weighs the same however they are split.

    A trainer means the losses of a step's batches, and the processes mean their gradients. Over a batch's mean a pair
    of the last, smaller batch would weigh more; so a batch divides the sum of its losses by what is its share.

    Args:
        batches: Those of one step, in this process; `lengths` has a row a pair, and may have none.
        gather: Puts the rows of all processes into one tensor.
        num_processes: How many processes make the step together.

    Returns:
        The batches, each with `share` (pairs of the whole step, over batches and processes) and `step_lengths` (the
        lengths of all its responses, for means over tokens).

    Example:
        >>> two, one = {"lengths": torch.ones(2, 2)}, {"lengths": torch.ones(1, 2)}
        >>> weighed = weigh_step([two, one], lambda rows: rows)
        >>> [float(batch["share"]) for batch in weighed], weighed[0]["step_lengths"].shape
        ([1.5, 1.5], torch.Size([3, 2]))
    """
    if not batches:
        return []
    lengths = gather(stack_rows([batch["lengths"] for batch in batches]))
    share = len(lengths) / (len(batches) * num_processes)
    return [batch | {"share": share, "step_lengths": lengths} for batch in batches]


def stack_rows(parts: Sequence[Tensor]) -> Tensor:
    """Put matrices on top of each other, filled up with 0 to the widest."""
    width = max(part.shape[1] for part in parts)
    return torch.cat([pad(part, (0, width - part.shape[1])) for part in parts])


class EvenSteps:
    """Part of a transformers Trainer: it fetches the batches of a step, and each pair of them weighs the same.

    The trainer brings `even_passes`, which lets all processes make the same number of passes, and `with_slopes`, for
    objectives that look at the examples of all of them.
    """

    accelerator: Any
    args: Any
    data_collator: Any
    train_dataset: Any
    eval_dataset: Any
    world: World
    even_passes: Callable[[dict[str, Any]], dict[str, Any]]
    with_slopes: Callable[[Any, dict[str, Any]], dict[str, Any]]

    def get_train_dataloader(self) -> Any:
        """Load what is this process's in each batch, in the order of the run."""
        shuffles = self.args.train_sampling_strategy == "random"
        sampler = RandomSampler(self.train_dataset) if shuffles else SequentialSampler(self.train_dataset)
        return self._shares(self.train_dataset, sampler, self.args.per_device_train_batch_size)

    def get_eval_dataloader(self, eval_dataset: Any = None) -> Any:
        """Load what is this process's in each batch of held-out pairs, in the order of the file."""
        rows = self.eval_dataset if eval_dataset is None else eval_dataset
        return self._shares(rows, SequentialSampler(rows), self.args.per_device_eval_batch_size)

    def _shares(self, rows: Any, sampler: Any, batch_size: int) -> Any:
        given = {"collate_fn": self.data_collator, "pin_memory": self.args.dataloader_pin_memory}
        whole = batch_size * self.world.size
        return sharing_loader(rows, sampler, whole, self.world, self.accelerator.device, **given)

    def get_batch_samples(self, epoch_iterator: Iterator[Any], num_batches: int, device: Any) -> tuple[list[Any], Any]:
        """Fetch the batches of one step."""
        batches, num_items = super().get_batch_samples(epoch_iterator, num_batches, device)  # type: ignore[misc]
        return weigh_step(batches, self._gather_rows, self.world.size), num_items

    def prediction_step(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Measure held-out pairs, with every process's part of their batch; the loss is that of the whole batch."""
        if self.world.size > 1:
            (inputs,) = weigh_step([inputs], self._gather_rows, self.world.size)
            inputs = self.with_slopes(model, self._prepare_inputs(self.even_passes(inputs)))  # type: ignore[attr-defined]
        loss, *others = super().prediction_step(model, inputs, *args, **kwargs)  # type: ignore[misc]
        return (self.over_processes(loss), *others)

    def over_processes(self, loss: Tensor) -> Tensor:
        """Mean a loss over the processes: each has divided by its share."""
        if self.world.size == 1:
            return loss
        mean: Tensor = self.accelerator.reduce(loss, "mean")
        return mean

    def gather_values(self, values: Tensor) -> Tensor:
        """Put the values of all processes into one vector."""
        return self._gather_rows(values[:, None])[:, 0]

    def _gather_rows(self, rows: Tensor) -> Tensor:
        if self.world.size == 1:
            return rows
        return stack_rows(self.world.gather(rows.cpu())).to(self.accelerator.device)
