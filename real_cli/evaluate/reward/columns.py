"""The numbers that `real eval reward` holds of all records, in columns."""

import re
from array import array
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.evaluate.reward.readings import Numbers, PairNumbers, RewardReading
from real_cli.records.record import Record

# How RewardBench 2 names a question with several right answers, and the one like it with a single one.
TIES_ID = re.compile(r"(ref|tied):(\d{1,18})")
PLAIN, REF, TIED = 0, 1, 2
KINDS = {"ref": REF, "tied": TIED}


@dataclass(frozen=True)
class PairColumns:
    """Pairs of a better and a worse response; shape (pairs,) each.

    Attributes:
        prompts: A number for the prompt.
        categories: The place of its category.
        lengths: Characters of the better response minus those of the worse.
        gaps: Scores, the better response's minus the worse one's; shape (models, pairs).
    """

    prompts: NDArray[np.uint64]
    categories: NDArray[np.int64]
    lengths: Numbers
    gaps: Numbers

    def take(self, rows: NDArray[Any]) -> "PairColumns":
        """Pick pairs by number or mask."""
        return PairColumns(**{name: column[..., rows] for name, column in vars(self).items()})


@dataclass(frozen=True)
class RecordColumns:
    """Records of two responses or more; shape (records,) each.

    Attributes:
        prompts: A number for the prompt.
        categories: The place of its category.
        kinds: PLAIN, or what RewardBench 2's id says of its ties.
        numbers: The number in that id.
        sizes: How many responses.
        num_best: How many of them are best.
        credits: The chance that a best response is picked among those with the highest score; shape (models, records).
        aparts: The lowest score of a best response minus the highest of another; likewise.
        spreads: The highest minus the lowest score of the best responses, NaN of a single one; likewise.
    """

    prompts: NDArray[np.uint64]
    categories: NDArray[np.int64]
    kinds: NDArray[np.int64]
    numbers: NDArray[np.int64]
    sizes: NDArray[np.int64]
    num_best: NDArray[np.int64]
    credits: Numbers
    aparts: Numbers
    spreads: Numbers

    def take(self, rows: NDArray[Any]) -> "RecordColumns":
        """Pick records by number or mask."""
        return RecordColumns(**{name: column[..., rows] for name, column in vars(self).items()})


class RewardColumns:
    """Takes records as numbers; 14 bytes a pair and 8 a model, 27 bytes a record and 24 a model.

    Args:
        num_models: How many scores a response has.
    """

    def __init__(self, num_models: int) -> None:
        self._pairs = array("Q"), array("h"), array("i")
        self._gaps = [array("d") for _ in range(num_models)]
        self._records = array("Q"), array("h"), array("b"), array("q"), array("I"), array("I")
        self._marks = [[array("d") for _ in range(num_models)] for _ in range(3)]

    def add(self, record: Record, reading: RewardReading, pairs: PairNumbers, prompt: int, category: int) -> None:
        """Take one record: its pairs, as the reading numbers them, and how its best responses stand among all."""
        better, worse = pairs
        count = better.size
        prompts, categories, lengths = self._pairs
        prompts.extend([prompt] * count)
        categories.extend([category] * count)
        lengths.extend((reading.lengths[better] - reading.lengths[worse]).tolist())
        for gaps, scores in zip(self._gaps, reading.scores, strict=True):
            gaps.extend((scores[better] - scores[worse]).tolist())
        best = reading.is_best
        kind, number = _ties_id(record)
        for column, value in zip(
            self._records, (prompt, category, kind, number, best.size, int(best.sum())), strict=True
        ):
            column.append(value)
        for model, scores in enumerate(reading.scores):
            is_top = scores == scores.max()
            right, rest = scores[best], scores[~best]
            marks = (
                float((is_top & best).sum() / is_top.sum()),
                float(right.min() - rest.max()),
                float(right.max() - right.min()) if right.size > 1 else np.nan,
            )
            for columns, mark in zip(self._marks, marks, strict=True):
                columns[model].append(mark)

    def pairs(self, ranks: list[int]) -> PairColumns:
        """Return the pairs in an order that does not depend on that of the input; `ranks` are of the categories."""
        prompts, categories, lengths = self._pairs
        columns = PairColumns(
            prompts=np.array(prompts, dtype=np.uint64),
            categories=_ranked(categories, ranks),
            lengths=np.array(lengths, dtype=np.float64),
            gaps=np.array(self._gaps, dtype=np.float64),
        )
        return columns.take(np.lexsort((*columns.gaps, columns.lengths, columns.categories, columns.prompts)))

    def records(self, ranks: list[int]) -> RecordColumns:
        """Return the records in an order that does not depend on that of the input."""
        prompts, categories, kinds, *counts = self._records
        numbers, sizes, num_best = (np.array(column, dtype=np.int64) for column in counts)
        credits, aparts, spreads = (np.array(mark, dtype=np.float64) for mark in self._marks)
        columns = RecordColumns(
            prompts=np.array(prompts, dtype=np.uint64),
            categories=_ranked(categories, ranks),
            kinds=np.array(kinds, dtype=np.int64),
            numbers=numbers,
            sizes=sizes,
            num_best=num_best,
            credits=credits,
            aparts=aparts,
            spreads=spreads,
        )
        marks = (*spreads, *aparts, *credits)
        counted = (num_best, sizes, numbers, columns.kinds, columns.categories, columns.prompts)
        return columns.take(np.lexsort((*marks, *counted)))


def _ranked(numbers: "array[int]", ranks: list[int]) -> NDArray[np.int64]:
    places = np.array(numbers, dtype=np.int64)
    return np.array(ranks, dtype=np.int64)[places] if places.size else places


def _ties_id(record: Record) -> tuple[int, int]:
    name = record.get("id")
    match = TIES_ID.fullmatch(name) if isinstance(name, str) else None
    return (KINDS[match[1]], int(match[2])) if match else (PLAIN, 0)
