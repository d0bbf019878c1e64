"""real train-dpo: align a policy with the chosen pairs."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from real_cli.commands.guard import guarded
from real_cli.commands.options import (
    AttentionOption,
    Device,
    Dtype,
    ExportLogps,
    Files,
    Layout,
    MaxLength,
    MaxLineBytes,
    OnErrorOption,
    Quiet,
    Reference,
    Rejects,
)
from real_cli.core.names import Attention, Loss, OnError, Precision, TokenLayout
from real_cli.errors import Status
from real_cli.streams.job import Job
from real_cli.streams.jsonl import MAX_LINE_BYTES
from real_cli.streams.workspace import Workspace


@guarded
def train_dpo(
    files: Files = None,
    *,
    policy: Annotated[
        str,
        typer.Option(
            "--policy", "-p", metavar="NAME", help="The model to train: a folder, a .gguf file, a hub name, or smollm2."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="The checkpoint folder to write.")],
    reference: Reference = None,
    loss: Annotated[Loss, typer.Option("--loss", help="The objective. dpo with --label-smoothing is cDPO.")] = Loss.dpo,
    beta: Annotated[
        float, typer.Option("--beta", metavar="X", help="Strength of the pull towards the reference.")
    ] = 0.1,
    label_smoothing: Annotated[
        float,
        typer.Option("--label-smoothing", metavar="X", help="Share of labels thought to be flipped (dpo, robust)."),
    ] = 0.0,
    learning_rate: Annotated[
        float, typer.Option("--learning-rate", metavar="X", help="Peak learning rate; it falls linearly to 0.")
    ] = 1e-6,
    epochs: Annotated[float, typer.Option("--epochs", metavar="X", min=0, help="Passes over the pairs.")] = 1.0,
    max_steps: Annotated[
        int | None,
        typer.Option(
            "--max-steps", metavar="N", min=1, show_default=False, help="Stop after N steps, whatever --epochs says."
        ),
    ] = None,
    batch_size: Annotated[int, typer.Option("--batch-size", metavar="N", min=1, help="Pairs in one batch.")] = 8,
    gradient_accumulation: Annotated[
        int, typer.Option("--gradient-accumulation", metavar="N", min=1, help="Batches in one step.")
    ] = 1,
    max_length: MaxLength = 1024,
    shuffle: Annotated[
        bool, typer.Option("--shuffle/--in-order", help="Shuffle the pairs by the seed, or take them as they come.")
    ] = True,
    lora: Annotated[
        bool, typer.Option("--lora", help="Train a LoRA adapter instead of all weights (needs peft).")
    ] = False,
    lora_rank: Annotated[
        int, typer.Option("--lora-rank", metavar="N", min=1, help="Rank of the adapter; alpha is twice it.")
    ] = 16,
    gradient_checkpointing: Annotated[
        bool, typer.Option("--gradient-checkpointing", help="Compute activations twice: less memory, more time.")
    ] = False,
    eval_file: Annotated[
        Path | None,
        typer.Option(
            "--eval-file", metavar="FILE", show_default=False, help="Held-out pairs, measured after each epoch."
        ),
    ] = None,
    export_logps: ExportLogps = None,
    logging_steps: Annotated[
        int, typer.Option("--logging-steps", metavar="N", min=1, help="Report every N steps.")
    ] = 1,
    save_steps: Annotated[
        int,
        typer.Option("--save-steps", metavar="N", min=0, help="Save a checkpoint every N steps; 0 only when stopped."),
    ] = 0,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on from the last checkpoint in the output folder, with the same settings."),
    ] = False,
    report_to: Annotated[
        str, typer.Option("--report-to", metavar="NAMES", help="Trackers: tensorboard, wandb, trackio, or none.")
    ] = "none",
    attention: AttentionOption = Attention.auto,
    layout: Layout = TokenLayout.auto,
    batch_tokens: Annotated[
        int | None,
        typer.Option(
            "--batch-tokens",
            metavar="N",
            min=1,
            show_default="512 on a CPU, 4096 elsewhere",
            help="Most tokens, padding counted, in one forward pass; the pairs of a batch take as many passes as they "
            "need. It changes speed and memory, not the result.",
        ),
    ] = None,
    device: Device = "auto",
    dtype: Dtype = Precision.auto,
    on_error: OnErrorOption = OnError.fail,
    rejects: Rejects = None,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", min=0, max=2**32 - 1, help="Seed of order and adapters.")
    ] = 42,
    max_line_bytes: MaxLineBytes = MAX_LINE_BYTES,
    quiet: Quiet = False,
) -> Status:
    """Align a policy with labeled pairs, by DPO and its kin.

    Reads pairs (prompt, chosen, rejected), writes a checkpoint folder that transformers loads, with a manifest,
    real.json. Standard output gets one JSON object for each logged step, in TRL's names, then one for the result.
    Reference log-probabilities are computed once, before training, or read from the records.

    Buffers: the input is spooled to disk, because training reads it more than once. During training, SIGINT and
    SIGTERM leave a checkpoint from which --resume goes on.

    \b
    Examples:
      real train-dpo --policy smollm2 -o aligned pairs.jsonl > training.jsonl
      real pair --keep 2000 embedded.jsonl | real train-dpo -p ./sft -o aligned --loss ipo | jq .loss
    """
    from real_cli.commands.training_run import Extras, TrainingRun
    from real_cli.core.objectives import check_objective
    from real_cli.models.training import TrainingSettings

    check_objective(loss, beta, label_smoothing)
    settings = TrainingSettings(
        loss=loss, beta=beta, label_smoothing=label_smoothing, learning_rate=learning_rate, epochs=epochs,
        max_steps=max_steps or -1, batch_size=batch_size, gradient_accumulation=gradient_accumulation,
        max_length=max_length, lora=lora, lora_rank=lora_rank, seed=seed, shuffle=shuffle,
    )  # fmt: skip
    extras = Extras(
        policy=policy, reference=reference, eval_file=eval_file, export_logps=export_logps,
        attention=attention, layout=layout,
        batch_tokens=batch_tokens, device=device, dtype=dtype, gradient_checkpointing=gradient_checkpointing,
        logging_steps=logging_steps, save_steps=save_steps, report_to=report_to,
    )  # fmt: skip
    workspace = Workspace(output, resume=resume)
    job = Job(
        [os.devnull] if resume and not files and sys.stdin.isatty() else files or [],
        also_writes=[export_logps] if export_logps else [],
        on_error=on_error,
        rejects=rejects,
        quiet=quiet,
        max_line_bytes=max_line_bytes,
        what="pairs",
    )
    with job:
        status = TrainingRun(job, workspace, settings, extras).train()
    return status or job.status
