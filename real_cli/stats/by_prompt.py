"""Intervals of shares and means over pairs, some of which may share a prompt."""

import numpy as np
from numpy.typing import NDArray

from real_cli.stats.bootstrap import FEWEST_CELLS, Bootstrap, cells_of, count_cells
from real_cli.stats.proportions import estimate_share, share_difference, standard_error
from real_cli.text.phrases import say_count

Numbers = NDArray[np.float64]
Rows = NDArray[np.intp] | NDArray[np.bool_]


class PromptIntervals:
    """Intervals of the numbers of one data set: shares as `proportions` has them, means by one set of draws.

    Args:
        prompts: A number for the prompt of each pair: the first eight bytes of `text_key`, shape (batch,).
        seed: Of the draws.
    """

    def __init__(self, prompts: NDArray[np.uint64], *, seed: int = 0) -> None:
        self.seed = seed
        self._prompts, self._cells = prompts, cells_of(prompts)
        self.num_prompts = int(np.unique(prompts).size)
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
        chosen = slice(None) if rows is None else rows
        cells, numbers = self._cells[chosen], values[chosen]
        estimate = self._bootstrap.mean(cells, numbers)
        if estimate.value is not None and estimate.low is None and count_cells(cells, numbers) >= FEWEST_CELLS:
            self._without_spread[name] = None
        return estimate.fields(name)

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
        chosen = slice(None) if rows is None else rows
        return estimate_share(outcomes[chosen], self._prompts[chosen]).fields(name)

    def standard_error(self, outcomes: Numbers, rows: Rows) -> float:
        """Give the standard error of a share.

        Args:
            outcomes: As for `share`.
            rows: Which pairs.

        Returns:
            At most 1/2.

        Example:
            >>> PromptIntervals(np.arange(4, dtype=np.uint64)).standard_error(np.array([1.0, 0, 1, 0]), np.arange(4))
            0.25
        """
        return standard_error(outcomes[rows], self._prompts[rows])

    def difference(self, name: str, outcomes: Numbers, others: Numbers) -> dict[str, float | None]:
        """Give how much larger one share is than another.

        Args:
            name: Of the difference.
            outcomes: 1 for a pair of which it is so, 0 for another, NaN for no pair, shape (batch,).
            others: Of the share to take away, shape (batch,); of the same pairs, or of others where it is NaN.

        Returns:
            The fields NAME, NAME_low and NAME_high.

        Example:
            >>> intervals = PromptIntervals(np.arange(2, dtype=np.uint64))
            >>> intervals.difference("accuracy", np.ones(2), np.zeros(2))["accuracy"]
            1.0
        """
        return share_difference(outcomes, self._prompts, others, self._prompts).fields(name)

    def notes(self) -> list[str]:
        """Say which intervals are missing, and what those of shares allow for.

        Returns:
            Sentences; none if nothing is out of the ordinary.

        Example:
            >>> PromptIntervals(np.zeros(3, dtype=np.uint64)).notes()
            ['1 prompt: means, and shares over several pairs of a prompt, need 10 for an interval', \
'3 pairs have 1 prompt and are not independent: an interval of a share counts them for what they are worth together']
        """
        notes = []
        number, prompts = self.num_prompts, say_count(self.num_prompts, "prompt")
        if not self._prompts.size:
            return ["no pair was measured"]
        if not self._bootstrap.is_sound:
            notes.append(
                f"{prompts}: means, and shares over several pairs of a prompt, need {FEWEST_CELLS} for an interval"
            )
        if number < self._prompts.size:
            notes.append(
                f"{self._prompts.size:,} pairs have {prompts} and are not independent: an interval "
                "of a share counts them for what they are worth together"
            )
        if self._without_spread:
            notes.append(f"the same number for every pair, so no interval: {', '.join(self._without_spread)}")
        return notes
