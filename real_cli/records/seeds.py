"""Numbers for random draws that depend on a seed and a count alone, not on draws before or beside them."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from real_cli.records.messages import Text, text_key

# OpenAI-compatible servers should take 64-bit seeds; some keep 32 bits.
SEED_BITS = 31
# splitmix64: Steele, Lea, Flood, 2014, Fast splittable pseudorandom number generators.
GOLDEN = 0x9E3779B97F4A7C15
MIX = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))


def response_seed(seed: int, prompt: Text, policy: str, number: int, purpose: str = "text") -> int:
    """Make the seed of one response.

    Args:
        seed: Of the run.
        prompt: What is answered.
        policy: The name of the model.
        number: Which of its responses to the prompt, from 0.
        purpose: What is drawn.

    Returns:
        From 0 to 2**31 - 1.

    Example:
        >>> response_seed(0, "q", "sft", 1) == response_seed(0, "q", "sft", 1) != response_seed(0, "q", "sft", 2)
        True
    """
    parts = [str(seed).encode(), text_key(prompt), policy.encode(), str(number).encode(), purpose.encode()]
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        digest.update(len(part).to_bytes(4, "big") + part)
    return int.from_bytes(digest.digest(), "big") >> (64 - SEED_BITS)


def uniform_numbers(seeds: NDArray[np.uint64], step: int) -> NDArray[np.float64]:
    """Draw one number for each seed.

    Args:
        seeds: Shape (batch,).
        step: Which number of each seed, from 0.

    Returns:
        In [0, 1), shape (batch,).

    Example:
        >>> seeds = np.array([1, 2], dtype=np.uint64)
        >>> bool(uniform_numbers(seeds, 7)[1] == uniform_numbers(seeds[1:], 7)[0])
        True
    """
    with np.errstate(over="ignore"):
        mixed = _mix(_mix(seeds + np.uint64(GOLDEN)) + np.uint64((step + 1) * GOLDEN % 2**64))
    # A double holds 53 bits.
    return np.asarray((mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53)


def _mix(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    for shift, factor in MIX:
        numbers = (numbers ^ (numbers >> np.uint64(shift))) * np.uint64(factor)
    return numbers ^ (numbers >> np.uint64(31))
