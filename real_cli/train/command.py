"""real train-dpo: align a policy with the chosen pairs."""

import os

import typer

from real_cli.cli.guard import guarded
from real_cli.cli.options import (
    AttentionOption,
    Base,
    Device,
    Dtype,
    ExportLogps,
    Files,
    InputFormatOption,
    Layout,
    MaxLength,
    MaxLineBytes,
    OnErrorOption,
    Quiet,
    Rejects,
)
from real_cli.errors import Status, UsageError
from real_cli.io.job import Job
from real_cli.io.jsonl import MAX_LINE_BYTES
from real_cli.io.output import write_stdout
from real_cli.io.sources import SourceOptions
from real_cli.io.standard_input import is_terminal
from real_cli.records.choices import Attention, OnError, Precision, TokenLayout
from real_cli.train import options as own
from real_cli.train.choices import Optimizer, Schedule
from real_cli.train.folder import Workspace


@guarded
def train_dpo(
    context: typer.Context,
    files: Files = None,
    *,
    weight_field: own.WeightField = None,
    raw_weights: own.RawWeights = False,
    offset_field: own.OffsetField = None,
    order: own.Order = "shuffle",
    stages: own.Stages = False,
    stage_reference: own.StageReferenceOption = None,
    max_length: MaxLength = 1024,
    eval_file: own.EvalFile = None,
    on_error: OnErrorOption = OnError.fail,
    rejects: Rejects = None,
    input_format: InputFormatOption = None,
    max_line_bytes: MaxLineBytes = MAX_LINE_BYTES,
    loss: own.LossNames = "dpo",
    loss_weights: own.LossWeights = None,
    preset: own.PresetName = None,
    show_config: own.ShowConfig = False,
    reference: own.TrainingReference = None,
    beta: own.Beta = None,
    label_smoothing: own.LabelSmoothing = None,
    alpha: own.Alpha = None,
    gamma: own.Gamma = None,
    rho: own.Rho = None,
    tau: own.Tau = None,
    tau_min: own.TauMin = None,
    tau_max: own.TauMax = None,
    delta: own.Delta = None,
    offset_scale: own.OffsetScale = None,
    offset_min: own.OffsetMin = None,
    offset_max: own.OffsetMax = None,
    flip_quantile: own.FlipQuantile = None,
    warm_share: own.WarmShare = None,
    extrapolate: own.Extrapolate = None,
    levels: own.Levels = None,
    learning_rate: own.LearningRate = 1e-6,
    schedule: own.ScheduleOption = Schedule.linear,
    warmup: own.Warmup = 0.0,
    optimizer: own.OptimizerOption = Optimizer.adamw,
    weight_decay: own.WeightDecay = 0.0,
    max_grad_norm: own.MaxGradNorm = 1.0,
    epochs: own.Epochs = 1.0,
    max_steps: own.MaxSteps = None,
    batch_size: own.BatchSize = 8,
    gradient_accumulation: own.GradientAccumulation = 1,
    eval_steps: own.EvalSteps = 0,
    patience: own.Patience = 0,
    seed: own.TrainingSeed = 42,
    policy: own.Trainee = None,
    lora: own.Lora = False,
    qlora: own.Qlora = False,
    lora_rank: own.LoraRank = None,
    lora_alpha: own.LoraAlpha = None,
    gradient_checkpointing: own.GradientCheckpointing = False,
    device: Device = "auto",
    dtype: Dtype = Precision.auto,
    base: Base = None,
    attention: AttentionOption = Attention.auto,
    layout: Layout = TokenLayout.auto,
    batch_tokens: own.TrainingBatchTokens = None,
    output: own.CheckpointFolder = None,
    merge: own.Merge = False,
    export_logps: ExportLogps = None,
    dump: own.Dump = None,
    logging_steps: own.LoggingSteps = 1,
    save_steps: own.SaveSteps = 0,
    resume: own.Resume = False,
    report_to: own.ReportTo = "none",
    quiet: Quiet = False,
) -> Status:
    """Align a policy with labeled pairs, by DPO and its kin.

    Reads pairs (prompt, chosen, rejected), or what the objective wants beside them, and writes a checkpoint folder that
    transformers loads, with a manifest, real.json. Standard output gets one JSON object for each logged step, in TRL's
    names, then one for the result; standard error says in words how the margin moved. Reference log-probabilities are
    computed once, before training, or read from the records.

    A conversation goes through the policy's chat template, and every message of it must be in what the template
    renders. What tools and users say inside a response is read and not trained. Pairs whose responses became the same
    tokens are left out. All of that, and what a template or --max-length changes, is counted on standard error.

    Buffers: the input is spooled to disk, because training reads it more than once. During training, SIGINT, SIGTERM
    and SIGHUP leave a checkpoint from which --resume goes on.

    \b
    Examples:
      real train-dpo --policy smollm2 -o aligned pairs.jsonl > training.jsonl
      real pair --keep 2000 embedded.jsonl | real train-dpo -p ./sft -o aligned --loss ipo | jq .loss
      real train-dpo --preset drift --learning-rate 1e-6 --show-config | jq .
    """
    values = {**locals()}  # the parameters by their names, and nothing else yet
    if not show_config and (policy is None or output is None):
        raise UsageError("--policy and --output are needed: the model to train, and the folder to write")
    from real_cli.train.options import Extras
    from real_cli.train.run import TrainingRun
    from real_cli.train.settings import check_settings, describe_settings, settings_from

    given = {name for name in values if getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"}
    settings = settings_from(values, given)
    check_settings(settings, values)
    if show_config:
        write_stdout(describe_settings(settings, preset) | {"reference": reference})
        return Status.done
    assert policy is not None
    assert output is not None
    extras = Extras.of(values)
    workspace = Workspace(output, resume=resume, reads=[("--policy", policy), ("--reference", reference)])
    job = Job(
        [os.devnull] if resume and not files and is_terminal() else files or [],
        also_writes=[path for path in (export_logps, dump) if path],
        also_reads=[("--eval-file", eval_file)],
        on_error=on_error,
        rejects=rejects,
        quiet=quiet,
        max_line_bytes=max_line_bytes,
        reading=SourceOptions(input_format, numbers=settings.number_fields),
        what="pairs",
    )
    with job, workspace:
        status = TrainingRun(job, workspace, settings, extras).train()
    return status or job.status
