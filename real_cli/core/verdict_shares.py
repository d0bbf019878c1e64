"""What can be said of the comparisons of one model with others: shares, rates, flips, each with its interval."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.core.intervals import Bootstrap, Estimate, wilson_interval
from real_cli.core.length_control import control_length

Floats = NDArray[np.float64]

# Floats are written to nine digits, so that no sum shows in which order it was made.
NUM_DIGITS = 9
# Draws of numbers that are all equal differ in their last digits.
FLAT = 1e-12
FLIPPED_TO_FIRST, FLIPPED_TO_SECOND = 0, 4


@dataclass(frozen=True)
class Contests:
    """Comparisons of two models each, in columns, all of shape (rows,).

    Attributes:
        prompts: A number for each prompt.
        cells: The prompt's cell for the bootstrap.
        first: Which model stands on the left, its place among all names.
        second: Which on the right.
        points: Of the left one, in halves: 2 for a win, 1 for a tie, 0 for a loss.
        gaps: How much longer the left response is, in characters.
        verdicts: What a judge said in both orders, 3 * place + place with A 0, B 1 and tie 2; -1 where it did not.
        categories: The place of the category, from 0.
    """

    prompts: NDArray[np.int64]
    cells: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    points: NDArray[np.int64]
    gaps: NDArray[np.int64]
    verdicts: NDArray[np.int64]
    categories: NDArray[np.int64]

    def take(self, rows: NDArray[Any]) -> "Contests":
        """Pick rows by a mask or by their places."""
        return Contests(**{name: column[rows] for name, column in vars(self).items()})

    def turned(self, rows: NDArray[np.bool_]) -> "Contests":
        """Exchange left and right of some rows; a judge's places stay, they are those of its questions."""
        return Contests(
            **vars(self)
            | {
                "first": np.where(rows, self.second, self.first),
                "second": np.where(rows, self.first, self.second),
                "points": np.where(rows, 2 - self.points, self.points),
                "gaps": np.where(rows, -self.gaps, self.gaps),
            }
        )


def describe_wins(rows: Contests, bootstrap: Bootstrap) -> dict[str, Any]:
    """Describe how the left model fared.

    Args:
        rows: Comparisons, the model in question on the left of all.
        bootstrap: Over the prompts of the whole data set.

    Returns:
        Counts, shares and rates with their intervals; `length_note` says why there is no length-controlled rate.
    """
    count, num_prompts = rows.points.size, np.unique(rows.prompts).size
    wins, ties, losses = (int((rows.points == points).sum()) for points in (2, 1, 0))
    weight = independent_rows(rows.prompts)
    controlled = control_length(rows.points / 2, rows.gaps, rows.prompts)
    return (
        {"num_comparisons": int(count), "num_prompts": int(num_prompts)}
        | {"num_wins": wins, "num_ties": ties, "num_losses": losses}
        | estimate_fields("win_rate", bounded_mean(rows.points / 2, rows.cells, rows.prompts, bootstrap))
        | share_fields("share_wins", wins, count, weight)
        | share_fields("share_ties", ties, count, weight)
        | share_fields("share_losses", losses, count, weight)
        | estimate_fields("lc_win_rate", controlled.rate)
        | estimate_fields("length_effect", controlled.effect)
        | {"length_note": controlled.note}
        | describe_flips(rows)
    )


def describe_flips(rows: Contests) -> dict[str, Any]:
    """Describe how often a judge, asked in both orders, named the same place both times.

    Args:
        rows: Comparisons.

    Returns:
        Counts and the share with its interval.
    """
    known = rows.verdicts >= 0
    flips = np.isin(rows.verdicts, (FLIPPED_TO_FIRST, FLIPPED_TO_SECOND))
    count = int(known.sum())
    weight = independent_rows(rows.prompts[known])
    return {"num_both_orders": count, "num_flips": int(flips.sum())} | share_fields(
        "flip_rate", int(flips.sum()), count, weight
    )


