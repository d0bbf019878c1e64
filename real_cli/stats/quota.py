"""How many of a total stay: a share or a count."""

from fractions import Fraction
from typing import NamedTuple

from real_cli.errors import UsageError, clip


class Keep(NamedTuple):
    """How many to keep: a share of all, or a count."""

    share: Fraction | None
    number: int | None

    def of(self, total: int) -> int:
        """Return how many of `total` stay; a share is rounded down, as the paper's halves are."""
        wanted = int(self.share * total) if self.share is not None else self.number or 0
        return min(wanted, total)


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
    try:
        if text.endswith("%"):
            share = Fraction(text[:-1]) / 100
            if 0 <= share <= 1:
                return Keep(share, None)
        elif text.isdecimal():
            return Keep(None, int(text))
    except (ValueError, ZeroDivisionError):
        pass
    raise UsageError(f"--keep {clip(text)}: give a share from 0% to 100% or a whole number of pairs")
