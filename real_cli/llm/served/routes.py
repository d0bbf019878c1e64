"""The routes of servers that score."""

from enum import StrEnum


class ScoringRoute(StrEnum):
    """Which of a server's routes scores."""

    classify = "classify"
    pooling = "pooling"
    score = "score"
    predict = "predict"
