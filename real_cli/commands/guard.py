"""The one place where an exception becomes an exit status."""

import functools
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import ParamSpec, Self, cast

import typer

from real_cli.commands.stopping import stop_signals, stopping
from real_cli.errors import RealError, Status, Terminated
from real_cli.models.resolve import name_base
from real_cli.streams.progress import say
from real_cli.streams.standard_input import kept_for_records

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
        if sys.stdout is None:
            say("standard output is closed; send it to /dev/null instead")
            raise typer.Exit(int(Status.failed))
        try:
            with stopping(), kept_for_records(), _notes(quiet=bool(kwargs.get("quiet"))):
                name_base(cast(str | None, kwargs.get("base")))
                status = command(*args, **kwargs) or Status.done
                sys.stdout.flush()
        except (SystemExit, typer.Exit):
            raise
        except BaseException as error:
            status = _end(error)
        if status is not Status.done:
            raise typer.Exit(int(status))

    return run


def _end(error: BaseException) -> Status:
    """Say in one line why a run ended, and return its status; a fault of ours is raised if REAL_DEBUG asks for it."""
    if isinstance(error, BrokenPipeError):
        _silence_stdout()
        return Status.done
    if isinstance(error, RealError | Terminated):
        say(str(error))
        return error.status
    if isinstance(error, KeyboardInterrupt):
        say("interrupted")
        return Status.interrupted
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        say(f"{where}{error.strerror or error}")
        return Status.failed
    first = " ".join(str(error).strip().splitlines()[:1])
    if isinstance(error, MemoryError) or "can't allocate memory" in first:
        say("no memory is left; lower --batch-tokens or --max-length, or make room")
    elif type(error).__name__ == "PanicException":  # how the tokenizers library, which is in Rust, gives up
        say("the model's tokenizer gave up on a text; its tokenizer.json has a pattern that takes too long")
    elif os.environ.get("REAL_DEBUG"):
        raise error
    else:  # a fault of ours or of a library: one line for the user, everything for whoever asks
        say(f"{type(error).__name__}: {first}; this is a bug: REAL_DEBUG=1 shows where")
    return Status.failed


class StopRequest:
    """Turn the first SIGINT, SIGTERM or SIGHUP into a wish to stop in good order; the second one stops at once."""

    def __init__(self) -> None:
        self.signum = 0

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._note) for number in stop_signals()}
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, signum: int, frame: FrameType | None) -> None:
        if self.signum:
            raise KeyboardInterrupt if signum == signal.SIGINT else Terminated
        self.signum = signum

    def __bool__(self) -> bool:
        return self.signum != 0

    @property
    def status(self) -> Status:
        """The exit status that the signal leaves."""
        statuses = {0: Status.done, signal.SIGINT: Status.interrupted}
        return statuses.get(self.signum, Status.terminated)


class _Notes(logging.Handler):
    """Says what is told of a model, each line once a run."""

    def __init__(self) -> None:
        super().__init__()
        self._told: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if message not in self._told:
            self._told.add(message)
            say(message)


@contextmanager
def _notes(*, quiet: bool) -> Iterator[None]:
    """Hear what modules below the command line tell the user; what libraries log is heard by nobody."""
    notes, handler, silent = logging.getLogger("real_cli.notes"), _Notes(), logging.NullHandler()
    notes.setLevel(logging.CRITICAL if quiet else logging.INFO)
    notes.propagate = False
    notes.addHandler(handler)
    logging.getLogger().addHandler(silent)
    try:
        yield
    finally:
        notes.removeHandler(handler)
        logging.getLogger().removeHandler(silent)


def _silence_stdout() -> None:
    """Give the interpreter's last flush somewhere to go; the reader is gone."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - lives as long as the process
