"""How many of a total stay: a share or a count."""

import re
from contextlib import suppress
from fractions import Fraction
from typing import NamedTuple

from real_cli.errors import UsageError, clip

# Digits of an option; Python refuses thousands of them.
PERCENT = re.compile(r"([0-9]{1,1000}(?:\.[0-9]{0,1000})?|\.[0-9]{1,1000})%")


class Keep(NamedTuple):
    """How many to keep: a share of all, or a count."""

    share: Fraction | None
    number: int | None

    def of(self, total: int) -> int:
        """Return how many of `total` stay; a share is rounded down, as the paper's halves are."""
        wanted = int(self.share * total) if self.share is not None else self.number or 0
        return min(wanted, total)


def parse_percent(text: str) -> Fraction | None:
    """Read a share.

    Args:
        text: What the user gave.

    Returns:
        The share, exactly, from 0 to 1; None if the text is none from 0% to 100%.

    Example:
        >>> parse_percent("12.5%"), parse_percent("120%"), parse_percent("12")
        (Fraction(1, 8), None, None)
    """
    match = PERCENT.fullmatch(text)
    share = Fraction(match[1]) / 100 if match else None
    return share if share is not None and share <= 1 else None


def parse_keep(text: str) -> Keep:
    """Read a share ("35%") or a count ("2000").

    Args:
        text: What the user gave.

    Returns:
        The share, exactly, or the count.

    Raises:
        UsageError: If it is neither, or out of range.

    Example:
        >>> parse_keep("12.5%")
        Keep(share=Fraction(1, 8), number=None)
    """
    share = parse_percent(text)
    if share is not None:
        return Keep(share, None)
    with suppress(ValueError):  # Python refuses thousands of digits
        if text.isdecimal():
            return Keep(None, int(text))
    raise UsageError(f"--keep {clip(text)}: give a share from 0% to 100% or a whole number of pairs")
