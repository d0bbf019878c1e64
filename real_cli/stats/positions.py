"""What a judge that was asked in both orders says of itself: how often it flips, and which position it favors."""

from array import array
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.stats.proportions import estimate_share

POSITIONS = {"A": 0, "B": 1, "tie": 2}
NOT_ASKED = -1
FLIPPED_TO_FIRST, FLIPPED_TO_SECOND = 0, 4


def verdict_code(verdicts: Sequence[str]) -> int:
    """Write a judge's two verdicts as one number.

    Args:
        verdicts: "A", "B" or "tie": with the first response shown as A, and with it shown as B.

    Returns:
        3 * position + position, with A 0, B 1 and tie 2.

    Example:
        >>> verdict_code(("A", "A")), verdict_code(("B", "B")), verdict_code(("A", "B"))
        (0, 4, 1)
    """
    return 3 * POSITIONS[verdicts[0]] + POSITIONS[verdicts[1]]


class VerdictColumn:
    """What judges said of rows in both orders, a byte a judge; a panel says several things of one row.

    Example:
        >>> column = VerdictColumn()
        >>> column.add([("A", "A"), ("A", "B")]), column.add([])
        (None, None)
        >>> column.matrix().tolist()
        [[0, 1], [-1, -1]]
    """

    def __init__(self) -> None:
        self._codes, self._counts = array("b"), array("h")

    def add(self, judgments: Iterable[Sequence[str]]) -> None:
        """Add a row: the two verdicts of each judge that was asked in both orders."""
        codes = [verdict_code(verdicts) for verdicts in judgments]
        self._codes.extend(codes)
        self._counts.append(len(codes))

    def matrix(self) -> NDArray[np.int64]:
        """Return what `verdict_code` gives, NOT_ASKED where there is no such judge, shape (rows, most of one row)."""
        counts = np.array(self._counts, dtype=np.int64)
        matrix = np.full((counts.size, max(1, counts.max(initial=0))), NOT_ASKED, dtype=np.int64)
        matrix[np.arange(matrix.shape[1]) < counts[:, None]] = np.array(self._codes, dtype=np.int64)
        return matrix


def one_a_row(verdicts: NDArray[np.int64], prompts: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Give each judge a row of its own.

    Args:
        verdicts: As for `describe_flips`, shape (rows,) or (rows, judges).
        prompts: A number for the prompt of each row, shape (rows,).

    Returns:
        Both in rows of one judge each, those that were not asked left out, shape (judgments,).

    Example:
        >>> one_a_row(np.array([[0, -1], [1, 4]]), np.array([7, 8]))
        (array([0, 1, 4]), array([7, 8, 8]))
    """
    judges = verdicts.reshape(prompts.size, -1) if prompts.size else verdicts.reshape(0, 1)
    known = judges >= 0
    return judges[known], np.repeat(prompts, judges.shape[1])[known.reshape(-1)]


def describe_flips(verdicts: NDArray[np.int64], prompts: NDArray[Any]) -> dict[str, Any]:
    """Describe how often a judge, asked in both orders, named the same position both times.

    Args:
        verdicts: What `verdict_code` gives, NOT_ASKED where the judge was not asked in both, shape (rows,), or
            (rows, judges) of a panel.
        prompts: A number for the prompt of each row, shape (rows,).

    Returns:
        Counts, and `flip_rate` with its interval.

    Example:
        >>> describe_flips(np.array([0, 4, 1, -1]), np.arange(4))["flip_rate"]
        0.666666...
    """
    verdicts, prompts = one_a_row(verdicts, prompts)
    flips = np.isin(verdicts, (FLIPPED_TO_FIRST, FLIPPED_TO_SECOND))
    return {"num_both_orders": int(verdicts.size), "num_flips": int(flips.sum())} | estimate_share(
        flips, prompts
    ).fields("flip_rate")


def describe_positions(verdicts: NDArray[np.int64], prompts: NDArray[Any]) -> dict[str, Any]:
    """Describe which position a judge favors; an even-handed one, asked in both orders, names A half the time.

    Args:
        verdicts: As for `describe_flips`, shape (rows,) or (rows, judges).
        prompts: A number for the prompt of each row, shape (rows,).

    Returns:
        Counts, and `share_first_place` with its interval: of verdicts for a position, those for the first.

    Example:
        >>> describe_positions(np.array([0, 1]), np.arange(2))["share_first_place"]
        0.75
    """
    verdicts, prompts = one_a_row(verdicts, prompts)
    positions = np.concatenate([verdicts // 3, verdicts % 3])
    picks = np.where(positions == 2, np.nan, (positions == 0).astype(np.float64))
    favored = estimate_share(picks, np.tile(prompts, 2))
    return {
        "num_flips_to_first": int((verdicts == FLIPPED_TO_FIRST).sum()),
        "num_flips_to_second": int((verdicts == FLIPPED_TO_SECOND).sum()),
        "num_place_verdicts": favored.num_rows,
    } | favored.fields("share_first_place")
