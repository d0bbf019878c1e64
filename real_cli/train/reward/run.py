"""The steps of `real train-reward`: spool, prepare, train, save. Loaded only when a run starts."""

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from real_cli.models.load.device import default_training_tokens
from real_cli.models.load.policies import Policy
from real_cli.models.reward.reward_models import own_limit
from real_cli.models.reward.reward_texts import pointwise_reader
from real_cli.models.reward.trainee import load_reward_trainee
from real_cli.records.record import Record
from real_cli.train.arguments import Routine
from real_cli.train.callbacks import Reporter
from real_cli.train.devices.count import device_of
from real_cli.train.devices.stop import AgreedStop
from real_cli.train.folder import Spooled, read_spool
from real_cli.train.reward.examples import PairReader, prepare_rewards
from real_cli.train.reward.options import TrainRewardOptions
from real_cli.train.reward.readings import close_reward_run, read_reward_run
from real_cli.train.reward.settings import RewardSettings
from real_cli.train.shared.run import Run
from real_cli.train.stages import Stages
from real_cli.train.tokenized import ExampleSet


class RewardStages(Stages):
    """The single stage of `train-reward`."""

    settings: RewardSettings

    def _make(self, examples: ExampleSet, held_out: ExampleSet | None, reporter: Reporter) -> Any:
        """Set up RewardTrainer; it gets its rows before the first step."""
        from real_cli.train.trainers.reward import make_reward_trainer

        eval_rows = held_out.rows if held_out else None
        return make_reward_trainer(
            self.policy, examples.rows, eval_rows, self.folder, self.settings, reporter, self.routine, self.tell
        )


class RewardRun(Run):
    """One run of `real train-reward`."""

    _settings: RewardSettings
    _options: TrainRewardOptions

    @property
    def merges(self) -> bool:
        """Whether there is an adapter: nobody scores by one."""
        return self._settings.lora

    def _asked(self) -> dict[str, Any]:
        return super()._asked() | {"command": "train-reward", "model": self._model}

    def _load(self) -> Policy:
        options = self._options
        self._job.counter.begin("loading the model")
        policy, news = load_reward_trainee(
            self._model,
            num_heads=self._settings.ensemble,
            seed=self._settings.seed,
            device=device_of(options.device, self._world),
            precision=options.dtype,
            attention=options.attention,
        )
        self._limit = min(self._settings.max_length, own_limit(policy.path, policy.model, policy.tokenizer))
        self._batch_tokens = options.batch_tokens or default_training_tokens(policy.place.device, policy.model)
        self._say_place(policy, f"{news}, {self._batch_tokens:,} tokens a pass")
        return policy

    def _tokenize(self, data: Spooled, policy: Policy, name: str, arrow: Path) -> ExampleSet:
        settings = self._settings
        read = settings.reader(held_out=name == "eval")
        reader = pointwise_reader(policy.tokenizer, self._limit, chat_template=not settings.no_chat_template)
        pairs = PairReader(read, reader, has_margin=settings.margin is not None)
        examples = prepare_rewards(
            self._job.counter.finished(read_spool(data)), pairs, read.columns, arrow, settings, refuse=self._refuse,
            leave_out=partial(self._leave_out, name), what=name, limit=self._limit,
        )  # fmt: skip
        self._counts[name] = asdict(pairs.counts)
        if sentence := pairs.counts.sentence(self._limit):
            self._say(sentence)
        return examples

    def _stages(self, policy: Policy, routine: Routine, stop: AgreedStop, *, resumed: bool) -> RewardStages:
        workspace = self._workspace
        return RewardStages(
            policy, self._settings, routine, workspace.folder, workspace.last_checkpoint, self._say, resumed, stop.agree
        )

    def _readings(self, examples: ExampleSet, trainer: Any) -> list[str]:
        return read_reward_run(self._logged, self._counts["train"], self._settings, examples, trainer, self._limit)

    def _model_fields(self, policy: Policy) -> dict[str, Any]:
        return {
            "command": "train-reward",
            "model": self._model,
            "model_path": policy.path,
            "settings": asdict(self._settings),
        }

    def _closing(self, result: Record) -> str:
        return close_reward_run(result, self._workspace.folder, self._model, self._options.no_chat_template)
