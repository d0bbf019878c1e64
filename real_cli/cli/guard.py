"""The one place where an exception becomes an exit status."""

import functools
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import ParamSpec, Self

import typer

from real_cli.errors import RealError, Status, Terminated
from real_cli.io.progress import say

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
            sys.stdout.flush()
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
            where = f"{error.filename}: " if error.filename else ""
            say(f"{where}{error.strerror or error}")
            status = Status.failed
        except Exception as error:
            # A fault of ours or of a library: one line for the user, everything for whoever asks.
            if os.environ.get("REAL_DEBUG"):
                raise
            first = str(error).strip().splitlines()[:1]
            say(f"{type(error).__name__}: {' '.join(first)}; this is a bug: REAL_DEBUG=1 shows where")
            status = Status.failed
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


def _silence_stdout() -> None:
    """Give the interpreter's last flush somewhere to go; the reader is gone."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - lives as long as the process
