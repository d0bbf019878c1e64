"""Pairs to look at: the extremes of a data set, and what contradicts itself."""

import math

from real_cli.records.record import Record
from real_cli.report.contents import ExcerptRow
from real_cli.report.examples import NUM_ROWS, Examples, Extremes, excerpt

# Text pairs whose label is remembered to find examples of contradictions; all of them are counted elsewhere.
REMEMBERED = 100_000


class PairExamples:
    """A few pairs of each kind."""

    def __init__(self) -> None:
        self._least_similar, self._most_similar = Extremes(), Extremes(largest=True)
        self._against_scores = Extremes()
        self._contradictions: list[ExcerptRow] = []
        self._labels: dict[int, tuple[int, str]] = {}

    def offer(self, place: str, record: Record, similarity: float, gap: float, label: int | None) -> None:
        """Show one pair; `label` is what `Repeats.add_label` returned, None for a pair that has none."""
        facts: dict[str, object] = {}
        if not math.isnan(similarity):
            facts["similarity"] = similarity
        if not math.isnan(gap):
            facts["score gap"] = gap
        if not math.isnan(similarity):
            self._least_similar.offer(similarity, lambda: excerpt(place, record, facts))
            self._most_similar.offer(similarity, lambda: excerpt(place, record, facts))
        if label is not None and gap < 0:
            self._against_scores.offer(gap, lambda: excerpt(place, record, facts))
        if label is not None and len(self._contradictions) < NUM_ROWS:
            self._look_for_contradiction(place, record, facts, label)

    def _look_for_contradiction(self, place: str, record: Record, facts: dict[str, object], label: int) -> None:
        before = self._labels.get(label >> 1)
        if before and before[0] != label & 1:
            other = {"labeled the other way round at": before[1]}
            self._contradictions.append(excerpt(place, record, facts | other))
        elif not before and len(self._labels) < REMEMBERED:
            self._labels[label >> 1] = (label & 1, place)

    def rows(self) -> Examples:
        """Hand out what stayed, by kind."""
        return {
            "least similar": self._least_similar.rows(),
            "most similar": self._most_similar.rows(),
            "against scores": self._against_scores.rows(),
            "contradictions": tuple(self._contradictions),
        }
