"""The options of training that do not depend on what is trained."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from real_cli.cli.completion_values import lists_of, names_of
from real_cli.cli.option_sets import DeviceOptions, StreamOptions
from real_cli.io.standard_input import is_terminal
from real_cli.train.choices import Optimizer, Schedule


@dataclass(frozen=True, kw_only=True)
class RunOptions(DeviceOptions, StreamOptions):
    """The data, the optimization, the device, and what is written."""

    weight_field: Annotated[
        str | None,
        typer.Option(
            "--weight-field",
            metavar="FIELD",
            show_default=False,
            help="Weigh each pair's loss by this number, 0 or more; the mean weight becomes 1.",
        ),
    ] = None
    raw_weights: Annotated[
        bool, typer.Option("--raw-weights", help="Use the weights as they are, without normalizing them.")
    ] = False
    order: Annotated[
        str,
        typer.Option(
            "--order",
            metavar="ORDER",
            autocompletion=names_of(("shuffle", "given")),
            help="shuffle by the seed; given, as the records come; or the name of a field to sort by, lowest first, "
            "with a minus sign before it highest first.",
        ),
    ] = "shuffle"
    eval_file: Annotated[
        Path | None,
        typer.Option(
            "--eval-file", metavar="FILE", show_default=False, help="Held-out pairs, measured after each epoch."
        ),
    ] = None
    learning_rate: Annotated[float, typer.Option("--learning-rate", metavar="X", help="Peak learning rate.")] = 1e-6
    schedule: Annotated[
        Schedule, typer.Option("--schedule", help="How the learning rate changes after the warm-up.")
    ] = Schedule.linear
    warmup: Annotated[
        float, typer.Option("--warmup", metavar="X", min=0, help="Warm-up steps; below 1, a share of all steps.")
    ] = 0.0
    optimizer: Annotated[
        Optimizer, typer.Option("--optimizer", help="The optimizer; adamw-8bit needs bitsandbytes.")
    ] = Optimizer.adamw
    weight_decay: Annotated[float, typer.Option("--weight-decay", metavar="X", min=0, help="Weight decay.")] = 0.0
    max_grad_norm: Annotated[
        float, typer.Option("--max-grad-norm", metavar="X", min=0, help="Clip gradients to this norm; 0 never clips.")
    ] = 1.0
    epochs: Annotated[float, typer.Option("--epochs", metavar="X", min=0, help="Passes over the pairs.")] = 1.0
    max_steps: Annotated[
        int | None,
        typer.Option(
            "--max-steps", metavar="N", min=1, show_default=False, help="Stop after N steps, whatever --epochs says."
        ),
    ] = None
    batch_size: Annotated[
        int, typer.Option("--batch-size", metavar="N", min=1, help="Pairs in one batch, on all devices together.")
    ] = 8
    gradient_accumulation: Annotated[
        int,
        typer.Option(
            "--gradient-accumulation",
            metavar="N",
            min=1,
            help="Batches in one step, in which every pair weighs the same.",
        ),
    ] = 1
    eval_steps: Annotated[
        int, typer.Option("--eval-steps", metavar="N", min=0, help="Measure --eval-file every N steps; 0 each epoch.")
    ] = 0
    patience: Annotated[
        int,
        typer.Option(
            "--patience",
            metavar="N",
            min=0,
            help="Stop after N measurements without a lower loss, and keep the best weights; 0 never.",
        ),
    ] = 0
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", min=0, max=2**32 - 1, help="Seed of order and adapters.")
    ] = 42
    lora: Annotated[bool, typer.Option("--lora", help="Train a LoRA adapter instead of all weights (needs peft).")] = (
        False
    )
    lora_rank: Annotated[
        int | None, typer.Option("--lora-rank", metavar="N", min=1, show_default="16", help="Rank of the adapter.")
    ] = None
    lora_alpha: Annotated[
        float | None,
        typer.Option("--lora-alpha", metavar="X", min=0, show_default="twice the rank", help="Scale of the adapter."),
    ] = None
    gradient_checkpointing: Annotated[
        bool,
        typer.Option(
            "--gradient-checkpointing", help="Recompute activations in the backward pass: less memory, more time."
        ),
    ] = False
    devices: Annotated[
        str,
        typer.Option(
            "--devices",
            metavar="auto|all|N",
            autocompletion=names_of(("auto", "all")),
            help="How many devices train, a process each: 'auto' takes one, 'all' every GPU; N on a CPU is N "
            "processes. Under torchrun, accelerate launch or srun those processes are it.",
        ),
    ] = "auto"
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", show_default=False, help="The checkpoint folder to write."),
    ] = None
    logging_steps: Annotated[int, typer.Option("--logging-steps", metavar="N", min=1, help="Report every N steps.")] = 1
    save_steps: Annotated[
        int,
        typer.Option("--save-steps", metavar="N", min=0, help="Save a checkpoint every N steps; 0 only when stopped."),
    ] = 0
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Resume from the last complete checkpoint in the output folder, with the same settings."
        ),
    ] = False
    resume_if_same: Annotated[
        bool,
        typer.Option(
            "--resume-if-same",
            help="Resume where the output folder holds an unfinished run of the same settings and records, and begin "
            "anew otherwise: for scripts.",
        ),
    ] = False
    report_to: Annotated[
        str,
        typer.Option(
            "--report-to",
            metavar="NAMES",
            autocompletion=lists_of(("tensorboard", "wandb", "trackio", "none")),
            help="Trackers: tensorboard, wandb, trackio, or none.",
        ),
    ] = "none"

    @property
    def sources(self) -> list[str]:
        """The files to read; nothing where a run that goes on has its records, and nobody pipes any."""
        return [os.devnull] if self.resume and not self.files and is_terminal() else self.files or []
