"""The row of a strategy: what it reads, and what follows from it for the command line."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from real_cli.pair.strategies.pool import Pair, Pool


class KeepRule(NamedTuple):
    """Which pairs of the data set `--keep` takes when `--by`, `--lowest` and `--highest` do not say."""

    by: str
    lowest: bool


class Rule(NamedTuple):
    """A strategy.

    Attributes:
        choose: Its function.
        note: How it chooses, in a few words for the help; empty where its name says it.
        needs_embeddings: Whether it reads similarities or embeddings.
        needs_quality: Whether it reads scores or ranks.
        needs_deviations: Whether it reads `score_std`, and so `--deviations`.
        needs_draw: Whether it draws random numbers.
        several_pairs: Whether it may make more than one pair of a prompt.
        every_pair: Whether it makes all of them.
        reads: Further options that it reads, by the names of the pool's attributes.
        keep: Its order for `--keep`; None if it has none of its own.
    """

    choose: Callable[[Pool], Iterable[Pair]]
    note: str = ""
    needs_embeddings: bool = False
    needs_quality: bool = False
    needs_deviations: bool = False
    needs_draw: bool = False
    several_pairs: bool = False
    every_pair: bool = False
    reads: frozenset[str] = frozenset()
    keep: KeepRule | None = None

    @property
    def basis(self) -> str:
        """What the choice goes by: `score_std`, `score`, `similarity`, or `nothing` that is measured."""
        needs = {
            "score_std": self.needs_deviations,
            "score": self.needs_quality,
            "similarity": self.needs_embeddings,
            "nothing": True,
        }
        return next(name for name, is_needed in needs.items() if is_needed)
