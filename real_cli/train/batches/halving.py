"""A step for which the device has no room is done again, in passes of half the tokens: the same loss and gradients."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from accelerate.utils import DistributedType

from real_cli.records.record import Record

# What `weigh_step` adds to a batch; it does not change with the passes.
SHARES = ("share", "step_lengths")


class HalvingPasses:
    """Part of a trainer: gradients add up over passes, so that smaller ones give what larger ones would have.

    The trainer brings `run_batch`, which runs a batch a pass at a time, and `write_shown`, which gets the lines of a
    step once it is done. A pass that broke off may have left a part of its gradients, so the whole step begins anew:
    its earlier batches are run again, and what was noted of them is taken back. Several processes make their passes
    together, and one alone cannot change them: there the error passes.
    """

    accelerator: Any
    data_collator: Any
    optimizer: Any
    state: Any
    recent: Any
    tell: Callable[[str], None]
    run_batch: Callable[[Any, dict[str, Any], Any], Any]
    write_shown: Callable[[Record], None]
    _metrics: Any
    _num_tokens: Any
    _batches_done: Sequence[dict[str, Any]] = ()
    _shown: list[Record]

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Any:
        """Run one batch of a step, halving the budget of passes until there is room."""
        if not self._batches_done:
            self._shown = []
            self._take_back = self._noted()
        batches = [*self._batches_done, inputs]
        todo = [inputs]
        while True:
            try:
                for batch in todo:
                    loss = self.run_batch(model, self._with_budget(batch), num_items_in_batch)
                break
            except torch.OutOfMemoryError:
                if not self._can_halve(batches):
                    raise
            # After the handler: until then the error holds what the failed pass allocated.
            self._start_over(model, batches)
            todo = batches
        self._batches_done = batches
        if self.accelerator.sync_gradients:  # the step is done
            self._batches_done = []
            for line in self._shown:
                self.write_shown(line)
        return loss

    def show(self, line: Record) -> None:
        """Keep a line until the step is done."""
        self._shown.append(line)

    def _noted(self) -> Callable[[], None]:
        """Remember what is noted so far; returns what takes back all that comes."""
        sums = self._metrics["train"]["sums"]
        num_sums, num_tokens, recent = len(sums), self._num_tokens, self.recent.remembered()

        def take_back() -> None:
            del self._metrics["train"]["sums"][num_sums:]
            self._num_tokens = num_tokens
            self.recent.restore(recent)

        return take_back

    def _with_budget(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Make the passes of a batch anew if the budget has changed since."""
        source = inputs["source"]
        if source.batch_tokens <= self.data_collator.batch_tokens:
            return inputs
        shares = {name: inputs[name] for name in SHARES if name in inputs}
        return {**self.data_collator(source.rows), **shares}

    def _can_halve(self, batches: list[dict[str, Any]]) -> bool:
        """Tell whether smaller passes are possible here: some pass holds more than one example."""
        if self.accelerator.distributed_type is not DistributedType.NO:
            return False
        passes = (forward for batch in batches for forward in self._with_budget(batch)["passes"])
        return any(len(forward["examples"]) > 1 for forward in passes)

    def _start_over(self, model: Any, batches: list[dict[str, Any]]) -> None:
        largest = max(
            forward["batch"]["input_ids"].numel() for batch in batches for forward in self._with_budget(batch)["passes"]
        )
        self.data_collator.batch_tokens = max(1, min(self.data_collator.batch_tokens, largest) // 2)
        model.zero_grad(set_to_none=True)
        self._take_back()
        self._shown = []
        torch.accelerator.empty_cache()
        self.tell(f"out of device memory: the step begins anew with --batch-tokens {self.data_collator.batch_tokens}")
