"""What is said about a run, on standard error: a counter while it works, one line at its end."""

import io
import os
import sys
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from real_cli.errors import show_name
from real_cli.text.terminal_safe import printable_line, printable_lines

if TYPE_CHECKING:
    from rich.progress import Progress

NAME_OF_STDOUT = "standard output"


class PrintableStream(io.TextIOWrapper):
    """Standard error for libraries: a terminal shows all that they write, and obeys none of it."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream.buffer, stream.encoding, "backslashreplace", line_buffering=True)
        self.obeyed = stream

    def write(self, text: str) -> int:
        """Write text as it can be shown."""
        if not isinstance(text, str):  # Click asks by writing b"" whether a stream takes bytes
            raise TypeError("text is needed")
        super().write(printable_lines(text))
        return len(text)


def make_stderr_printable() -> None:
    """Let nothing that is written to standard error from now on be obeyed by a terminal."""
    if sys.stderr is None:  # it was closed: what would be said is said to nobody
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - lives as long as the process
    if hasattr(sys.stderr, "buffer") and not isinstance(sys.stderr, PrintableStream):
        sys.stderr = PrintableStream(sys.stderr)


def obeyed_stderr() -> TextIO:
    """Return the stream for what the terminal is to obey: our own bars and tables, printable in every cell."""
    return getattr(sys.stderr, "obeyed", sys.stderr)


def say(message: str) -> None:
    """Write one printable line to standard error.

    Args:
        message: The line, without its end; what a terminal would obey in it is shown.
    """
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(f"real: {printable_line(show_name(message))}\n")
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


def _terminal_progress(what: str, total: int | None) -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn

    columns: list[ProgressColumn] = [TextColumn(what), TimeElapsedColumn()]
    columns[1:1] = [BarColumn(), MofNCompleteColumn()] if total else [TextColumn("{task.completed:,.0f}")]
    return Progress(*columns, console=Console(file=obeyed_stderr()), transient=True)
