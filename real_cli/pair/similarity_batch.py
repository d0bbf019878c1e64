"""Similarities of several prompts worked out at once: what a call of numpy costs is shared among them."""

from collections.abc import Iterator
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
        # By identity, with the record held fast, so that no other record can have its identity meanwhile.
        self._known: dict[int, tuple[Record, Similarities]] = {}

    def add(self, record: Record) -> None:
        """Announce a record; its embeddings are read now, while its numbers are still in the processor's cache.

        Args:
            record: One JSON object, unchecked.
        """
        responses = record.get("responses")
        if isinstance(responses, list) and len(responses) > self._max_responses:
            return
        if isinstance(responses, list) and all(isinstance(response, dict) for response in responses):
            embeddings = decode_alike(responses)
            if embeddings.size:
                self._waiting.append((record, embeddings))

    def take(self, record: Record) -> Similarities | None:
        """Hand out the comparison of one record, once; with the first one all that wait are worked out.

        Args:
            record: The very object that was announced.

        Returns:
            The comparison; None if the record was not announced or must be read with more care.
        """
        if self._waiting:
            self._known = {id(record): (record, comparison) for record, comparison in self._compare()}
            self._waiting = []
        known = self._known.pop(id(record), None)
        return known[1] if known else None

    def _compare(self) -> Iterator[tuple[Record, Similarities]]:
        stacks: dict[tuple[int, ...], list[tuple[Record, NDArray[np.floating[Any]]]]] = {}
        for record, embeddings in self._waiting:
            stacks.setdefault(embeddings.shape, []).append((record, embeddings))
        for stack in stacks.values():
            vectors = np.array([embeddings for _, embeddings in stack], dtype=np.float64)  # (batch, n, dim)
            norms = row_norms(vectors)
            sound: list[bool] = np.asarray((np.isfinite(norms) & (norms > 0)).all(axis=(1, 2))).tolist()
            if not all(sound):
                stack = [entry for entry, is_sound in zip(stack, sound, strict=True) if is_sound]
                vectors, norms = vectors[sound], norms[sound]
            vectors /= norms
            compared = map(Similarities, vectors, cosine_similarities(vectors))
            yield from ((record, comparison) for (record, _), comparison in zip(stack, compared, strict=True))
