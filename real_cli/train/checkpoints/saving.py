"""Checkpoints of a trainer that are whole or do not count, and what becomes of a disk that is full."""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from real_cli.errors import RealError
from real_cli.io.checkpoint_marks import is_whole, newest_whole, remove_checkpoint, seal, step_of
from real_cli.models.load.deferred import deferred_imports
from real_cli.train.callbacks import Recent
from real_cli.train.checkpoints.dump import Dump

with deferred_imports():
    from transformers import EarlyStoppingCallback

# torch writes its files in C and tells no error number.
TORCH_WRITES = re.compile("PytorchStreamWriter|inline_container|unexpected pos|iostream")
SYSTEM_ERROR = re.compile(r"os error (\d+)")
LITTLE_ROOM = 1 << 24  # bytes


class WholeCheckpoints:
    """Part of a transformers Trainer: it marks a checkpoint when all of it is on the disk."""

    args: Any
    state: Any
    accelerator: Any
    callback_handler: Any
    control: Any
    recent: Recent
    _dump: Dump | None

    def _checkpoint(self, step: int) -> Path:
        return Path(self.args.output_dir) / f"checkpoint-{step}"

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        checkpoint, writes = self._checkpoint(self.state.global_step), self.state.is_world_process_zero
        if writes:
            remove_checkpoint(checkpoint)  # a run that was killed may have left some of it
        self.accelerator.wait_for_everyone()
        try:
            with told_if_unwritable(checkpoint, room_advice(checkpoint.parent)):
                super()._save_checkpoint(model, trial)  # type: ignore[misc]  # the trainer's
                self.accelerator.wait_for_everyone()
                if writes:
                    self._seal(checkpoint)
                self.accelerator.wait_for_everyone()  # it may be read from now on
        except Exception:
            if writes:
                remove_checkpoint(checkpoint)
            raise

    def _seal(self, checkpoint: Path) -> None:
        self.recent.save(checkpoint)
        if self._dump is not None:
            self._dump.sync()
        seal(checkpoint)

    def _init_training_state(self, *args: Any) -> Any:
        """Know the best checkpoint by its step: the folder may be called otherwise than when it was saved."""
        begun = super()._init_training_state(*args)  # type: ignore[misc]
        if self.state.best_global_step:
            self.state.best_model_checkpoint = str(self._checkpoint(self.state.best_global_step))
        return begun

    def _run_epoch(self, *args: Any, **kwargs: Any) -> None:
        """Train for an epoch, but not beyond the checkpoint of a last step: transformers would take one more."""
        impatient = [item for item in self.callback_handler.callbacks if isinstance(item, EarlyStoppingCallback)]
        if self.state.global_step >= self.state.max_steps or any(
            item.early_stopping_patience_counter >= item.early_stopping_patience for item in impatient
        ):
            self.control.should_training_stop = True
        else:
            super()._run_epoch(*args, **kwargs)  # type: ignore[misc]

    def _load_best_model(self) -> None:
        best = Path(self.state.best_model_checkpoint)
        if not is_whole(best):
            raise RealError(f"{best}: holds the best weights and is not whole; train anew, without --resume")
        super()._load_best_model()  # type: ignore[misc]


def room_advice(folder: Path) -> str:
    """Say what a run that finds no room can go on from."""
    earlier = newest_whole(folder)
    if earlier is None:
        return "make room and run again"
    return f"{earlier} is whole: make room and go on with --resume"


@contextmanager
def told_if_unwritable(path: Path, advice: str) -> Iterator[None]:
    """Turn a library's error about a file that cannot be written into ours, with advice."""
    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:
        reason = _write_problem(error, path)
        if reason is None:
            raise
        raise RealError(f"{path}: cannot be written: {reason}; {advice}") from None


def _write_problem(error: Exception, path: Path) -> str | None:
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno)
    if match := SYSTEM_ERROR.search(str(error)):
        return os.strerror(int(match[1]))
    if isinstance(error, SafetensorError) or TORCH_WRITES.search(str(error)):
        there = next(folder for folder in path.parents if folder.exists())
        if shutil.disk_usage(there).free < LITTLE_ROOM:
            return os.strerror(errno.ENOSPC)
        return "the system took less than was written"
    return None


def mean_loss(trainer: Any, loss: float, checkpoint: Path | None) -> float:
    """Return the mean loss of the run, steps before its checkpoint included."""
    first = 0 if checkpoint is None else step_of(checkpoint)
    logged = [line for line in trainer.state.log_history if "loss" in line and line["step"] <= first]
    total, step = 0.0, 0
    for line in logged:
        total, step = total + line["loss"] * (line["step"] - step), line["step"]
    num_since = trainer.state.global_step - first
    return (total + loss * num_since) / max(1, step + num_since) if logged else loss
