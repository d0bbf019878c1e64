"""A summary as a person reads it: rows with their intervals, histograms as a line, tables."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from real_cli.report.numbers import show_column, show_number

MISSING = "-"
BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN_BLOCKS = ".:-=+*#@"
NUM_BLOCKS = 20
DISTRIBUTION = frozenset({"count", "mean", "min", "median", "max"})


@dataclass(frozen=True)
class OutlineRow:
    """One number.

    Attributes:
        name: What it is.
        value: The number.
        beside: Its interval, or the histogram.
    """

    name: str
    value: str
    beside: str = ""


@dataclass(frozen=True)
class OutlineTable:
    """Records with the same names.

    Attributes:
        name: What it lists.
        heads: Names of the columns.
        rows: Cells; an interval stands in the cell of its number.
    """

    name: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass
class Outline:
    """All that a summary says.

    Attributes:
        rows: Numbers.
        tables: Lists of records.
        without: Names of what has no value: it is no row of its own.
    """

    rows: list[OutlineRow] = field(default_factory=list)
    tables: list[OutlineTable] = field(default_factory=list)
    without: list[str] = field(default_factory=list)


def outline(summary: Mapping[str, Any], blocks: str = BLOCKS) -> Outline:
    """Sort a summary's numbers by how they are shown.

    >>> found = outline({"num_pairs": 1200, "accuracy": 0.82, "accuracy_low": 0.78, "accuracy_high": 0.86})
    >>> [(row.name, row.value, row.beside) for row in found.rows]
    [('num pairs', '1,200', ''), ('accuracy', '0.820', '[0.780, 0.860]')]
    """
    result = Outline()
    _gather(summary, "", result, blocks)
    return result


def sparkline(counts: Sequence[int], blocks: str = BLOCKS) -> str:
    """Draw counts as a line of letters.

    >>> sparkline([0, 1, 4, 8], "abcd")
    ' abd'
    """
    step = -(-len(counts) // NUM_BLOCKS) or 1
    sums = [sum(counts[start : start + step]) for start in range(0, len(counts), step)]
    largest = max(sums, default=0)
    # A bin with anything in it is never drawn as empty: rounded up.
    return "".join(blocks[-(-count * len(blocks) // largest) - 1] if count > 0 else " " for count in sums)


def _gather(summary: Mapping[str, Any], prefix: str, result: Outline, blocks: str) -> None:
    for name, value, interval in _joined(summary):
        label = f"{prefix}{name}".replace("_", " ")
        if name == "notes" and isinstance(value, list):
            continue
        elif (value is None and interval in (None, (None, None))) or value == []:
            result.without.append(label)
        elif _is_histogram(value):
            result.rows.append(OutlineRow(label, f"{sum(value['counts']):,}", _histogram(value, blocks)))
        elif isinstance(value, dict) and set(value) >= DISTRIBUTION:
            result.rows.append(OutlineRow(f"{label} mean", *_distribution(value)))
        elif isinstance(value, dict):
            _gather(value, f"{prefix}{name} ", result, blocks)
        elif _is_table(value):
            result.tables.append(_table(label, value, blocks))
        elif isinstance(value, list):
            result.rows.append(OutlineRow(label, ", ".join(show_column(list(map(_word, value)), MISSING))))
        else:
            result.rows.append(OutlineRow(label, *_written(value, interval)))


def _joined(summary: Mapping[str, Any]) -> Iterator[tuple[str, Any, tuple[Any, Any] | None]]:
    """Give each number its interval; ends without a number stand where the lower one stood."""
    for name, value in summary.items():
        stem, _, end = name.rpartition("_")
        if end in ("low", "high") and f"{stem}_low" in summary and f"{stem}_high" in summary:
            if end == "low" and stem not in summary:
                yield stem, None, (value, summary[f"{stem}_high"])
        elif f"{name}_low" in summary and f"{name}_high" in summary:
            yield name, value, (summary[f"{name}_low"], summary[f"{name}_high"])
        else:
            yield name, value, None


def _written(value: Any, interval: tuple[Any, Any] | None) -> tuple[str, str]:
    if interval is None or interval == (None, None):
        return show_number(_word(value), MISSING), ""
    known = [_word(part) for part in (value, *interval)]
    shown, low, high = show_column([float(part) if isinstance(part, int) else part for part in known], MISSING)
    if isinstance(value, int):
        shown = show_number(value, MISSING)
    return "" if value is None else shown, f"[{low}, {high}]"


def _word(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _is_histogram(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"edges", "counts"}


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _distribution(value: dict[str, Any]) -> tuple[str, str]:
    """Write a mean, and beside it where the rest lies."""
    names = ("mean", "median", "min", "max")
    mean, median, low, high = show_column([value[name] for name in names], MISSING)
    return mean, f"median {median}, {low} to {high}, n {show_number(value['count'])}"


def _histogram(value: dict[str, Any], blocks: str) -> str:
    if not value["counts"]:
        return ""
    low, high = show_column([float(edge) for edge in (value["edges"][0], value["edges"][-1])], MISSING)
    return f"{low} {sparkline(value['counts'], blocks)} {high}"


def _table(name: str, records: list[dict[str, Any]], blocks: str) -> OutlineTable:
    """Line records up; what is itself a table or a list has no place in a cell."""
    columns: dict[str, list[tuple[Any, tuple[Any, Any] | None]]] = {}
    for number, record in enumerate(records):
        for head, value, interval in _joined(record):
            shown = _histogram(value, blocks) if _is_histogram(value) else value
            if not isinstance(shown, dict | list):
                column = columns.setdefault(head, [])
                column += [(None, None)] * (number - len(column)) + [(shown, interval)]
    cells = {head: _cells(column + [(None, None)] * (len(records) - len(column))) for head, column in columns.items()}
    cells = {head: cell for head, cell in cells.items() if set(cell) - {MISSING}}  # nothing is known of the others
    heads = tuple(head.replace("_", " ") for head in cells)
    return OutlineTable(name, heads, tuple(zip(*cells.values(), strict=True)))


def _cells(column: list[tuple[Any, tuple[Any, Any] | None]]) -> list[str]:
    """Write numbers and intervals of a column to the same place."""
    values = [_word(value) for value, _ in column]
    ends = [end for _, interval in column for end in (interval or (None, None))]
    shown = show_column([*values, *ends], MISSING)
    width = max(map(len, shown[len(column) :]), default=0)
    cells = []
    for index, (value, interval) in enumerate(column):
        low, high = shown[len(column) + 2 * index : len(column) + 2 * index + 2]
        known = interval is not None and interval != (None, None)
        alone = "" if value is None and known else shown[index]
        cells.append(f"{alone} [{low:>{width}}, {high:>{width}}]".lstrip() if known else alone)
    return cells
