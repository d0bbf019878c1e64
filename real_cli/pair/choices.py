"""What the options of `real pair` offer. Light on purpose: help must not load numpy."""

from enum import StrEnum

from real_cli.pair.strategy_names import DESCRIBED
from real_cli.pair.strategy_names import Strategy as Strategy

DEFAULT_STRATEGY = Strategy.easy
# Weight of diversity in aepo.
AEPO_LAMBDA = 1.0
# What --by sorts by without such a field; those of PROMPT_MEASURES are of all responses of a prompt, before the choice.
PROMPT_MEASURES = {"mean-score": "mean_score", "score-variance": "score_variance"}
MEASURES = ("similarity", "score-gap", "rejected-length", *PROMPT_MEASURES, "random")
# How many deviations a bound lies from its score.
DEVIATIONS = 1.0
# Which gap delta-quantile takes; 0 is the widest.
QUANTILE = 0.05


# What strategies go by, in the order and the words of the help.
BASES = {
    "similarity": "By similarity",
    "nothing": "Neither",
    "score": "By score",
    "score_std": "By score and score_std (how unsure a reward model is, as one of 'real train-reward --ensemble'), for "
    "annotators to come",
}


def list_strategies() -> str:
    """List the strategies in a sentence for each thing that they go by."""
    sentences = []
    for basis, words in BASES.items():
        notes = {name: note for name, (goes_by, note) in DESCRIBED.items() if goes_by == basis}
        listed = ", ".join(f"{name} ({note})" if note else name for name, note in notes.items())
        sentences.append(f"{words}: {listed}.")
    return " ".join(sentences)


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
