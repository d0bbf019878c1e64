"""How numbers are written for a person: one alone, a column of them, and those that a plot shows."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from real_cli.report.contents import Plot, PlotKind, Table
from real_cli.stats.intervals import field_names

Cell = str | float | int | None

NUM_ROWS = 400
MISSING = "\N{EN DASH}"


class NumberColumn(NamedTuple):
    """A column of a table as a person reads it.

    Attributes:
        name: Its head.
        values: Its cells.
        bands: For each cell the ends of its interval; empty if the column has none.
    """

    name: str
    values: tuple[Cell, ...]
    bands: tuple[tuple[Cell, Cell], ...] = ()


def join_columns(table: Table) -> list[NumberColumn]:
    """Put intervals (`X low` and `X high`, or `low` and `high`) beside their numbers; drop columns of nothing."""
    heads = list(table.columns)
    columns = [tuple(row[index] for row in table.rows) for index in range(len(heads))]
    joined: list[NumberColumn] = []
    index = 0
    while index < len(heads):
        name, ends = heads[index], heads[index + 1 : index + 3]
        has_band = ends in ([f"{name} low", f"{name} high"], ["low", "high"])
        bands = tuple(zip(*columns[index + 1 : index + 3], strict=True)) if has_band else ()
        joined.append(NumberColumn(name, columns[index], bands))
        index += 3 if has_band else 1
    return [column for column in joined if not column.values or any(value not in (None, "") for value in column.values)]


def show_number(value: Cell, missing: str = MISSING) -> str:
    """Write one value: a count with thousands apart, another number with four digits.

    >>> show_number(1234567), show_number(0.123456), show_number(98765.4), show_number(None, "-")
    ('1,234,567', '0.1235', '98,765', '-')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if not isinstance(value, float):
        return missing if value is None else value
    if not math.isfinite(value):
        return missing
    return f"{value:z,.0f}" if 1e4 <= abs(value) < 1e9 else f"{value:z.4g}"


def show_fixed(value: float, digits: int = 3, *, signed: bool = False) -> str:
    """Write a number with so many digits behind the point; what rounds to 0 has no minus.

    >>> show_fixed(-0.0001), show_fixed(0.25, 2, signed=True), show_fixed(-1234.5, 1)
    ('0.000', '+0.25', '-1,234.5')
    """
    return f"{value:+z,.{digits}f}" if signed else f"{value:z,.{digits}f}"


def show_percent(share: float) -> str:
    """Write a share as percent with one digit.

    >>> show_percent(0.125), show_percent(-0.00001)
    ('12.5%', '0.0%')
    """
    return f"{share:z.1%}"


def show_share(row: Mapping[str, Any], name: str) -> str:
    """Write a share of a summary with its interval.

    >>> show_share({"flips": 0.25, "flips_low": 0.1, "flips_high": 0.5}, "flips")
    '25.0% (95% interval 10.0% to 50.0%)'
    >>> show_share({"flips": 0.25, "flips_low": None, "flips_high": None}, "flips")
    '25.0% (no interval can be given)'
    """
    return f"{show_percent(row[name])} ({show_interval(row, name, show_percent)})"


def show_estimate(row: Mapping[str, Any], name: str, unit: str = "") -> str:
    """Write a number of a summary and its interval to the same place.

    >>> show_estimate({"gain": 1.25, "gain_low": -0.0001, "gain_high": 2.5}, "gain", " nats")
    '1.250 nats (95% interval 0.000 to 2.500)'
    """
    value, low, high = (row[field] for field in field_names(name))
    shown = show_column([None if end is None else float(end) for end in (value, low, high)])
    ends = "no interval can be given" if low is None or high is None else f"95% interval {shown[1]} to {shown[2]}"
    return f"{shown[0]}{unit} ({ends})"


def show_interval(row: Mapping[str, Any], name: str, write: Callable[[float], str]) -> str:
    """Write the interval of a number of a summary, or that there is none."""
    _, low, high = (row[field] for field in field_names(name))
    if low is None or high is None:
        return "no interval can be given"
    return f"95% interval {write(low)} to {write(high)}"


def show_difference(row: Mapping[str, Any], name: str, write: Callable[[float], str], count: str) -> str:
    """Write a difference of a summary, which is known, over how many it is, and whether its interval holds 0."""
    value, low, high = (row[field] for field in field_names(name))
    if low is None or high is None:
        return f"{write(value)} over {count}; no interval can be given."
    holds = "holds" if low <= 0 <= high else "does not hold"
    return f"{write(value)} over {count}; its 95% interval, {write(low)} to {write(high)}, {holds} 0."


