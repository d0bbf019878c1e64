"""A step for which the device has no room is done again, in passes of half the tokens: the same loss and gradients."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from accelerate.utils import DistributedType

from real_cli.records.record import Record
from real_cli.train.world import World

# What `weigh_step` adds to a batch; it does not change with the passes.
SHARES = ("share", "step_lengths")
# Where a process holds a part of the weights, and each pass is everybody's.
SPLIT_WEIGHTS = (DistributedType.FSDP, DistributedType.DEEPSPEED, DistributedType.MEGATRON_LM)


class NoRoomError(torch.OutOfMemoryError):  # type: ignore[misc]  # torch is not followed
    """A device has no room, and all processes know it."""


class HalvingPasses:
    """Part of a trainer: gradients add up over passes, so that smaller ones give what larger ones would have.

    The trainer brings `run_batch`, which runs a batch a pass at a time, and `write_shown`, which gets the lines of a
    step once it is done. A pass that broke off may have left a part of its gradients, so the whole step begins anew:
    its earlier batches are run again, and what was noted of them is taken back.

    Several processes make equally many passes, since they add up their gradients in the last one, and with split
    weights work together in all. With whole weights the passes before the last are each process's own: all processes
    learn there that one of them had no room, and begin anew together. With split weights the others are in the middle
    of a pass and wait for the one that had no room: there the error passes.
    """

    accelerator: Any
    data_collator: Any
    optimizer: Any
    state: Any
    recent: Any
    world: World
    shows: bool
    tell: Callable[[str], None]
    run_batch: Callable[[Any, dict[str, Any], Any], Any]
    write_shown: Callable[[Record], None]
    _metrics: Any
    _num_tokens: Any
    _batches_done: Sequence[dict[str, Any]] = ()
    _shown: list[Record]
    _fitting = 0
    _has_stepped = False
    _had_no_room = False

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
            except torch.OutOfMemoryError as error:
                if not self._can_halve(batches, error):
                    raise
            # After the handler: until then the error holds what the failed pass allocated.
            self._start_over(model, batches)
            todo = batches
        self._batches_done = batches
        if self.accelerator.sync_gradients:  # the step is done
            self._end_step()
        return loss

    def _end_step(self) -> None:
        self._batches_done = []
        if not self._has_stepped:  # the optimizer has taken its memory only now
            self._has_stepped, self._fitting = True, 0
        if self.shows:
            for lines in self.world.gather(self._shown):
                for line in lines:
                    self.write_shown(line)

    def show(self, line: Record) -> None:
        """Keep a line until the step is done."""
        self._shown.append(line)

    def even_passes(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Add empty passes until every process has equally many.

        What runs in the last pass cannot be done again where there are several processes. A process whose last pass is
        larger than what has fitted so far asks for an empty one behind it.
        """
        passes = inputs["passes"]
        if self.world.size == 1:
            return inputs
        asks_more = not self.splits_weights and bool(passes) and tokens_of(passes[-1]) > self._fitting
        missing = self.world.largest(max(1, len(passes) + asks_more)) - len(passes)
        return inputs | {"passes": [*passes, *(self.data_collator.empty_pass() for _ in range(missing))]}

    @property
    def splits_weights(self) -> bool:
        """Whether a process holds only a part of the weights."""
        return self.accelerator.distributed_type in SPLIT_WEIGHTS

    @contextmanager
    def all_or_none(self) -> Iterator[None]:
        """Raise NoRoomError in every process if one of them had no room; what runs within waits for no other."""
        if self.world.size == 1 or self.splits_weights:
            yield
            return
        self._had_no_room = False
        try:
            yield
        except torch.OutOfMemoryError:
            self._had_no_room = True
        if self.world.largest(int(self._had_no_room)):
            raise NoRoomError

    @contextmanager
    def adding_up(self, model: Any) -> Iterator[None]:
        """Keep the gradients of a pass to this process: those of the last one take them along to the others."""
        gradients = self.accelerator.gradient_state
        syncs = gradients.sync_gradients
        # DeepSpeed takes its step wherever these are said to be in sync. With split weights each pass hands its
        # gradients on, because whole ones would need the memory that was split.
        gradients._set_sync_gradients(False)
        try:
            with nullcontext() if self.splits_weights else self.accelerator.no_sync(model):
                yield
        finally:
            gradients._set_sync_gradients(syncs)

    def fitted(self, forward: dict[str, Any]) -> None:
        """Remember that there was room for a pass."""
        self._fitting = max(self._fitting, tokens_of(forward))

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

    def _can_halve(self, batches: list[dict[str, Any]], error: torch.OutOfMemoryError) -> bool:
        """Tell whether smaller passes are possible: some pass of who had no room holds more than one example."""
        if self.world.size > 1 and not isinstance(error, NoRoomError):
            return False
        passes = (forward for batch in batches for forward in self._with_budget(batch)["passes"])
        is_stuck = not any(len(forward["examples"]) > 1 for forward in passes)
        if self.world.size == 1:
            return not is_stuck
        return not self.world.largest(int(is_stuck and self._had_no_room))

    def _start_over(self, model: Any, batches: list[dict[str, Any]]) -> None:
        budget = self.data_collator.batch_tokens
        if self.world.size == 1 or self._had_no_room:
            largest = max(tokens_of(forward) for batch in batches for forward in self._with_budget(batch)["passes"])
            budget = max(1, min(budget, largest) // 2)
        self.data_collator.batch_tokens = -self.world.largest(-budget)
        model.zero_grad(set_to_none=True)
        self._take_back()
        self._shown = []
        torch.accelerator.empty_cache()
        self.tell(f"out of device memory: the step begins anew with --batch-tokens {self.data_collator.batch_tokens}")


def tokens_of(forward: dict[str, Any]) -> int:
    """Count the tokens of a pass, padding included."""
    return int(forward["batch"]["input_ids"].numel())
