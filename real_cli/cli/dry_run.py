"""The estimate of a dry run: a table at a terminal, one JSON record elsewhere."""

import sys
from collections.abc import Callable, Sequence
from functools import partial

from real_cli.io.job import Job
from real_cli.llm.cost import Price
from real_cli.llm.spending.budget import show_dollars
from real_cli.llm.spending.dry_run import DryRun, summarize
from real_cli.records.record import Record
from real_cli.stats.numeric import rounded
from real_cli.text.phrases import say_count
from real_cli.text.terminal_safe import printable

ROWS = {"input_tokens": "input tokens", "output_tokens": "output tokens", "dollars": "dollars"}


def is_seen() -> bool:
    """Tell whether standard output is a terminal; a job that is open keeps it for records."""
    return sys.stdout is not None and sys.stdout.isatty()


def sum_up(runs: Sequence[DryRun], price: Price | None, job: Job, *, as_table: bool) -> Callable[[], None]:
    """Sum up dry runs, one a model: write the sum, or return what shows it once the job's counters are gone."""
    summary = summarize(runs, price)
    if as_table:
        return partial(_print_table, summary)
    job.write({"dry_run": True} | rounded(summary))
    job.summary = _sentence(summary)
    return lambda: None


def _sentence(summary: Record) -> str:
    calls, most = summary["num_calls"], summary["most_calls"]
    parts = [
        f"nothing was sent: {say_count(summary['num_records'], 'record')}, "
        f"{say_count(summary['num_questions'], 'question')}, {summary['num_known']:,} answered by the cache; "
        + (f"{calls:,} to {most:,} calls" if most > calls else say_count(calls, "call"))
    ]
    parts += [f"{_spread(summary, name)} {ROWS[name]}" for name in ("input_tokens", "output_tokens")]
    return ", ".join([*parts, _spread(summary, "dollars")] if "dollars_low" in summary else parts)


def _spread(summary: Record, name: str) -> str:
    low, value, high = _cells(summary, name)
    if low == high:
        return low
    return f"{value} ({low} to {high})" if value else f"{low} to {high}"


def _cells(summary: Record, name: str) -> tuple[str, str, str]:
    numbers = [summary[f"{name}_low"], summary[name], summary[f"{name}_high"]]
    show = show_dollars if name == "dollars" else lambda number: f"{round(number):,}"
    low, value, high = ("" if number is None else show(number) for number in numbers)
    return low, value, high


def _print_table(summary: Record) -> None:
    from rich.console import Console
    from rich.table import Table

    # Names come from the command line: "[easy]" is no markup.
    console = Console(markup=False, highlight=False, emoji=False)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for head in ("", "likely", "least", "most"):
        table.add_column(head, justify="right" if head else "left", overflow="fold")
    for name in ("num_records", "num_questions", "num_known"):
        table.add_row(name.removeprefix("num_").replace("known", "cached"), f"{summary[name]:,}")
    calls = f"{summary['num_calls']:,}"
    table.add_row("calls", calls, calls, f"{summary['most_calls']:,}")
    for name, shown in ROWS.items():
        if f"{name}_low" in summary:
            low, value, high = _cells(summary, name)
            table.add_row(shown, value or "unknown", low, high)
    console.print(printable(f"dry run: {', '.join(summary['models'])}"), style="bold", overflow="fold")
    console.print(table)
    for note in summary["notes"]:
        console.print(note)
