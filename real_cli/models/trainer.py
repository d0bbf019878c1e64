"""Training with TRL's DPOTrainer. The only file that imports trl.

Private hooks of TRL 1.16 that RealTrainer overrides; `tests/models/test_trainer.py` holds a contract test for each:

    _prepare_dataset                    pairs come tokenized, with nothing dropped in silence
    _precompute_ref_logps               reference log-probabilities come as columns
    training_step                       a batch may take several passes
    _compute_loss                       the objective is a function of real_cli.core.objectives
    log                                 metrics are read from the device here, once a logging step
    create_model_card                   a checkpoint's README would quote the hub
    hash_module (of its module)         the key of a cache that is not used: a pass over all weights
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from accelerate.utils import DistributedType
from transformers import PrinterCallback, ProgressCallback, TrainerCallback
from trl import DPOConfig, DPOTrainer
from trl.trainer import dpo_trainer

from real_cli.core.objectives import OBJECTIVES, PairLogps
from real_cli.core.records import Record
from real_cli.errors import ModelError, RealError, UsageError
from real_cli.models.collate import PairCollator
from real_cli.models.policies import Policy
from real_cli.models.training import TrainingSettings

# Lines that the trainer logs at its end; the result says the same in our words.
CLOSING_KEY = "train_runtime"


class RealTrainer(DPOTrainer):  # type: ignore[misc]  # trl is not typed
    """DPOTrainer on tokenized pairs, with our objectives and our forward."""

    def __init__(self, *args: Any, settings: TrainingSettings, **kwargs: Any) -> None:
        self._settings = settings
        self._num_tokens: Any = 0
        with mock.patch.object(dpo_trainer, "hash_module", return_value="not used"):
            super().__init__(*args, **kwargs)

    def _prepare_dataset(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
        return dataset

    def _precompute_ref_logps(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
        return dataset

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Write no model card."""

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Any:
        """Run one optimizer batch, a pass at a time; the gradients of its passes add up."""
        *others, last = inputs["passes"]
        loss = torch.zeros((), device=self.accelerator.device)
        for one in others:
            with self.accelerator.no_sync(model):
                loss += super().training_step(model, inputs | {"passes": [one]}, num_items_in_batch)
        return loss + super().training_step(model, inputs | {"passes": [last]}, num_items_in_batch)

    def _compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool) -> Any:
        """Sum the losses of the pairs in these passes, over the number of pairs in the whole batch."""
        chosen = self._settings
        losses = []
        for one in inputs["passes"]:
            logps = model(**one["batch"])
            own = one["pairs"]
            pairs = PairLogps(
                logps[one["chosen"]],
                logps[one["rejected"]],
                inputs["ref_chosen_logps"][own],
                inputs["ref_rejected_logps"][own],
                inputs["chosen_lengths"][own],
                inputs["rejected_lengths"][own],
            )
            losses.append(
                OBJECTIVES[chosen.loss].loss(pairs, beta=chosen.beta, label_smoothing=chosen.label_smoothing).sum()
            )
            self._note(pairs, one["batch"])
        loss = torch.stack(losses).sum() / len(inputs["ref_chosen_logps"])
        return (loss, None) if return_outputs else loss

    def _note(self, pairs: PairLogps, batch: dict[str, Any]) -> None:
        """Keep metrics on the device, in TRL's names; `log` reads them."""
        mode = "train" if self.model.training else "eval"
        chosen, rejected = self.beta * pairs.chosen_logratios, self.beta * pairs.rejected_logratios
        values = {
            "rewards/chosen": chosen,
            "rewards/rejected": rejected,
            "rewards/accuracies": (chosen > rejected).float(),
            "rewards/margins": chosen - rejected,
            "logps/chosen": pairs.policy_chosen,
            "logps/rejected": pairs.policy_rejected,
        }
        sums = torch.stack([value.detach().sum() for value in values.values()])
        self._metrics[mode]["sums"].append(torch.cat([sums, sums.new_tensor([len(chosen)])]))
        self._metric_names = list(values)
        if mode == "train":
            seen = batch["attention_mask"] if "attention_mask" in batch else batch["segments"] >= 0
            self._num_tokens = self._num_tokens + seen.sum()  # on the device: reading it here would wait for it

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log metrics: means over the pairs since the last time."""
        mode = "train" if self.model.training else "eval"
        metrics = self._metrics[mode]
        if metrics:
            *sums, num_pairs = self.accelerator.reduce(torch.stack(metrics.pop("sums")).sum(dim=0), "sum").tolist()
            metrics.update({name: [total / num_pairs] for name, total in zip(self._metric_names, sums, strict=True)})
            tokens = torch.as_tensor(self._num_tokens, device=self.accelerator.device)
            metrics["num_tokens"] = [int(self.accelerator.reduce(tokens, "sum"))]
        super().log(logs, start_time)


class Reporter(TrainerCallback):  # type: ignore[misc]  # transformers is not typed
    """Hand each logged line on, and stop in good order when asked to."""

    def __init__(self, report: Callable[[Record], None], should_stop: Callable[[], bool]) -> None:
        self._report = report
        self._should_stop = should_stop

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any], **kwargs: Any) -> None:
        """Report one line."""
        if state.is_world_process_zero and CLOSING_KEY not in logs:
            self._report({"step": state.global_step, **logs})

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Save and stop after this step if a signal came."""
        if self._should_stop():
            control.should_save = control.should_training_stop = True


