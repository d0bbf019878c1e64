"""Verdicts at the terminal: the worst first, each with its reason and the command that mends it."""

from typing import TYPE_CHECKING

from real_cli.report.contents import VerdictLevel, VerdictRow, Verdicts
from real_cli.text.terminal_safe import printable_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

STYLES = {VerdictLevel.broken: "bold red", VerdictLevel.doubtful: "bold yellow", VerdictLevel.sound: "green"}
INDENT = 2


def print_verdicts(console: "Console", verdicts: Verdicts) -> None:
    """Print what checks found; of what is sound the title and the measure alone."""
    from rich.text import Text

    console.print(Text(printable_line(verdicts.title), style="bold"))
    for level, rows in verdicts.by_level():
        for row in rows:
            _print_row(console, row, _headline(level, row))
    if verdicts.mend:
        console.print()
        console.print(Text(printable_line(verdicts.mend_note)))
        _print_command(console, verdicts.mend)
    if verdicts.note:
        console.print(Text(printable_line(verdicts.note), style="dim"))
    console.print()


def _headline(level: VerdictLevel, row: VerdictRow) -> "Text":
    from rich.text import Text

    line = Text(f"{level.value:<8}", style=STYLES[level])
    line.append(f"  {printable_line(row.title)}", style="" if level is VerdictLevel.sound else "bold")
    return line.append(f": {printable_line(row.measure)}", style="not bold") if row.measure else line


def _print_row(console: "Console", row: VerdictRow, headline: "Text") -> None:
    from rich.padding import Padding
    from rich.text import Text

    console.print(headline)
    if row.level is VerdictLevel.sound:
        return
    if row.reason:
        console.print(Padding(Text(printable_line(row.reason)), (0, 0, 0, INDENT)))
    if row.places:
        console.print(Padding(Text(", ".join(map(printable_line, row.places)), style="dim"), (0, 0, 0, INDENT)))
    if row.mend:
        _print_command(console, row.mend)


def _print_command(console: "Console", command: str) -> None:
    from rich.text import Text

    # The terminal wraps it: a line end of ours inside a command would be copied with it.
    console.print(Text(f"{' ' * INDENT}{printable_line(command)}"), soft_wrap=True)
