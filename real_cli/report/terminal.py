"""A summary as a table, for a person at the terminal."""

import sys
import textwrap
from typing import TYPE_CHECKING, Any

from real_cli.io.progress import obeyed_stderr
from real_cli.report.outline import BLOCKS, PLAIN_BLOCKS, OutlineTable, outline
from real_cli.text.terminal_safe import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

SHORTEST, WIDEST = 5, 24
GAP = 2


def show_table(title: str, summary: dict[str, Any], *, quiet: bool) -> None:
    """Show a summary on standard error, where that is a terminal."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        return
    from rich.console import Console

    # Names come from the data: "[easy]" is no markup.
    print_summary(Console(file=obeyed_stderr(), markup=False, highlight=False, emoji=False), title, summary)


def print_summary(console: "Console", title: str, summary: dict[str, Any]) -> None:
    """Print a summary: numbers first, then its tables. The notes are what the job tells, so they are not said again."""
    shown = outline(summary, _blocks(console.encoding))
    grid = _grid(console, title, has_heads=False)
    grid.add_column(overflow="fold")
    grid.add_column(justify="right", overflow="fold")
    if any(row.beside for row in shown.rows):
        grid.add_column(no_wrap=True)
    for row in shown.rows:
        cells = (row.name, row.value, row.beside)
        grid.add_row(*(printable(cell) for cell in cells[: len(grid.columns)]))
    console.print(grid)
    for table in shown.tables:
        _print_table(console, table)
    if shown.without:
        console.print(f"without a value: {', '.join(map(printable, shown.without))}")


def _print_table(console: "Console", table: OutlineTable) -> None:
    """Print as many columns as fit; those that do not are named, and stand in the summary all the same."""
    columns = [[printable(cell) for cell in column] for column in zip(*table.rows, strict=True)]
    shown = _fitting(table.heads, columns, console.width)
    grid = _grid(console, table.name)
    for index in shown:
        is_number = _is_number(columns[index])
        needed = _width(table.heads[index], columns[index], console.width)
        head = "\n".join(textwrap.wrap(printable(table.heads[index]), needed))
        grid.add_column(head, justify="right" if is_number else "left", overflow="fold", max_width=needed)
    for row in zip(*(columns[index] for index in shown), strict=True):
        grid.add_row(*row)
    console.print(grid)
    if len(shown) < len(columns):
        rest = [printable(head) for index, head in enumerate(table.heads) if index not in shown]
        console.print(f"more columns in the summary: {', '.join(rest)}")


def _grid(console: "Console", title: str, *, has_heads: bool = True) -> "Table":
    from rich import box
    from rich.table import Table

    rules = box.SIMPLE if _blocks(console.encoding) == BLOCKS else None
    grid = Table(box=rules, show_header=has_heads, pad_edge=False, padding=(0, GAP - 1 if rules else GAP, 0, 0))
    grid.title, grid.title_justify, grid.title_style = printable(title), "left", "bold"
    return grid


def _fitting(heads: tuple[str, ...], columns: list[list[str]], width: int) -> list[int]:
    """Choose columns that fit beside each other: the first, one count, then what was measured, then other counts.

    Where a number that was measured does not fit, none that stands behind it takes its place.
    """
    counts = [index for index, head in enumerate(heads) if index and head.startswith("num ")]
    measured = [index for index in range(1, len(heads)) if index not in counts]
    used, shown, is_full = 0, [], False
    for index in (0, *counts[:1], *measured, *counts[1:]):
        needed = _width(heads[index], columns[index], width) + GAP
        if index == 0 or (used + needed <= width - 1 and not (is_full and index in measured)):
            used += needed
            shown.append(index)
        else:
            is_full |= _is_number(columns[index])
    return sorted(shown)


def _is_number(column: list[str]) -> bool:
    return all(not cell or cell[0] in "-[.0123456789" for cell in column)


def _width(head: str, column: list[str], width: int) -> int:
    """Return the columns that cells need: a head breaks between words, a long name anywhere."""
    cell = max(map(len, column), default=0)
    return min(max(SHORTEST, cell, *map(len, head.split())), max(WIDEST, width // 3))


def _blocks(encoding: str) -> str:
    try:
        BLOCKS.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return PLAIN_BLOCKS
    return BLOCKS
