"""The strategies of `real pair`, for help without numpy; made by `python -m real_cli.docs` of their rows."""

from enum import StrEnum


class Strategy(StrEnum):
    """How `pair` chooses responses; the functions are in `real_cli.pair.strategies`."""

    easy = "easy"
    hard = "hard"
    centroid = "centroid"
    random = "random"
    aepo = "aepo"
    best_worst = "best-worst"
    best_random = "best-random"
    best_vs_rest = "best-vs-rest"
    best_two_sigma = "best-two-sigma"
    best_worst_of_5 = "best-worst-of-5"
    all = "all"
    dts = "dts"
    drts = "drts"
    delta_ucb = "delta-ucb"
    delta_quantile = "delta-quantile"
    infomax = "infomax"
    maxmin_lcb = "maxmin-lcb"
    information = "information"


# What each goes by, and how in a few words where its name does not say it.
DESCRIBED: dict[Strategy, tuple[str, str]] = {
    Strategy.easy: ("similarity", "least similar"),
    Strategy.hard: ("similarity", "most similar"),
    Strategy.centroid: ("similarity", "nearest to the two cluster centers"),
    Strategy.random: ("nothing", ""),
    Strategy.aepo: ("similarity", "representative and diverse"),
    Strategy.best_worst: ("score", ""),
    Strategy.best_random: ("score", ""),
    Strategy.best_vs_rest: ("score", ""),
    Strategy.best_two_sigma: ("score", "the best against the one nearest to mean minus two deviations"),
    Strategy.best_worst_of_5: ("score", "the best of all against the worst of five drawn"),
    Strategy.all: ("nothing", ""),
    Strategy.dts: ("score_std", ""),
    Strategy.drts: ("score_std", ""),
    Strategy.delta_ucb: ("score_std", ""),
    Strategy.delta_quantile: ("score_std", ""),
    Strategy.infomax: ("score_std", ""),
    Strategy.maxmin_lcb: ("score_std", ""),
    Strategy.information: ("similarity", "the label that tells most of how the responses vary"),
}
