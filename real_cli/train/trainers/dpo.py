"""Training with TRL's DPOTrainer.

Private hooks of TRL 1.16 that RealTrainer overrides; each has a contract test:

    _prepare_dataset                    pairs come tokenized, with nothing dropped in silence
    _precompute_ref_logps               reference log-probabilities come as columns
    training_step       (HalvingPasses) a batch may take several passes, and more where memory ends
    get_batch_samples   (EvenSteps) all pairs of a step weigh the same
    prediction_step     (EvenSteps) a held-out pair counts once, in whatever process
    get_train_dataloader, get_eval_dataloader  (EvenSteps) a process gets its share of every batch
    _load_from_checkpoint               (called) the weights of a finished stage
    _compute_loss                       the objective is a function of real_cli.train.losses
    log                 (LoggedMeans) metrics are read from the device here, once a logging step
    _save_checkpoint, _run_epoch        (WholeCheckpoints) one counts when it is whole; nothing follows the last
    _init_training_state, _load_best_model     the best one is known by its step
    create_model_card, hash_module      a README would quote the hub; the key of a cache that is not used
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch import Tensor

from real_cli.models.load.deferred import deferred_imports
from real_cli.models.load.policies import Policy
from real_cli.models.score.forward import ResponseScores
from real_cli.train.arguments import Routine, check_split_weights, training_arguments
from real_cli.train.batches.collate import Collator
from real_cli.train.batches.gather import decoupled_logps, gather
from real_cli.train.batches.metrics import PairMetrics, metric_names
from real_cli.train.batches.passes import PassByPass
from real_cli.train.batches.steps import EvenSteps
from real_cli.train.batches.token_marks import ignored_tokens
from real_cli.train.batches.whole import whole_batch_slopes, with_order
from real_cli.train.callbacks import Reporter
from real_cli.train.checkpoints.dump import Dump
from real_cli.train.checkpoints.saving import WholeCheckpoints
from real_cli.train.logps import Logps, join_logps
from real_cli.train.lora import add_degree_head, lora_config
from real_cli.train.mixture import Mixture
from real_cli.train.objective import Need
from real_cli.train.settings import TrainingSettings
from real_cli.train.shared.settings import WEIGHT
from real_cli.train.trainers.running import callbacks_of, on_one_device, settle, tracked

with deferred_imports():
    from trl import DPOConfig, DPOTrainer
    from trl.trainer import dpo_trainer


class RealTrainer(
    PassByPass,
    EvenSteps,
    PairMetrics,
    WholeCheckpoints,
    DPOTrainer,  # type: ignore[misc]  # trl is not typed
):
    """DPOTrainer on tokenized examples, with our objectives and our forward."""

    def __init__(
        self,
        *args: Any,
        mixture: Mixture,
        reference: Any,
        dump: Dump | None,
        tell: Callable[[str], None] = lambda line: None,
        **kwargs: Any,
    ) -> None:
        self._mixture = mixture
        self._reference = reference
        self.noted_names = metric_names(mixture)
        self.begin_run(dump, tell, remembers=mixture.remembers)
        with mock.patch.object(dpo_trainer, "hash_module", return_value="not used"):
            super().__init__(*args, **kwargs)

    def _prepare_dataset(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
        return dataset

    def _precompute_ref_logps(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
        return dataset

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Write no model card."""

    def with_slopes(self, model: Any, inputs: dict[str, Any]) -> dict[str, Any]:
        """Work out what no pass can alone: the losses of examples that are compared with all of the batch."""
        if Need.whole_batch not in self._mixture.needs or (len(inputs["passes"]) == 1 and self.world.size == 1):
            return inputs
        parts = []
        with self.all_or_none(), torch.no_grad(), self.compute_loss_context_manager():
            for forward in inputs["passes"]:
                if len(forward["examples"]):
                    parts.append(self._gather(model, inputs, forward))
                elif self.splits_weights:
                    model(**forward["batch"])
        slopes = whole_batch_slopes(self._mixture, parts, self.world)
        return inputs | with_order(slopes, [forward["examples"] for forward in inputs["passes"]])

    def _compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool) -> Any:
        """Sum the losses of the examples in these passes, over the batch's share of the examples of the step."""
        passes = [forward for forward in inputs["passes"] if len(forward["examples"])]
        parts = [self._gather(model, inputs, forward) for forward in passes]
        owners = [forward["examples"] for forward in passes]
        if Need.whole_batch in self._mixture.needs and "slopes" not in inputs:
            parts, owners = [join_logps(parts)], [torch.cat(owners)]
        sums = [self._sum(logps, inputs, rows) for logps, rows in zip(parts, owners, strict=True)]
        sums += [_nothing(model(**forward["batch"])) for forward in inputs["passes"] if not len(forward["examples"])]
        for forward in passes:
            self._count_tokens(forward["batch"])
        loss = torch.stack(sums).sum() / inputs.get("share", len(inputs["ref_logps"]))
        return (loss, None) if return_outputs else loss

    def _gather(self, model: Any, inputs: dict[str, Any], forward: dict[str, Any]) -> Logps:
        known: dict[str, Any] = {}
        if Need.decoupled in self._mixture.needs:
            policy = self.accelerator.unwrap_model(model)
            known["decoupled"] = decoupled_logps(
                policy, self._reference, forward["batch"], self._mixture.knobs["extrapolate"]
            )
        progress = self.state.global_step / max(1, self.state.max_steps)
        return gather(
            model(**forward["batch"]), inputs, forward, progress=progress, recent=self.recent.values(), **known
        )

    def _sum(self, logps: Logps, inputs: dict[str, Any], rows: Tensor) -> Tensor:
        """Sum the values of some examples, each by its weight."""
        if "slopes" in inputs:  # the values are known; the gradient is that of the whole batch
            moved = (inputs["slopes"][rows] * (logps.policy - logps.policy.detach())).sum(dim=1)
            values = {name: known[rows] for name, known in inputs["values"].items()}
            self._note(logps, values)
            total = self._mixture.total(values) + moved
        else:
            values = self._mixture.values(logps)
            self._note(logps, values)
            total = self._mixture.total(values)
        if self.shows and self.model.training:
            self._show(logps, total, inputs["rows"][rows])
        return (total * logps.columns[WEIGHT] if WEIGHT in logps.columns else total).sum()

    def _show(self, logps: Logps, values: Tensor, rows: Tensor) -> None:
        """Hand on what `--dump` writes: a line for each example of each step."""
        margin = {"margin": logps.logits} if self._mixture.has_pairs else {}
        shown = {"loss": values, **margin, **self._mixture.shows(logps)}
        lists = {name: value.detach().tolist() for name, value in shown.items()}
        for index, row in enumerate(rows.tolist()):
            line = {name: value[index] for name, value in lists.items()}
            self.show({"step": self.state.global_step + 1, "row": row, **line})


