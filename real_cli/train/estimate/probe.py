"""How long the steps of a run take: some of its own, taken and thrown away."""

import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import torch

from real_cli.models.load.policies import Policy
from real_cli.models.score.columns import WINDOW_EXAMPLES
from real_cli.records.record import Record
from real_cli.train.arguments import Routine
from real_cli.train.estimate.work import Batch, Work
from real_cli.train.reference import Reference
from real_cli.train.settings import TrainingSettings
from real_cli.train.stages import StagedTraining
from real_cli.train.tokenized import ExampleSet

# A batch with fewer tokens than nine tenths of the others, and one with more.
SHORT, LONG = 0.1, 0.9
# A run of fewer batches is probed by two steps and not by three: the estimate is to take less than the run.
FEW_BATCHES = 10
# Two steps alike differ by so much on a machine that does nothing else.
QUICKER, SLOWER = 0.9, 1.15
# Below this share of its time on a CPU, other processes took it: the thread of a run alone is never idle.
BUSY_SHARE = 0.7


class Span(NamedTuple):
    """Seconds, at least and at most."""

    low: float
    high: float

    def __add__(self, other: object) -> "Span":
        assert isinstance(other, Span)
        return Span(self.low + other.low, self.high + other.high)

    def __mul__(self, factor: object) -> "Span":
        assert isinstance(factor, float | int)
        return Span(self.low * factor, self.high * factor)


@dataclass(frozen=True)
class Speed:
    """What the probe measured.

    Attributes:
        steps: Tokens and seconds of two steps, on a short batch and on a long one.
        reference: Seconds a token of the reference pass, which is what measuring held-out pairs takes too; None where
            nothing had to be scored.
        share: How much of its time the probe had a CPU; 1 where a device computes.
    """

    steps: tuple[tuple[int, float], tuple[int, float]]
    reference: float | None
    share: float = 1.0

    @property
    def is_disturbed(self) -> bool:
        """Whether other processes took the CPU from the probe."""
        return self.share < BUSY_SHARE

    def widened(self, span: Span) -> Span:
        """Widen a range to what it is on an idle machine, and to where others take once more as much."""
        return Span(span.low * self.share, span.high / self.share) if self.is_disturbed else span

    def training(self, num_batches: int, num_tokens: int) -> Span:
        """Tell what batches of so many tokens in all take.

        The two steps say what a token takes and what a step takes beside its tokens. The ends of the range are what
        it would be if all batches were like the short one, or all like the long one.
        """
        (short, quick), (long, slow) = self.steps
        rates = [quick / short * num_tokens, slow / long * num_tokens]
        if long > short and slow > quick:
            per_token = (slow - quick) / (long - short)
            rates.append(num_tokens * per_token + num_batches * max(0.0, quick - short * per_token))
        return Span(min(rates) * QUICKER, max(rates) * SLOWER)


def probe(
    policy: Policy,
    reference: Reference,
    examples: ExampleSet,
    work: Work,
    settings: TrainingSettings,
    routine: Routine,
    folder: Path,
    tell: Callable[[str], None],
) -> Speed:
    """Train on one batch to warm up, then on a short and a long one; the policy is of no use afterwards.

    A run of few batches is probed by its long batch alone.
    """
    short, long = work.batch_near(SHORT), work.batch_near(LONG)
    chosen = [short, long] if work.num_batches < FEW_BATCHES else [long, short, long]
    rows = _rows(examples, [row for batch in chosen for row in batch.rows])
    num_missing = rows.scores.count(None)
    started = time.perf_counter()
    reference.fill([rows], policy, lambda count: None)
    scored = time.perf_counter() - started
    ends: list[float] = []
    cpu_seconds: list[float] = []

    def report(line: Record) -> None:
        if "loss" in line:
            ends.append(time.perf_counter())
            cpu_seconds.append(time.thread_time())

    short_settings = replace(
        settings, max_steps=len(chosen), order="given", stages=False, gradient_accumulation=1,
        batch_size=len(long.rows), patience=0, eval_steps=0,
    )  # fmt: skip
    once = replace(routine, logging_steps=1, save_steps=0, report_to="none", dump=None)
    StagedTraining(policy, reference, short_settings, once, folder, lambda path: None, tell).run(
        rows, None, report, False
    )
    timed = [(batch.num_tokens, later - end) for batch, end, later in zip(chosen[1:], ends, ends[1:], strict=False)]
    share = cpu_share(cpu_seconds[-1] - cpu_seconds[0], ends[-1] - ends[0], policy.place.device)
    per_token = scored / _distinct_tokens(chosen, num_missing, rows) if num_missing else None
    return Speed((timed[0], timed[-1]), per_token, share)


def cpu_share(cpu_seconds: float, seconds: float, device: torch.device) -> float:
    """Tell how much of its time the thread that trains had a CPU: on an idle machine all of it.

    It takes part in each operation, so how many threads it shares them with is of no account. Where a device computes,
    the thread waits for it, which tells nothing.
    """
    if device.type != "cpu":
        return 1.0
    return min(1.0, max(0.05, cpu_seconds / max(1e-6, seconds)))


def _distinct_tokens(batches: Sequence[Batch], num_missing: int, rows: ExampleSet) -> int:
    """Count the tokens that were scored: an answer that occurs twice in a window is run once."""
    together = {tuple(batch.rows): batch.num_tokens for batch in batches}
    assert len(rows.scores) <= WINDOW_EXAMPLES * len(batches)
    return max(1, sum(together.values()) * num_missing // len(rows.scores))


def _rows(examples: ExampleSet, rows: list[int]) -> ExampleSet:
    """Take some rows of a set, in this order; one may come twice."""
    return examples._replace(
        rows=examples.rows.select(rows),
        scores=[examples.scores[row] for row in rows],
        token_scores={},
        prompts=[examples.prompts[row] for row in rows],
        columns={name: array("d", [values[row] for row in rows]) for name, values in examples.columns.items()},
    )
