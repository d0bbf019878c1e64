"""Whose turn it is on a terminal that several commands of a pipe share: a question goes before everything else.

Locks are on files in a private folder, named after the terminal; the system frees them however a process ends.
"""

import contextlib
import fcntl
import os
import stat
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

CONTROLLING_TERMINAL = "/dev/tty"
# Where a folder of ours may be made. Not the home, which may be read-only, nor a folder that one command of a pipe
# may be told of and another not, as long as /tmp can be used.
PLACES = ("/tmp", "/var/tmp", "/dev/shm")
ASKED, DRAWN = "asked", "drawn"
# Who wants to draw, the least urgent first: who works goes before who waits for records, and the last of a pipe before
# the others that do the same.
CLAIMS = ("waits", "last-waits", "works", "last-works")
# A second question at the same terminal does not wait longer for the first: whoever answers sees both.
LONGEST_WAIT_SECONDS = 1.0
RETRY_SECONDS = 0.01
# Linux, from asm-generic/ioctls.h: the device behind /dev/tty, which has a number of its own.
TIOCGDEV = 0x80045432


@contextmanager
def terminal_question() -> Iterator[None]:
    """Keep other commands on this process's controlling terminal silent while a question stands on it.

    Leave it while the command is stopped (Ctrl-Z): what the user starts meanwhile would stay silent too.
    A terminal without locks is asked all the same.
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            terminal = os.open(CONTROLLING_TERMINAL, os.O_RDWR | os.O_NOCTTY)
            stack.callback(os.close, terminal)
            descriptor = open_terminal_lock(terminal, ASKED)
            stack.callback(os.close, descriptor)
            deadline = time.monotonic() + LONGEST_WAIT_SECONDS
            while not is_locked_now(descriptor, fcntl.LOCK_EX) and time.monotonic() < deadline:
                time.sleep(RETRY_SECONDS)
        yield


def is_terminal_asked() -> bool:
    """Tell whether a question stands on the terminal of standard error, or else on the controlling terminal."""
    with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
        terminal = 2
        if not os.isatty(2):
            terminal = os.open(CONTROLLING_TERMINAL, os.O_RDWR | os.O_NOCTTY)
            stack.callback(os.close, terminal)
        return _is_held(terminal, ASKED)
    return False


@contextmanager
def writing_turn() -> Iterator[bool]:
    """Keep questions off while something is written to standard error; False where one stands already."""
    with contextlib.ExitStack() as stack:
        is_free = True
        with contextlib.suppress(OSError):
            descriptor = open_terminal_lock(2, ASKED)
            stack.callback(os.close, descriptor)
            is_free = is_locked_now(descriptor, fcntl.LOCK_SH)
        yield is_free


def is_terminal_drawn() -> bool:
    """Tell whether a command draws its progress on the terminal of standard error."""
    with contextlib.suppress(OSError):
        return _is_held(2, DRAWN)
    return False


class DrawingTurn:
    """The right to draw on the terminal of standard error: of a pipe's commands that work the last, or else the first.

    Where all of them wait for records, the last of those.
    """

    def __init__(self, *, is_last: bool) -> None:
        self._is_last = is_last
        self._locks: dict[str, int] = {}

    def is_ours(self, *, waits: bool = False) -> bool:
        """Take the turn if it is free; give it back where a question stands or a command with a better claim wants it.

        `waits` tells that this command has nothing to do until its input gives more.
        """
        rank = 2 * (not waits) + self._is_last
        with contextlib.suppress(OSError):
            for name in set(self._locks) - {CLAIMS[rank], DRAWN}:
                self._free(name)
            if _is_held(2, ASKED):
                self._free(DRAWN)
                return False
            if any(_is_held(2, name) for name in CLAIMS[rank + 1 :]):
                self.end()
                return False
            return self._take(CLAIMS[rank]) and self._take(DRAWN)
        return True  # nobody else can be asked

    def end(self) -> None:
        """Let others draw."""
        for name in list(self._locks):
            self._free(name)

    def _take(self, name: str) -> bool:
        if name in self._locks:
            return True
        descriptor = open_terminal_lock(2, name)
        if is_locked_now(descriptor, fcntl.LOCK_EX):
            self._locks[name] = descriptor
            return True
        os.close(descriptor)
        return False

    def _free(self, name: str) -> None:
        if name in self._locks:
            os.close(self._locks.pop(name))


def open_terminal_lock(terminal: int, name: str) -> int:
    """Open the file of a lock of some terminal; OSError where no folder for it can be trusted."""
    folder = _open_private_folder()
    try:
        path = f"{_terminal_key(terminal)}-{name}"
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder)
    finally:
        os.close(folder)


def is_locked_now(descriptor: int, kind: int) -> bool:
    """Try to lock an open file; False where another process, or another descriptor, holds it."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_held(terminal: int, name: str) -> bool:
    descriptor = open_terminal_lock(terminal, name)
    try:
        return not is_locked_now(descriptor, fcntl.LOCK_SH)  # shared: two that look do not see each other
    finally:
        os.close(descriptor)


def _open_private_folder() -> int:
    """Open the folder of this user's locks: nobody else may have made it, reach into it or put a link there."""
    user = os.geteuid()
    problem = OSError(f"none of {', '.join(PLACES)} can be used")
    for place in PLACES:
        path = os.path.join(place, f"real-terminals-{user}")
        try:
            with contextlib.suppress(FileExistsError):
                os.mkdir(path, 0o700)
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            problem = error
            continue
        status = os.fstat(descriptor)
        if status.st_uid == user and not stat.S_IMODE(status.st_mode) & 0o077:
            return descriptor
        os.close(descriptor)
    raise problem


def _terminal_key(terminal: int) -> str:
    """Name a terminal alike in every process that has it open, by whatever path."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            (number,) = struct.unpack("I", fcntl.ioctl(terminal, TIOCGDEV, bytes(4)))
            return f"device-{number}"
    return f"session-{os.getsid(0)}"  # it has one terminal at most
