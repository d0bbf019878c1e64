"""What a run says on standard error: a counter while it works, one line at its end."""

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
    """Standard error for libraries: a terminal shows everything that they write and obeys none of it."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream.buffer, stream.encoding, "backslashreplace", line_buffering=True)
        self.obeyed = stream

    def write(self, text: str) -> int:
        """Write text in printable form."""
        if not isinstance(text, str):  # Click writes b"" to ask whether a stream takes bytes
            raise TypeError("text is needed")
        super().write(printable_lines(text))
        return len(text)


def make_stderr_printable() -> None:
    """Keep a terminal from obeying anything written to standard error from now on."""
    if sys.stderr is None:  # it was closed: nobody listens
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - lives as long as the process
    if hasattr(sys.stderr, "buffer") and not isinstance(sys.stderr, PrintableStream):
        sys.stderr = PrintableStream(sys.stderr)


def obeyed_stderr() -> TextIO:
    """Return the stream that the terminal obeys: for our own bars and tables, printable in every cell."""
    return getattr(sys.stderr, "obeyed", sys.stderr)


def say(message: str) -> None:
    """Write one line to standard error; control characters are shown, not obeyed."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(f"real: {printable_line(show_name(message))}\n")
        sys.stderr.flush()
    except OSError:
        silence(2)  # having nobody to tell is no reason to stop


def silence(descriptor: int) -> None:
    """Point a standard stream that cannot be written, and its buffer, at nothing."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, descriptor)
    os.close(null)


def speaker(quiet: bool) -> Callable[[str], None]:
    """Return `say`, or with `quiet` a function that says nothing."""
    return (lambda message: None) if quiet else say


class Counter:
    """A live counter of records, shown only on a terminal and without --quiet."""

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
        """Count records that are done."""
        self.num_done += count
        if self._progress:
            self._progress.update(self._task, completed=self.num_done)


def _terminal_progress(what: str, total: int | None) -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn

    columns: list[ProgressColumn] = [TextColumn(what), TimeElapsedColumn()]
    columns[1:1] = [BarColumn(), MofNCompleteColumn()] if total else [TextColumn("{task.completed:,.0f}")]
    return Progress(*columns, console=Console(file=obeyed_stderr()), transient=True)
