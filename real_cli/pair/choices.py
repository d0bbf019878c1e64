"""What the options of `real pair` offer. Light on purpose: help must not load numpy."""

from enum import StrEnum

# Weight of diversity in aepo.
AEPO_LAMBDA = 1.0
# How many deviations a bound lies from its score.
DEVIATIONS = 1.0
# Which gap delta-quantile takes; 0 is the widest.
QUANTILE = 0.05


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
    all = "all"
    dts = "dts"
    drts = "drts"
    delta_ucb = "delta-ucb"
    delta_quantile = "delta-quantile"
    infomax = "infomax"
    maxmin_lcb = "maxmin-lcb"


class Orient(StrEnum):
    """What decides which response of a chosen pair is preferred."""

    auto = "auto"
    score = "score"
    rank = "rank"
    none = "none"


class Emit(StrEnum):
    """What `pair` writes for a prompt."""

    pairs = "pairs"
    triples = "triples"
    ranking = "ranking"
    prompts = "prompts"
