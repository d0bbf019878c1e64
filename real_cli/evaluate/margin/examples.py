"""Pairs to look at: the extremes of margin and of similarity."""

from real_cli.evaluate.margin.margins import PairMargin
from real_cli.records.record import Record
from real_cli.report.examples import Examples, Extremes, excerpt


class MarginExamples:
    """A few pairs to look at, under one policy."""

    def __init__(self) -> None:
        self._wrong, self._least = Extremes(), Extremes()
        self._right, self._most = Extremes(largest=True), Extremes(largest=True)

    def offer(self, place: str, record: Record, pair: PairMargin) -> None:
        """Show one pair."""
        facts = {"margin (nats)": pair.margin, "likelihood margin (nats)": pair.likelihood_margin}
        if pair.similarity is not None:
            facts["similarity"] = pair.similarity
        if pair.margin < 0:
            self._wrong.offer(pair.margin, lambda: excerpt(place, record, {**facts}))
        if pair.margin > 0:
            self._right.offer(pair.margin, lambda: excerpt(place, record, {**facts}))
        if pair.similarity is not None:
            for kept in (self._least, self._most):
                kept.offer(pair.similarity, lambda: excerpt(place, record, {**facts}))

    def rows(self, name: str) -> Examples:
        """Hand out what stayed, by kind; of several policies under the name of one."""
        under = f" under {name}" if name else ""
        return {
            f"Most wrongly preferred{under}: smallest margins below 0": self._wrong.rows(),
            f"Largest margins{under}": self._right.rows(),
            f"Least similar responses{under}": self._least.rows(),
            f"Most similar responses{under}": self._most.rows(),
        }
