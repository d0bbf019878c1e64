"""Shares, rates and flips of one model's comparisons with others, each with its interval."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.stats.length_control import control_length
from real_cli.stats.positions import describe_flips
from real_cli.stats.proportions import estimate_share


@dataclass(frozen=True)
class Contests:
    """Comparisons of two models each, in columns, all of shape (rows,) but `verdicts`, of shape (rows, judges).

    Attributes:
        prompts: A number for each prompt.
        first: Which model stands on the left, its place among all names.
        second: Which on the right.
        points: Of the left one, in halves: 2 for a win, 1 for a tie, 0 for a loss.
        gaps: How much longer the left response is, in characters.
        verdicts: What each judge said in both orders, 3 * place + place with A 0, B 1 and tie 2; -1 where none did.
        categories: The place of the category, from 0.
    """

    prompts: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    points: NDArray[np.int64]
    gaps: NDArray[np.int64]
    verdicts: NDArray[np.int64]
    categories: NDArray[np.int64]

    def take(self, rows: NDArray[Any]) -> "Contests":
        """Pick rows by number or mask."""
        return Contests(**{name: column[rows] for name, column in vars(self).items()})

    def turned(self, rows: NDArray[np.bool_]) -> "Contests":
        """Exchange left and right of some rows; verdicts stay, for they name the positions of a judge's questions."""
        return Contests(
            **vars(self)
            | {
                "first": np.where(rows, self.second, self.first),
                "second": np.where(rows, self.first, self.second),
                "points": np.where(rows, 2 - self.points, self.points),
                "gaps": np.where(rows, -self.gaps, self.gaps),
            }
        )


def describe_wins(rows: Contests) -> dict[str, Any]:
    """Describe how the model on the left of all comparisons fared; `length_note` says why a rate is missing."""
    count, num_prompts = rows.points.size, np.unique(rows.prompts).size
    wins, ties, losses = (int((rows.points == points).sum()) for points in (2, 1, 0))
    controlled = control_length(rows.points / 2, rows.gaps, rows.prompts)
    return (
        {"num_comparisons": int(count), "num_prompts": int(num_prompts)}
        | {"num_wins": wins, "num_ties": ties, "num_losses": losses}
        | estimate_share(rows.points / 2, rows.prompts).fields("win_rate")
        | estimate_share(rows.points == 2, rows.prompts).fields("share_wins")
        | estimate_share(rows.points == 1, rows.prompts).fields("share_ties")
        | estimate_share(rows.points == 0, rows.prompts).fields("share_losses")
        | controlled.rate.fields("lc_win_rate")
        | controlled.effect.fields("length_effect")
        | {"length_note": controlled.note}
        | describe_flips(rows.verdicts, rows.prompts)
    )
