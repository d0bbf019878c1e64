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
        """Name the number and its interval in a summary: NAME, NAME_low and NAME_high."""
        return dict(zip(field_names(name), self[:3], strict=True))


def field_names(name: str) -> tuple[str, str, str]:
    """Name the fields of a number and its interval in a summary."""
    return name, f"{name}_low", f"{name}_high"