def _nothing(scores: ResponseScores) -> Tensor:
    """Make a loss of 0 that reaches all weights: processes add up the gradients of each."""
    heads = [value for value in (scores.logps, scores.degree_logits) if value is not None]
    return torch.stack([value[:0].sum() for value in heads]).sum()


def make_trainer(
    policy: Policy,
    train_rows: Any,
    eval_rows: Any,
    folder: Path,
    settings: TrainingSettings,
    callback: Reporter,
    routine: Routine,
    reference: Policy | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> RealTrainer:
    """Set up a run; UsageError if a tracker is not installed."""
    mixture = settings.mixture
    if Need.degrees in mixture.needs:
        add_degree_head(policy.model, int(mixture.knobs["levels"]))
    args = DPOConfig(
        beta=mixture.beta,
        precompute_ref_log_probs=True,  # they are columns; no reference model is loaded
        **training_arguments(policy, folder, settings, routine, evaluates=eval_rows is not None),
    )
    with tracked(routine):
        trainer = RealTrainer(
            policy.model,
            args=on_one_device(args),
            train_dataset=train_rows,
            eval_dataset=eval_rows,
            processing_class=policy.tokenizer,
            data_collator=make_collator(policy, routine, settings, mixture),
            peft_config=lora_config(settings),
            callbacks=callbacks_of(settings, callback),
            mixture=mixture,
            reference=None if reference is None else reference.model,
            dump=routine.dump,
            tell=tell,
        )
    if trainer.splits_weights:
        check_split_weights(settings)
    settle(trainer, callback)
    return trainer


def make_collator(policy: Policy, routine: Routine, settings: TrainingSettings, mixture: Mixture) -> Collator:
    """Make what turns the examples of a batch into its passes."""
    words = ignored_tokens(mixture.needs, policy.tokenizer)
    columns = [column.name for column in mixture.columns] + [WEIGHT] * (settings.weight_field is not None)
    by_code = Need.code_marks in mixture.needs
    return Collator(policy.layout, routine.batch_tokens, policy.tokenizer.pad_token_id, columns, words, by_code=by_code)
