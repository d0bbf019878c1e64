"""The steps of a training run, whatever is trained: spool, prepare, train, save. Loaded only when a run starts."""

from abc import ABC, abstractmethod
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from real_cli.cli.guard import StopRequest
from real_cli.errors import RealError, Status
from real_cli.io.durable import told_if_full
from real_cli.io.job import Job, Located
from real_cli.io.output import LogLines
from real_cli.io.progress import say
from real_cli.io.sources import Item
from real_cli.models.load.deferred import deferred_imports
from real_cli.models.load.manifest import write_manifest
from real_cli.models.load.policies import Policy
from real_cli.models.load.resolve import quiet_libraries, resolve_model
from real_cli.models.score.token_counts import LeftOut
from real_cli.records.record import Record
from real_cli.train.arguments import Routine
from real_cli.train.checkpoints.dump import Dump
from real_cli.train.checkpoints.lost_work import say_lost
from real_cli.train.checkpoints.saving import room_advice, told_if_unwritable
from real_cli.train.devices.count import say_devices
from real_cli.train.devices.shared_examples import share_examples
from real_cli.train.devices.stop import AgreedStop
from real_cli.train.diagnosis.cost import RunCost
from real_cli.train.folder import Spooled, Workspace
from real_cli.train.lora import save_policy
from real_cli.train.prepare import read_held_out, read_records
from real_cli.train.shared.options import RunOptions
from real_cli.train.shared.settings import RunSettings
from real_cli.train.stages import Stages
from real_cli.train.tokenized import ExampleSet
from real_cli.train.world import ALONE, World


