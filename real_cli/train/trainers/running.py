"""What surrounds the steps of any of TRL's trainers: its callbacks, its stages, its end."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from real_cli.errors import RealError, UsageError
from real_cli.models.load.deferred import deferred_imports
from real_cli.records.record import Record
from real_cli.train.arguments import Routine
from real_cli.train.callbacks import Reporter
from real_cli.train.checkpoints.saving import mean_loss
from real_cli.train.shared.settings import RunSettings

with deferred_imports():
    from transformers import EarlyStoppingCallback, PrinterCallback, ProgressCallback


def on_one_device(args: Any) -> Any:
    """Have one process take one device: several without a launcher would be DataParallel, which TRL refuses."""
    args._n_gpu = min(args.n_gpu, 1)
    return args


def callbacks_of(settings: RunSettings, reporter: Reporter) -> list[Any]:
    """List what follows the steps of a run."""
    return [reporter, *([EarlyStoppingCallback(settings.patience)] if settings.patience else [])]


@contextmanager
def tracked(routine: Routine) -> Iterator[None]:
    """Make a trainer; UsageError if its tracker cannot be used."""
    try:
        yield
    except (ImportError, RuntimeError) as error:
        if routine.report_to == "none":
            raise
        raise UsageError(f"--report-to {routine.report_to}: cannot be used here; install it, or leave it") from error


def settle(trainer: Any, reporter: Reporter) -> None:
    """Connect a trainer with the reporter, and take its printers away."""
    trainer.begin_pass = reporter.begin_pass
    # Devices may differ in what they have room for; passes are theirs together.
    trainer.data_collator.batch_tokens = -trainer.world.largest(-trainer.data_collator.batch_tokens)
    for printer in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(printer)  # both write to standard output, which is for records


def next_stage(trainer: Any, rows: Any, eval_rows: Any, folder: Path) -> None:
    """Give a trainer another stage's examples, with a fresh optimizer and schedule."""
    trainer.train_dataset, trainer.eval_dataset = rows, eval_rows
    trainer.args.output_dir = str(folder)
    trainer.optimizer = trainer.lr_scheduler = None
    trainer.recent.clear()
    trainer.moments.clear()
    for callback in trainer.callback_handler.callbacks:
        if isinstance(callback, EarlyStoppingCallback):
            callback.early_stopping_patience_counter = 0


def load_weights(trainer: Any, checkpoint: Path) -> None:
    """Load the weights of a finished stage into the policy."""
    trainer._load_from_checkpoint(str(checkpoint))


def run_trainer(trainer: Any, checkpoint: Path | None) -> Record:
    """Train; return `step`, the mean `loss`, and with patience `best_step`, whose weights are kept."""
    if checkpoint is not None:
        trainer.recent.load(checkpoint, trainer.accelerator.device)
    try:
        output = trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    except torch.OutOfMemoryError:
        raise RealError(
            "out of device memory; lower --batch-tokens (or --max-length, where one pair is too long), or use "
            "--gradient-checkpointing or --lora"
        ) from None
    loss = mean_loss(trainer, output.training_loss, checkpoint)
    result = {"step": trainer.state.global_step, "loss": loss}
    if trainer.state.best_model_checkpoint:  # the weights are those of an earlier step
        result["best_step"] = trainer.state.best_global_step
    return result
