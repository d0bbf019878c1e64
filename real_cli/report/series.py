"""Series of plots, drawn from the rows of a summary."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from real_cli.report.contents import Series
from real_cli.stats.intervals import field_names

Row = Mapping[str, Any]


def series_of(name: str, x: Sequence[object], rows: Sequence[Row], field: str, count: Callable[[Row], int]) -> Series:
    """Draw an estimate of each row with its interval; `count` tells how many rows of data it stands on."""
    value, low, high = (tuple(row[end] for row in rows) for end in field_names(field))
    return Series(name, tuple(x), value, low, high, tuple(map(count, rows)))


def histogram_series(name: str, histogram: Mapping[str, Sequence[float]]) -> Series:
    """Draw a summary's `edges` and `counts`."""
    return Series(name, tuple(histogram["edges"]), tuple(histogram["counts"]))
