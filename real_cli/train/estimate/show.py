"""An estimate for a person at the terminal: what it comes to first, then its parts."""

import math
import sys
from typing import TYPE_CHECKING, Any

from real_cli.io.progress import obeyed_stderr
from real_cli.records.record import Record
from real_cli.report.terminal import is_watched
from real_cli.text.phrases import say_count
from real_cli.text.terminal_safe import printable_line

if TYPE_CHECKING:
    from rich.console import Console

MEANINGS = {
    "gaps": "gaps between blocks",
    "logits": "logits of the vocabulary",
    "loading": "files while loading",
    "framework": "Python, torch, data",
}


def show_estimate(record: Record, *, on_stdout: bool, quiet: bool) -> None:
    """Show an estimate on standard output, or else on standard error where that is a terminal."""
    if not on_stdout and (quiet or not is_watched()):
        return
    from rich.console import Console

    stream = sys.stdout if on_stdout else obeyed_stderr()
    print_estimate(Console(file=stream, markup=False, highlight=False, emoji=False), record)


def print_estimate(console: "Console", record: Record) -> None:
    """Print the answer in one line, then memory, time and what would fit."""
    fits = record["would_fit"][0]["fits"]
    console.print(f"{'Fits' if fits else 'Does not fit'}: {headline(record)}", style="bold")
    console.print(
        printable_line(
            f"{record['policy']} on {record['device']}, {record['dtype']}: "
            f"{say_count(record['num_pairs_trained'], 'pair')} in {say_count(record['num_steps'], 'step')}, "
            f"{record['num_tokens']:,} tokens with padding; "
            f"{record['truncated_share']:.0%} of the pairs cut"
        )
    )
    for place in ("device", "host"):
        if (parts := record["memory"][place]) is not None:
            cells = [(_meaning(name), size(value)) for name, value in parts.items()]
            _print(console, f"Memory of the {place}, {record['memory']['method']}", ("part", "bytes"), cells)
    if record["seconds"]:
        names = dict.fromkeys(name.rpartition("_")[0] for name in record["seconds"])
        spans = [(name, duration(*(record["seconds"][f"{name}_{end}"] for end in ("low", "high")))) for name in names]
        _print(console, "Time, by a probe", ("part", "from - to"), spans)
    rows = [
        (row["options"], size(row["peak_bytes"]), "yes" if row["fits"] else "no", _tokens(row))
        if row["peak_bytes"] is not None
        else (row["options"], "not known", "-", "-")
        for row in record["would_fit"]
    ]
    _print(console, "What would fit", ("options", "peak", "fits", "most tokens a pass"), rows)


def headline(record: Record) -> str:
    """Sum an estimate up."""
    memory = record["memory"]["device"] or record["memory"]["host"]
    peak, available = size(memory["peak_bytes"]), size(record["available_bytes"])
    words = f"{peak} at the peak, {available} can be had"
    if record["seconds_low"] is None:
        return f"{words}; no probe was made, so no time is known"
    return f"{words}; {duration(record['seconds_low'], record['seconds_high'])}"


def size(num_bytes: float) -> str:
    """Write bytes.

    >>> size(5000), size(1 << 20), size(3.25 * 2**30)
    ('5 KB', '1 MB', '3.2 GB')
    """
    mega = num_bytes / 2**20
    if mega < 1:
        return f"{num_bytes / 1024:,.0f} KB"
    return f"{mega:,.0f} MB" if mega < 1024 else f"{mega / 1024:,.1f} GB"


def duration(low: float, high: float) -> str:
    """Write a range of seconds, in the unit of its higher end.

    >>> duration(2, 3), duration(100, 250), duration(4000, 9000)
    ('2 to 3 s', '1.7 to 4.2 min', '1.1 to 2.5 h')
    """
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (math.inf, 3600, "h")):
        if high < limit:
            first, last = (f"{value / unit:.{0 if unit == 1 else 1}f}" for value in (low, high))
            return f"{first} {name}" if first == last else f"{first} to {last} {name}"
    raise AssertionError("no duration is infinite")


def _meaning(name: str) -> str:
    stem = name.removesuffix("_bytes")
    return MEANINGS.get(stem, stem)


def _tokens(row: Record) -> str:
    if (value := row["largest_batch_tokens"]) is None:
        return "-"
    return f"any: whole batches, {value:,}" if row["takes_whole_batches"] else f"{value:,}"


def _print(console: "Console", title: str, heads: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    from rich import box
    from rich.table import Table

    console.print(f"\n{title}", style="bold")  # a table's own title would be folded to the table
    table = Table(*heads, box=box.SIMPLE_HEAD, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for column in table.columns:
        column.overflow = "fold"
    for row in rows:
        table.add_row(*map(str, row))
    console.print(table)
