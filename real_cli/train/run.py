"""The steps of `real train-dpo`: spool, prepare, refer, train, save. Loaded only when a run starts."""

import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from real_cli.cli.guard import StopRequest
from real_cli.errors import RealError, Status
from real_cli.io.durable import told_if_full
from real_cli.io.job import Job, Located
from real_cli.io.jsonl import dump_record
from real_cli.io.output import LogLines, open_output
from real_cli.io.progress import say
from real_cli.io.sources import Item
from real_cli.models.load.deferred import deferred_imports
from real_cli.models.load.device import default_training_tokens
from real_cli.models.load.loaded_checks import num_embeddings
from real_cli.models.load.manifest import write_manifest
from real_cli.models.load.policies import Policy, load_trainee
from real_cli.models.load.resolve import quiet_libraries, resolve_model
from real_cli.models.score.probe import settle_layout
from real_cli.models.score.token_counts import LeftOut
from real_cli.models.score.tokens import ExampleTokenizer
from real_cli.records.record import Record
from real_cli.train.arguments import Routine
from real_cli.train.batches.mismatch import say_balance
from real_cli.train.batches.token_marks import stop_words
from real_cli.train.checkpoints.dump import Dump
from real_cli.train.checkpoints.lost_work import say_lost
from real_cli.train.checkpoints.saving import room_advice, told_if_unwritable
from real_cli.train.devices.count import device_of, say_devices
from real_cli.train.devices.shared_examples import share_examples
from real_cli.train.devices.stop import AgreedStop
from real_cli.train.diagnosis.readings import close_run
from real_cli.train.diagnosis.whole_run import read_whole_run
from real_cli.train.folder import Spooled, Workspace, read_spool
from real_cli.train.lora import save_policy
from real_cli.train.objective import Need
from real_cli.train.options import TrainOptions
from real_cli.train.prepare import prepare, read_held_out, read_records, with_reference_fields
from real_cli.train.reference import Reference
from real_cli.train.settings import TrainingSettings, describe_settings
from real_cli.train.stages import StagedTraining
from real_cli.train.tokenized import ExampleSet
from real_cli.train.world import ALONE, World


