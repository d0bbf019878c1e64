"""Names that the command line offers. Light on purpose: help must not load numpy or torch."""

from enum import StrEnum


class Strategy(StrEnum):
    """How `pair` chooses responses; the functions are in `real_cli.core.strategies`."""

    easy = "easy"
    hard = "hard"
    centroid = "centroid"
    random = "random"
    aepo = "aepo"
    best_worst = "best-worst"
    best_random = "best-random"
    best_vs_rest = "best-vs-rest"
    all = "all"


class Orient(StrEnum):
    """What decides which response of a chosen pair is preferred."""

    auto = "auto"
    score = "score"
    rank = "rank"
    none = "none"


class Emit(StrEnum):
    """What `pair` writes for a prompt."""

    pairs = "pairs"
    triples = "triples"
    ranking = "ranking"


class Loss(StrEnum):
    """Objectives of `train-dpo`; the functions are in `real_cli.core.objectives`."""

    dpo = "dpo"
    ipo = "ipo"
    hinge = "hinge"
    robust = "robust"
    sppo_hard = "sppo-hard"


class Placement(StrEnum):
    """Where `relabel goal` puts the goal."""

    system = "system"
    user = "user"


class OnError(StrEnum):
    """What a bad record does to the run."""

    fail = "fail"
    skip = "skip"


class Encoding(StrEnum):
    """How an embedding is written."""

    array = "array"
    base64 = "base64"
    base64_float16 = "base64-float16"


class Pooling(StrEnum):
    """How a causal language model's token states become one vector."""

    mean = "mean"
    last = "last"


class Field(StrEnum):
    """What `embed` embeds."""

    responses = "responses"
    prompt = "prompt"


class Precision(StrEnum):
    """Number format of a model."""

    auto = "auto"
    float32 = "float32"
    bfloat16 = "bfloat16"
    float16 = "float16"


class TokenLayout(StrEnum):
    """How a prompt and its responses lie in the sequences that a model reads."""

    auto = "auto"
    shared = "shared"
    plain = "plain"


class Attention(StrEnum):
    """How attention is computed, by transformers' names."""

    auto = "auto"
    sdpa = "sdpa"
    eager = "eager"
    flex = "flex_attention"
    flash = "flash_attention_2"
