"""How the judges of a panel decide together. Light on purpose: help must not load what counts votes."""

from enum import StrEnum


class Voting(StrEnum):
    """By what several judges decide."""

    majority = "majority"
    mean = "mean"
    unanimous = "unanimous"
