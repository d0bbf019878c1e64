"""Prompts that mean nearly the same as one of another file, by their embeddings: what runs of words do not find."""

import math
from array import array
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.errors import RecordError, UsageError
from real_cli.pair.near_duplicates import BLOCK, DIGITS, DOUBT, Numbers, Places, Rows, read_prompt_vector
from real_cli.records.messages import Text
from real_cli.records.record import Record
from real_cli.report.contents import ExcerptRow
from real_cli.report.examples import Extremes, excerpt
from real_cli.stats.describe import describe
from real_cli.stats.proportions import share_of

FARTHEST = 4.0


def check_near(limit: float | None, *, has_other_file: bool) -> None:
    """Refuse a distance that is none, and one to nothing."""
    if limit is None:
        return
    if not 0 < limit <= FARTHEST:
        raise UsageError(f"--near {limit:g}: give a number above 0, at most 4, the distance of opposites")
    if not has_other_file:
        raise UsageError("--near: is a distance to the prompts of --against FILE; give that too")


class PromptVectors:
    """The prompts of the other file as unit vectors of float32, each with its place and what a report shows of it."""

    def __init__(self) -> None:
        self._numbers = array("f")
        self._shown: list[tuple[str, str]] = []
        self.size: int | None = None

    def __len__(self) -> int:
        return len(self._shown)

    def add(self, place: str, record: Record) -> None:
        """Put in one prompt, whose record carries its embedding."""
        vector = read_prompt_vector(record, self.size)
        self.size = vector.size
        self._numbers.frombytes(vector.tobytes())
        self._shown.append((place, excerpt(place, {"prompt": record["prompt"], "responses": []}, {}).prompt))

    def show(self, number: int) -> tuple[str, str]:
        """Return the place of a prompt, and its beginning."""
        return self._shown[number]

    def nearest(self, vectors: Rows, limit: float) -> tuple[Numbers, Places]:
        """Find the nearest prompt of each vector: its squared distance, and its number.

        Products are of float32, a block of this file at a time; what they leave in doubt about the limit is measured
        again, so that what is below it does not depend on rounding.
        """
        distances, numbers = np.full(len(vectors), np.inf), np.zeros(len(vectors), dtype=np.int64)
        if not len(self):
            return distances, numbers
        others = np.frombuffer(self._numbers, dtype=np.float32).reshape(len(self), -1)
        for start in range(0, len(others), BLOCK):
            block = others[start : start + BLOCK]
            products = vectors @ block.T
            best = products.argmax(axis=1)
            result = _distances(vectors, block[best])
            for row in np.flatnonzero((result >= limit) & (result < limit + 2 * DOUBT)):
                exact = _distances(vectors[row], block)
                best[row] = exact.argmin()
                result[row] = exact.min()
            is_nearer = result < distances
            distances[is_nearer] = result[is_nearer]
            numbers[is_nearer] = best[is_nearer] + start
        return distances, numbers


class NearSearch:
    """Look for prompts that are nearer than a limit to one of the other file; holds a block of vectors at a time.

    Args:
        index: The other file.
        limit: Squared distance of unit vectors, 2 (1 - cos), from 0 to 4.
    """

    def __init__(self, index: PromptVectors, limit: float) -> None:
        self._index = index
        self._limit = limit
        self._waiting: list[tuple[str, Text, Rows]] = []
        self._distances = array("d")
        self._extremes = Extremes()

    def read(self, record: Record) -> Rows:
        """Read the embedding of a pair's prompt, which has to be as long as those of the other file."""
        vector = read_prompt_vector(record)
        if self._index.size not in (None, vector.size):
            raise RecordError(
                f"field 'embedding' has {vector.size} numbers, those of --against have {self._index.size}; embed both "
                "with one model"
            )
        return vector

    def add(self, place: str, prompt: Text, vector: Rows) -> None:
        """Look for one prompt."""
        self._waiting.append((place, prompt, vector))
        if len(self._waiting) == BLOCK:
            self._flush()

    def is_near(self) -> NDArray[np.int8]:
        """Say of the prompt of each pair whether one of the other file is nearer than the limit; shape (pairs,)."""
        self._flush()
        return (np.array(self._distances) < self._limit).astype(np.int8)

    def rows(self) -> tuple[ExcerptRow, ...]:
        """Hand out the nearest pairs, each with the prompt that it is near to."""
        self._flush()
        return self._extremes.rows()

    def summary(self, first: Places) -> dict[str, Any]:
        """Sum up over distinct prompts, whose first pairs are given by their numbers."""
        is_near = self.is_near()
        count = int(is_near[first].sum())
        nearest = np.array(self._distances)[first]
        return {
            "near_distance": self._limit,
            "num_near_leaked_prompts": count,
            **share_of(count, first.size).fields("share_near_leaked_prompts"),
            "nearest_distance": describe(np.where(np.isinf(nearest), math.nan, nearest)),
        }

    def _flush(self) -> None:
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        distances, numbers = self._index.nearest(np.stack([vector for _, _, vector in waiting]), self._limit)
        self._distances.extend(distances.tolist())
        for row in np.flatnonzero(distances < self._limit).tolist():
            place, prompt, _ = waiting[row]
            make = partial(self._row, place, prompt, float(distances[row]), int(numbers[row]))
            self._extremes.offer(float(distances[row]), make)

    def _row(self, place: str, prompt: Text, distance: float, number: int) -> ExcerptRow:
        other, text = self._index.show(number)
        facts = {"squared distance": f"{round(distance, DIGITS):g}", "in the other file": other}
        shown = excerpt(place, {"prompt": prompt, "responses": []}, dict(facts))
        return ExcerptRow(shown.place, shown.prompt, (("prompt of the other file", text),), shown.facts)


def _distances(left: Rows, right: Rows) -> Numbers:
    """Measure from vector to vector in float64; 0 exactly for two that are the same."""
    differences = left.astype(np.float64) - right.astype(np.float64)
    return np.asarray((differences * differences).sum(axis=-1))
