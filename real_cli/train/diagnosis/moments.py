"""Sums over pairs from which a run's means and correlations follow."""

import math
from collections.abc import Sequence
from typing import NamedTuple


class Moments(NamedTuple):
    """Sums over pairs of the difference of lengths in tokens, x, and of the reward margin, y."""

    num_pairs: float
    x: float
    y: float
    xx: float
    yy: float
    xy: float

    @classmethod
    def total(cls, parts: Sequence["Moments"]) -> "Moments":
        """Add sums up."""
        return cls(*map(sum, zip(*parts, strict=True))) if parts else cls(0, 0, 0, 0, 0, 0)

    @property
    def margin_size(self) -> float:
        """Root of the mean square of the margins."""
        return math.sqrt(self.yy / max(self.num_pairs, 1))

    @property
    def correlation(self) -> float:
        """Pearson's correlation; 0 where one of the two does not vary."""
        count = max(self.num_pairs, 1)
        spread_x, spread_y = self.xx / count - (self.x / count) ** 2, self.yy / count - (self.y / count) ** 2
        if min(spread_x, spread_y) <= 1e-12:
            return 0.0
        return (self.xy / count - self.x * self.y / count**2) / math.sqrt(spread_x * spread_y)
