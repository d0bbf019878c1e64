"""How much a run computes: its steps, its batches in their true order, and the passes that each takes."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

import torch

from real_cli.models.score.sequences import Group
from real_cli.models.score.tokens import TokenizedExample
from real_cli.records.choices import TokenLayout
from real_cli.train.batches.collate import Collator
from real_cli.train.estimate.simulation import Passes, num_tokens
from real_cli.train.prepare import stages_of
from real_cli.train.settings import TrainingSettings
from real_cli.train.tokenized import ExampleSet

# Batches that are looked at: the mean of so many is known to a percent or two, and collating them takes seconds.
MOST_BATCHES = 2000


class Batch(NamedTuple):
    """The rows of one batch, and the tokens of its passes, padding counted."""

    rows: list[int]
    num_tokens: int
    num_passes: int


@dataclass
class Work:
    """What a run computes.

    Attributes:
        num_pairs: Pairs that are trained on, each counted as often as it is read.
        num_steps: Optimizer steps, of all stages.
        num_batches: Batches in all of them.
        batches: Those that were looked at, of the first epoch of each stage.
        largest: The passes that decide memory.
        layout: How sequences lie.
    """

    layout: TokenLayout
    num_pairs: int = 0
    num_steps: int = 0
    num_batches: int = 0
    batches: list[Batch] = field(default_factory=list)
    first: list[Group] = field(default_factory=list)
    second: list[Group] | None = None

    @property
    def largest(self) -> Passes:
        """The passes that decide memory."""
        return Passes(self.layout, self.first, self.second)

    @property
    def num_tokens(self) -> int:
        """Tokens of all batches, if those that were looked at are like the others."""
        looked_at = sum(batch.num_tokens for batch in self.batches)
        return round(looked_at / len(self.batches) * self.num_batches)

    def batch_near(self, share: float) -> Batch:
        """Return a full batch that has more tokens than this share of the batches."""
        most = max(len(batch.rows) for batch in self.batches)
        full = sorted((batch for batch in self.batches if len(batch.rows) == most), key=lambda batch: batch.num_tokens)
        return full[round(share * (len(full) - 1))]


def plan_work(examples: ExampleSet, settings: TrainingSettings, collator: Collator, layout: TokenLayout) -> Work:
    """Plan the batches of a run as its trainer makes them.

    Args:
        examples: Tokenized.
        settings: Of the run.
        collator: Groups the examples of a batch into passes.
        layout: How sequences lie.

    Returns:
        The work of all stages.
    """
    work = Work(layout)
    for _, rows in stages_of(examples, settings):
        num_batches = math.ceil(len(rows) / settings.batch_size)
        steps_per_epoch = math.ceil(num_batches / settings.gradient_accumulation)
        steps = settings.max_steps if settings.max_steps > 0 else math.ceil(settings.epochs * steps_per_epoch)
        work.num_steps += steps
        work.num_batches += math.ceil(steps * num_batches / steps_per_epoch)
        work.num_pairs += round(steps / steps_per_epoch * len(rows))
        most = min(MOST_BATCHES, work.num_batches)
        for index, batch in enumerate(islice(_batches(rows, settings), most)):
            _add(work, batch, examples, collator, is_first=index % settings.gradient_accumulation == 0)
    return work


def _batches(rows: Sequence[int], settings: TrainingSettings) -> Iterator[list[int]]:
    """Yield the batches of the first epoch; accelerate shuffles each by the seed and the epoch's number."""
    order = list(rows)
    if settings.shuffles:
        shuffled = torch.randperm(len(rows), generator=torch.Generator().manual_seed(settings.seed))
        order = [rows[place] for place in shuffled.tolist()]
    for start in range(0, len(order), settings.batch_size):
        yield order[start : start + settings.batch_size]


def _add(work: Work, rows: list[int], examples: ExampleSet, collator: Collator, *, is_first: bool) -> None:
    table = examples.rows[rows]
    tokenized = [TokenizedExample(*ids) for ids in zip(table["prompt_ids"], table["response_ids"], strict=True)]
    passes = collator.passes(tokenized)
    sizes = [num_tokens(groups, work.layout) for groups in passes]
    work.batches.append(Batch(rows, sum(sizes), len(passes)))
    for number, groups in enumerate(passes):
        if number == 0 and sizes[0] > num_tokens(work.first, work.layout):
            work.first = groups
        is_later = number or not is_first
        if is_later and (work.second is None or sizes[number] > num_tokens(work.second, work.layout)):
            work.second = groups
