"""The options of `real train-dpo`, and the groups in which its help lists them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from real_cli.cli.completion_values import language_model_names, lists_of
from real_cli.cli.option_sets import ScoringOptions, split_names
from real_cli.cli.options import ExportLogps
from real_cli.train.choices import AUTO_TOKENS, Preset, StageReference, tokens_or_auto
from real_cli.train.loss_names import LOSSES
from real_cli.train.loss_options import LossKnobs
from real_cli.train.shared.options import RunOptions


@dataclass(frozen=True, kw_only=True)
class TrainOptions(LossKnobs, RunOptions, ScoringOptions):
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

    offset_field: Annotated[
        str | None,
        typer.Option(
            "--offset-field", metavar="FIELD", show_default="offset", help="The field that holds dlma's offset."
        ),
    ] = None
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
    gradient_accumulation: Annotated[
        int,
        typer.Option(
            "--gradient-accumulation",
            metavar="N",
            min=1,
            help="Batches in one step, in which every pair weighs the same; sorting (aot) and spa's memory go by "
            "batches.",
        ),
    ] = RunOptions.gradient_accumulation
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
    qlora: Annotated[
        bool, typer.Option("--qlora", help="Train a LoRA adapter on 4-bit weights (needs peft and bitsandbytes).")
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

    @property
    def fits_tokens(self) -> bool:
        """Whether the largest pass that fits is to be found."""
        return self.batch_tokens == AUTO_TOKENS

    @property
    def knobs(self) -> dict[str, float]:
        """The knobs of losses that are given, by name."""
        values = {name: getattr(self, name) for name in LossKnobs.__annotations__}
        return {name: value for name, value in values.items() if value is not None}
