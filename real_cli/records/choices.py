"""Names that the command line offers. Light on purpose: help must not load numpy or torch."""

from enum import StrEnum


class Ties(StrEnum):
    """What `relabel human` does with a pair of which neither response is better."""

    drop = "drop"
    keep = "keep"


class OnError(StrEnum):
    """What a bad record does to the run."""

    fail = "fail"
    skip = "skip"


class InputFormat(StrEnum):
    """What the input is, whatever its name says."""

    jsonl = "jsonl"
    csv = "csv"
    tsv = "tsv"


class Encoding(StrEnum):
    """How an embedding is written."""

    array = "array"
    base64 = "base64"
    base64_float16 = "base64-float16"


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
