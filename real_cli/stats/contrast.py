"""Weighted sums of means over prompts and seeds, with the parts of their variance: who differs, and how far."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from real_cli.stats.bootstrap import FEWEST_CELLS, ROUNDING
from real_cli.stats.intervals import Estimate

Floats = NDArray[np.float64]

POWER = 0.8
MOST_NEEDED = 1_000_000


class Contrast(NamedTuple):
    """A weighted sum of the means of cells, with the parts of its variance.

    Attributes:
        value: The sum.
        of_prompts: Variance by what prompts differ in whatever the seed; 0 or more.
        of_both: By what is of one prompt and one policy.
        of_seeds: By what policies of other seeds differ in on all prompts, shape (strategies,); 0 or more.
        seen_seeds: The same with what prompts add to it, as it is measured, shape (strategies,).
        seed_degrees: Degrees of freedom of that, shape (strategies,).
        num_prompts: How many prompts.
        num_seeds: Policies of the cell that has the fewest; below two there is no interval.
    """

    value: float
    of_prompts: float
    of_both: float
    of_seeds: Floats
    seen_seeds: Floats
    seed_degrees: Floats
    num_prompts: int
    num_seeds: int

    def error(self, more_prompts: float = 1.0, more_seeds: float = 1.0) -> tuple[float, float]:
        """Give the standard error and its degrees of freedom, here or with more prompts and seeds.

        Args:
            more_prompts: How many times as many prompts there would be.
            more_seeds: How many times as many seeds.

        Returns:
            Both numbers. The variance is that of a two-way table, (MS_prompts + MS_seeds - MS_both) / (P K) for one
            cell; its degrees of freedom are Satterthwaite's.

        Example:
            >>> contrast = Contrast(0.1, 0.03, 0.01, np.zeros(1), np.zeros(1), np.full(1, 2.0), 101, 3)
            >>> round(contrast.error()[0], 3), round(contrast.error(4.0)[0], 3)
            (0.2, 0.1)

        References:
            Satterthwaite, 1946, Biometrics Bulletin 2, 110-114; Brennan, 2001, Generalizability Theory, section 6.2
            (a table crossed by two random factors).
        """
        by_prompt = (self.of_prompts + self.of_both / more_seeds) / more_prompts
        total = by_prompt + float(self.of_seeds.sum()) / more_seeds
        grown = self.seed_degrees * more_seeds + (more_seeds - 1)
        seen = (self.of_seeds + (self.seen_seeds - self.of_seeds) / more_prompts) / more_seeds
        spread = by_prompt**2 / (self.num_prompts * more_prompts - 1) + float((seen**2 / grown).sum())
        return math.sqrt(total), total**2 / spread if spread > 0 else math.inf

    @property
    def is_known(self) -> bool:
        """Whether an interval can be given: from ten prompts and two seeds, where something varies."""
        if self.num_prompts < FEWEST_CELLS or self.num_seeds < 2:
            return False
        return self.error()[0] > ROUNDING * max(1.0, abs(self.value))

    def estimate(self) -> Estimate:
        """Give the sum and its 95% interval; the rows are the prompts."""
        from scipy.special import stdtrit

        if not self.is_known:
            return Estimate(self.value, None, None, self.num_prompts)
        error, degrees = self.error()
        half = float(stdtrit(degrees, 0.975)) * error
        return Estimate(self.value, self.value - half, self.value + half, self.num_prompts)

    def p_value(self) -> float | None:
        """Test, on two sides, whether the sum is 0; None where no interval can be given."""
        from scipy.special import stdtr

        if not self.is_known:
            return None
        error, degrees = self.error()
        return float(2 * stdtr(degrees, -abs(self.value) / error))

    def smallest_shown(self, num_comparisons: int = 1, *, more_prompts: float = 1.0, more_seeds: float = 1.0) -> float:
        """Give the difference that such data show four times out of five.

        Args:
            num_comparisons: Each gets that part of 5%, as Holm's strictest step has it.
            more_prompts: As in `error`.
            more_seeds: As in `error`.

        Returns:
            The difference, which is more than what is just outside the interval.

        Example:
            >>> contrast = Contrast(0.1, 0.03, 0.01, np.zeros(1), np.zeros(1), np.full(1, 2.0), 10_001, 3)
            >>> round(contrast.smallest_shown(), 2)  # (1.96 + 0.84) * 0.2
            0.56
        """
        from scipy.special import stdtrit

        error, degrees = self.error(more_prompts, more_seeds)
        return float(stdtrit(degrees, 1 - 0.025 / num_comparisons) + stdtrit(degrees, POWER)) * error

    def prompts_needed(self, num_comparisons: int = 1) -> int | None:
        """Count the prompts that would show a difference of this size four times out of five; None if none would."""
        return self._needed(self.num_prompts, num_comparisons, "more_prompts")

    def seeds_needed(self, num_comparisons: int = 1) -> int | None:
        """Count the seeds that would show a difference of this size four times out of five; None if none would."""
        return self._needed(self.num_seeds, num_comparisons, "more_seeds")

    def _needed(self, present: int, num_comparisons: int, more: str) -> int | None:
        """Find the smallest number by halving: what is shown by n is shown by more."""
        if not self.is_known or self.value == 0:
            return None

        def shows(number: int) -> bool:
            return self.smallest_shown(num_comparisons, **{more: number / present}) <= abs(self.value)

        low, high = 1, MOST_NEEDED
        if not shows(high):
            return None
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if shows(middle) else (middle, high)
        return high
