"""The stages of a run, one after another, each with its own examples, optimizer, schedule and maybe reference."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from real_cli.io.checkpoint_marks import checkpoints_in, is_whole, remove_checkpoint, step_of
from real_cli.io.durable import write_whole
from real_cli.io.progress import running_counter
from real_cli.models.load.policies import Policy
from real_cli.records.record import Record
from real_cli.train.arguments import Routine
from real_cli.train.callbacks import Reporter
from real_cli.train.objective import Need
from real_cli.train.prepare import ordered_rows, stages_of
from real_cli.train.reference import Reference
from real_cli.train.settings import TrainingSettings
from real_cli.train.shared.settings import RunSettings
from real_cli.train.tokenized import ExampleSet, forget_scores, trainable_rows
from real_cli.train.world import World, this_world

# Left in the folder of a stage that is done.
DONE_FILE = "done.json"


@dataclass
class Stages(ABC):
    """A run over all stages; a run without stages has one, which has no name.

    Attributes:
        policy: The model to train.
        settings: What decides the trajectory.
        routine: What happens beside the steps.
        folder: Where checkpoints go; stages have folders in it.
        last_checkpoint: Finds the checkpoint of a folder to go on from, if the run is resumed.
        tell: Gets a line for each stage.
        resumed: Whether the run goes on where another one was stopped.
        agree: Called at the end of each step, before `stops` is read.
    """

    policy: Policy
    settings: RunSettings
    routine: Routine
    folder: Path
    last_checkpoint: Callable[[Path], Path | None]
    tell: Callable[[str], None]
    resumed: bool = False
    agree: Callable[[], object] = lambda: None

    def run(
        self, examples: ExampleSet, held_out: ExampleSet | None, report: Callable[[Record], None], stops: Any
    ) -> tuple[Any, Record]:
        """Train until done or `stops` is true; return the trainer, and the run's `step` and mean `loss`."""
        from real_cli.train.trainers.running import load_weights, next_stage, run_trainer

        stages = self._stages(examples)
        results = self.world.share(lambda: [self._done(name) for name, _ in stages])
        first = results.index(None) if None in results else len(results)
        reporter = Reporter(report, lambda: bool(stops), self.tell, self.agree)
        trainer = self._make(examples, held_out, reporter)
        if first:
            folder = self._folder_of(stages[first - 1][0])
            load_weights(trainer, folder / results[first - 1]["weights"])  # type: ignore[index]  # it is done
        for number, (name, rows) in enumerate(stages[first:], first):
            done = [result for result in results[:number] if result is not None]
            before = sum(result["step"] for result in done)
            reporter.begin(name, before, saves_last=number + 1 < len(stages))
            folder = self._folder_of(name)
            checkpoint = self._checkpoint_in(folder)
            if name is not None:
                self.tell(f"stage {stage_name(name)}: {len(rows):,} pairs")
            if self.resumed and number == first:
                self._tell_begin(folder, checkpoint)
            if self.routine.dump is not None and self.world.is_lead:
                self.routine.dump.begin(name, before, 0 if checkpoint is None else step_of(checkpoint))
            self._refer(examples, held_out, rows, trainer)
            next_stage(trainer, trainable_rows(examples, rows), held_out and trainable_rows(held_out), folder)
            results[number] = run_trainer(trainer, checkpoint)
            if stops:
                break
            self._mark_done(name, results[number], trainer)
        trainer.gather_weights()
        return trainer, _sum([result for result in results if result is not None])

    @property
    def world(self) -> World:
        """The processes that train together."""
        return this_world()

    def _checkpoint_in(self, folder: Path) -> Path | None:
        """Find what to go on from, the same in every process: another one's disk may show later what was written."""
        return self.world.share(lambda: self.last_checkpoint(folder))

    def _stages(self, examples: ExampleSet) -> list[tuple[float | None, list[int]]]:
        """Split rows into stages."""
        return [(None, ordered_rows(examples, self.settings))]

    @abstractmethod
    def _make(self, examples: ExampleSet, held_out: ExampleSet | None, reporter: Reporter) -> Any:
        """Set up the trainer; each stage gives it its own rows before the first step."""

    def _refer(  # noqa: B027 - a stage may begin with what it has
        self, examples: ExampleSet, held_out: ExampleSet | None, rows: list[int], trainer: Any
    ) -> None:
        """Work out what a stage begins with."""

    def _tell_begin(self, folder: Path, checkpoint: Path | None) -> None:
        """Say where a resumed run begins; what is not whole would stay beside the checkpoints of its own."""
        damaged = self.world.share(lambda: [path for path in checkpoints_in(folder) if not is_whole(path)])
        begin = f"{folder}: no whole checkpoint, begins at the first step"
        begin = begin if checkpoint is None else f"goes on from {checkpoint}"
        self.tell("; ".join([begin, *(f"{path} is not whole" for path in damaged)]))
        for path in damaged if self.world.is_lead else ():
            remove_checkpoint(path)

    def _folder_of(self, name: float | None) -> Path:
        return self.folder if name is None else self.folder / f"stage-{stage_name(name)}"

    def _done(self, name: float | None) -> Record | None:
        path = self._folder_of(name) / DONE_FILE
        if name is None or self.last_checkpoint(self._folder_of(name)) is None:
            return None
        try:
            result: Record = orjson.loads(path.read_bytes())
            return result if is_whole(self._folder_of(name) / result["weights"]) else None
        except (OSError, orjson.JSONDecodeError):  # not done, or a disk that lost what it had said it holds
            return None

    def _mark_done(self, name: float | None, result: Record | None, trainer: Any) -> None:
        """Leave what a resumed run needs: the result, and the checkpoint whose weights the stage ended with."""
        if name is None or result is None or not self.world.is_lead:
            return
        folder = self._folder_of(name)
        folder.mkdir(exist_ok=True)
        # With patience a stage ends with its best weights. A name alone: the folder may be called otherwise next time.
        weights = trainer.state.best_model_checkpoint or f"checkpoint-{result['step']}"
        write_whole(folder / DONE_FILE, orjson.dumps(result | {"weights": Path(weights).name}))


