"""What a strategy may look at: the responses of one prompt, as numbers."""

import random
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from real_cli.records.vectors import Vectors
from real_cli.stats.cosine import cosine_similarities

Pair: TypeAlias = tuple[int, int]


@dataclass(frozen=True)
class Pool:
    """The responses of one prompt. A strategy reads what its row in the table says it needs.

    Attributes:
        size: Number of responses, n, at least 2.
        similarities: Cosine similarities, shape (n, n); empty if the strategy needs none.
        embeddings: Unit vectors, shape (n, dim); empty if the strategy needs none.
        quality: Larger is better, from scores or ranks, shape (n,); empty if the strategy needs none.
        deviations: How unsure each score is, >= 0, in its own unit, shape (n,); empty if the strategy needs none.
        seed: Of `draw`: made of the run's seed and the prompt; empty if the strategy draws nothing.
        aepo_lambda: Weight of diversity against representativeness in AEPO.
        width: How many deviations a bound lies from its score, >= 0.
        quantile: Which of the gaps `choose_delta_quantile` takes, in [0, 1]; 0 is the widest.
    """

    size: int
    similarities: Vectors = field(default_factory=lambda: np.empty((0, 0)))
    embeddings: Vectors = field(default_factory=lambda: np.empty((0, 0)))
    quality: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    deviations: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    seed: bytes = b""
    aepo_lambda: float = 1.0
    width: float = 1.0
    quantile: float = 0.05

    @cached_property
    def draw(self) -> random.Random:
        """Random numbers, made when they are asked for: seeding takes longer than most strategies do."""
        return random.Random(self.seed)

    @classmethod
    def of_embeddings(cls, embeddings: Vectors, *, seed: bytes = b"", aepo_lambda: float = 1.0) -> "Pool":
        """Make a pool for the strategies that look at embeddings.

        Args:
            embeddings: Unit vectors, shape (n, dim).
            seed: As the attribute.
            aepo_lambda: As the attribute.

        Returns:
            A pool with the similarities worked out.
        """
        similarities = cosine_similarities(embeddings)
        return cls(len(embeddings), similarities, embeddings, seed=seed, aepo_lambda=aepo_lambda)
