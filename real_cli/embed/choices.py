"""What the options of `real embed` offer."""

from enum import StrEnum

# Of a language model; an encoder has its own.
MAX_LENGTH = 512
LAST_LAYER = -1


class Pooling(StrEnum):
    """How a causal language model's token states become one vector."""

    mean = "mean"
    last = "last"


class Field(StrEnum):
    """What `embed` embeds."""

    responses = "responses"
    prompt = "prompt"
