"""Similarities of several prompts at once, which amortize numpy's per-call overhead."""

from collections import deque
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from real_cli.records.choices import MAX_RESPONSES
from real_cli.records.record import Record
from real_cli.records.vectors import Vectors, decode_alike, row_norms
from real_cli.stats.cosine import cosine_similarities


class Similarities(NamedTuple):
    """All responses of a prompt: their unit vectors, shape (n, dim), and similarities, shape (n, n)."""

    embeddings: Vectors
    similarities: Vectors


class SimilarityBatch:
    """Comparisons of records that are about to come.

    Prompts with as many responses and dimensions are stacked and multiplied together. Each gets the same bits as by
    itself, and one whose embeddings are missing, odd or zero gets none: whoever reads it next says what is wrong.
    """

    def __init__(self, max_responses: int = MAX_RESPONSES) -> None:
        self._max_responses = max_responses
        self._waiting: list[tuple[Record, NDArray[np.floating[Any]]]] = []
        # In the order in which they were announced, which is that in which they come.
        self._known: deque[tuple[Record, Similarities]] = deque()

    def add(self, record: Record) -> None:
        """Announce a record; its embeddings are read now, while its numbers are still in the processor's cache."""
        responses = record.get("responses")
        if isinstance(responses, list) and len(responses) > self._max_responses:
            return
        if isinstance(responses, list) and all(isinstance(response, dict) for response in responses):
            embeddings = decode_alike(responses)
            if embeddings.size:
                self._waiting.append((record, embeddings))

    def take(self, record: Record) -> Similarities | None:
        """Hand out the comparison of one record, once; with the first one all that wait are worked out."""
        if self._waiting:
            self._known = self._compare()
            self._waiting = []
        for number, (announced, comparison) in enumerate(self._known):
            if announced is record:
                for _ in range(number + 1):  # those before it were refused, or became another record
                    self._known.popleft()
                return comparison
        return None

    def _compare(self) -> deque[tuple[Record, Similarities]]:
        """Compare stack by stack; what cannot be compared is left out."""
        stacks: dict[tuple[int, ...], list[int]] = {}
        for number, (_, embeddings) in enumerate(self._waiting):
            stacks.setdefault(embeddings.shape, []).append(number)
        comparisons: dict[int, Similarities] = {}
        for numbers in stacks.values():
            vectors = np.array([self._waiting[number][1] for number in numbers], dtype=np.float64)  # (batch, n, dim)
            norms = row_norms(vectors)
            sound: list[bool] = np.asarray((np.isfinite(norms) & (norms > 0)).all(axis=(1, 2))).tolist()
            if not all(sound):
                numbers = [number for number, is_sound in zip(numbers, sound, strict=True) if is_sound]
                vectors, norms = vectors[sound], norms[sound]
            vectors /= norms
            compared = map(Similarities, vectors, cosine_similarities(vectors))
            comparisons |= zip(numbers, compared, strict=True)
        return deque((self._waiting[number][0], comparisons[number]) for number in sorted(comparisons))
