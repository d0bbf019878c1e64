"""The person's terminal, /dev/tty: keys in, a screen out, all settings restored at the end.

Standard input and output belong to the pipe and are not touched.
"""

import codecs
import contextlib
import os
import select
import signal
import termios
import tty
from collections import deque
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, Self

from real_cli.errors import RealError

# Ours: prompt_toolkit brings its own event loop and widgets, and readchar reads standard input alone.
DEVICE = "/dev/tty"
# Alternate screen, no cursor, no line wrapping, bracketed paste; and back.
ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?2004h"
LEAVE = "\x1b[?2004l\x1b[?7h\x1b[?25h\x1b[?1049l"
PASTE_BEGINS, PASTE_ENDS = "\x1b[200~", "\x1b[201~"
# A key with this prefix is a pasted text, which is no answer whatever letters it holds.
PASTED = "pasted:"
ESCAPE = "\x1b"
# How long to wait for the rest of an escape sequence, over ssh too, before it is the Escape key.
ESCAPE_SECONDS = 0.1
SEQUENCES = {
    **{f"\x1b{kind}{letter}": name for kind in "[O" for letter, name in zip(
        "ABCDHF", ("up", "down", "right", "left", "home", "end"), strict=True)},
    "\x1b[5~": "page-up",
    "\x1b[6~": "page-down",
    "\x1b[1~": "home",
    "\x1b[4~": "end",
}  # fmt: skip
NAMES = {"\r": "enter", "\n": "enter", "\x7f": "backspace", "\x08": "backspace", ESCAPE: "escape"}
SIGNALS: dict[int, str] = {signal.SIGWINCH: "resize", signal.SIGINT: "interrupt", signal.SIGHUP: "hangup"}
LONGEST_SEQUENCE = 16


class Hangup(RealError):
    """The terminal is gone."""


class Terminal:
    """The terminal opened for keys and a screen; restored however the run ends."""

    def __init__(self) -> None:
        self._keys: deque[str] = deque()
        self._text = ""
        self._pasted: str | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._events: set[str] = set()
        self._wake_read, self._wake_write = os.pipe()
        for end in (self._wake_read, self._wake_write):
            os.set_blocking(end, False)

    def __enter__(self) -> Self:
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
        for descriptor in (self._tty, self._wake_read, self._wake_write):
            os.close(descriptor)

    def _open_screen(self) -> None:
        with contextlib.suppress(termios.error):  # if the terminal is gone, writing reports it
            tty.setcbreak(self._tty, termios.TCSADRAIN)
        self.write(ENTER)

    def _close_screen(self) -> None:
        with contextlib.suppress(Hangup):
            self.write(LEAVE)
        with contextlib.suppress(termios.error):
            termios.tcsetattr(self._tty, termios.TCSADRAIN, self._settings)

    def _note(self, signum: int, frame: FrameType | None) -> None:
        self._events.add(SIGNALS[signum])

    def _suspend(self, signum: int, frame: FrameType | None) -> None:
        """Restore the terminal for the shell; take it again and redraw when the run continues."""
        self._close_screen()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._suspend)
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
        self._keys.clear()
        self._text = ""
        with contextlib.suppress(termios.error):
            termios.tcflush(self._tty, termios.TCIFLUSH)

    def next_key(self, others: Sequence[int] = ()) -> str:
        """Wait for a key, a signal, or one of the other descriptors.

        Returns a character, the name of a key or a signal such as "page-down" or "resize", PASTED and a pasted text, or
        "" when another descriptor is readable.
        """
        while True:
            if "hangup" in self._events:
                raise Hangup("the terminal was closed")
            for event in ("interrupt", "resize"):
                if event in self._events:
                    self._events.discard(event)
                    return event
            if self._keys:
                return self._keys.popleft()
            wait = ESCAPE_SECONDS if self._text else None
            ready, _, _ = select.select([self._tty, self._wake_read, *others], [], [], wait)
            if self._wake_read in ready:
                os.read(self._wake_read, 1024)
            elif self._tty in ready:
                self._read()
            elif ready:
                return ""
            else:
                self._take_keys(is_whole=True)

    def _read(self) -> None:
        try:
            data = os.read(self._tty, 1024)
        except OSError:
            data = b""
        if not data:
            raise Hangup("the terminal was closed")
        self._text += self._decoder.decode(data)
        self._take_keys(is_whole=False)

    def _take_keys(self, *, is_whole: bool) -> None:
        while self._text:
            length = key_length(self._text)
            if length is None and not is_whole:
                return
            key, self._text = self._text[: length or 1], self._text[length or 1 :]
            if self._is_pasted(key):
                continue
            name = SEQUENCES.get(key) or NAMES.get(key) or (key if key.isprintable() else "")
            if name:
                self._keys.append(name)

    def _is_pasted(self, key: str) -> bool:
        """Collect the text between the marks of a paste, to make one key of it when it ends."""
        if key == PASTE_BEGINS:
            self._pasted = ""
        elif self._pasted is None:
            return False
        elif key == PASTE_ENDS:
            self._keys.append(PASTED + self._pasted)
            self._pasted = None
        else:
            self._pasted += key
        return True


def key_length(text: str) -> int | None:
    """Return the length of the first key typed; None while an escape sequence may continue."""
    if not text.startswith(ESCAPE):
        return 1
    if len(text) == 1:
        return None
    if text[1] == "O":
        return 3 if len(text) > 2 else None
    if text[1] != "[":
        return 1
    for length, character in enumerate(text[2:LONGEST_SEQUENCE], 3):
        if "@" <= character <= "~":
            return length
    return None if len(text) < LONGEST_SEQUENCE else LONGEST_SEQUENCE
