"""Beside each completion the completion of another prompt of its batch: what KTO's reference point is made of."""

from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from real_cli.errors import RealError
from real_cli.models.score.contexts import is_scored, num_scored
from real_cli.train.settings import TrainingSettings
from real_cli.train.tokenized import ExampleSet, write_rows

# The paper's range of desirable over undesirable, weights times counts: arXiv:2402.01306, equation 8, as TRL reads it.
LEAST_BALANCE, MOST_BALANCE = 1.0, 4 / 3


def with_mismatched(
    examples: ExampleSet, stages: Sequence[list[int]], settings: TrainingSettings, path: Path
) -> ExampleSet:
    """Write examples in the order of training, each with the completion of another prompt of its batch.

    Batches are the same in each epoch, so that the reference is asked once: `stages` are shuffled here, by the seed,
    and no more.
    """
    batches = list(_batches(stages, settings))
    order = [row for batch in batches for row in batch]
    others = list(_partners(batches, examples.prompts))
    table = examples.rows.with_format(None)

    def rows() -> Iterator[dict[str, Any]]:
        for row, other in zip(order, others, strict=True):
            example: dict[str, Any] = table[row]
            (completion,) = example["response_ids"]
            (mismatched,) = table[other]["response_ids"]
            room = settings.max_length - len(example["prompt_ids"])
            yield example | {"response_ids": [completion, _cut(mismatched, room)], "marks": [*example["marks"], 0.0]}

    return examples._replace(
        rows=write_rows(rows(), path),
        scores=[None] * len(order),
        prompts=[examples.prompts[row] for row in order],
        columns={name: array("d", [values[row] for row in order]) for name, values in examples.columns.items()},
    )


def _batches(stages: Sequence[list[int]], settings: TrainingSettings) -> Iterator[list[int]]:
    for rows in stages:
        order = rows
        if settings.order == "shuffle":
            order = [rows[place] for place in np.random.default_rng(settings.seed).permutation(len(rows)).tolist()]
        for start in range(0, len(order), settings.batch_size):
            yield order[start : start + settings.batch_size]


def _partners(batches: Sequence[list[int]], prompts: Sequence[int]) -> Iterator[int]:
    """Choose the row whose completion goes with each prompt: the one before it in the batch, as in TRL.

    A completion of the same prompt would be no mismatch, so the next before it is taken, and where the batch has no
    other prompt a row of another batch.
    """
    first = batches[0][0]
    second = next((row for batch in batches for row in batch if prompts[row] != prompts[first]), None)
    if second is None:
        raise RealError("all completions answer one prompt; kto compares with completions of other prompts")
    for batch in batches:
        for place, row in enumerate(batch):
            before = (batch[place - back] for back in range(1, len(batch)))
            outside = second if prompts[row] == prompts[first] else first
            yield next((other for other in before if prompts[other] != prompts[row]), outside)


def _cut(completion: list[int], room: int) -> list[int]:
    """Cut a completion to the room behind another prompt; what is left has a token that counts."""
    if num_scored(completion[:room]):
        return completion[:room]
    return [token for token in completion if is_scored(token)][:room]


def say_balance(examples: ExampleSet, settings: TrainingSettings) -> str:
    """Say that the labels do not weigh about the same, and which weight would do; empty if they do, and for pairs."""
    if not settings.is_unpaired:
        return ""
    marks = np.asarray([marks[0] for marks in examples.rows["marks"]]) > 0
    return balance_sentence(int(marks.sum()), int((~marks).sum()), settings.mixture.knobs)


def balance_sentence(num_desirable: int, num_undesirable: int, knobs: dict[str, float]) -> str:
    """Say that counts times weights are out of the paper's range, 1:1 to 4:3.

    >>> balance_sentence(30, 10, {"desirable_weight": 1.0, "undesirable_weight": 1.0})[:75]
    '30 completions labeled true and 10 false weigh 3 to 1, outside 1:1 to 4:3; '
    >>> balance_sentence(12, 10, {"desirable_weight": 1.0, "undesirable_weight": 1.0})
    ''
    """
    counts = f"{num_desirable:,} completions labeled true and {num_undesirable:,} false"
    if not num_desirable or not num_undesirable:
        return f"{counts}: with one label alone kto learns to write more, or less, of everything like them"
    desirable = num_desirable * knobs["desirable_weight"]
    undesirable = num_undesirable * knobs["undesirable_weight"]
    if _is_balanced(desirable, undesirable):
        return ""
    ratio = f"{desirable / undesirable:.3g} to 1" if undesirable else "all to nothing"
    if desirable > undesirable:
        advice = f"--undesirable-weight {_three_digits(desirable / num_undesirable, 0.99):g}"
    else:
        advice = f"--desirable-weight {_three_digits(undesirable / num_desirable, 1.01):g}"
    return f"{counts} weigh {ratio}, outside 1:1 to 4:3; try {advice}"


def _is_balanced(desirable: float, undesirable: float) -> bool:
    slack = 1e-9 * undesirable  # of rounding
    return LEAST_BALANCE * undesirable - slack <= desirable <= MOST_BALANCE * undesirable + slack


def _three_digits(weight: float, inwards: float) -> float:
    """Round a weight that makes both labels level, to the side on which they stay in range."""
    rounded = float(f"{weight:.3g}")
    return rounded if (rounded - weight) * (inwards - 1) >= 0 else float(f"{weight * inwards:.3g}")
