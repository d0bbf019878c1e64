"""What `real relabel winprob` reads."""

from enum import StrEnum


class Evidence(StrEnum):
    """What `relabel winprob` reads; the functions are in `real_cli.relabel.winprob.probabilities`."""

    scores = "scores"
    preferences = "preferences"
