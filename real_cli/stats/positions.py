"""What a judge that was asked in both orders says of itself: how often it flips, and which position it favors."""

from collections.abc import Sequence
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


def describe_flips(verdicts: NDArray[np.int64], prompts: NDArray[Any]) -> dict[str, Any]:
    """Describe how often a judge, asked in both orders, named the same position both times.

    Args:
        verdicts: What `verdict_code` gives, NOT_ASKED where the judge was not asked in both, shape (rows,).
        prompts: A number for the prompt of each row, shape (rows,).

    Returns:
        Counts, and `flip_rate` with its interval.

    Example:
        >>> describe_flips(np.array([0, 4, 1, -1]), np.arange(4))["flip_rate"]
        0.666666...
    """
    known = verdicts >= 0
    flips = np.isin(verdicts, (FLIPPED_TO_FIRST, FLIPPED_TO_SECOND))
    return {"num_both_orders": int(known.sum()), "num_flips": int(flips.sum())} | estimate_share(
        flips[known], prompts[known]
    ).fields("flip_rate")


def describe_positions(verdicts: NDArray[np.int64], prompts: NDArray[Any]) -> dict[str, Any]:
    """Describe which position a judge favors; an even-handed one, asked in both orders, names A half the time.

    Args:
        verdicts: As for `describe_flips`, shape (rows,).
        prompts: A number for the prompt of each row, shape (rows,).

    Returns:
        Counts, and `share_first_place` with its interval: of verdicts for a position, those for the first.

    Example:
        >>> describe_positions(np.array([0, 1]), np.arange(2))["share_first_place"]
        0.75
    """
    known = verdicts >= 0
    positions = np.concatenate([verdicts[known] // 3, verdicts[known] % 3])
    picks = np.where(positions == 2, np.nan, (positions == 0).astype(np.float64))
    favored = estimate_share(picks, np.tile(prompts[known], 2))
    return {
        "num_flips_to_first": int((verdicts == FLIPPED_TO_FIRST).sum()),
        "num_flips_to_second": int((verdicts == FLIPPED_TO_SECOND).sum()),
        "num_place_verdicts": favored.num_rows,
    } | favored.fields("share_first_place")
