"""What the options of `real train-dpo` offer. Light on purpose: help must not load torch."""

from enum import StrEnum

# What `--batch-tokens auto` stands as among numbers of tokens: nobody asks for passes of none.
AUTO_TOKENS = 0


class Preset(StrEnum):
    """Published settings of `train-dpo`; the numbers are in `real_cli.train.presets`."""

    real = "real"
    ra = "ra"
    bmc = "bmc"
    selm = "selm"
    dlma = "dlma"
    pro = "pro"
    sppo = "sppo"
    drift = "drift"
    tpo = "tpo"
    spa = "spa"
    magpie_align = "magpie-align"


class StageReference(StrEnum):
    """What the policy is compared with in each stage of a curriculum."""

    previous = "previous"
    initial = "initial"


class Schedule(StrEnum):
    """How the learning rate goes after its warm-up, by transformers' names."""

    linear = "linear"
    cosine = "cosine"
    constant = "constant"
    inverse_sqrt = "inverse_sqrt"


class Optimizer(StrEnum):
    """What takes the steps."""

    adamw = "adamw"
    rmsprop = "rmsprop"
    adafactor = "adafactor"
    sgd = "sgd"
    adamw_8bit = "adamw-8bit"


def tokens_or_auto(text: str) -> int:
    """Read a number of tokens, or auto; ValueError for anything else.

    >>> tokens_or_auto("4096"), tokens_or_auto("auto")
    (4096, 0)
    """
    if text == "auto":
        return AUTO_TOKENS
    if (number := int(text)) < 1:
        raise ValueError(f"{number} is too small")
    return number
