"""A summary as a table, for a person at the terminal."""

import sys
from typing import Any


def show_table(title: str, summary: dict[str, Any], *, quiet: bool) -> None:
    """Show names and numbers on standard error, where that is a terminal.

    Args:
        title: What was measured.
        summary: Numbers, and records or lists of numbers.
        quiet: Show nothing.
    """
    if quiet or not sys.stderr.isatty():
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, value in summary.items():
        for label, shown in _rows(name, value):
            table.add_row(label, shown)
    Console(stderr=True).print(table)


def _rows(name: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [row for field, item in value.items() for row in _rows(f"{name} {field}", item)]
    if isinstance(value, list):
        return [row for number, item in enumerate(value, 1) for row in _rows(f"{name} {number}", item)]
    if isinstance(value, float):
        return [(name.replace("_", " "), f"{value:.4g}")]
    return [(name.replace("_", " "), "-" if value is None else f"{value:,}" if isinstance(value, int) else str(value))]
