"""The line at the bottom of a terminal that shows how far a run is."""

import contextlib
import os
import stat
import sys
import threading
from collections.abc import Callable
from functools import cache
from typing import Any, TextIO

from real_cli.io.terminal.stream import CLEAR_LINE, PrintableStream
from real_cli.io.terminal_lock import DrawingTurn, writing_turn
from real_cli.text.progress_words import RunState, lay_out_progress
from real_cli.text.terminal_safe import printable_line

# A run that ends sooner shows none: reading that a line is there takes longer.
FIRST_SECONDS = 0.5
TICK_SECONDS = 0.25
DUMB_TERMINALS = ("dumb", "unknown")
USUAL_COLUMNS = 80
NO_CI = ("", "0", "false")


def can_show_progress() -> bool:
    """Tell whether standard error is a terminal that a person looks at, and that can clear a line."""
    return (
        sys.stderr is not None
        and sys.stderr.isatty()
        and os.environ.get("TERM", "") not in ("", *DUMB_TERMINALS)
        and os.environ.get("CI", "").lower() in NO_CI
    )


@cache
def is_last_of_pipe() -> bool:
    """Tell whether nobody reads standard output from a pipe; asked before a command points it elsewhere."""
    with contextlib.suppress(OSError):
        mode = os.fstat(1).st_mode
        return not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode))
    return True


class ProgressLine(threading.Thread):
    """Draws how far a run is, a few times a second, when it is this command's turn."""

    def __init__(self, measure: Callable[[], RunState]) -> None:
        super().__init__(daemon=True)
        self._measure = measure
        self._turn = DrawingTurn(is_last=is_last_of_pipe())
        self._ended = threading.Event()
        self._is_shown = False

    def run(self) -> None:
        """Draw until the end."""
        pause = FIRST_SECONDS
        while not self._ended.wait(pause):
            pause = TICK_SECONDS
            try:
                self._show(self._measure())
            except Exception:  # the terminal is gone, say; nothing of this line may spoil the run
                return

    def end(self) -> None:
        """Clear the line, and let another command draw."""
        self._ended.set()
        self.join()
        with contextlib.suppress(OSError, ValueError):
            self._clear()
        self._turn.end()

    def _show(self, state: RunState) -> None:
        with _mutex(), writing_turn() as is_free:
            if not is_free:  # nor may it be cleared: the question's screen is another
                self._turn.is_ours(waits=state.is_waiting)
            elif not self._turn.is_ours(waits=state.is_waiting):
                self._wipe()
            elif getattr(sys.stderr, "begins_line", True):
                self._write(f"{CLEAR_LINE}{_render(state, _stream())}")
                self._is_shown = True

    def _clear(self) -> None:
        with _mutex(), writing_turn() as is_free:
            if is_free:
                self._wipe()

    def _wipe(self) -> None:
        if self._is_shown:
            self._write(CLEAR_LINE)
            self._is_shown = False

    def _write(self, text: str) -> None:
        stream = _stream()
        stream.write(text)
        stream.flush()


def _stream() -> TextIO:
    return sys.stderr.obeyed if isinstance(sys.stderr, PrintableStream) else sys.stderr


def _mutex() -> Any:
    return sys.stderr.mutex if isinstance(sys.stderr, PrintableStream) else contextlib.nullcontext()


def _render(state: RunState, stream: TextIO) -> str:
    """Draw a state in one line that leaves the last column free, where terminals would wrap."""
    from rich.console import Console
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    width = (_columns() or USUAL_COLUMNS) - 1
    before, bar_width, after = lay_out_progress(state, width)
    console = Console(file=stream, width=width, markup=False, highlight=False, emoji=False)
    cells: list[Any] = [Text(_drawable(before, console.encoding))]
    if bar_width:
        cells.append(ProgressBar(total=state.total or 1, completed=state.num_done, width=bar_width))
    cells.append(Text(_drawable(after, console.encoding)))
    grid = Table.grid(padding=(0, 1), pad_edge=False)
    for _ in cells:
        grid.add_column(no_wrap=True, overflow="crop")
    grid.add_row(*cells)
    with console.capture() as capture:
        console.print(grid, end="")
    return capture.get().rstrip("\n").rstrip(" ")


def _drawable(text: str, encoding: str) -> str:
    shown = printable_line(text)
    return shown if encoding.lower().startswith("utf") else shown.replace(" · ", ", ").replace("…", "~")


def _columns() -> int:
    with contextlib.suppress(OSError):
        return os.get_terminal_size(2).columns
    return 0
