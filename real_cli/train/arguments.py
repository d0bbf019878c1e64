"""The settings of a run in the words of transformers and TRL."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from real_cli.errors import UsageError
from real_cli.models.load.policies import Policy
from real_cli.train.checkpoints.dump import Dump
from real_cli.train.choices import Optimizer, Schedule
from real_cli.train.objective import Need
from real_cli.train.settings import TrainingSettings
from real_cli.train.shared.settings import RunSettings
from real_cli.train.world import this_world

OPTIMIZERS = {
    Optimizer.adamw: "adamw_torch_fused",
    Optimizer.rmsprop: "rmsprop",
    Optimizer.adafactor: "adafactor",
    Optimizer.sgd: "sgd",
    Optimizer.adamw_8bit: "adamw_bnb_8bit",
}
# transformers' plain "constant" takes no warm-up.
SCHEDULES = {schedule: str(schedule) for schedule in Schedule} | {Schedule.constant: "constant_with_warmup"}


@dataclass(frozen=True)
class Routine:
    """What a run does beside its steps.

    Attributes:
        logging_steps: Log every so many steps.
        save_steps: Save a checkpoint every so many steps; 0 only when stopped.
        report_to: Trackers as transformers names them, separated by commas, or "none".
        gradient_checkpointing: Compute activations again in the backward pass, for memory.
        batch_tokens: Most tokens of one forward pass; a step takes as many passes as its examples need.
        dump: Gets a line for each example of each step; None if nobody asks.
    """

    logging_steps: int = 1
    save_steps: int = 0
    report_to: str = "none"
    gradient_checkpointing: bool = False
    batch_tokens: int = 4096
    dump: Dump | None = None


def training_arguments(
    policy: Policy, folder: Path, settings: RunSettings, routine: Routine, *, evaluates: bool
) -> dict[str, Any]:
    """Translate the settings into the arguments that TRL's trainers share."""
    on_cpu = policy.place.device.type == "cpu"
    return dict(
        output_dir=str(folder),
        learning_rate=settings.learning_rate,
        lr_scheduler_type=SCHEDULES[settings.schedule],
        warmup_steps=settings.warmup,
        optim=OPTIMIZERS[settings.optimizer],
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_grad_norm,
        num_train_epochs=settings.epochs,
        max_steps=settings.max_steps,
        per_device_train_batch_size=settings.batch_size // this_world().size,
        per_device_eval_batch_size=settings.batch_size // this_world().size,
        gradient_accumulation_steps=settings.gradient_accumulation,
        seed=settings.seed,
        train_sampling_strategy="random" if settings.shuffles else "sequential",
        remove_unused_columns=False,  # the collator takes what it needs
        max_length=None,  # cut when tokenized, and counted
        use_cpu=on_cpu,
        bf16=policy.model.dtype != policy.place.dtype,
        dataloader_pin_memory=not on_cpu,
        gradient_checkpointing=routine.gradient_checkpointing,
        # Buffers are constants of the architecture; a step that begins anew would send them once more, and wait.
        ddp_broadcast_buffers=False,
        # An expert of a mixture may get no token in the last pass, which adds up the gradients of all.
        ddp_find_unused_parameters=True,
        logging_steps=routine.logging_steps,
        logging_first_step=True,
        logging_nan_inf_filter=False,  # it would log 0 where the loss is no number
        restore_callback_states_from_checkpoint=True,  # how long patience has lasted
        disable_tqdm=True,
        prediction_loss_only=True,
        report_to=routine.report_to.split(","),
        **_measuring(settings, routine, evaluates=evaluates),
    )


def _measuring(settings: RunSettings, routine: Routine, *, evaluates: bool) -> dict[str, Any]:
    """Say when held-out examples are measured, and when a checkpoint is saved."""
    # Early stopping ends with the best weights, so there must be a checkpoint of every evaluation.
    save_steps = settings.eval_steps if settings.patience else routine.save_steps
    return dict(
        save_strategy="steps" if save_steps else "epoch" if settings.patience else "no",
        save_steps=save_steps or 500,
        eval_strategy=("steps" if settings.eval_steps else "epoch") if evaluates else "no",
        eval_steps=settings.eval_steps or None,
        load_best_model_at_end=settings.patience > 0,
        metric_for_best_model="loss" if settings.patience else None,
        greater_is_better=False if settings.patience else None,
    )


def check_split_weights(settings: TrainingSettings) -> None:
    """Refuse what would run the whole policy apart, where each process holds a part of it."""
    if Need.decoupled in settings.mixture.needs:
        raise UsageError(
            f"--loss {settings.mixture.name}: asks the reference in every step, which FSDP and DeepSpeed cannot; add "
            "--extrapolate 0"
        )
    if settings.is_moving:
        raise UsageError(
            "--stages: each is compared with the one before, which FSDP and DeepSpeed cannot; add --stage-reference "
            "initial"
        )
