"""The person's terminal, /dev/tty: keys in, a screen out, all settings restored at the end.

Standard input and output belong to the pipe and are not touched.

Ours, although prompt_toolkit draws screens too: it writes what it believes has changed, cell by cell, and believes one
width of emoji. On a terminal of another opinion a scrolled response showed an emoji that it does not have (tried with
3.0.53). Here each row is erased and written whole at its own position. A stop from outside (`kill -TSTP`) and a lost
connection, where prompt_toolkit leaves the terminal raw, need handlers of our own in any case.
"""

import contextlib
import os
import select
import signal
import termios
import tty
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, Self

from real_cli.errors import RealError
from real_cli.io.terminal.line import DUMB_TERMINALS
from real_cli.io.terminal_lock import terminal_question
from real_cli.relabel.human.keys import KeyReader

DEVICE = "/dev/tty"
# Alternate screen, no cursor, no line wrapping, bracketed paste; and back.
ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?2004h"
LEAVE = "\x1b[?2004l\x1b[?7h\x1b[?25h\x1b[?1049l"
SIGNALS: dict[int, str] = {
    signal.SIGWINCH: "resize",
    signal.SIGINT: "interrupt",
    signal.SIGQUIT: "interrupt",  # Ctrl-\, which would leave the terminal as it is
    signal.SIGHUP: "hangup",
}


class Hangup(RealError):
    """The terminal is gone."""


class Terminal:
    """The terminal opened for keys and a screen; restored however the run ends."""

    def __init__(self) -> None:
        self._reader = KeyReader()
        self._events: set[str] = set()
        self._is_open = False
        self._lock = contextlib.ExitStack()
        self._wake_read, self._wake_write = os.pipe()
        for end in (self._wake_read, self._wake_write):
            os.set_blocking(end, False)

    def __enter__(self) -> Self:
        if (kind := os.environ.get("TERM")) in DUMB_TERMINALS:
            raise RealError(f"no screen to ask on (TERM={kind}); name your terminal in TERM, or --export writes files")
        try:
            self._tty = os.open(DEVICE, os.O_RDWR | os.O_NOCTTY)
            self._settings = termios.tcgetattr(self._tty)
        except (OSError, termios.error) as error:
            reason = getattr(error, "strerror", None) or error.args[-1]
            raise RealError(
                f"no terminal to ask on ({DEVICE}: {reason}); --export writes files for other tools"
            ) from None
        handlers: dict[int, Callable[[int, FrameType | None], Any]] = dict.fromkeys(SIGNALS, self._note)
        handlers[signal.SIGTSTP] = self._suspend
        self._before: dict[int, Any] = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        # A signal may reach the thread that reads the pipe; this wakes the thread that waits for keys.
        self._wakeup_before = signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        try:
            self._take_keys()
            self._open_screen()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None = None, *error: object) -> None:
        if kind is Hangup:  # a late SIGHUP must not stop the writing of what is answered
            self._before[signal.SIGHUP] = signal.SIG_IGN
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        self._close_screen()
        self._leave_keys()
        for descriptor in (self._tty, self._wake_read, self._wake_write):
            os.close(descriptor)

    def _take_keys(self) -> None:
        with contextlib.suppress(termios.error):  # if the terminal is gone, writing reports it
            tty.setcbreak(self._tty, termios.TCSADRAIN)

    def _leave_keys(self) -> None:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(self._tty, termios.TCSADRAIN, self._settings)

    def _open_screen(self) -> None:
        if not self._is_open:
            self._is_open = True
            self._lock.enter_context(terminal_question())
            self.write(ENTER)

    def _close_screen(self) -> None:
        if self._is_open:
            self._is_open = False
            with contextlib.suppress(Hangup):
                self.write(LEAVE)
        self._lock.close()

    def _note(self, signum: int, frame: FrameType | None) -> None:
        self._events.add(SIGNALS[signum])

    def _suspend(self, signum: int, frame: FrameType | None) -> None:
        """Restore the terminal for the shell; take it again and redraw when the run continues."""
        was_open = self._is_open
        self._close_screen()
        self._leave_keys()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._suspend)
        self._take_keys()
        if was_open:
            self._open_screen()
        self._note(signal.SIGWINCH, frame)

    @property
    def size(self) -> tuple[int, int]:
        """The current columns and lines."""
        try:
            columns, lines = os.get_terminal_size(self._tty)
        except OSError:
            columns, lines = 0, 0
        return columns or 80, lines or 24

    def draw(self, rows: Sequence[str]) -> None:
        """Write every row of the window; others on the terminal are silent from now on."""
        self._open_screen()
        # Erased first: after its last column is written, an erasure would take the last character with it.
        self.write("".join(f"\x1b[{number};1H\x1b[0m\x1b[K{row}" for number, row in enumerate(rows, 1)) + "\x1b[0m")

    def yield_screen(self, line: str = "") -> None:
        """Leave the terminal to other commands of the pipe until the next `draw`; keys still arrive."""
        if self._is_open:
            self._close_screen()
            self.write(f"{line}\r\n" if line else "")

    def write(self, text: str) -> None:
        """Write text and escape sequences to the screen."""
        data = text.encode("utf-8", "replace")
        try:
            while data:
                data = data[os.write(self._tty, data) :]
        except OSError:
            raise Hangup("the terminal was closed") from None

    def forget_keys(self) -> None:
        """Discard what was typed before a question was on the screen, since it was not meant for it."""
        self._reader.forget()
        with contextlib.suppress(termios.error):
            termios.tcflush(self._tty, termios.TCIFLUSH)

    def next_key(self, others: Sequence[int] = (), patience: float | None = None, *, is_note: bool = False) -> str:
        """Wait for a key (of a note, or of a question), a signal, or another descriptor, at most `patience` seconds.

        Returns a character, the name of a key or a signal such as "page-down" or "resize", PASTED and a pasted text, or
        "" when another descriptor is readable or nothing came in time.
        """
        self._reader.is_note = is_note
        while True:
            if "hangup" in self._events:
                raise Hangup("the terminal was closed")
            for event in ("interrupt", "resize"):
                if event in self._events:
                    self._events.discard(event)
                    return event
            if self._reader.keys:
                return self._reader.keys.popleft()
            wait = self._reader.patience if self._reader.is_open else patience
            ready, _, _ = select.select([self._tty, self._wake_read, *others], [], [], wait)
            if self._wake_read in ready:
                os.read(self._wake_read, 1024)
            elif self._tty in ready:
                self._read()
            elif self._reader.is_open and not self._reader.patience:  # though a busy pipe goes on waking this
                self._reader.settle()
            elif ready or not self._reader.is_open:
                return ""

    def _read(self) -> None:
        try:
            data = os.read(self._tty, 1024)
        except OSError:
            data = b""
        if not data:
            raise Hangup("the terminal was closed")
        self._reader.feed(data)
