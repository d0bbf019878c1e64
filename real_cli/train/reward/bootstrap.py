"""How often each head of an ensemble sees a pair: a bootstrap of prompts, the same wherever it is drawn."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from real_cli.records.messages import Text, text_key

KEY_BITS = 63  # a column of an Arrow file holds signed numbers


def prompt_number(prompt: Text) -> int:
    """Number a prompt by its text.

    >>> prompt_number("Why?") == prompt_number("Why?") != prompt_number("How?")
    True
    """
    digest = hashlib.blake2b(text_key(prompt), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> (64 - KEY_BITS)


def bootstrap_draws(prompt: int, num_heads: int, seed: int) -> NDArray[np.float64]:
    """Draw how often each head sees the pairs of a prompt: Poisson of mean 1, or once where there is a single head.

    All pairs of a prompt share their draws: they are not independent. A draw depends on seed and prompt alone, so that
    a run that goes on, or has more processes, draws the same. Poisson draws are a bootstrap of a stream (Oza and
    Russell, 2001, Online bagging and boosting).

    Args:
        prompt: Of `prompt_number`.
        num_heads: How many heads there are.
        seed: Of the run.

    Returns:
        Whole numbers, shape (heads,).

    Example:
        >>> bootstrap_draws(5, 1, 42), bootstrap_draws(5, 8, 42).shape
        (array([1.]), (8,))
    """
    if num_heads == 1:
        return np.ones(1)
    return np.random.default_rng([seed, prompt]).poisson(1.0, num_heads).astype(np.float64)
