"""The lines that `real train-dpo` writes, as curves."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from real_cli.records.messages import is_number

# The result line of a run has a loss too, the mean of them all; it is no step.
RESULT_FIELD = "output"
CURVES = ("loss", "rewards/margins", "rewards/accuracies", "rewards/chosen", "rewards/rejected")
EVAL_PREFIX = "eval_"


class TrainingCurves(NamedTuple):
    """What a run logged.

    Attributes:
        curves: By name (as TRL logs it, `eval_` in front for held-out pairs) the steps and the values.
        num_steps: Lines that were read as logged steps.
        num_unknown: Lines that are neither a logged step nor a result.
    """

    curves: dict[str, tuple[tuple[float, ...], tuple[float, ...]]]
    num_steps: int
    num_unknown: int

    def sentence(self) -> str:
        """Say in one line what was not read; empty if everything was."""
        notes = []
        if self.num_unknown:
            lines, verb = ("line", "is") if self.num_unknown == 1 else ("lines", "are")
            was = "was" if self.num_unknown == 1 else "were"
            notes.append(f"{self.num_unknown:,} {lines} that {verb} no step of a training run {was} passed over")
        if not self.num_steps:
            notes.append("no step was found")
        return f"--training: {'; '.join(notes)}" if notes else ""


def read_curves(lines: Iterable[dict[str, Any] | None]) -> TrainingCurves:
    """Read a training run's lines; None stands for a line that is not a record.

    Where the steps go back, the run went on from a checkpoint or began anew, and what it logs replaces what was logged.
    """
    points: dict[str, tuple[list[float], list[float]]] = {}
    num_unknown = 0
    read: list[float] = []
    names = [prefix + name for name in CURVES for prefix in ("", EVAL_PREFIX)]
    for line in lines:
        if line is not None and RESULT_FIELD in line:
            continue
        logged = [name for name in names if line is not None and is_number(line.get(name))]
        if line is None or not logged or not is_number(line.get("step")):
            num_unknown += 1
            continue
        step = line["step"]
        if read and step < read[-1]:
            read = [earlier for earlier in read if earlier < step]
            points = {name: _before(step, *curve) for name, curve in points.items()}
        read.append(step)
        for name in logged:
            steps, values = points.setdefault(name, ([], []))
            steps.append(step)
            values.append(line[name])
    curves = {name: (tuple(points[name][0]), tuple(points[name][1])) for name in names if points.get(name, ([], []))[0]}
    return TrainingCurves(curves, len(read), num_unknown)


def _before(step: float, steps: list[float], values: list[float]) -> tuple[list[float], list[float]]:
    kept = sum(earlier < step for earlier in steps)
    return steps[:kept], values[:kept]
