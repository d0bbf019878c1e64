"""Pairs to look at: where the labels differ, and where the judge's verdict flipped."""

import math

from real_cli.evaluate.judge.compared import ComparedPair
from real_cli.evaluate.judge.rows import JudgedPair
from real_cli.records.record import Record
from real_cli.records.response_fields import responses_of
from real_cli.report.contents import ExcerptRow
from real_cli.report.examples import Examples, Extremes, excerpt
from real_cli.stats.positions import FLIPPED_TO_FIRST, FLIPPED_TO_SECOND, verdict_code

NAMES = {1.0: "response 1", 0.0: "tie", -1.0: "response 2"}


class JudgeExamples:
    """A few pairs of each kind; which ones depends on their texts, not on where they stand."""

    def __init__(self) -> None:
        self._differing, self._flipped = Extremes(), Extremes()

    def offer(self, place: str, record: Record, rows: list[tuple[JudgedPair, ComparedPair]]) -> None:
        """Show the pairs of a record."""
        for row, pair in rows:
            kinds = []
            if not math.isnan(row.gold) and row.label != row.gold:
                kinds.append(self._differing)
            if any(verdict_code(words) in (FLIPPED_TO_FIRST, FLIPPED_TO_SECOND) for words in row.verdicts):
                kinds.append(self._flipped)
            for extremes in kinds:
                extremes.offer(pair.key, lambda row=row, pair=pair: _row(place, record, row, pair))  # type: ignore[misc]

    def rows(self) -> Examples:
        """Hand out what stayed, by kind."""
        return {
            "the judge and the other label differ": self._differing.rows(),
            "flipped: a judge named the same place in both orders": self._flipped.rows(),
        }


def _row(place: str, record: Record, row: JudgedPair, pair: ComparedPair) -> ExcerptRow:
    facts: dict[str, object] = {"judge": NAMES[row.label]}
    if not math.isnan(row.gold):
        facts["other label"] = NAMES[row.gold]
    if not math.isnan(row.similarity):
        facts["similarity"] = row.similarity
    facts["length difference in characters"] = row.length_difference
    responses = responses_of(record)
    shown = [{"text": responses[number]["text"]} for number in (pair.first, pair.second)]
    return excerpt(place, {"prompt": record["prompt"], "responses": shown}, facts)