class TrainingRun:
    """One run of `real train-dpo`."""

    def __init__(
        self,
        job: Job,
        workspace: Workspace,
        settings: TrainingSettings,
        options: TrainOptions,
        policy: str,
        world: World = ALONE,
    ) -> None:
        self._job = job
        self._workspace = workspace
        self._settings = settings
        self._options = options
        self._policy = policy
        self._world = world
        self._lines = LogLines(job.stream)
        self._logged: list[Record] = []
        self._started = time.monotonic()
        self._counts: dict[str, dict[str, Any]] = {}
        self._dump: Dump | None = None

    def train(self) -> Status:
        """Run all steps; a signal before the first step ends the run at once, a later one leaves a checkpoint."""
        world = self._world
        world.wait()  # what the lead removes from now on, the others have looked at
        earlier = world.share(self._earlier_result)
        if earlier is not None:
            return world.share(lambda: self._end(earlier, []))
        if self._options.dump is not None:
            self._dump = Dump(self._options.dump, resume=self._workspace.is_resumed, tell=self._say)
        world.in_turn(lambda: resolve_model(self._policy))  # a wrong name is told before the input is read
        with told_if_full(self._workspace.work):
            train_data, eval_data = world.share(self._spool)
            policy = self._load()
            examples = self._prepare(train_data, policy, "train")
            held_out = self._prepare(eval_data, policy, "eval") if eval_data else None
            world.share(lambda: self._check_tokens(examples))
        reference = self._make_reference()
        if self._options.fits_tokens:
            self._fit(reference, examples, policy)
        described = self._refer(reference, [examples, held_out] if held_out else [examples], policy)
        world.share(lambda: self._export(train_data, examples))
        self._workspace.keep()
        with StopRequest() as request, quiet_libraries(), deferred_imports():
            stop = AgreedStop(request, world)
            trainer, result = self._optimize(policy, reference, examples, held_out, stop)
        if stop:
            self._say(f"stopped at step {result['step']}; go on with --resume")
            return stop.status

        def finish() -> Status:
            self._save(trainer)
            ended = result | {"num_pairs": len(examples.rows), "output": str(self._workspace.folder)}
            ended |= {"seconds": round(time.monotonic() - self._started, 3)}
            readings = read_whole_run(self._logged, self._counts["train"], self._settings, examples, trainer)
            self._write_manifest(policy, described, [train_data, eval_data], {"readings": readings, "result": ended})
            return self._end(ended, readings)

        world.wait()  # for those that still load the best weights
        return world.share(finish)

    def _earlier_result(self) -> Record | None:
        self._workspace.check_settings(self._asked())
        return self._workspace.result

    def _check_tokens(self, examples: ExampleSet) -> None:
        if not self._workspace.check_tokens(examples.digest):
            self._say("an earlier version began this run, and may have read its records as other tokens")

    def _load(self) -> Policy:
        options = self._options
        self._job.counter.begin("loading the model")
        loaded = load_trainee(
            self._policy,
            device=device_of(options.device, self._world),
            precision=options.dtype,
            attention=options.attention,
            in_4_bits=self._settings.qlora,
        )
        policy = settle_layout(
            loaded, self._policy, options.layout, max_length=self._settings.max_length, tell=self._say
        )
        if Need.code_marks in self._settings.mixture.needs and (note := stop_words()[1]):
            self._say(note)
        self._batch_tokens = options.batch_tokens or default_training_tokens(policy.place.device, policy.model)
        tokens = "the most tokens a pass that fit" if options.fits_tokens else f"{self._batch_tokens:,} tokens a pass"
        place = f"{say_devices(policy.place, self._world)}, {policy.attention} attention"
        self._say(f"{self._policy}: {place}, {policy.layout} layout, {tokens}")
        return policy

    def _fit(self, reference: Reference, examples: ExampleSet, policy: Policy) -> None:
        """Find the largest passes that fit, once the records are tokenized."""
        from real_cli.train.estimate.automatic import LoadedRun

        loaded = LoadedRun(self._policy, policy, reference, self._settings, self._options, self._workspace.work)
        self._batch_tokens, sentence = loaded.find_tokens(examples, resumed=self._workspace.is_resumed)
        self._say(sentence)

    def _spool(self) -> tuple[Spooled, Spooled | None]:
        self._workspace.open()
        train_data = self._workspace.spool("train", read_records(self._job, self._settings))
        if not train_data.num_records:
            raise RealError(f"no {self._settings.noun} to train on: the input has no records")
        eval_data = None
        if self._options.eval_file is not None:
            eval_data = self._workspace.spool("eval", read_held_out(self._options.eval_file, self._settings))
            if not eval_data.num_records:
                raise RealError(f"no {self._settings.noun} to measure in --eval-file: the file has no records")
        for sentence in say_lost(self._workspace):
            self._say(sentence)
        self._workspace.begin(train_data, self._asked(), eval_data)
        return train_data, eval_data

    def _asked(self) -> dict[str, Any]:
        return asdict(self._settings) | {"policy": self._policy, "reference": self._options.reference}

    def _prepare(self, data: Spooled, policy: Policy, name: str) -> ExampleSet:
        """Tokenize, in the lead; what cannot be used is refused, or left out, with the place it came from."""
        arrow = data.path.with_suffix(".arrow")
        return share_examples(self._world, lambda: self._tokenize(data, policy, name, arrow), arrow)

    def _tokenize(self, data: Spooled, policy: Policy, name: str, arrow: Path) -> ExampleSet:
        self._job.counter.begin("pairs tokenized", data.num_records)
        tokenize = ExampleTokenizer(policy.tokenizer, self._settings.max_length, num_embeddings(policy.model))

        def refuse(line: Located, reason: str) -> None:
            self._job.reject(Item(*line), reason)

        def leave_out(line: Located, reason: LeftOut) -> None:
            self._job.drop(*line, f"{name} {reason}")

        lines, settings = self._job.counter.finished(read_spool(data)), self._settings
        # A reference that the user names is asked itself, whatever the records say.
        examples = prepare(
            lines, settings.reader(held_out=name == "eval"), tokenize, arrow, settings,
            use_given=self._options.reference is None, refuse=refuse, leave_out=leave_out, what=name,
        )  # fmt: skip
        self._counts[name] = asdict(tokenize.counts)
        balance = say_balance(examples, settings) if name == "train" else ""
        for sentence in filter(None, (tokenize.counts.sentence(settings.max_length), balance)):
            self._say(sentence)
        return examples

    def _make_reference(self) -> Reference:
        options = self._options
        return Reference(
            options.reference, self._settings.mixture, options.layout, options.attention, options.batch_tokens,
            self._settings.max_length, self._say, self._world,
        )  # fmt: skip

    def _refer(self, reference: Reference, example_sets: list[ExampleSet], policy: Policy) -> str:
        described = reference.describe(example_sets, self._policy)
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

    def _optimize(
        self,
        policy: Policy,
        reference: Reference,
        examples: ExampleSet,
        held_out: ExampleSet | None,
        stop: AgreedStop,
    ) -> tuple[Any, Record]:
        options = self._options
        with ExitStack() as stack:
            if self._dump is not None:
                self._dump.name_places(examples.place)
                stack.enter_context(self._dump)

            def report(line: Record) -> None:
                self._lines.write(line)
                self._logged.append(line)

            routine = Routine(
                options.logging_steps,
                options.save_steps,
                options.report_to,
                options.gradient_checkpointing,
                self._batch_tokens,
                self._dump,
            )
            find, folder = self._workspace.last_checkpoint, self._workspace.folder
            resumed = self._world.share(lambda: self._workspace.is_resumed)
            staged = StagedTraining(
                policy, reference, self._settings, routine, folder, find, self._say, resumed, stop.agree
            )
            return staged.run(examples, held_out, report, stop)

    def _save(self, trainer: Any) -> None:
        folder = self._workspace.folder
        self._job.counter.begin("saving")
        disk = told_if_unwritable(folder, room_advice(folder))
        with disk, quiet_libraries(), deferred_imports(), self._workspace.final() as part:
            save_policy(trainer, part, merge=self._options.merge)

    def _write_manifest(
        self, policy: Policy, reference: str, spooled: list[Spooled | None], outcome: dict[str, Any]
    ) -> None:
        job, options = self._job, self._options
        data, eval_data = (data and {"sha256": data.digest, "num_records": data.num_records} for data in spooled)
        write_manifest(
            self._workspace.folder,
            {
                "command": "train-dpo",
                "policy": self._policy,
                "policy_path": policy.path,
                "reference": reference,
                "settings": describe_settings(self._settings, options.preset),
                "device": str(policy.place.device),
                "num_devices": self._world.size,
                "dtype": str(policy.place.dtype).removeprefix("torch."),
                "attention": policy.attention,
                "layout": policy.layout,
                "batch_tokens": self._batch_tokens,
                "data": {**(data or {}), "sources": job.sources},
                "eval_data": eval_data and {**eval_data, "source": str(options.eval_file)},
                "left_out": dict(job.num_dropped),
                "num_rejected": job.num_rejected,
                "counts": self._counts,
                **outcome,
            },
        )

    def _end(self, result: Record, readings: list[str]) -> Status:
        """Tell what a finished run came to, once nothing but its result is left."""
        self._workspace.clear(keep_checkpoints=self._options.save_steps > 0)
        self._lines.write(result)
        for sentence in readings:
            self._say(sentence)
        folder = self._workspace.folder
        self._job.summary = close_run(result, folder, self._policy, self._options.reference, self._settings.noun)
        return Status.done

    def _say(self, message: str) -> None:
        if not self._job.quiet:
            say(message)
