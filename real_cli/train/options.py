"""The options of `real train-dpo` that no other command has, and the groups in which its help lists all of them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Self

import typer

from real_cli.records.choices import Attention, Precision, TokenLayout
from real_cli.train.choices import Optimizer, Preset, Schedule, StageReference
from real_cli.train.loss_names import LOSSES

Trainee = Annotated[
    str | None,
    typer.Option(
        "--policy",
        "-p",
        metavar="NAME",
        show_default=False,
        help="The model to train: a folder, a .gguf file, a hub name, or smollm2. Needed.",
    ),
]
CheckpointFolder = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="DIR", show_default=False, help="The checkpoint folder to write. Needed."),
]
TrainingReference = Annotated[
    str | None,
    typer.Option(
        "--reference",
        "-r",
        metavar="NAME",
        show_default=False,
        help="The model to compare with, named as --policy is; a soup, say. Without it log-probabilities that the "
        "records carry, else the policy before training; none, for an objective that needs none.",
    ),
]
LossNames = Annotated[
    str,
    typer.Option(
        "--loss",
        metavar="NAMES",
        help=f"The objective, or several to sum, as dpo,sft: {', '.join(LOSSES)}. The man page says what each is.",
    ),
]
LossWeights = Annotated[
    str | None,
    typer.Option(
        "--loss-weights", metavar="X,...", show_default="1 each", help="Weights of the summed objectives, as 1,0.001."
    ),
]
PresetName = Annotated[
    Preset | None,
    typer.Option("--preset", show_default=False, help="Start from published settings; options override them."),
]
ShowConfig = Annotated[
    bool, typer.Option("--show-config", help="Write the settings that would run as one JSON object, and stop.")
]
WeightField = Annotated[
    str | None,
    typer.Option(
        "--weight-field",
        metavar="FIELD",
        show_default=False,
        help="Weigh each pair's loss by this number, 0 or more; the mean weight becomes 1.",
    ),
]
RawWeights = Annotated[bool, typer.Option("--raw-weights", help="Take the weights as they are.")]
OffsetField = Annotated[
    str | None,
    typer.Option("--offset-field", metavar="FIELD", show_default="offset", help="Where dlma finds its offset."),
]
Order = Annotated[
    str,
    typer.Option(
        "--order",
        metavar="ORDER",
        help="shuffle by the seed; given, as the records come; or the name of a field to sort by, lowest first, with "
        "a minus sign before it highest first.",
    ),
]
Stages = Annotated[
    bool,
    typer.Option(
        "--stages", help="Train the values of the field 'stage' one after another, each with its own --epochs or steps."
    ),
]
StageReferenceOption = Annotated[
    StageReference | None,
    typer.Option(
        "--stage-reference",
        show_default="previous",
        help="What a stage is compared with: the policy at its start, or the one before training.",
    ),
]


def knob(flag: str, default: str, text: str) -> typer.models.OptionInfo:
    """Declare a setting of objectives; each objective has its own default.

    Args:
        flag: The option.
        default: What to show as the default.
        text: The help.

    Returns:
        An option that is None unless it is given.
    """
    return typer.Option(flag, metavar="X", show_default=default, help=text)  # type: ignore[no-any-return]


OWN = "the objective's"
Beta = Annotated[float | None, knob("--beta", OWN, "Strength of the pull towards the reference, or of the margin.")]
LabelSmoothing = Annotated[
    float | None, knob("--label-smoothing", OWN, "Share of labels thought to be flipped; of spa, of those it flags.")
]
Alpha = Annotated[float | None, knob("--alpha", OWN, "Weight of an objective's second term (sft, optimism, degrees).")]
Gamma = Annotated[float | None, knob("--gamma", OWN, "Margin that simpo and tpo-l demand.")]
Rho = Annotated[
    float | None, knob("--rho", "0.5931", "Entropy that ada-dpo gives each pair, in nats: ln 2 less its authors' rho.")
]
Tau = Annotated[float | None, knob("--tau", "0.05", "Temperature of discopop's blend.")]
TauMin = Annotated[float | None, knob("--tau-min", "0.1", "Lowest temperature of ada-dpo.")]
TauMax = Annotated[float | None, knob("--tau-max", "5", "Highest temperature of ada-dpo.")]
Delta = Annotated[float | None, knob("--delta", "1.5", "Most that bmc adds to the weight of a differing token.")]
OffsetScale = Annotated[float | None, knob("--offset-scale", "0.2", "What dlma multiplies its offset by.")]
OffsetMin = Annotated[float | None, knob("--offset-min", "-40", "Offsets of dlma below this count as this.")]
OffsetMax = Annotated[float | None, knob("--offset-max", "40", "Offsets of dlma above this count as this.")]
FlipQuantile = Annotated[
    float | None, knob("--flip-quantile", "0.1", "Share of recent pairs, those of least margin, that spa distrusts.")
]
WarmShare = Annotated[float | None, knob("--warm-share", "0.2", "Share of the steps before spa distrusts any.")]
Extrapolate = Annotated[
    float | None, knob("--extrapolate", "0.5", "How far spa's detector goes beyond the policy; 0 is the policy.")
]
Levels = Annotated[float | None, knob("--levels", "4", "Degrees that spo tells apart, 0 among them.")]

LearningRate = Annotated[float, typer.Option("--learning-rate", metavar="X", help="Peak learning rate.")]
ScheduleOption = Annotated[Schedule, typer.Option("--schedule", help="How it goes after the warm-up.")]
Warmup = Annotated[
    float, typer.Option("--warmup", metavar="X", min=0, help="Steps of warm-up; below 1 a share of all steps.")
]
OptimizerOption = Annotated[
    Optimizer, typer.Option("--optimizer", help="What takes the steps; adamw-8bit needs bitsandbytes.")
]
WeightDecay = Annotated[float, typer.Option("--weight-decay", metavar="X", min=0, help="Pull of the weights to 0.")]
MaxGradNorm = Annotated[
    float, typer.Option("--max-grad-norm", metavar="X", min=0, help="Gradients are cut to it; 0: never.")
]
Epochs = Annotated[float, typer.Option("--epochs", metavar="X", min=0, help="Passes over the pairs.")]
MaxSteps = Annotated[
    int | None,
    typer.Option(
        "--max-steps", metavar="N", min=1, show_default=False, help="Stop after N steps, whatever --epochs says."
    ),
]
BatchSize = Annotated[int, typer.Option("--batch-size", metavar="N", min=1, help="Pairs in one batch.")]
GradientAccumulation = Annotated[
    int,
    typer.Option(
        "--gradient-accumulation",
        metavar="N",
        min=1,
        help="Batches in one step, in which every pair weighs the same; sorting (aot) and spa's memory go by batches.",
    ),
]
Lora = Annotated[bool, typer.Option("--lora", help="Train a LoRA adapter instead of all weights (needs peft).")]
Qlora = Annotated[
    bool, typer.Option("--qlora", help="Train a LoRA adapter on weights of 4 bits (needs peft and bitsandbytes).")
]
LoraRank = Annotated[
    int | None, typer.Option("--lora-rank", metavar="N", min=1, show_default="16", help="Rank of the adapter.")
]
LoraAlpha = Annotated[
    float | None,
    typer.Option("--lora-alpha", metavar="X", min=0, show_default="twice the rank", help="Scale of the adapter."),
]
Merge = Annotated[bool, typer.Option("--merge", help="Put the adapter into the weights before they are saved.")]
GradientCheckpointing = Annotated[
    bool, typer.Option("--gradient-checkpointing", help="Compute activations twice: less memory, more time.")
]
EvalFile = Annotated[
    Path | None,
    typer.Option("--eval-file", metavar="FILE", show_default=False, help="Held-out pairs, measured after each epoch."),
]
EvalSteps = Annotated[
    int, typer.Option("--eval-steps", metavar="N", min=0, help="Measure --eval-file every N steps; 0 each epoch.")
]
Patience = Annotated[
    int,
    typer.Option(
        "--patience",
        metavar="N",
        min=0,
        help="Stop after N measurements without a lower loss, and keep the best weights; 0 never.",
    ),
]
Dump = Annotated[
    Path | None,
    typer.Option(
        "--dump",
        metavar="FILE",
        show_default=False,
        help="Write a line for each pair of each step: its place, its loss before its weight, its margin h in "
        "nats before beta, and ada-dpo's tau or spa's flag. It grows as the run goes; with --resume it is cut to "
        "the checkpoint.",
    ),
]
LoggingSteps = Annotated[int, typer.Option("--logging-steps", metavar="N", min=1, help="Report every N steps.")]
SaveSteps = Annotated[
    int,
    typer.Option("--save-steps", metavar="N", min=0, help="Save a checkpoint every N steps; 0 only when stopped."),
]
Resume = Annotated[
    bool,
    typer.Option("--resume", help="Go on from the last whole checkpoint in the output folder, with the same settings."),
]
ReportTo = Annotated[
    str, typer.Option("--report-to", metavar="NAMES", help="Trackers: tensorboard, wandb, trackio, or none.")
]
TrainingBatchTokens = Annotated[
    int | None,
    typer.Option(
        "--batch-tokens",
        metavar="N",
        min=1,
        show_default="512 on a CPU, what fits from 4096 to 32768 on a GPU",
        help="Most tokens, padding counted, in one forward pass; the pairs of a batch take as many passes as they "
        "need. It changes speed and memory, not the result.",
    ),
]
TrainingSeed = Annotated[
    int, typer.Option("--seed", metavar="N", min=0, max=2**32 - 1, help="Seed of order and adapters.")
]

# The names of the command's parameters, in the order of its help.
GROUPS: dict[str, tuple[str, ...]] = {
    title: tuple(names.split())
    for title, names in {
        "Data": """weight_field raw_weights offset_field order stages stage_reference max_length eval_file on_error
            rejects input_format max_line_bytes""",
        "Objective": """loss loss_weights preset show_config reference beta label_smoothing alpha gamma rho tau tau_min
            tau_max delta offset_scale offset_min offset_max flip_quantile warm_share extrapolate levels""",
        "Optimization": """learning_rate schedule warmup optimizer weight_decay max_grad_norm epochs max_steps
            batch_size gradient_accumulation eval_steps patience seed""",
        "Model": """policy base lora qlora lora_rank lora_alpha gradient_checkpointing device dtype attention layout
            batch_tokens""",
        "Output": "output merge export_logps dump logging_steps save_steps resume report_to quiet",
    }.items()
}


@dataclass(frozen=True)
class Extras:
    """What a run needs beside the settings that decide its trajectory."""

    policy: str
    preset: Preset | None
    reference: str | None
    eval_file: Path | None
    export_logps: Path | None
    dump: Path | None
    merge: bool
    attention: Attention
    layout: TokenLayout
    batch_tokens: int | None
    device: str
    dtype: Precision
    gradient_checkpointing: bool
    logging_steps: int
    save_steps: int
    report_to: str

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Take what belongs here from all options.

        Args:
            values: Options by name.

        Returns:
            The extras.
        """
        return cls(**{item.name: values[item.name] for item in fields(cls)})
