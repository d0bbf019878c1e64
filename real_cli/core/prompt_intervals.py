"""Intervals of shares and means over pairs, some of which may share a prompt."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.core.intervals import FEWEST_CELLS, NUM_CELLS, Bootstrap, Estimate, Interval, wilson_interval

Numbers = NDArray[np.float64]
Rows = NDArray[np.intp] | NDArray[np.bool_]
# Draws of numbers that are all equal differ in their last digits.
ROUNDING = 1e-12


class PromptIntervals:
    """Intervals of the numbers of one data set, all from the same draws of its prompts.

    A share has Wilson's interval where each pair has a prompt of its own. Where prompts repeat, pairs are not
    independent: prompts are resampled, and the interval is never narrower than Wilson's.

    Args:
        prompts: A number for the prompt of each pair: the first eight bytes of `text_key`, shape (batch,).
        seed: Of the draws.
    """

    def __init__(self, prompts: NDArray[np.uint64], *, seed: int = 0) -> None:
        # The first two bytes, as `cell_of` reads them.
        self._cells = ((prompts >> np.uint64(48)) % np.uint64(NUM_CELLS)).astype(np.int64)
        distinct, self._prompts = np.unique(prompts, return_inverse=True)
        self.num_prompts = int(distinct.size)
        self._bootstrap = Bootstrap(self._cells, seed=seed)
        self._without_spread: dict[str, None] = {}

    def mean(self, name: str, values: Numbers, rows: Rows | None = None) -> dict[str, float | None]:
        """Give a mean and its interval.

        Args:
            name: Of the number.
            values: One a pair, NaN for none, shape (batch,).
            rows: Which pairs; None for all.

        Returns:
            The fields NAME, NAME_low and NAME_high; the last two None where no interval can be given.

        Example:
            >>> intervals = PromptIntervals(np.arange(20, dtype=np.uint64) << np.uint64(48))
            >>> found = intervals.mean("margin", np.arange(20.0))
            >>> found["margin"], 6 < found["margin_low"] < 8, 11 < found["margin_high"] < 13
            (9.5, True, True)
        """
        cells, numbers = self._pick(values, rows)
        if not numbers.size:
            return _fields(name, None, None)
        value = float(numbers.mean())
        interval = self._interval(name, value, cells, self._bootstrap.means(cells, numbers))
        return _fields(name, value, interval)

    def share(self, name: str, outcomes: Numbers, rows: Rows | None = None) -> dict[str, float | None]:
        """Give a share and its interval.

        Args:
            name: Of the share.
            outcomes: 1 for a pair of which it is so, 0 for another, NaN for no pair, shape (batch,).
            rows: Which pairs; None for all.

        Returns:
            The fields NAME, NAME_low and NAME_high.

        Example:
            >>> intervals = PromptIntervals(np.arange(10, dtype=np.uint64))
            >>> intervals.share("accuracy", np.r_[np.ones(8), np.zeros(2)])
            {'accuracy': 0.8, 'accuracy_low': 0.490162..., 'accuracy_high': 0.943317...}
        """
        cells, numbers = self._pick(outcomes, rows)
        if not numbers.size:
            return _fields(name, None, None)
        value, count = float(numbers.mean()), int(numbers.size)
        wilson = wilson_interval(round(value * count), count)
        num_prompts = self._count_prompts(outcomes, rows)
        if num_prompts == count or wilson is None:
            return _fields(name, value, wilson)
        if not self._is_sound(cells):
            return _fields(name, value, None)
        drawn = self._bootstrap.interval(self._bootstrap.means(cells, numbers))
        if drawn is None or _is_flat(drawn, value):  # all prompts alike: as if each had been asked once
            return _fields(name, value, wilson_interval(round(value * num_prompts), num_prompts))
        return _fields(name, value, Interval(min(wilson.low, drawn.low), max(wilson.high, drawn.high)))

    def difference(self, name: str, values: Numbers, rows: Rows, others: Rows) -> dict[str, float | None]:
        """Give how much larger the mean of some pairs is than that of others.

        Args:
            name: Of the number.
            values: One a pair, shape (batch,).
            rows: Some pairs.
            others: Other pairs; of the same prompts or not.

        Returns:
            The fields NAME, NAME_low and NAME_high.
        """
        cells, numbers = self._pick(values, rows)
        other_cells, other_numbers = self._pick(values, others)
        found: Estimate = self._bootstrap.difference(cells, numbers, other_cells, other_numbers)
        if found.value is None:
            return _fields(name, None, None)
        sound = self._is_sound(cells) and self._is_sound(other_cells)
        interval = Interval(found.low, found.high) if found.low is not None and found.high is not None else None
        if interval and _is_flat(interval, found.value):
            self._without_spread[name] = None
            interval = None
        return _fields(name, found.value, interval if sound else None)

    def notes(self) -> list[str]:
        """Say what intervals could not be given, and what they are.

        Returns:
            Sentences; none if nothing is out of the ordinary.

        Example:
            >>> PromptIntervals(np.zeros(3, dtype=np.uint64)).notes()
            ['1 prompt: means, and shares over several pairs of a prompt, need 10 for an interval', \
'3 pairs have 1 prompt and are not independent: intervals of shares are drawn over prompts, not Wilson alone']
        """
        notes = []
        number, plural = self.num_prompts, "" if self.num_prompts == 1 else "s"
        if not self._prompts.size:
            return ["no pair was measured"]
        if not self._is_sound(self._cells):
            notes.append(
                f"{number:,} prompt{plural}: means, and shares over several pairs of a prompt, need {FEWEST_CELLS} for "
                "an interval"
            )
        if number < self._prompts.size:
            notes.append(
                f"{self._prompts.size:,} pairs have {number:,} prompt{plural} and are not independent: intervals of "
                "shares are drawn over prompts, not Wilson alone"
            )
        if self._without_spread:
            notes.append(f"the same number for every pair, so no interval: {', '.join(self._without_spread)}")
        return notes

    def _interval(self, name: str, value: float, cells: NDArray[np.int64], samples: Numbers) -> Interval | None:
        if not self._is_sound(cells):
            return None
        interval = self._bootstrap.interval(samples)
        if interval and _is_flat(interval, value):
            self._without_spread[name] = None
            return None
        return interval

    def _pick(self, values: Numbers, rows: Rows | None) -> tuple[NDArray[np.int64], Numbers]:
        cells, numbers = (self._cells, values) if rows is None else (self._cells[rows], values[rows])
        known = ~np.isnan(numbers)
        return cells[known], numbers[known]

    def _count_prompts(self, values: Numbers, rows: Rows | None) -> int:
        prompts, numbers = (self._prompts, values) if rows is None else (self._prompts[rows], values[rows])
        return int(np.count_nonzero(np.bincount(prompts[~np.isnan(numbers)])))

    def _is_sound(self, cells: NDArray[np.int64]) -> bool:
        return int(np.count_nonzero(np.bincount(cells))) >= FEWEST_CELLS


def _is_flat(interval: Interval, value: float) -> bool:
    return interval.high - interval.low <= ROUNDING * max(1.0, abs(value))


def _fields(name: str, value: float | None, interval: Interval | None) -> dict[str, Any]:
    low, high = interval or (None, None)
    return {name: value, f"{name}_low": low, f"{name}_high": high}
