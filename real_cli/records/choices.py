"""Names and limits that the command line offers. Light on purpose: help must not load numpy or torch."""

from enum import StrEnum
from typing import NamedTuple


class TokenBudgets(NamedTuple):
    """How many tokens a model takes at a time where the user does not say, by what it runs on."""

    on_cpu: int
    elsewhere: int

    def on(self, device: str) -> int:
        """Return the budget on a type of device, by torch's name."""
        return self.on_cpu if device == "cpu" else self.elsewhere

    def __str__(self) -> str:
        return f"{self.on_cpu} on a CPU, {self.elsewhere} elsewhere"


# Padding counted. On a CPU small passes are faster (their activations stay in its caches) and lighter; an accelerator
# needs large ones to be busy.
BATCH_TOKENS = TokenBudgets(1024, 16384)
# Prompts and the longest answers counted. Each step runs one token of every row: many rows share the reading of the
# weights, and memory goes to their cache of keys and values.
GENERATION_TOKENS = TokenBudgets(16384, 131072)
# A file without line ends, a binary one say, would otherwise fill the memory.
MAX_LINE_BYTES = 1 << 28
# Of each answer.
MAX_TOKENS = 512
# Tokens of prompt and response, where log-probabilities are computed.
MAX_LENGTH = 1024
# Divides a gap in score.
TEMPERATURE = 1.0
# Of a prompt: all similarities or preferences of so many take some 600 MB.
MAX_RESPONSES = 4000


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
    packed = "packed"


class Attention(StrEnum):
    """How attention is computed, by transformers' names."""

    auto = "auto"
    sdpa = "sdpa"
    eager = "eager"
    flex = "flex_attention"
    flash = "flash_attention_2"
