"""The steps of `real train-dpo`: spool, prepare, refer, train, save. Loaded only when a run starts."""

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from real_cli.io.jsonl import dump_record
from real_cli.io.output import open_output
from real_cli.models.load.device import default_training_tokens
from real_cli.models.load.loaded_checks import num_embeddings
from real_cli.models.load.policies import Policy, load_trainee
from real_cli.models.score.probe import settle_layout
from real_cli.models.score.tokens import ExampleTokenizer
from real_cli.records.record import Record
from real_cli.train.arguments import Routine
from real_cli.train.batches.mismatch import say_balance
from real_cli.train.batches.token_marks import stop_words
from real_cli.train.checkpoints.dump import Dump
from real_cli.train.devices.count import device_of
from real_cli.train.devices.stop import AgreedStop
from real_cli.train.diagnosis.readings import close_run
from real_cli.train.diagnosis.whole_run import read_whole_run
from real_cli.train.folder import Spooled, read_spool
from real_cli.train.objective import Need
from real_cli.train.options import TrainOptions
from real_cli.train.prepare import prepare, with_reference_fields
from real_cli.train.reference import Reference
from real_cli.train.settings import TrainingSettings, describe_settings
from real_cli.train.shared.run import Run
from real_cli.train.stages import StagedTraining
from real_cli.train.tokenized import ExampleSet


class TrainingRun(Run):
    """One run of `real train-dpo`."""

    _settings: TrainingSettings
    _options: TrainOptions
    _reference: Reference
    _described = ""

    @property
    def merges(self) -> bool:
        """Whether --merge was given."""
        return self._options.merge

    def _asked(self) -> dict[str, Any]:
        return super()._asked() | {"policy": self._model, "reference": self._options.reference}

    def _make_dump(self) -> Dump | None:
        path = self._options.dump
        return None if path is None else Dump(path, resume=self._workspace.is_resumed, tell=self._say)

    def _load(self) -> Policy:
        options = self._options
        self._job.counter.begin("loading the model")
        loaded = load_trainee(
            self._model,
            device=device_of(options.device, self._world),
            precision=options.dtype,
            attention=options.attention,
            in_4_bits=self._settings.qlora,
        )
        policy = settle_layout(
            loaded, self._model, options.layout, max_length=self._settings.max_length, tell=self._say
        )
        if Need.code_marks in self._settings.mixture.needs and (note := stop_words()[1]):
            self._say(note)
        self._batch_tokens = options.batch_tokens or default_training_tokens(policy.place.device, policy.model)
        tokens = "the most tokens a pass that fit" if options.fits_tokens else f"{self._batch_tokens:,} tokens a pass"
        self._say_place(policy, f"{policy.layout} layout, {tokens}")
        return policy

    def _fit(self, reference: Reference, examples: ExampleSet, policy: Policy) -> None:
        """Find the largest passes that fit, once the records are tokenized."""
        from real_cli.train.estimate.automatic import LoadedRun

        loaded = LoadedRun(self._model, policy, reference, self._settings, self._options, self._workspace.work)
        self._batch_tokens, sentence = loaded.find_tokens(examples, resumed=self._workspace.is_resumed)
        self._say(sentence)

    def _tokenize(self, data: Spooled, policy: Policy, name: str, arrow: Path) -> ExampleSet:
        tokenize = ExampleTokenizer(policy.tokenizer, self._settings.max_length, num_embeddings(policy.model))
        # A reference that the user names is asked itself, whatever the records say.
        use_given = self._options.reference is None
        read = self._settings.reader(held_out=name == "eval")
        lines = self._job.counter.finished(read_spool(data))
        examples = prepare(
            lines, read, tokenize, arrow, self._settings, use_given=use_given, refuse=self._refuse,
            leave_out=partial(self._leave_out, name), what=name,
        )  # fmt: skip
        self._counts[name] = asdict(tokenize.counts)
        balance = say_balance(examples, self._settings) if name == "train" else ""
        changed = tokenize.counts.sentence(self._settings.max_length, self._settings.noun)
        for sentence in filter(None, (changed, balance)):
            self._say(sentence)
        return examples

    def _complete(self, train_data: Spooled, examples: ExampleSet, held_out: ExampleSet | None, policy: Policy) -> None:
        self._reference = reference = self._make_reference()
        if self._options.fits_tokens:
            self._fit(reference, examples, policy)
        self._described = self._refer(reference, [examples, held_out] if held_out else [examples], policy)
        self._world.share(lambda: self._export(train_data, examples))

    def _make_reference(self) -> Reference:
        options = self._options
        return Reference(
            options.reference, self._settings.mixture, options.layout, options.attention, options.batch_tokens,
            self._settings.max_length, self._say, self._world,
        )  # fmt: skip

    def _refer(self, reference: Reference, example_sets: list[ExampleSet], policy: Policy) -> str:
        described = reference.describe(example_sets, self._model)
        if self._settings.is_moving:  # each stage scores its own pairs when it begins
            described = "the policy at the start of each stage"
        self._say(f"reference: {described}")
        if not self._settings.is_moving:
            missing = sum(examples.scores.count(None) for examples in example_sets) * reference.is_needed
            self._job.counter.begin("pairs under the reference", missing)
            reference.fill(example_sets, policy, self._job.counter.add)
        return described

    def _export(self, data: Spooled, examples: ExampleSet) -> None:
        if self._options.export_logps is not None:
            with open_output(self._options.export_logps) as stream:
                for record in with_reference_fields(read_spool(data), examples):
                    stream.write(dump_record(record))

    def _stages(self, policy: Policy, routine: Routine, stop: AgreedStop, *, resumed: bool) -> StagedTraining:
        workspace = self._workspace
        return StagedTraining(
            policy, self._reference, self._settings, routine, workspace.folder, workspace.last_checkpoint, self._say,
            resumed, stop.agree,
        )  # fmt: skip

    def _readings(self, examples: ExampleSet, trainer: Any) -> list[str]:
        return read_whole_run(self._logged, self._counts["train"], self._settings, examples, trainer)

    def _model_fields(self, policy: Policy) -> dict[str, Any]:
        return {
            "command": "train-dpo",
            "policy": self._model,
            "policy_path": policy.path,
            "reference": self._described,
            "settings": describe_settings(self._settings, self._options.preset),
        }

    def _closing(self, result: Record) -> str:
        folder, noun = self._workspace.folder, self._settings.noun
        return close_run(result, folder, self._model, self._options.reference, noun)