@dataclass(frozen=True)
class Routine:
    """What a run does beside its steps.

    Attributes:
        logging_steps: Log every so many steps.
        save_steps: Save a checkpoint every so many steps; 0 only when stopped.
        report_to: Trackers as transformers names them, separated by commas, or "none".
        gradient_checkpointing: Compute activations again in the backward pass, for memory.
        batch_tokens: Most tokens of one forward pass; a step takes as many passes as its pairs need.
    """

    logging_steps: int = 1
    save_steps: int = 0
    report_to: str = "none"
    gradient_checkpointing: bool = False
    batch_tokens: int = 4096


def make_trainer(
    policy: Policy,
    train_rows: Any,
    eval_rows: Any,
    folder: Path,
    settings: TrainingSettings,
    callback: Reporter,
    routine: Routine = Routine(),
) -> RealTrainer:
    """Set up a run.

    Args:
        policy: The model to train, and its tokenizer.
        train_rows: Tokenized pairs with reference log-probabilities.
        eval_rows: The same, held out; or None.
        folder: Where checkpoints go.
        settings: What decides the trajectory.
        callback: Gets the log lines.
        routine: What happens beside the steps.

    Returns:
        The trainer, ready to train.

    Raises:
        UsageError: If a tracker is not installed.
    """
    args = _arguments(policy, folder, settings, routine, evaluates=eval_rows is not None)
    try:
        trainer = RealTrainer(
            policy.model,
            args=args,
            train_dataset=train_rows,
            eval_dataset=eval_rows,
            processing_class=policy.tokenizer,
            data_collator=PairCollator(policy.layout, routine.batch_tokens, policy.tokenizer.pad_token_id),
            peft_config=lora_config(settings) if settings.lora else None,
            callbacks=[callback],
            settings=settings,
        )
    except (ImportError, RuntimeError) as error:
        if routine.report_to == "none":
            raise
        raise UsageError(f"--report-to {routine.report_to}: {str(error).splitlines()[0]}") from None
    if trainer.accelerator.distributed_type not in (DistributedType.NO, DistributedType.MULTI_GPU):
        # Processes that share one model's weights must make the same number of passes, or they wait for ever.
        trainer.data_collator.batch_tokens = sys.maxsize
    for printer in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(printer)  # both write to standard output, which is for records
    return trainer


def _arguments(policy: Policy, folder: Path, settings: TrainingSettings, routine: Routine, *, evaluates: bool) -> Any:
    on_cpu = policy.place.device.type == "cpu"
    args = DPOConfig(
        output_dir=str(folder),
        beta=settings.beta,
        learning_rate=settings.learning_rate,
        num_train_epochs=settings.epochs,
        max_steps=settings.max_steps,
        per_device_train_batch_size=settings.batch_size,
        per_device_eval_batch_size=settings.batch_size,
        gradient_accumulation_steps=settings.gradient_accumulation,
        seed=settings.seed,
        train_sampling_strategy="random" if settings.shuffle else "sequential",
        max_length=None,  # cut when tokenized, and counted
        precompute_ref_log_probs=True,  # with the hook above: they are columns, and no reference model is loaded
        use_cpu=on_cpu,
        bf16=policy.model.dtype != policy.place.dtype,
        dataloader_pin_memory=not on_cpu,
        gradient_checkpointing=routine.gradient_checkpointing,
        logging_steps=routine.logging_steps,
        logging_first_step=True,
        disable_tqdm=True,
        prediction_loss_only=True,
        report_to=routine.report_to.split(","),
        save_strategy="steps" if routine.save_steps else "no",
        save_steps=routine.save_steps or 500,
        eval_strategy="epoch" if evaluates else "no",
    )
    # Several visible GPUs without a launcher would be DataParallel, which TRL refuses: one process takes one.
    args._n_gpu = min(args.n_gpu, 1)
    return args


def lora_config(settings: TrainingSettings) -> Any:
    """Set up a LoRA adapter on every linear layer but the head.

    Args:
        settings: The rank; alpha is twice the rank.

    Returns:
        peft's configuration.

    Raises:
        ModelError: If peft is not installed.
    """
    try:
        from peft import LoraConfig
    except ImportError:
        raise ModelError("--lora needs a package: pip install 'real-cli[lora]'") from None
    return LoraConfig(
        r=settings.lora_rank,
        lora_alpha=2 * settings.lora_rank,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )


def run_trainer(trainer: RealTrainer, checkpoint: Path | None) -> Record:
    """Train.

    Args:
        trainer: Set up by `make_trainer`.
        checkpoint: Where to go on from, or None.

    Returns:
        `step`, and the mean `loss` of the run.

    Raises:
        RealError: If the device has no room for a batch.
    """
    try:
        output = trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    except torch.OutOfMemoryError:
        raise RealError(
            "out of device memory; lower --batch-tokens (or --max-length, where one pair is too long), or use "
            "--gradient-checkpointing or --lora"
        ) from None
    return {"step": trainer.state.global_step, "loss": output.training_loss}
