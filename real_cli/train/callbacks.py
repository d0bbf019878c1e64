"""What goes on beside the steps of a training run: lines, signals, and what a checkpoint must remember."""

import math
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import torch

from real_cli.errors import RealError
from real_cli.io.checkpoint_marks import RECENT_FILE
from real_cli.io.progress import running_counter
from real_cli.models.load.deferred import deferred_imports
from real_cli.records.record import Record
from real_cli.text.phrases import say_count
from real_cli.train.logps import NEXT_TO_NEVER

with deferred_imports():
    from transformers import TrainerCallback
    from transformers.trainer_utils import SaveStrategy

# Lines that the trainer logs at its end; the result says the same in our words.
CLOSING_KEY = "train_runtime"
RECENT_BATCHES = 50
# Share of the responses that the policy cannot give; told and in no line.
IMPOSSIBLE = "logps/impossible"


class Reporter(TrainerCallback):  # type: ignore[misc]  # transformers is not typed
    """Hand each logged line on, and stop in good order when asked to."""

    def __init__(
        self,
        report: Callable[[Record], None],
        should_stop: Callable[[], bool],
        tell: Callable[[str], None],
        agree: Callable[[], object] = lambda: None,
    ) -> None:
        self._report = report
        self._tell = tell
        self._knows_impossible = False
        self._should_stop = should_stop
        self._agree = agree
        self._stage: Record = {}
        self._steps_before = 0
        self._saves_last = False
        self._loss = self._pass = ""
        self._num_batches = self._batch = 1

    def begin(self, stage: float | None, steps_before: int, *, saves_last: bool) -> None:
        """Begin a stage (None if the run has none); `saves_last` if another stage needs its last checkpoint."""
        self._stage = {} if stage is None else {"stage": stage}
        self._steps_before = steps_before
        self._saves_last = saves_last

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Show steps from now on, and what they take."""
        pairs = args.train_batch_size * args.gradient_accumulation_steps * args.world_size
        self._tell_warmup(args.get_warmup_steps(state.max_steps), state.max_steps, args.learning_rate)
        counter = running_counter()
        self._loss = self._pass = ""
        self._num_batches, self._batch = args.gradient_accumulation_steps, 1
        counter.begin("steps", state.max_steps, unit="pairs", scale=pairs)
        counter.note = lambda: ", ".join(filter(None, (self._pass, self._loss)))
        for _ in range(state.global_step):  # of the run that this one goes on with
            counter.skip()

    def begin_pass(self, number: int, num_passes: int) -> None:
        """Show which pass of a step begins: a step of many takes long enough to look like a standstill."""
        batch = f"batch {self._batch} of {self._num_batches}" if self._num_batches > 1 else ""
        part = f"pass {number} of {num_passes}" if num_passes > 1 else ""
        self._pass = ", ".join(filter(None, (batch, part)))

    def on_substep_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Count the batches of a step."""
        self._batch += 1

    def _tell_warmup(self, num_warmup: int, num_steps: int, learning_rate: float) -> None:
        """Say that a run ends before its learning rate has risen to what was asked for."""
        if not 0 < num_steps <= num_warmup:
            return
        stage = "".join(f"stage {name:g}: " for name in self._stage.values())
        highest = learning_rate * (num_steps - 1) / num_warmup
        reach = f"the learning rate rises to {highest:.2g} of {learning_rate:g} alone"
        if not highest:
            reach = f"the learning rate stays 0 of {learning_rate:g}, and no weight moves"
        self._tell(
            f"{stage}warm-up takes {say_count(num_warmup, 'step')} and there {'is' if num_steps == 1 else 'are'} "
            f"{num_steps:,}: {reach}; lower --warmup, or give more --epochs"
        )

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any], **kwargs: Any) -> None:
        """Report one line; RealError if the loss is not finite."""
        if not math.isfinite(logs.get("loss", 0.0)):
            raise RealError(
                f"step {self._steps_before + state.global_step}: the loss is {logs['loss']}; nothing was saved: lower "
                "--learning-rate, or train in float32"
            )
        if "loss" in logs:
            self._loss = f"loss {logs['loss']:.3f}"
        share = logs.pop(IMPOSSIBLE, 0.0) + logs.pop(f"eval_{IMPOSSIBLE}", 0.0)
        if share and not self._knows_impossible:
            self._knows_impossible = True
            self._tell(
                f"step {self._steps_before + state.global_step}: {share:.1%} of the responses have no probability "
                f"under the policy: each counts as {NEXT_TO_NEVER:g} nats"
            )
        if state.is_world_process_zero and CLOSING_KEY not in logs:
            self._report({"step": self._steps_before + state.global_step, **self._stage, **logs})

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Save and stop after this step if a signal came; save the last step of a stage that another one follows."""
        running_counter().add()
        self._batch = 1
        self._agree()
        control.should_training_stop |= self._should_stop()
        is_last = self._should_stop() or (self._saves_last and state.global_step >= state.max_steps)
        if is_last and not self._is_saved_at_its_end(args, state):
            control.should_save = True

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Take an epoch that a signal broke off for no epoch: what it measured would count for --patience."""
        if self._should_stop() and not _is_at_an_end(state):
            control.should_evaluate = control.should_save = False

    def _is_saved_at_its_end(self, args: Any, state: Any) -> bool:
        """Tell whether a checkpoint of this very step comes after the epoch's measurement, which belongs into it."""
        ends = _is_at_an_end(state) or not self._should_stop()
        return bool(args.save_strategy == SaveStrategy.EPOCH) and ends


def _is_at_an_end(state: Any) -> bool:
    return bool(float(state.epoch).is_integer())


class Recent:
    """What an objective remembers of the last batches; checkpoints keep it, so that a resumed run goes the same way."""

    def __init__(self) -> None:
        self._batches: deque[torch.Tensor] = deque(maxlen=RECENT_BATCHES)
        self._passes: list[torch.Tensor] = []

    def add(self, values: torch.Tensor) -> None:
        """Add the values of one pass, shape (any,)."""
        self._passes.append(values.detach())

    def end_batch(self, gather: Callable[[torch.Tensor], torch.Tensor] = lambda values: values) -> None:
        """Close a batch: the passes since the last call, and what `gather` adds of other processes."""
        values = gather(torch.cat(self._passes) if self._passes else torch.zeros(0))
        self._passes = []
        if len(values):
            self._batches.append(values)

    def clear(self) -> None:
        """Forget everything: a new stage begins."""
        self._batches.clear()
        self._passes = []

    def values(self) -> torch.Tensor | None:
        """Return all remembered values, shape (any,); None before the first batch has ended."""
        return torch.cat(list(self._batches)) if self._batches else None

    def remembered(self) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """Return what is remembered now, for `restore`."""
        return list(self._batches), list(self._passes)

    def restore(self, remembered: tuple[list[torch.Tensor], list[torch.Tensor]]) -> None:
        """Take back what was added since."""
        self._batches = deque(remembered[0], maxlen=RECENT_BATCHES)
        self._passes = list(remembered[1])

    def save(self, checkpoint: Path) -> None:
        """Save them in a checkpoint."""
        if self._batches:
            (checkpoint / RECENT_FILE).write_bytes(orjson.dumps([batch.tolist() for batch in self._batches]))

    def load(self, checkpoint: Path, device: torch.device) -> None:
        """Restore them from a checkpoint, onto a device."""
        path = checkpoint / RECENT_FILE
        if path.exists():
            self._batches.extend(torch.tensor(batch, device=device) for batch in orjson.loads(path.read_bytes()))
