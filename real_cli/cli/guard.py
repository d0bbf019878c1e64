"""The only place where an exception becomes an exit status."""

import errno
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self

import typer

from real_cli.cli.stopping import stop_signals, stopping
from real_cli.errors import RealError, Status, Terminated
from real_cli.io.descriptors import TOO_MANY, more_descriptors
from real_cli.io.parts import must_wait
from real_cli.io.progress import NAME_OF_STDOUT, say
from real_cli.io.standard_input import kept_for_records
from real_cli.io.terminal.stream import silence


def run_guarded(command: Callable[[], Status | None], *, quiet: bool = False) -> None:
    """Run a command; an error prints one line, a closed pipe ends quietly, any status but done raises Exit."""
    if sys.stdout is None:
        say("standard output is closed; send it to /dev/null instead")
        raise typer.Exit(int(Status.failed))
    try:
        with stopping(), kept_for_records(), _notes(quiet=quiet):
            status = command() or Status.done
            flush_stdout()
    except (SystemExit, typer.Exit):
        raise
    except BaseException as error:
        status = _end(error)
    if status is not Status.done:
        raise typer.Exit(int(status))


def _end(error: BaseException) -> Status:
    """Report in one line why a run ended, and return its status; REAL_DEBUG lets a bug's traceback through."""
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
        return tell_fault(error)
    first = " ".join(str(error).strip().splitlines()[:1])
    if isinstance(error, MemoryError) or any(words in str(error) for words in OUT_OF_MEMORY):
        say("out of memory; lower --batch-tokens or --max-length, or free some")
    elif isinstance(error, RecursionError):
        say("something that was read is nested without end; see REAL_DEBUG=1 for where")
    elif type(error).__name__ == "PanicException":  # a panic of the tokenizers library, which is in Rust
        say("the model's tokenizer gave up on a text; its tokenizer.json has a pattern that takes too long")
    elif "surrogates not allowed" in first:  # they come from the command line, since JSON that was read holds none
        say("an argument is not UTF-8 and names no file; write it as UTF-8")
        return Status.usage
    elif os.environ.get("REAL_DEBUG"):
        raise error
    else:  # a bug of ours or of a library: one line for the user, a traceback with REAL_DEBUG
        say(f"{type(error).__name__}: {first}; this is a bug: REAL_DEBUG=1 shows where")
    return Status.failed


# How allocators and the loader of shared libraries report that memory is exhausted.
OUT_OF_MEMORY = ("can't allocate memory", "failed to map segment", "annot allocate memory")


class StopRequest:
    """Turn the first SIGINT, SIGTERM or SIGHUP into a request for an orderly stop; the second stops at once."""

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
            if must_wait(signum):
                return
            raise KeyboardInterrupt if signum == signal.SIGINT else Terminated
        self.signum = signum

    def __bool__(self) -> bool:
        return self.signum != 0

    @property
    def status(self) -> Status:
        """The exit status of the signal."""
        statuses = {0: Status.done, signal.SIGINT: Status.interrupted}
        return statuses.get(self.signum, Status.terminated)


class _Notes(logging.Handler):
    """Prints notes about models, each line once a run."""

    def __init__(self) -> None:
        super().__init__()
        self._heard: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if message not in self._heard:
            self._heard.add(message)
            say(message)


@contextmanager
def _notes(*, quiet: bool) -> Iterator[None]:
    """Print the notes that modules below the command line log; discard what libraries log."""
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


ADVICE = {
    errno.ENOSPC: "make room, or name another place",
    errno.EDQUOT: "make room, or name another place",
    errno.EMFILE: "allow more: ulimit -n {more}",
    errno.ENFILE: "close some in other programs",
}


def tell_fault(error: OSError) -> Status:
    """Report an error of the system in one line; return its exit status."""
    where = f"{error.filename}: " if error.filename and error.errno not in TOO_MANY else ""
    advice = f"; {ADVICE[error.errno].format(more=more_descriptors())}" if error.errno in ADVICE else ""
    _silence_stdout()
    say(f"{where}{error.strerror or error}{advice}")
    return Status.failed


def flush_stdout() -> None:
    """Flush standard output; an error names it."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError as error:
        error.filename = NAME_OF_STDOUT
        raise


def keep_standard_descriptors() -> None:
    """Open the standard streams that the caller closed, on the null device.

    Otherwise a file of ours takes the descriptor of one, and what a library writes to standard error ends up in it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free descriptor


def _silence_stdout() -> None:
    """Give the interpreter's last flush somewhere to go, since the reader is gone or the device full."""
    try:
        silence(sys.stdout.fileno())
    except (OSError, ValueError, AttributeError):
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - lives as long as the process
