"""A number and its interval."""

from typing import NamedTuple


class Interval(NamedTuple):
    """A confidence interval."""

    low: float
    high: float


class Estimate(NamedTuple):
    """A number and what it stands on.

    Attributes:
        value: The number; None without data.
        low: Lower end of its 95 % interval; None where none can be given.
        high: Upper end.
        num_rows: How many rows it is the mean of.
    """

    value: float | None
    low: float | None
    high: float | None
    num_rows: int

    def fields(self, name: str) -> dict[str, float | None]:
        """Give the number and its interval their names in a summary.

        Args:
            name: Of the number.

        Returns:
            NAME, NAME_low and NAME_high.

        Example:
            >>> Estimate(0.5, None, None, 3).fields("share")
            {'share': 0.5, 'share_low': None, 'share_high': None}
        """
        return dict(zip(field_names(name), self[:3], strict=True))


def field_names(name: str) -> tuple[str, str, str]:
    """Name the fields of a number and its interval in a summary.

    Args:
        name: Of the number.

    Returns:
        The number, its lower end, its upper end.

    Example:
        >>> field_names("share")
        ('share', 'share_low', 'share_high')
    """
    return name, f"{name}_low", f"{name}_high"
