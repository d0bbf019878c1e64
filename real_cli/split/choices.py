"""What `real split` may write."""

from enum import StrEnum


class Side(StrEnum):
    """Which part of the split is written."""

    train = "train"
    heldout = "heldout"


class Written(StrEnum):
    """What is written of each record."""

    records = "records"
    prompts = "prompts"
