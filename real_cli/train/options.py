"""The options of `real train-dpo`, and the groups in which its help lists them."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from real_cli.cli.completion_values import language_model_names, lists_of, names_of
from real_cli.cli.option_sets import ScoringOptions, StreamOptions, split_names
from real_cli.cli.options import ExportLogps
from real_cli.io.standard_input import is_terminal
from real_cli.train.choices import AUTO_TOKENS, Optimizer, Preset, Schedule, StageReference, tokens_or_auto
from real_cli.train.loss_names import LOSSES
from real_cli.train.loss_options import LossKnobs


@dataclass(frozen=True, kw_only=True)
class TrainOptions(LossKnobs, ScoringOptions, StreamOptions):
    """The data, the objective, the optimization, the model, and what is written."""

    GROUPS = split_names(
        {
            "Objective": f"""loss loss_weights preset show_config estimate reference
                {" ".join(LossKnobs.__annotations__)}""",
            "Optimization": """learning_rate schedule warmup optimizer weight_decay max_grad_norm epochs max_steps
                batch_size gradient_accumulation eval_steps patience seed""",
            "Data": "weight_field raw_weights offset_field order stages stage_reference max_length eval_file",
            "Model": """policy base lora qlora lora_rank lora_alpha gradient_checkpointing device devices dtype
                attention layout batch_tokens""",
            "Input and output": """output merge export_logps dump logging_steps save_steps resume resume_if_same
                report_to on_error rejects input_format max_line_bytes""",
            "Other": "quiet",
        }
    )
    NEEDED = ("policy", "output")

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
    offset_field: Annotated[
        str | None,
        typer.Option(
            "--offset-field", metavar="FIELD", show_default="offset", help="The field that holds dlma's offset."
        ),
    ] = None
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
    stages: Annotated[
        bool,
        typer.Option(
            "--stages",
            help="Train the values of the field 'stage' one after another, each with its own --epochs or steps.",
        ),
    ] = False
    stage_reference: Annotated[
        StageReference | None,
        typer.Option(
            "--stage-reference",
            show_default="previous",
            help="What a stage is compared with: the policy at its start, or the one before training.",
        ),
    ] = None
    eval_file: Annotated[
        Path | None,
        typer.Option(
            "--eval-file", metavar="FILE", show_default=False, help="Held-out pairs, measured after each epoch."
        ),
    ] = None
    loss: Annotated[
        str,
        typer.Option(
            "--loss",
            metavar="NAMES",
            autocompletion=lists_of(LOSSES),
            help=f"The objective, or several to sum, as dpo,sft: {', '.join(LOSSES)}. real-losses(7) describes each.",
        ),
    ] = "dpo"
    loss_weights: Annotated[
        str | None,
        typer.Option(
            "--loss-weights",
            metavar="X,...",
            show_default="1 each",
            help="Weights of the summed objectives, as 1,0.001.",
        ),
    ] = None
    preset: Annotated[
        Preset | None,
        typer.Option("--preset", show_default=False, help="Start from published settings; options override them."),
    ] = None
    show_config: Annotated[
        bool, typer.Option("--show-config", help="Write the settings that would run as one JSON object, and stop.")
    ] = False
    estimate: Annotated[
        bool,
        typer.Option(
            "--estimate",
            help="Say what the run would take, and stop: memory by its parts, what would fit, and the time by a probe "
            "of a few steps where it fits. Nothing is written; -o is not needed.",
        ),
    ] = False
    reference: Annotated[
        str | None,
        typer.Option(
            "--reference",
            "-r",
            metavar="NAME",
            show_default=False,
            autocompletion=language_model_names,
            help="The model to compare with, named as --policy is; a soup, say. Without it log-probabilities that the "
            "records carry, else the policy before training; none, for an objective that needs none.",
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
            help="Batches in one step, in which every pair weighs the same; sorting (aot) and spa's memory go by "
            "batches.",
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
    policy: Annotated[
        str | None,
        typer.Option(
            "--policy",
            "-p",
            metavar="NAME",
            show_default=False,
            autocompletion=language_model_names,
            help="The model to train: a folder, a .gguf file, a hub name, or smollm2.",
        ),
    ] = None
    lora: Annotated[bool, typer.Option("--lora", help="Train a LoRA adapter instead of all weights (needs peft).")] = (
        False
    )
    qlora: Annotated[
        bool, typer.Option("--qlora", help="Train a LoRA adapter on 4-bit weights (needs peft and bitsandbytes).")
    ] = False
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
    batch_tokens: Annotated[
        int | None,
        typer.Option(
            "--batch-tokens",
            metavar="N|auto",
            min=1,
            parser=tokens_or_auto,
            show_default="512 on a CPU, what fits from 4096 to 32768 on a GPU",
            help="Most tokens, padding counted, in one forward pass; the pairs of a batch take as many passes as they "
            "need. It changes speed and memory, not the result. auto follows a step as --estimate does, takes the "
            "largest pass that fits into the memory that is free (on a CPU up to the default, where larger ones are "
            "slower), and says which; --resume keeps it.",
        ),
    ] = None
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
    merge: Annotated[bool, typer.Option("--merge", help="Merge the adapter into the weights before saving.")] = False
    export_logps: ExportLogps = None
    dump: Annotated[
        Path | None,
        typer.Option(
            "--dump",
            metavar="FILE",
            show_default=False,
            help="Write a line for each pair of each step: its place, its loss before its weight, its margin h in "
            "nats before beta, and ada-dpo's tau or spa's flag. It grows as the run goes; with --resume it is cut to "
            "the checkpoint.",
        ),
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
    def fits_tokens(self) -> bool:
        """Whether the largest pass that fits is to be found."""
        return self.batch_tokens == AUTO_TOKENS

    @property
    def knobs(self) -> dict[str, float]:
        """The knobs of losses that are given, by name."""
        values = {name: getattr(self, name) for name in LossKnobs.__annotations__}
        return {name: value for name, value in values.items() if value is not None}

    @property
    def sources(self) -> list[str]:
        """The files to read; nothing where a run that goes on has its records, and nobody pipes any."""
        return [os.devnull] if self.resume and not self.files and is_terminal() else self.files or []
