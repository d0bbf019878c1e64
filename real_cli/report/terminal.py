"""A report at the terminal: its answer first, then tables; plots are a line of blocks, or the numbers they show."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from real_cli.io.terminal.line import is_last_of_pipe
from real_cli.report.contents import Plot, PlotKind, Report, Section, Table, Verdicts
from real_cli.report.numbers import numbers_of, show_column
from real_cli.report.terminal_table import MISSING, print_table
from real_cli.report.terminal_verdicts import print_verdicts
from real_cli.text.terminal_safe import printable_line

if TYPE_CHECKING:
    from rich.console import Console

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN_BLOCKS = ".:-=+*#@"
NUM_BLOCKS = 20
NUM_ROWS = 40


def is_watched() -> bool:
    """Tell whether standard error is a terminal, and no other command of a pipe shows what was measured."""
    return sys.stderr is not None and sys.stderr.isatty() and is_last_of_pipe()


def show_report(report: Report) -> None:
    """Show a report on standard output."""
    from rich.console import Console

    stream = _lenient(sys.stdout)
    # Names come from the data: "[easy]" is no markup.
    print_report(Console(file=stream, markup=False, highlight=False, emoji=False), report)


def print_report(console: "Console", report: Report) -> None:
    """Print the answer, then each section with its tables, then the notes."""
    from rich.text import Text

    console.print(Text(printable_line(report.lead), style="bold"))
    for section in report.sections:
        _print_section(console, section)
    if report.notes:
        console.print()
    for note in report.notes:
        console.print(Text(f"- {printable_line(note)}"))


def sparkline(counts: Sequence[float], blocks: str = BLOCKS) -> str:
    """Draw counts as a line of letters.

    >>> sparkline([0, 1, 4, 8], "abcd")
    ' abd'
    """
    step = -(-len(counts) // NUM_BLOCKS) or 1
    sums = [sum(counts[start : start + step]) for start in range(0, len(counts), step)]
    largest = max(sums, default=0)
    # A bin with anything in it is never drawn as empty: rounded up.
    return "".join(blocks[int(-(-count * len(blocks) // largest)) - 1] if count > 0 else " " for count in sums)


def _lenient(stream: TextIO) -> TextIO:
    """Show a letter that the terminal's encoding lacks as its number: a table is no reason to fail."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")
    return stream


def _print_section(console: "Console", section: Section) -> None:
    from rich.text import Text

    tables = [item for item in section.items if isinstance(item, Table) and item.rows]
    plots = [item for item in section.items if isinstance(item, Plot)]
    verdicts = [item for item in section.items if isinstance(item, Verdicts)]
    if not (tables or plots or verdicts):
        return  # rows of the data are for the report
    console.print()
    console.print(Text(printable_line(section.title), style="bold underline"))
    if section.text:
        console.print(Text(printable_line(section.text)))
    for item in verdicts:
        print_verdicts(console, item)
    for plot in plots:
        _print_plot(console, plot, is_listed=bool(tables))
    for table in tables:
        console.print()
        if table.title != section.title:
            console.print(Text(printable_line(table.title), style="bold"))
        print_table(console, table)


def _print_plot(console: "Console", plot: Plot, *, is_listed: bool) -> None:
    """Print a histogram as a line a series; of another plot the numbers, unless tables of the section have them."""
    from rich.text import Text

    if plot.kind is PlotKind.histogram:
        lines = [line for series in plot.series if (line := _histogram(console, series.name, series.x, series.y))]
        if lines:
            console.print()
            console.print(Text(printable_line(f"{plot.title} ({plot.x_label})"), style="bold"))
        for line in lines:
            console.print(Text(line, overflow="fold"))
    elif not is_listed and (table := numbers_of(plot, NUM_ROWS)).rows:
        console.print()
        console.print(Text(printable_line(plot.title), style="bold"))
        print_table(console, table)


def _histogram(console: "Console", name: str, edges: Sequence[float], counts: Sequence[float | None]) -> str:
    if not counts:
        return ""
    low, high = show_column([float(edge) for edge in (edges[0], edges[-1])], MISSING)
    line = sparkline([count or 0 for count in counts], _blocks(console.encoding))
    return f"{low} {line} {high}{f'  {printable_line(name)}' if name else ''}"


def _blocks(encoding: str) -> str:
    try:
        BLOCKS.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return PLAIN_BLOCKS
    return BLOCKS
