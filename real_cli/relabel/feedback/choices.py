"""What `real relabel feedback` writes; light, for help."""

from enum import StrEnum


class FeedbackRows(StrEnum):
    """Which records are written."""

    all = "all"
    pairs = "pairs"
    unpaired = "unpaired"
