"""What is said about a run, on standard error: a counter while it works, one line at its end."""

import os
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from real_cli.errors import show_name

if TYPE_CHECKING:
    from rich.progress import Progress

NAME_OF_STDOUT = "standard output"


def say(message: str) -> None:
    """Write one line to standard error.

    Args:
        message: The line, without its end.
    """
    if sys.stderr is None:
        return
    try:
        message = show_name(message)
    except UnicodeEncodeError:  # half a character, of a server's text say
        message = message.encode("utf-8", "backslashreplace").decode("utf-8")
    try:
        sys.stderr.write(f"real: {message}\n")
        sys.stderr.flush()
    except OSError:
        silence(2)  # that nothing can be told is no reason to stop


def silence(descriptor: int) -> None:
    """Give a standard stream that cannot be written, and what is still in its buffer, somewhere to go.

    Args:
        descriptor: 1 or 2.
    """
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, descriptor)
    os.close(null)


def speaker(quiet: bool) -> Callable[[str], None]:
    """Choose what is told to a user.

    Args:
        quiet: Whether they want to hear nothing.

    Returns:
        `say`, or a function that says nothing.
    """
    return (lambda message: None) if quiet else say


class Counter:
    """A live counter of records, shown only where standard error is a terminal and the user wants to hear."""

    def __init__(self, what: str, *, quiet: bool, total: int | None = None) -> None:
        self.num_done = 0
        self._started = time.monotonic()
        self._progress: Progress | None = None
        if not quiet and sys.stderr is not None and sys.stderr.isatty():
            self._progress = _terminal_progress(what, total)
            self._task = self._progress.add_task(what, total=total)

    def __enter__(self) -> Self:
        if self._progress:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress:
            self._progress.stop()

    def add(self, count: int = 1) -> None:
        """Count records.

        Args:
            count: How many more are done.
        """
        self.num_done += count
        if self._progress:
            self._progress.update(self._task, completed=self.num_done)

    @property
    def elapsed_seconds(self) -> float:
        """Time since the counter was made."""
        return time.monotonic() - self._started


def _terminal_progress(what: str, total: int | None) -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn

    columns: list[ProgressColumn] = [TextColumn(what), TimeElapsedColumn()]
    columns[1:1] = [BarColumn(), MofNCompleteColumn()] if total else [TextColumn("{task.completed:,.0f}")]
    return Progress(*columns, console=Console(stderr=True), transient=True)
