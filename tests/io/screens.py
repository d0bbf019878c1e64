"""A pseudo-terminal that several commands of a pipe write to, and what a person would see on it."""

import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import pyte

DEADLINE_SECONDS = 30
REAL = [sys.executable, "-m", "real_cli"]
TERMINAL = {"TERM": "xterm-256color", "CI": "", "NO_COLOR": "1"}


class SharedScreen:
    """A pseudo-terminal for the standard error of some processes.

    Attributes:
        frames: Each different picture that was seen, as a list of its rows that hold something.
        raw: All bytes that were written.
    """

    def __init__(self, columns=80, rows=24):
        self.master, self.device = os.openpty()
        fcntl.ioctl(self.device, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.frames = []
        self.processes = []

    def start(
        self, words, *, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, settings=None, leads=False, cwd=None
    ):
        """Start a process whose standard error is the terminal; as its leader it may ask on it."""
        process = subprocess.Popen(
            [*words],
            stdin=stdin,
            stdout=stdout,
            stderr=self.device,
            cwd=cwd,
            start_new_session=True,
            preexec_fn=(lambda: fcntl.ioctl(self.device, termios.TIOCSCTTY, 0)) if leads else None,
            env=os.environ | TERMINAL | (settings or {}),
        )
        self.processes.append(process)
        return process

    @property
    def lines(self):
        """The rows that hold something."""
        return [line.rstrip() for line in self.screen.display if line.strip()]

    def read(self, seconds=0.05):
        """Take in what was written."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        if ready:
            data = os.read(self.master, 1 << 16)
            self.raw += data
            # A redraw clears the line first: the picture is looked at when the line is there.
            self.stream.feed(data)
            if not self.frames or self.frames[-1] != self.lines:
                self.frames.append(self.lines)
        return bool(ready)

    def wait_for(self, is_seen):
        """Read until a condition holds."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not is_seen():
            assert time.monotonic() < deadline, f"not seen:\n{self.lines}\n{self.raw[-2000:]!r}"
            self.read()

    def wait_for_words(self, *words):
        """Read until the screen shows some words."""
        self.wait_for(lambda: all(any(word in line for line in self.lines) for word in words))

    def end(self):
        """Wait for all processes; returns their statuses."""
        self.wait_for(lambda: all(process.poll() is not None for process in self.processes))
        while self.read(0.05):
            pass
        return [process.returncode for process in self.processes]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # a shell's commands too
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream:
                    stream.close()
        os.close(self.master)
        os.close(self.device)
