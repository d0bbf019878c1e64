"""What the options of `real embed` offer."""

from enum import StrEnum


class Pooling(StrEnum):
    """How a causal language model's token states become one vector."""

    mean = "mean"
    last = "last"


class Field(StrEnum):
    """What `embed` embeds."""

    responses = "responses"
    prompt = "prompt"
