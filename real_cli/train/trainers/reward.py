"""Training with TRL's RewardTrainer.

Hooks of TRL 1.16 that RewardModelTrainer overrides beside those of `dpo`, which it shares; each has a contract test:

    _prepare_dataset    pairs come tokenized, with nothing dropped in silence
    compute_loss        the objective is a function of real_cli.train.reward.loss, for any number of heads
"""

from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch import Tensor

from real_cli.models.load.deferred import deferred_imports
from real_cli.models.load.policies import Policy
from real_cli.train.arguments import Routine, training_arguments
from real_cli.train.batches.metrics import REWARDS, LoggedMeans, keep_sums
from real_cli.train.batches.passes import PassByPass
from real_cli.train.batches.steps import EvenSteps
from real_cli.train.callbacks import Reporter
from real_cli.train.checkpoints.saving import WholeCheckpoints
from real_cli.train.lora import lora_config
from real_cli.train.reward.batches import RewardCollator
from real_cli.train.reward.loss import bradley_terry_loss
from real_cli.train.reward.settings import RewardSettings
from real_cli.train.trainers.running import callbacks_of, on_one_device, settle, tracked

with deferred_imports():
    from trl import RewardConfig, RewardTrainer


class RewardModelTrainer(
    PassByPass,
    EvenSteps,
    LoggedMeans,
    WholeCheckpoints,
    RewardTrainer,  # type: ignore[misc]  # trl is not typed
):
    """RewardTrainer on tokenized pairs, with one head or several."""

    def __init__(self, model: Any, *, center: float, tell: Callable[[str], None], **kwargs: Any) -> None:
        self._center = center
        self.noted_names = list(REWARDS)
        self._reads = signature(model.forward).parameters.keys()
        self.begin_run(None, tell)
        # TRL refuses several labels, because its loss reads one reward; ours is the mean over heads.
        with mock.patch.object(type(model.config), "num_labels", 1):
            super().__init__(model, **kwargs)

    def _prepare_dataset(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
        return dataset

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Write no model card."""

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Sum the losses of the pairs in these passes, over the batch's share of the pairs of the step."""
        sums = [self._sum(model, inputs, forward) for forward in inputs["passes"]]
        loss = torch.stack(sums).sum() / inputs.get("share", len(inputs["lengths"]))
        return (loss, {}) if return_outputs else loss

    def _sum(self, model: Any, inputs: dict[str, Any], forward: dict[str, Any]) -> Tensor:
        """Sum the values of some pairs, each by its weight; a head weighs a pair as often as it drew its prompt."""
        batch, rows = forward["batch"], forward["examples"]
        read = {name: values for name, values in batch.items() if name in self._reads}
        settings = {"use_cache": False} if "use_cache" in self._reads else {}
        logits = model(**read, **settings).logits.float()
        if not len(rows):
            return logits[:0].sum()
        rewards = torch.stack(logits.chunk(2), dim=1)
        self._count_tokens(batch)
        self._note_rewards(rewards.detach().mean(dim=2), inputs["lengths"][rows])
        margins = None if inputs["margins"] is None else inputs["margins"][rows]
        values = bradley_terry_loss(rewards, margins, center=self._center)
        if self.model.training:
            values = values * inputs["draws"][rows]
        return (values.mean(dim=1) * inputs["weights"][rows]).sum()

    def _note_rewards(self, rewards: Tensor, lengths: Tensor) -> None:
        """Keep sums over some pairs; their reward is the mean of the heads, as `real relabel reward` has it."""
        chosen, rejected = rewards.unbind(dim=1)
        margin = chosen - rejected
        noted = [chosen, rejected, (chosen > rejected).float(), margin]
        sums = self._metrics["train" if self.model.training else "eval"]["sums"]
        keep_sums(sums, noted, (lengths[:, 0] - lengths[:, 1]).to(margin.dtype), margin)


def make_reward_trainer(
    policy: Policy,
    train_rows: Any,
    eval_rows: Any,
    folder: Path,
    settings: RewardSettings,
    callback: Reporter,
    routine: Routine,
    tell: Callable[[str], None] = lambda line: None,
) -> RewardModelTrainer:
    """Set up a run; UsageError if a tracker is not installed."""
    args = RewardConfig(**training_arguments(policy, folder, settings, routine, evaluates=eval_rows is not None))
    with tracked(routine):
        trainer = RewardModelTrainer(
            policy.model,
            args=on_one_device(args),
            train_dataset=train_rows,
            eval_dataset=eval_rows,
            processing_class=policy.tokenizer,
            data_collator=RewardCollator(routine.batch_tokens, policy.tokenizer.pad_token_id, settings),
            peft_config=lora_config(settings, "SEQ_CLS"),
            callbacks=callbacks_of(settings, callback),
            center=settings.center,
            tell=tell,
        )
    settle(trainer, callback)
    return trainer
