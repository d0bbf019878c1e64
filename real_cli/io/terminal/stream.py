"""Standard error as libraries see it: a terminal obeys nothing of it, and gets none while a question stands."""

import io
import os
import signal
import sys
import threading
import time
from typing import TextIO

from real_cli.io.parts import STOPS
from real_cli.io.terminal_lock import is_terminal_drawn, writing_turn
from real_cli.text.terminal_safe import printable_lines

CLEAR_LINE = "\r\x1b[2K"
# How often it is asked whether a question is gone.
LOOK_SECONDS = 0.05
# A signal ends the question too, so that lines wait for it a moment longer and no more.
LAST_WAIT_SECONDS = 1.0


class PrintableStream(io.TextIOWrapper):
    """Standard error for libraries: a terminal shows everything that they write and obeys none of it.

    Attributes:
        obeyed: The stream below, for our own lines and tables.
        mutex: Held while something is written to either.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream.buffer, stream.encoding, "backslashreplace", line_buffering=True)
        self.obeyed = stream
        self.mutex = threading.RLock()
        self._kept: list[str] = []
        self._is_waiting = False
        self._begins_line = True

    def write(self, text: str) -> int:
        """Write text in printable form; while a question stands on the terminal it is kept until that is gone."""
        if not isinstance(text, str):  # Click writes b"" to ask whether a stream takes bytes
            raise TypeError("text is needed")
        shown = printable_lines(text)
        if not self.isatty():
            super().write(shown)
        elif shown:
            with self.mutex:
                self._kept.append(shown)
                if not self.write_kept() and not self._is_waiting:
                    self._is_waiting = True
                    threading.Thread(target=self._wait, daemon=True).start()
        return len(text)

    def write_kept(self, *, at_once: bool = False) -> bool:
        """Write what was kept unless a question stands; tell whether nothing is left."""
        if not self._kept:
            return True
        with self.mutex, writing_turn() as is_free:
            if self._kept and (is_free or at_once):
                text = "".join(self._kept)
                # What another command draws ends in no newline.
                super().write((CLEAR_LINE if self._begins_line and is_terminal_drawn() else "") + text)
                self.flush()
                self._kept.clear()
                self._begins_line = text.endswith("\n")
            return not self._kept

    @property
    def begins_line(self) -> bool:
        """Whether what is written next begins a line."""
        return self._begins_line

    def _wait(self) -> None:
        while not self.write_kept():
            time.sleep(LOOK_SECONDS)
        self._is_waiting = False


def write_what_waits() -> None:
    """Write the lines that a question holds back, before the process ends. Nobody up or down the pipe waits for it."""
    stream = sys.stderr
    if not isinstance(stream, PrintableStream) or stream.write_kept():
        return
    silence(0)
    silence(1)
    signals: list[float] = []
    for number in STOPS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: signals.append(time.monotonic()))
    while not stream.write_kept(at_once=bool(signals) and time.monotonic() > signals[0] + LAST_WAIT_SECONDS):
        time.sleep(LOOK_SECONDS)


def silence(descriptor: int) -> None:
    """Point a standard stream, which nobody reads any more, at nothing."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, descriptor)
    os.close(null)
