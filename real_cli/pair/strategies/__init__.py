"""How `pair` chooses which responses of a prompt to compare: one function a strategy, one row in STRATEGIES."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from real_cli.pair.choices import Strategy
from real_cli.pair.strategies.active import (
    choose_delta_quantile,
    choose_delta_ucb,
    choose_drts,
    choose_dts,
    choose_infomax,
    choose_maxmin_lcb,
)
from real_cli.pair.strategies.pool import Pair, Pool
from real_cli.pair.strategies.scores import choose_all, choose_best_random, choose_best_vs_rest, choose_best_worst
from real_cli.pair.strategies.similarity import (
    choose_aepo,
    choose_centroid,
    choose_easy,
    choose_hard,
    choose_random,
)


class KeepRule(NamedTuple):
    """Which pairs of the data set `--keep` takes when `--by`, `--lowest` and `--highest` do not say."""

    by: str
    lowest: bool


class Rule(NamedTuple):
    """A strategy: its function, what it reads of the pool, how many pairs it makes, and its `--keep` order."""

    choose: Callable[[Pool], Iterable[Pair]]
    needs_embeddings: bool = False
    needs_quality: bool = False
    needs_deviations: bool = False
    needs_draw: bool = False
    several_pairs: bool = False
    keep: KeepRule | None = None


STRATEGIES: dict[Strategy, Rule] = {
    Strategy.easy: Rule(choose_easy, needs_embeddings=True, keep=KeepRule("similarity", lowest=True)),
    Strategy.hard: Rule(choose_hard, needs_embeddings=True, keep=KeepRule("similarity", lowest=False)),
    Strategy.centroid: Rule(choose_centroid, needs_embeddings=True),
    Strategy.random: Rule(choose_random, needs_draw=True, keep=KeepRule("random", lowest=True)),
    Strategy.aepo: Rule(choose_aepo, needs_embeddings=True),
    Strategy.best_worst: Rule(choose_best_worst, needs_quality=True, keep=KeepRule("score-gap", lowest=False)),
    Strategy.best_random: Rule(
        choose_best_random, needs_quality=True, needs_draw=True, keep=KeepRule("score-gap", lowest=False)
    ),
    Strategy.best_vs_rest: Rule(
        choose_best_vs_rest, needs_quality=True, several_pairs=True, keep=KeepRule("score-gap", lowest=False)
    ),
    Strategy.all: Rule(choose_all, several_pairs=True),
    Strategy.dts: Rule(choose_dts, needs_quality=True, needs_deviations=True, needs_draw=True),
    Strategy.drts: Rule(choose_drts, needs_quality=True, needs_deviations=True, needs_draw=True),
    Strategy.delta_ucb: Rule(choose_delta_ucb, needs_quality=True, needs_deviations=True),
    Strategy.delta_quantile: Rule(choose_delta_quantile, needs_quality=True, needs_deviations=True),
    Strategy.infomax: Rule(choose_infomax, needs_quality=True, needs_deviations=True),
    Strategy.maxmin_lcb: Rule(choose_maxmin_lcb, needs_quality=True, needs_deviations=True),
}

__all__ = ["STRATEGIES", "KeepRule", "Pair", "Pool", "Rule"]
