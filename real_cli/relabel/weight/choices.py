"""What the options of `real relabel weight` offer."""

from enum import StrEnum


class WeightRule(StrEnum):
    """How `relabel weight` weighs a pair; the functions are in `real_cli.relabel.weight.weights`."""

    reward_difference = "reward-difference"
    gap_utility = "gap-utility"


class Normalization(StrEnum):
    """What `relabel weight` makes of all weights together; the functions are in `real_cli.relabel.weight.weights`."""

    none = "none"
    mean = "mean"
    min_max = "min-max"


class Negative(StrEnum):
    """What `relabel weight` does with a negative weight; the functions are in `real_cli.relabel.weight.weights`."""

    refuse = "refuse"
    clip = "clip"
    keep = "keep"
