"""Comparisons to look at: long winners, and verdicts that flipped."""

import hashlib

from real_cli.evaluate.winrate.matches import Contest
from real_cli.records.record import Record
from real_cli.report.contents import ExcerptRow
from real_cli.report.examples import Examples, Extremes, excerpt


class WinrateExamples:
    """A few comparisons of each kind."""

    def __init__(self) -> None:
        self._longest = Extremes(largest=True)
        self._flipped = Extremes()

    def offer(self, place: str, record: Record, contests: list[Contest]) -> None:
        """Show the comparisons of one record; those of a model with itself are none."""
        for contest in contests:
            if contest.models[0] == contest.models[1]:
                continue
            difference = contest.length_difference * (contest.points - 1)
            if difference > 0:
                self._longest.offer(difference, lambda contest=contest: _row(place, record, contest))  # type: ignore[misc]
            if any(judgment.is_flipped for judgment in contest.comparisons):
                # Which five are shown must not depend on where in the stream they stand.
                digest = hashlib.blake2b(repr((record["prompt"], contest.texts)).encode("utf-8", "replace"))
                drawn = int.from_bytes(digest.digest()[:6], "big")
                self._flipped.offer(drawn, lambda contest=contest: _row(place, record, contest))  # type: ignore[misc]

    def rows(self) -> Examples:
        """Hand out what stayed, by kind."""
        return {
            "won by the longer response, widest difference first": self._longest.rows(),
            "flipped: a judge named the same place in both orders": self._flipped.rows(),
        }


def _row(place: str, record: Record, contest: Contest) -> ExcerptRow:
    outcome = {2: contest.models[0], 1: "tie", 0: contest.models[1]}[contest.points]
    facts: dict[str, object] = {
        "first": contest.models[0],
        "second": contest.models[1],
        "winner": outcome,
        "length difference in characters": contest.length_difference,
    }
    pair = {"prompt": record["prompt"], "responses": [{"text": text} for text in contest.texts]}
    return excerpt(place, pair, facts)