def describe_places(rows: Contests, bootstrap: Bootstrap) -> dict[str, Any]:
    """Describe which place a judge favors; an even-handed one, who saw each pair in both orders, names A half the time.

    Args:
        rows: Comparisons.
        bootstrap: Over the prompts of the whole data set.

    Returns:
        Counts, and the share of verdicts for the place A among those for A or B, with its interval.
    """
    known = rows.verdicts >= 0
    said = np.concatenate([rows.verdicts[known] // 3, rows.verdicts[known] % 3])
    picks = np.where(said == 2, np.nan, (said == 0).astype(np.float64))
    favored = bounded_mean(picks, np.tile(rows.cells[known], 2), np.tile(rows.prompts[known], 2), bootstrap)
    return {
        "num_flips_to_first": int((rows.verdicts == FLIPPED_TO_FIRST).sum()),
        "num_flips_to_second": int((rows.verdicts == FLIPPED_TO_SECOND).sum()),
        "num_place_verdicts": favored.num_rows,
    } | estimate_fields("share_first_place", favored)


def bounded_mean(
    values: Floats, cells: NDArray[np.int64], prompts: NDArray[np.int64], bootstrap: Bootstrap
) -> Estimate:
    """Estimate the mean of numbers in [0, 1].

    Args:
        values: One a row, shape (rows,); a row of NaN is no row.
        cells: The cell of each row's prompt, shape (rows,).
        prompts: A number for each row's prompt, shape (rows,).
        bootstrap: Over the prompts of the whole data set.

    Returns:
        The mean with the interval of the bootstrap. For fewer than ten prompts, or where every draw is the same,
        Wilson's instead: of all numbers in [0, 1] with one mean, zeros and ones vary most, so it is never too narrow.

    Example:
        >>> rows = np.arange(4)
        >>> bounded_mean(np.array([1, 0.5, 0.5, 1]), rows, rows, Bootstrap(rows))  # Wilson's of 3 out of 4
        Estimate(value=0.75, low=0.300641..., high=0.954412..., num_rows=4)
    """
    drawn = bootstrap.mean(cells, values)
    if drawn.value is None or (drawn.low is not None and drawn.high is not None and drawn.high - drawn.low > FLAT):
        return drawn
    weight = independent_rows(prompts[~np.isnan(values)])
    interval = wilson_interval(drawn.value * weight, weight)
    return drawn if interval is None else Estimate(drawn.value, interval.low, interval.high, drawn.num_rows)


def independent_rows(prompts: NDArray[np.int64]) -> float:
    """Count rows as if those of one prompt always agreed; their number where each prompt has one.

    Args:
        prompts: A number for each row's prompt, shape (rows,).

    Returns:
        (sum of m)^2 / sum of m^2 for prompts with m rows each.

    Example:
        >>> independent_rows(np.array([7, 8, 9])), independent_rows(np.array([7, 7, 8, 8]))
        (3.0, 2.0)

    References:
        Kish, 1965, Survey Sampling, section 8.2: the design effect where rows of a cluster are all alike.
    """
    _, sizes = np.unique(prompts, return_counts=True)
    squares = float((sizes.astype(np.float64) ** 2).sum())
    return float(sizes.sum()) ** 2 / squares if squares else 0.0


def share_fields(name: str, successes: int, trials: int, weight: float) -> dict[str, float | None]:
    """Write a share with Wilson's interval.

    Args:
        name: Of the share.
        successes: How often.
        trials: Out of how many.
        weight: How many independent trials these are worth.

    Returns:
        The fields NAME, NAME_low and NAME_high.

    Example:
        >>> share_fields("share", 8, 10, 10)
        {'share': 0.8, 'share_low': 0.490162..., 'share_high': 0.943317...}
    """
    interval = wilson_interval(successes / trials * weight, weight) if trials else None
    low, high = interval or (None, None)
    return estimate_fields(name, Estimate(successes / trials if trials else None, low, high, trials))


def estimate_fields(name: str, estimate: Estimate) -> dict[str, float | None]:
    """Write an estimate as fields of a summary.

    Args:
        name: Of the number.
        estimate: The number.

    Returns:
        The fields NAME, NAME_low and NAME_high.

    Example:
        >>> estimate_fields("rate", Estimate(1 / 3, 0.1, None, 3))
        {'rate': 0.333333333, 'rate_low': 0.1, 'rate_high': None}
    """
    numbers = {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    # A zero has no sign here.
    return {field: None if value is None else round(float(value), NUM_DIGITS) + 0.0 for field, value in numbers.items()}
