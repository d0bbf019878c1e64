"""Length bias: whether the longer response is chosen, and by how much."""

from array import array
from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.stats.bootstrap import Bootstrap, count_cells
from real_cli.stats.describe import describe, histogram
from real_cli.stats.intervals import Estimate, Interval
from real_cli.stats.proportions import estimate_share

Lengths = NDArray[np.float64]


class LengthBias:
    """Lengths of labeled pairs."""

    def __init__(self) -> None:
        self._chosen = array("I")
        self._rejected = array("I")
        self._cells = array("H")
        self._prompts = array("Q")

    def add(self, cell: int, prompt: int, chosen: int, rejected: int) -> None:
        """Count one labeled pair: lengths in characters, and the cell and a number of its prompt."""
        self._cells.append(cell)
        self._prompts.append(prompt)
        self._chosen.append(chosen)
        self._rejected.append(rejected)

    def summary(self, bootstrap: Bootstrap) -> tuple[dict[str, Any], list[str]]:
        """Sum up.

        >>> bias = LengthBias()
        >>> for chosen, rejected in ((3, 1), (5, 1), (1, 1)):
        ...     bias.add(0, 0, chosen, rejected)
        >>> summary, notes = bias.summary(Bootstrap([0]))
        >>> summary["share_chosen_longer"], round(summary["length_effect"], 3)
        (1.0, 1.414)
        """
        chosen, rejected = (np.array(lengths, dtype=np.float64) for lengths in (self._chosen, self._rejected))
        longer = np.where(chosen == rejected, np.nan, (chosen > rejected).astype(np.float64))
        share = estimate_share(longer, np.array(self._prompts, dtype=np.uint64))
        effects, notes = self._effects(chosen, rejected, bootstrap)
        return {
            "length_gap_characters": describe(chosen - rejected),
            "length_gap_histogram": histogram(chosen - rejected),
            **share.fields("share_chosen_longer"),
            "num_unequal_lengths": share.num_rows,
            **effects,
        }, notes

    def _effects(self, chosen: Lengths, rejected: Lengths, bootstrap: Bootstrap) -> tuple[dict[str, Any], list[str]]:
        values = {"length_effect": cohens_d(chosen, rejected), "length_effect_paired": paired_d(chosen, rejected)}
        cells = np.array(self._cells, dtype=np.int64)
        intervals: list[Interval | None] = [None, None]
        if chosen.size > 1 and bootstrap.is_sound:
            num_cells = count_cells(cells, chosen)
            intervals = [
                bootstrap.interval(samples, num_cells) for samples in _resampled(bootstrap, cells, chosen, rejected)
            ]
        fields: dict[str, Any] = {}
        for (name, value), interval in zip(values.items(), intervals, strict=True):
            low, high = interval if interval and value is not None else (None, None)
            fields |= Estimate(value, low, high, chosen.size).fields(name)
        constant = [name for name, value in values.items() if value is None] if chosen.size > 1 else []
        return fields, [f"no {name}: the lengths of the labeled pairs do not vary" for name in constant]


def cohens_d(chosen: Lengths, rejected: Lengths) -> float | None:
    """Return Cohen's d of two groups of equal size: the difference of means over the pooled standard deviation.

    >>> cohens_d(np.array([2.0, 4.0]), np.array([1.0, 3.0]))
    0.7071067811865475

    References:
        Cohen, 1988, Statistical Power Analysis for the Behavioral Sciences, eq. 2.5.1 and 2.5.2.
    """
    if chosen.size < 2:
        return None
    pooled = (_variance(chosen) + _variance(rejected)) / 2
    return (float(chosen.mean()) - float(rejected.mean())) / pooled**0.5 if pooled > 0 else None


def paired_d(chosen: Lengths, rejected: Lengths) -> float | None:
    """Return Cohen's d of paired numbers (d_z): the mean difference over the standard deviation of the differences.

    >>> paired_d(np.array([2.0, 6.0]), np.array([1.0, 3.0]))
    1.414213562373095

    References:
        Cohen, 1988, as above, eq. 2.3.5; the name d_z is Lakens', 2013, doi:10.3389/fpsyg.2013.00863.
    """
    if chosen.size < 2:
        return None
    gaps = chosen - rejected
    spread = _variance(gaps)
    return float(gaps.mean()) / spread**0.5 if spread > 0 else None


def _variance(values: Lengths) -> float:
    """Divide by n - 1; sorted, so that rounding does not depend on the order of the input."""
    return float(np.var(np.sort(values), ddof=1))


def _resampled(
    bootstrap: Bootstrap, cells: NDArray[np.int64], chosen: Lengths, rejected: Lengths
) -> tuple[Lengths, Lengths]:
    """Draw both effects anew from drawn moments; a draw without variance has none."""
    # Around a center, so that squares lose no digits. Lengths are integers: their sums do not depend on the order.
    center = np.rint(chosen.mean())
    mean_chosen, mean_rejected, square_chosen, square_rejected, product = (
        bootstrap.means(cells, values)
        for x, y in [(chosen - center, rejected - center)]
        for values in (x, y, x * x, y * y, x * y)
    )
    variances = [square_chosen - mean_chosen**2, square_rejected - mean_rejected**2]
    covariance = product - mean_chosen * mean_rejected
    pooled, of_gaps = (variances[0] + variances[1]) / 2, variances[0] + variances[1] - 2 * covariance
    scale = ((chosen.size - 1) / chosen.size) ** 0.5
    difference = (mean_chosen - mean_rejected) * scale
    # Draws of one text again and again: what is left of their variance is rounding.
    pooled[pooled < 1e-9], of_gaps[of_gaps < 1e-9] = np.nan, np.nan
    return difference / np.sqrt(pooled), difference / np.sqrt(of_gaps)
