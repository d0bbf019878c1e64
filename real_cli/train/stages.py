"""The stages of a run, one after another, each with its own examples, optimizer, schedule and maybe reference."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from real_cli.models.load.policies import Policy
from real_cli.records.record import Record
from real_cli.train.arguments import Routine
from real_cli.train.callbacks import Reporter
from real_cli.train.objective import Need
from real_cli.train.prepare import stages_of
from real_cli.train.reference import Reference
from real_cli.train.settings import TrainingSettings
from real_cli.train.tokenized import ExampleSet, forget_scores, trainable_rows

# Left in the folder of a stage that is done.
DONE_FILE = "done.json"


@dataclass
class StagedTraining:
    """A run over all stages; a run without stages has one, which has no name.

    Attributes:
        policy: The model to train.
        reference: What it is compared with.
        settings: What decides the trajectory.
        routine: What happens beside the steps.
        folder: Where checkpoints go; stages have folders in it.
        last_checkpoint: Finds the checkpoint of a folder to go on from, if the run is resumed.
        told: Gets a line for each stage.
    """

    policy: Policy
    reference: Reference
    settings: TrainingSettings
    routine: Routine
    folder: Path
    last_checkpoint: Callable[[Path], Path | None]
    told: Callable[[str], None]

    def run(
        self, examples: ExampleSet, held_out: ExampleSet | None, report: Callable[[Record], None], stops: Any
    ) -> tuple[Any, Record]:
        """Train.

        Args:
            examples: To train on.
            held_out: To measure, or None.
            report: Gets the logged lines; steps count on from stage to stage.
            stops: True once the run is to stop in good order.

        Returns:
            The trainer, and `step` and mean `loss` of the run; `best_step` is of the last stage.
        """
        from real_cli.train.trainer import load_weights, next_stage, run_trainer

        stages = stages_of(examples, self.settings)
        results = [self._done(name) for name, _ in stages]
        first = results.index(None) if None in results else len(results)
        reporter = Reporter(report, lambda: bool(stops))
        trainer = self._make(examples, held_out, reporter)
        if first:
            place = self._place(stages[first - 1][0])
            load_weights(trainer, place / results[first - 1]["weights"])  # type: ignore[index]  # it is done
        for number, (name, rows) in enumerate(stages[first:], first):
            done = [result for result in results[:number] if result is not None]
            before = sum(result["step"] for result in done)
            reporter.begin(name, before, saves_last=number + 1 < len(stages))
            self._begun = {"stage": name, "before": before}
            if name is not None:
                self.told(f"stage {stage_name(name)}: {len(rows):,} pairs")
            self._refer(examples, held_out, rows, trainer)
            next_stage(
                trainer, trainable_rows(examples, rows), held_out and trainable_rows(held_out), self._place(name)
            )
            results[number] = run_trainer(trainer, self.last_checkpoint(self._place(name)))
            if stops:
                break
            self._mark_done(name, results[number], trainer)
        return trainer, _sum([result for result in results if result is not None])

    def _make(self, examples: ExampleSet, held_out: ExampleSet | None, reporter: Reporter) -> Any:
        """Set up the trainer; each stage gives it its own rows before the first step."""
        from real_cli.train.trainer import make_trainer

        asked = None
        if Need.decoupled in self.settings.mixture.needs:
            asked = self.reference.load_apart(self.policy)
        eval_rows = held_out.rows if held_out else None
        routine = replace(self.routine, dump=self._dump if self.routine.dump else None)
        return make_trainer(self.policy, examples.rows, eval_rows, self.folder, self.settings, reporter, routine, asked)

    def _refer(self, examples: ExampleSet, held_out: ExampleSet | None, rows: list[int], trainer: Any) -> None:
        """Let the policy as it stands be the reference of a stage."""
        if not self.settings.is_moving:
            return
        trainer.model.eval()
        current = self.policy._replace(model=trainer.model)
        for example_set, own in ((examples, rows), (held_out, None)):
            if example_set is not None:
                forget_scores(example_set, own)
                self.reference.fill([example_set], current, lambda count: None, own)

    def _place(self, name: float | None) -> Path:
        return self.folder if name is None else self.folder / f"stage-{stage_name(name)}"

    def _done(self, name: float | None) -> Record | None:
        path = self._place(name) / DONE_FILE
        if name is None or self.last_checkpoint(self._place(name)) is None or not path.exists():
            return None
        result: Record = orjson.loads(path.read_bytes())
        return result

    def _mark_done(self, name: float | None, result: Record | None, trainer: Any) -> None:
        """Leave what a resumed run needs: the result, and the checkpoint whose weights the stage ended with."""
        if name is None or result is None:
            return
        place = self._place(name)
        place.mkdir(exist_ok=True)
        # With patience a stage ends with its best weights. A name alone: the folder may be called otherwise next time.
        weights = trainer.state.best_model_checkpoint or f"checkpoint-{result['step']}"
        (place / DONE_FILE).write_bytes(orjson.dumps(result | {"weights": Path(weights).name}))

    def _dump(self, line: Record) -> None:
        """Hand a line of `--dump` on, its steps counted over all stages."""
        assert self.routine.dump is not None
        stage = {} if self._begun["stage"] is None else {"stage": self._begun["stage"]}
        self.routine.dump({"step": self._begun["before"] + line.pop("step"), **stage, **line})


def stage_name(stage: float) -> str:
    """Write a stage so that no two look alike.

    Args:
        stage: Its number.

    Returns:
        Text for messages and folders.

    Example:
        >>> stage_name(2.0), stage_name(0.5), stage_name(1234567.0)
        ('2', '0.5', '1234567')
    """
    return str(int(stage)) if stage.is_integer() else repr(stage)


def _sum(results: list[Record]) -> Record:
    steps = sum(result["step"] for result in results)
    loss = sum(result["loss"] * result["step"] for result in results) / max(1, steps)
    return results[-1] | {"step": steps, "loss": loss}
