"""One optimizer batch, a pass at a time: the part of a trainer that knows neither loss nor model."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from real_cli.records.record import Record
from real_cli.train.batches.halving import HalvingPasses
from real_cli.train.callbacks import Recent
from real_cli.train.checkpoints.dump import Dump
from real_cli.train.diagnosis.moments import Moments
from real_cli.train.world import this_world


class PassByPass(HalvingPasses):
    """Part of a transformers Trainer: the gradients of a batch's passes add up, in one process or several."""

    model: Any
    model_wrapped: Any
    _prepare_inputs: Callable[[dict[str, Any]], dict[str, Any]]
    gather_values: Callable[[Tensor], Tensor]
    over_processes: Callable[[Tensor], Tensor]

    def begin_run(self, dump: Dump | None, tell: Callable[[str], None], *, remembers: bool = False) -> None:
        """Set what the parts of a trainer keep; `remembers` if its objective looks back at earlier batches."""
        self.tell = tell
        self._dump = dump
        self._remembers = remembers
        self.world = this_world()
        self.shows = bool(self.world.largest(int(dump is not None)))  # the lead alone may have the file
        self._num_tokens = 0
        self.moments: list[Moments] = []
        self.begin_pass: Callable[[int, int], None] = lambda number, num_passes: None
        self.recent = Recent()
        self.whole_weights: dict[str, Tensor] | None = None

    def with_slopes(self, model: Any, inputs: dict[str, Any]) -> dict[str, Any]:
        """Leave a batch as it is: no pair is compared with another."""
        return inputs

    def run_batch(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any) -> Any:
        """Run one optimizer batch, a pass at a time; the gradients of its passes add up."""
        inputs = self.with_slopes(model, self._prepare_inputs(self.even_passes(inputs)))
        *others, last = inputs["passes"]
        num_passes = len(inputs["passes"])
        loss = torch.zeros((), device=self.accelerator.device)
        with self.all_or_none():
            for number, forward in enumerate(others, 1):
                self.begin_pass(number, num_passes)
                with self.adding_up(model):
                    loss += self._run_pass(model, inputs, forward, num_items_in_batch)
                self.fitted(forward)
        self.begin_pass(num_passes, num_passes)
        loss += self._run_pass(model, inputs, last, num_items_in_batch)
        if self._remembers:
            self.recent.end_batch(self.gather_values)
        return self.over_processes(loss)

    def _run_pass(self, model: Any, inputs: dict[str, Any], forward: dict[str, Any], num_items: Any) -> Any:
        """Have the library's trainer run one pass: what it holds for a batch."""
        library: Any = super(HalvingPasses, self)
        return library.training_step(model, inputs | {"passes": [forward]}, num_items)

    def gather_weights(self) -> None:
        """Put the weights together where processes hold parts of them; the lead, which saves them, gets them."""
        if not self.splits_weights:
            return
        from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
        from torch.distributed.fsdp import FSDPModule

        if isinstance(self.model, FSDPModule):
            options = StateDictOptions(full_state_dict=True, cpu_offload=True)
            self.whole_weights = get_model_state_dict(self.model, options=options)
        else:
            self.whole_weights = self.accelerator.get_state_dict(self.model_wrapped)

    def write_shown(self, line: Record) -> None:
        """Write a line of `--dump`, in the process that has the file."""
        if self._dump is not None and self.world.is_lead:
            self._dump.write(line)
