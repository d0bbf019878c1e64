"""What `real split` may write."""

from enum import StrEnum


class Part(StrEnum):
    """A side of the split."""

    train = "train"
    heldout = "heldout"


class Emit(StrEnum):
    """What is written of each record."""

    records = "records"
    prompts = "prompts"
