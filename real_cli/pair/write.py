"""Records of pairs that were chosen: who is preferred, and what each pair carries."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from real_cli.pair.choices import Orient, Strategy
from real_cli.pair.orient import have_equal_scores, order_pair, quality_gap
from real_cli.pair.strategies.pool import Pair, Pool
from real_cli.records.record import LEFT_BEHIND, Record, to_preference
from real_cli.records.response_fields import with_responses

EQUAL_SCORES = "equal scores"
# What float32 embeddings can tell; more digits would differ from one processor to another.
SIMILARITY_DIGITS = 7


@dataclass
class PairWriter:
    """Make records of the pairs of one prompt; memory does not grow with their number.

    Attributes:
        candidates: The prompt with all its responses.
        responses: Those that may be paired.
        pool: What is known of them.
        known: Fields of every pair.
        strategy: What chose the pairs.
        orient: What the user wants to decide who is better.
        settled: What decides it for all pairs of the prompt.
    """

    candidates: Record
    responses: list[Record]
    pool: Pool
    known: Record
    strategy: Strategy
    orient: Orient
    settled: Orient

    def each(self, pairs: Iterable[Pair]) -> Iterator[Record | str]:
        """Write pairs in their order."""
        for i, j in pairs:
            order = self._order(i, j)
            yield EQUAL_SCORES if order is None else self._record(i, j, order)

    def staged(self, pairs: Iterable[Pair]) -> Iterator[Record | str]:
        """Write pairs from the widest gap to the narrowest."""
        kept, gaps = array("l"), array("d")
        for i, j in pairs:
            if self._order(i, j) is None:
                yield EQUAL_SCORES
                continue
            kept.extend((i, j))
            gaps.append(quality_gap(self.responses[i], self.responses[j], self.orient))
        for stage, place in enumerate(widest_first(gaps), 1):
            i, j = kept[2 * place], kept[2 * place + 1]
            yield self._record(i, j, self._order(i, j) or 0) | {"stage": stage}

    def _order(self, i: int, j: int) -> int | None:
        first, second = self.responses[i], self.responses[j]
        if self.orient is Orient.auto and have_equal_scores(first, second):
            return None
        return order_pair(first, second, self.settled)

    def _record(self, i: int, j: int, order: int) -> Record:
        extra: Record = {}
        if self.pool.similarities.size:
            extra["similarity"] = round(float(self.pool.similarities[i, j]), SIMILARITY_DIGITS)
        extra |= {"strategy": self.strategy.value, **self.known}
        first, second = self.responses[i], self.responses[j]
        if order == 0:
            return _unlabeled(self.candidates, [first, second], extra, self._places)
        chosen, rejected = (first, second) if order > 0 else (second, first)
        return to_preference(self.candidates, chosen, rejected, extra)

    @cached_property
    def _places(self) -> dict[int, int]:
        return places_of(self.candidates)


def widest_first(gaps: Sequence[float]) -> list[int]:
    """Order the pairs of a prompt from the widest gap to the narrowest (Curry-DPO's easy to hard).

    >>> widest_first([1.0, 3.0, 3.0])
    [1, 2, 0]

    References:
        Pattnaik et al., 2024, Curry-DPO, arXiv:2403.07230, section 3.
    """
    order: list[int] = np.argsort(-np.asarray(gaps, dtype=np.float64), kind="stable").tolist()
    return order


def _unlabeled(candidates: Record, responses: list[Record], extra: Record, places: dict[int, int]) -> Record:
    # Whoever labels the pair must not see a label that it had.
    shown = [{name: value for name, value in light(response).items() if name != "rank"} for response in responses]
    return with_responses(candidates, shown, [places[id(response)] for response in responses]) | extra


def places_of(candidates: Record) -> dict[int, int]:
    """Look up where responses stand."""
    return {id(response): place for place, response in enumerate(candidates["responses"])}


def light(response: Record) -> Record:
    """Take off a response what only serves to compare it.

    >>> light({"text": "a", "rank": 1, "embedding": [1.0]})
    {'text': 'a', 'rank': 1}
    """
    return {name: value for name, value in response.items() if name not in LEFT_BEHIND - {"text", "rank"}}
