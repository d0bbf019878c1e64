"""Series of plots, and tables, drawn from the rows of a summary."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from real_cli.report.contents import Series, Table
from real_cli.report.field_words import in_words
from real_cli.stats.intervals import field_names

Row = Mapping[str, Any]


def series_of(name: str, x: Sequence[object], rows: Sequence[Row], field: str, count: Callable[[Row], int]) -> Series:
    """Draw an estimate of each row with its interval; `count` tells how many rows of data it stands on."""
    value, low, high = (tuple(row[end] for row in rows) for end in field_names(field))
    return Series(name, tuple(x), value, low, high, tuple(map(count, rows)))


def histogram_series(name: str, histogram: Mapping[str, Sequence[float]]) -> Series:
    """Draw a summary's `edges` and `counts`."""
    return Series(name, tuple(histogram["edges"]), tuple(histogram["counts"]))


def table_of(title: str, fields: Sequence[str], rows: Sequence[Row], note: str = "") -> Table:
    """Line up rows of a summary under heads in words; a number that has an interval brings it along.

    >>> table_of("Wins", ("model", "win_rate"), [{"model": "a", "win_rate": 1, "win_rate_low": 0, "win_rate_high": 1}])
    Table(title='Wins', columns=('model', 'win rate', 'win rate low', 'win rate high'), rows=(('a', 1, 0, 1),), note='')
    """
    columns: dict[str, str] = {}
    for field in fields:
        names = field_names(field)
        has_band = any(names[1] in row for row in rows)
        heads = field_names(in_words(field))
        columns |= {
            name: head if name == field else head.replace("_low", " low").replace("_high", " high")
            for name, head in zip(names if has_band else names[:1], heads, strict=False)
        }
    cells = tuple(tuple(row.get(name) for name in columns) for row in rows)
    return Table(title, tuple(columns.values()), cells, note)