class StagedTraining(Stages):
    """The stages of `train-dpo`, each compared with a reference: maybe the policy as the stage before left it."""

    settings: TrainingSettings

    def __init__(
        self, policy: Policy, reference: Reference, settings: TrainingSettings, routine: Routine, folder: Path,
        last_checkpoint: Callable[[Path], Path | None], tell: Callable[[str], None], resumed: bool = False,
        agree: Callable[[], object] = lambda: None,
    ) -> None:  # fmt: skip
        super().__init__(policy, settings, routine, folder, last_checkpoint, tell, resumed, agree)
        self.reference = reference

    def _stages(self, examples: ExampleSet) -> list[tuple[float | None, list[int]]]:
        return stages_of(examples, self.settings)

    def _make(self, examples: ExampleSet, held_out: ExampleSet | None, reporter: Reporter) -> Any:
        """Set up DPO's trainer; each stage gives it its own rows before the first step."""
        from real_cli.train.trainers.dpo import make_trainer

        asked = None
        if Need.decoupled in self.settings.mixture.needs:
            asked = self.reference.load_apart(self.policy)
        eval_rows = held_out.rows if held_out else None
        return make_trainer(
            self.policy, examples.rows, eval_rows, self.folder, self.settings, reporter, self.routine, asked, self.tell
        )

    def _refer(self, examples: ExampleSet, held_out: ExampleSet | None, rows: list[int], trainer: Any) -> None:
        """Let the policy as it stands be the reference of a stage."""
        if not self.settings.is_moving:
            return
        trainer.model.eval()
        current = self.policy._replace(model=trainer.model)
        for example_set, indices in ((examples, rows), (held_out, None)):
            if example_set is not None:
                forget_scores(example_set, indices)
                counter = running_counter()
                counter.begin(
                    "pairs under the stage's reference", len(example_set.scores if indices is None else indices)
                )
                self.reference.fill([example_set], current, counter.add, indices)


def stage_name(stage: float) -> str:
    """Name a stage so that no two look alike."""
    return str(int(stage)) if stage.is_integer() else repr(stage)


def _sum(results: list[Record]) -> Record:
    steps = sum(result["step"] for result in results)
    loss = sum(result["loss"] * result["step"] for result in results) / max(1, steps)
    return results[-1] | {"step": steps, "loss": loss}
