"""The one place where an exception becomes an exit status."""

import errno
import functools
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import ParamSpec, Self

import typer

from real_cli.errors import RealError, Status, Terminated
from real_cli.io.descriptors import TOO_MANY
from real_cli.io.progress import NAME_OF_STDOUT, say, silence

P = ParamSpec("P")


def guarded(command: Callable[P, Status | None]) -> Callable[P, None]:
    """Wrap a command so that errors print one line and closed pipes end quietly.

    Args:
        command: Returns a status, or None for done.

    Returns:
        The command as Typer calls it.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        signal.signal(signal.SIGTERM, _terminate)
        if sys.stdout is None:
            say("standard output is closed; send it to /dev/null instead")
            raise typer.Exit(int(Status.failed))
        try:
            status = command(*args, **kwargs) or Status.done
            flush_stdout()
        except BrokenPipeError:
            _silence_stdout()
            status = Status.done
        except RealError as error:
            say(str(error))
            status = error.status
        except KeyboardInterrupt:
            say("interrupted")
            status = Status.interrupted
        except OSError as error:
            status = tell_fault(error)
        except Exception as error:
            status = _tell_bug(error)
        if status is not Status.done:
            raise typer.Exit(int(status))

    return run


class StopRequest:
    """Turn the first SIGINT or SIGTERM into a wish to stop in good order; the second one stops at once."""

    def __init__(self) -> None:
        self.signum = 0

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, signum: int, frame: FrameType | None) -> None:
        if self.signum:
            raise KeyboardInterrupt
        self.signum = signum

    def __bool__(self) -> bool:
        return self.signum != 0

    @property
    def status(self) -> Status:
        """The exit status that the signal leaves."""
        statuses = {0: Status.done, signal.SIGINT: Status.interrupted, signal.SIGTERM: Status.terminated}
        return statuses[self.signum]


def _terminate(signum: int, frame: FrameType | None) -> None:
    raise Terminated


def _tell_bug(error: Exception) -> Status:
    """Tell a fault of ours or of a library: one line for the user, everything for whoever asks."""
    if "surrogates not allowed" in str(error):  # JSON that is read holds none: they come from the command line
        say("a text on the command line is not UTF-8, and no name of a file; write it as UTF-8")
        return Status.usage
    if os.environ.get("REAL_DEBUG"):
        raise error
    first = str(error).strip().splitlines()[:1]
    say(f"{type(error).__name__}: {' '.join(first)}; this is a bug: REAL_DEBUG=1 shows where")
    return Status.failed


ADVICE = {
    errno.ENOSPC: "make room, or name another place",
    errno.EDQUOT: "make room, or name another place",
    errno.EMFILE: "allow more: ulimit -n 256",
    errno.ENFILE: "close some in other programs",
}


def tell_fault(error: OSError) -> Status:
    """Tell what the system refused, in one line.

    Args:
        error: The refusal.

    Returns:
        The exit status that it leaves.
    """
    where = f"{error.filename}: " if error.filename and error.errno not in TOO_MANY else ""
    advice = f"; {ADVICE[error.errno]}" if error.errno in ADVICE else ""
    _silence_stdout()
    say(f"{where}{error.strerror or error}{advice}")
    return Status.failed


def flush_stdout() -> None:
    """Write what is still in the buffer of standard output.

    Raises:
        OSError: If it cannot be written; with its name.
    """
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError as error:
        error.filename = NAME_OF_STDOUT
        raise


def keep_standard_descriptors() -> None:
    """Open the standard streams that the caller closed: else a file of ours takes the number of one.

    Whatever a library writes to standard error would go into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free


def _silence_stdout() -> None:
    """Give the interpreter's last flush somewhere to go: the reader is gone, or the device full."""
    try:
        silence(sys.stdout.fileno())
    except (OSError, ValueError, AttributeError):
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - lives as long as the process