def show_range(low: float, high: float) -> str:
    """Write two ends, of similarities say, to the third place.

    >>> show_range(0.0592, 0.26)
    '0.059 to 0.260'
    """
    return f"{show_fixed(low)} to {show_fixed(high)}"


def show_column(values: Sequence[Cell], missing: str = MISSING) -> list[str]:
    """Write a column; where all its numbers have a fraction, all are written to the same place.

    >>> show_column([0.5, 0.48213, None], "-"), show_column([12.5, 3.0]), show_column([3, 1200])
    (['0.500', '0.482', '-'], ['12.50', '3.00'], ['3', '1,200'])
    """
    numbers = [value for value in values if value is not None]
    if not numbers or not all(isinstance(value, float) and math.isfinite(value) for value in numbers):
        return [show_number(value, missing) for value in values]
    largest = max(abs(float(value)) for value in numbers)
    digits = _num_digits(largest)
    if digits > 8 or largest >= 1e9:
        return [show_number(value, missing) for value in values]
    return [missing if value is None else f"{value:z,.{digits}f}" for value in values]


def is_numeric(values: Sequence[Cell]) -> bool:
    """Tell whether a column holds nothing but numbers and None."""
    return all(value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in values)


def band_texts(column: NumberColumn, missing: str = MISSING, *, is_padded: bool = False) -> tuple[list[str], list[str]]:
    """Write a column's numbers and the intervals beside them to the same place; an interval that is missing is empty.

    Ends are padded to one width where all letters are equally wide.

    >>> band_texts(NumberColumn("share", (0.5, None), ((0.1234, 0.75), (None, None))), "-")
    (['0.500', '-'], ['[0.123, 0.750]', ''])
    """
    size = len(column.values)
    shown = show_column([*column.values, *(end for band in column.bands for end in band)], missing)
    width = max((len(end) for end in shown[size:] if end != missing), default=0) if is_padded else 0
    bands = [""] * size
    for index, (low, high) in enumerate(column.bands):
        if low is not None and high is not None:
            bands[index] = f"[{shown[size + 2 * index]:>{width}}, {shown[size + 2 * index + 1]:>{width}}]"
    return shown[:size], bands


def numbers_of(plot: Plot, most: int = NUM_ROWS) -> Table:
    """List the numbers that a plot shows.

    >>> from real_cli.report.contents import Series
    >>> bars = Plot(PlotKind.bars, "wins", "model", "share", (Series("", ("a", "b"), (0.4, None), counts=(5, 0)),))
    >>> numbers_of(bars).columns, numbers_of(bars).rows
    (('model', 'share', 'n'), (('a', 0.4, 5), ('b', None, 0)))
    """
    is_histogram = plot.kind is PlotKind.histogram
    has_interval = any(series.low or series.high for series in plot.series)
    has_counts = any(series.counts for series in plot.series)
    x_heads = (f"{plot.x_label}, from", "to") if is_histogram else (plot.x_label,)
    ends = ("low", "high") if has_interval else ()
    heads = (*x_heads, plot.y_label, *ends, *(("n",) if has_counts else ()))
    is_named = len(plot.series) > 1
    rows = []
    for series in plot.series:
        lows, highs, counts = (_filled(values, len(series.y)) for values in (series.low, series.high, series.counts))
        for index, value in enumerate(series.y):
            x = series.x[index : index + 2] if is_histogram else series.x[index : index + 1]
            interval = (lows[index], highs[index]) if has_interval else ()
            count = (counts[index],) if has_counts else ()
            rows.append((*((series.name,) if is_named else ()), *x, value, *interval, *count))
    step = math.ceil(len(rows) / most)
    note = f"One row of every {step} of {len(rows):,}." if step > 1 else ""
    return Table("Numbers", (*(("series",) if is_named else ()), *heads), tuple(rows[:: max(step, 1)]), note)


def _num_digits(largest: float) -> int:
    """Choose how many digits follow the point: four digits of the largest, at least three of a share."""
    if largest == 0:
        return 1
    power = math.floor(math.log10(largest))
    return max(3, 2 - power) if largest <= 1 else max(0, 3 - power)


def _filled(values: Sequence[Cell], count: int) -> list[Cell]:
    return [*values, *[None] * (count - len(values))]
