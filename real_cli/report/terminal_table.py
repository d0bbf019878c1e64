"""Tables that fit a terminal: intervals beside their numbers or beneath them, texts folded, what is left out named."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from real_cli.report.contents import Table
from real_cli.report.numbers import NumberColumn, band_texts, is_numeric, join_columns, show_column
from real_cli.text.terminal_safe import printable_line

if TYPE_CHECKING:
    from rich.console import Console

MISSING = "-"
GAP = 2
# Rows that may become blocks of lines, unless so many columns fit that the rows are better seen side by side.
MOST_AS_LINES, FEWEST_SIDE_BY_SIDE = 6, 3
# A text column is folded to no fewer cells than this, or than its longest word if that is shorter.
NARROWEST, LONGEST_WORD = 8, 14
# A number's head up to this long gets a line of its own where there is room, a longer one two.
SHORT_HEAD = 16
# Texts get this many cells, or all they need, before intervals stand beside their numbers rather than beneath.
COMFORTABLE = 32


@dataclass(frozen=True)
class FittedColumn:
    """A column as it is printed.

    Attributes:
        name: Its head.
        cells: One a row; a line end stands before an interval that is set beneath its number.
        natural: Cells of the terminal that it takes unfolded.
        least: The fewest that it can be folded to.
        is_number: Whether it is set flush right, and never folded.
    """

    name: str
    cells: tuple[str, ...]
    natural: int
    least: int
    is_number: bool


def print_table(console: "Console", table: Table) -> None:
    """Print a table; where columns do not fit, a few rows become blocks of lines, and of many the columns are named."""
    joined = join_columns(table)
    columns, widths = _fit(joined, console.width)
    is_compared = len(table.rows) > 2 and len(columns) >= FEWEST_SIDE_BY_SIDE
    are_few = len(table.rows) <= MOST_AS_LINES and not is_compared
    # Names without a number beside them tell nothing.
    is_bare = any(is_numeric(column.values) for column in joined) and not any(column.is_number for column in columns)
    if len(columns) < len(joined) and (are_few or is_bare):
        _print_blocks(console, joined)
    else:
        _print_grid(console, columns, widths)
        if left_out := [printable_line(column.name) for column in joined[len(columns) :]]:
            separator = "; " if any("," in name for name in left_out) else ", "
            _print_dim(console, f"Too narrow for: {separator.join(left_out)}. --json has every number.")
    if table.note:
        _print_dim(console, table.note)


def _print_dim(console: "Console", text: str) -> None:
    from rich.text import Text

    console.print(Text(printable_line(text), style="dim", overflow="fold"))


def _print_grid(console: "Console", columns: list[FittedColumn], widths: list[int]) -> None:
    from rich import box
    from rich.table import Table as Grid

    grid = Grid(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0), header_style="bold")
    for column, width in zip(columns, widths, strict=True):
        grid.add_column(
            column.name,
            justify="right" if column.is_number else "left",
            overflow="fold",
            min_width=width,
            max_width=width,
        )
    for row in zip(*(column.cells for column in columns), strict=True):
        grid.add_row(*row)
    console.print(grid)


def _print_blocks(console: "Console", joined: list[NumberColumn]) -> None:
    """Print each row as lines of a name and a value."""
    from rich.table import Table as Grid
    from rich.text import Text

    names = [printable_line(column.name) for column in joined]
    cells = [_cells(column, is_stacked=True) for column in joined]
    for row in zip(*cells, strict=True):
        grid = Grid(box=None, show_header=False, pad_edge=False, padding=(0, GAP, 0, 0))
        grid.add_column(overflow="fold")
        grid.add_column(justify="right", overflow="fold")
        for name, cell in zip(names[1:], row[1:], strict=True):
            grid.add_row(name, cell)
        console.print(Text(f"{names[0]}: {row[0]}", style="bold"))
        console.print(grid)


def _fit(joined: list[NumberColumn], width: int) -> tuple[list[FittedColumn], list[int]]:
    """Choose the widest form that fits: whole, texts folded, intervals beneath, and at last fewer columns."""
    for is_stacked in (False, True):
        columns = [_fitted(column, is_stacked=is_stacked) for column in joined]
        if _total([_comfortable(column) for column in columns]) <= width:
            return columns, _widths(columns, width)
    for is_stacked in (False, True):
        columns = [_fitted(column, is_stacked=is_stacked) for column in joined]
        if _total([column.least for column in columns]) <= width:
            return columns, _widths(columns, width)
    while len(columns) > 1 and _total([column.least for column in columns]) > width:
        columns.pop()
    return columns, _widths(columns, width)


def _comfortable(column: FittedColumn) -> int:
    return column.least if column.is_number else max(column.least, min(column.natural, COMFORTABLE))


def _total(widths: list[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _widths(columns: list[FittedColumn], width: int) -> list[int]:
    """Give what room is left to folded texts, from the left, then to the heads of numbers."""
    widths = [min(column.least, width) for column in columns]
    left = width - _total(widths)
    for index, column in sorted(enumerate(columns), key=lambda each: each[1].is_number):
        more = max(0, min(left, column.natural - widths[index]))
        widths[index] += more
        left -= more
    return widths


def _fitted(column: NumberColumn, *, is_stacked: bool) -> FittedColumn:
    from rich.cells import cell_len

    is_number = is_numeric(column.values)
    cells = _cells(column, is_stacked=is_stacked)
    name = printable_line(column.name)
    head = max((cell_len(word) for word in name.split()), default=1)
    body = max((cell_len(line) for cell in cells for line in cell.split("\n")), default=0)
    if is_number:
        return FittedColumn(name, cells, max(_head_width(name), body), max(head, body), is_number=True)
    word = max((cell_len(word) for cell in cells for word in cell.split()), default=0)
    least = max(min(body, max(NARROWEST, min(word, LONGEST_WORD))), min(head, LONGEST_WORD))
    return FittedColumn(name, cells, max(head, body), least, is_number=False)


def _head_width(name: str) -> int:
    """Measure the head of a number: in a line if it is short, else folded in two."""
    from rich.cells import cell_len

    if cell_len(name) <= SHORT_HEAD:
        return cell_len(name)
    words = name.split()
    halves = [(" ".join(words[:split]), " ".join(words[split:])) for split in range(len(words))]
    return min(max(map(cell_len, pair)) for pair in halves)


def _cells(column: NumberColumn, *, is_stacked: bool) -> tuple[str, ...]:
    if not column.bands:
        return tuple(map(printable_line, show_column(column.values, MISSING)))
    values, bands = band_texts(column, MISSING, is_padded=True)
    width = max(map(len, bands))
    if not width:
        return tuple(values)
    if is_stacked:
        return tuple(f"{value}\n{band}" if band else value for value, band in zip(values, bands, strict=True))
    return tuple(f"{value} {band:<{width}}" for value, band in zip(values, bands, strict=True))
