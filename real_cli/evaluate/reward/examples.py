"""Pairs to look at: those that a reward model orders most surely, wrongly and rightly."""

import numpy as np

from real_cli.evaluate.reward.readings import RewardReading
from real_cli.records.record import Record
from real_cli.report.contents import ExcerptRow
from real_cli.report.examples import Examples, Extremes, excerpt


class RewardExamples:
    """A few pairs to look at, under one reward model; of each record its two extreme ones."""

    def __init__(self) -> None:
        self._wrong, self._right = Extremes(), Extremes(largest=True)

    def offer(self, place: str, record: Record, reading: RewardReading, model: int) -> None:
        """Show the pairs of one record, of which there is one at least."""
        better, worse = reading.pairs()
        scores = reading.scores[model]
        gaps = scores[better] - scores[worse]
        for kept, number in ((self._wrong, int(np.argmin(gaps))), (self._right, int(np.argmax(gaps)))):
            gap, first, second = float(gaps[number]), int(better[number]), int(worse[number])
            is_wrong = kept is self._wrong
            if gap < 0 if is_wrong else gap > 0:
                kept.offer(gap, lambda first=first, second=second: _row(place, record, reading, model, first, second))  # type: ignore[misc]

    def rows(self, name: str) -> Examples:
        """Hand out what stayed, by kind; of several models under the name of one."""
        under = f" by {name}" if name else ""
        return {
            f"Scored against the label{under}, widest gap first": self._wrong.rows(),
            f"Scored as labeled{under}, widest gap first": self._right.rows(),
        }


def _row(place: str, record: Record, reading: RewardReading, model: int, better: int, worse: int) -> ExcerptRow:
    facts: dict[str, object] = {
        "score of the better": float(reading.scores[model][better]),
        "score of the worse": float(reading.scores[model][worse]),
        "length difference in characters": int(reading.lengths[better] - reading.lengths[worse]),
    }
    pair = {
        "prompt": record["prompt"],
        "responses": [{"text": reading.responses[number]["text"]} for number in (better, worse)],
    }
    row = excerpt(place, pair, facts)
    heads = ("better", "worse")
    return ExcerptRow(
        row.place, row.prompt, tuple((head, text) for head, (_, text) in zip(heads, row.texts, strict=True)), row.facts
    )