class Run(ABC):
    """One training run; a command fills in what it loads, reads, trains and tells."""

    def __init__(
        self,
        job: Job,
        workspace: Workspace,
        settings: RunSettings,
        options: RunOptions,
        model: str,
        world: World = ALONE,
    ) -> None:
        self._job = job
        self._workspace = workspace
        self._settings = settings
        self._options = options
        self._model = model
        self._world = world
        self._lines = LogLines(job.stream)
        self._logged: list[Record] = []
        self._cost = RunCost()
        self._counts: dict[str, dict[str, Any]] = {}
        self._dump: Dump | None = None
        self._batch_tokens = 0

    @property
    @abstractmethod
    def merges(self) -> bool:
        """Whether a trained adapter is merged before it is saved."""

    def train(self) -> Status:
        """Run all steps; a signal before the first step ends the run at once, a later one leaves a checkpoint."""
        world = self._world
        world.wait()  # what the lead removes from now on, the others have looked at
        earlier = world.share(self._earlier_result)
        if earlier is not None:
            return world.share(lambda: self._end(earlier, []))
        self._dump = self._make_dump()
        world.in_turn(lambda: resolve_model(self._model))  # a wrong name is told before the input is read
        with told_if_full(self._workspace.work):
            train_data, eval_data = world.share(self._spool)
            policy = self._load()
            examples = self._prepare(train_data, policy, "train")
            held_out = self._prepare(eval_data, policy, "eval") if eval_data else None
            world.share(lambda: self._check_tokens(examples))
        self._complete(train_data, examples, held_out, policy)
        self._workspace.keep()
        with StopRequest() as request, quiet_libraries(), deferred_imports(), self._cost.training():
            stop = AgreedStop(request, world)
            trainer, result = self._optimize(policy, examples, held_out, stop)
        if stop:
            self._say(f"stopped at step {result['step']}; go on with --resume")
            return stop.status

        def finish() -> Status:
            self._save(trainer)
            ended = result | {"num_pairs": len(examples.rows), "output": str(self._workspace.folder)}
            ended |= {"seconds": self._cost.seconds}
            readings = self._readings(examples, trainer)
            outcome = {"readings": readings, "result": ended, "cost": self._cost.fields(self._workspace.is_resumed)}
            self._write_manifest(policy, [train_data, eval_data], outcome)
            return self._end(ended, readings)

        world.wait()  # for those that still load the best weights
        return world.share(finish)

    def _earlier_result(self) -> Record | None:
        self._workspace.check_settings(self._asked())
        return self._workspace.result

    def _asked(self) -> dict[str, Any]:
        """List what a run that goes on must have in common with the one before."""
        return asdict(self._settings)

    def _make_dump(self) -> Dump | None:
        """Make what writes a line for each pair of each step, if that is asked for."""
        return None

    def _check_tokens(self, examples: ExampleSet) -> None:
        if not self._workspace.check_tokens(examples.digest):
            self._say("an earlier version began this run, and may have read its records as other tokens")

    @abstractmethod
    def _load(self) -> Policy:
        """Load the model to train."""

    def _say_place(self, policy: Policy, details: str) -> None:
        place = f"{say_devices(policy.place, self._world)}, {policy.attention} attention"
        self._say(f"{self._model}: {place}, {details}")

    def _spool(self) -> tuple[Spooled, Spooled | None]:
        self._workspace.open()
        train_data = self._workspace.spool("train", read_records(self._job, self._settings))
        if not train_data.num_records:
            raise RealError(f"no {self._settings.noun} to train on: the input has no records")
        eval_data = None
        if self._options.eval_file is not None:
            eval_data = self._workspace.spool(
                "eval", read_held_out(self._options.eval_file, self._settings, self._job.joined_rows.num_noted)
            )
            if not eval_data.num_records:
                raise RealError(f"no {self._settings.noun} to measure in --eval-file: the file has no records")
        for sentence in say_lost(self._workspace):
            self._say(sentence)
        self._workspace.begin(train_data, self._asked(), eval_data)
        return train_data, eval_data

    def _prepare(self, data: Spooled, policy: Policy, name: str) -> ExampleSet:
        """Tokenize, in the lead; what cannot be used is refused, or left out, with the place it came from."""
        arrow = data.path.with_suffix(".arrow")

        def tokenize() -> ExampleSet:
            self._job.counter.begin("pairs tokenized", data.num_records)
            return self._tokenize(data, policy, name, arrow)

        return share_examples(self._world, tokenize, arrow)

    @abstractmethod
    def _tokenize(self, data: Spooled, policy: Policy, name: str, arrow: Path) -> ExampleSet:
        """Turn spooled records into rows of an Arrow file, and count what was changed in `_counts`."""

    def _refuse(self, line: Located, reason: str) -> None:
        self._job.reject(Item(*line), reason)

    def _leave_out(self, name: str, line: Located, reason: LeftOut) -> None:
        self._job.drop(*line, f"{name} {reason}")

    def _complete(  # noqa: B027 - a run may lack nothing
        self, train_data: Spooled, examples: ExampleSet, held_out: ExampleSet | None, policy: Policy
    ) -> None:
        """Work out what the examples still lack before the first step."""

    @abstractmethod
    def _stages(self, policy: Policy, routine: Routine, stop: AgreedStop, *, resumed: bool) -> Stages:
        """Set up the stages of the run."""

    def _optimize(
        self, policy: Policy, examples: ExampleSet, held_out: ExampleSet | None, stop: AgreedStop
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
            resumed = self._world.share(lambda: self._workspace.is_resumed)
            return self._stages(policy, routine, stop, resumed=resumed).run(examples, held_out, report, stop)

    @abstractmethod
    def _readings(self, examples: ExampleSet, trainer: Any) -> list[str]:
        """Say in words what the run did."""

    def _save(self, trainer: Any) -> None:
        folder = self._workspace.folder
        self._job.counter.begin("saving")
        disk = told_if_unwritable(folder, room_advice(folder))
        with disk, quiet_libraries(), deferred_imports(), self._workspace.final() as part:
            save_policy(trainer, part, merge=self.merges)

    @abstractmethod
    def _model_fields(self, policy: Policy) -> dict[str, Any]:
        """Describe the model and the settings, for the manifest, its command first."""

    def _write_manifest(self, policy: Policy, spooled: list[Spooled | None], outcome: dict[str, Any]) -> None:
        job, options = self._job, self._options
        data, eval_data = (data and {"sha256": data.digest, "num_records": data.num_records} for data in spooled)
        write_manifest(
            self._workspace.folder,
            {
                **self._model_fields(policy),
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

    @abstractmethod
    def _closing(self, result: Record) -> str:
        """Say what a finished run came to."""

    def _end(self, result: Record, readings: list[str]) -> Status:
        """Tell what a finished run came to, once nothing but its result is left."""
        self._workspace.clear(keep_checkpoints=self._options.save_steps > 0)
        self._lines.write(result)
        for sentence in readings:
            self._say(sentence)
        self._job.summary = self._closing(result)
        return Status.done

    def _say(self, message: str) -> None:
        if not self._job.quiet:
            say(message)
