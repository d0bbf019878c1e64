"""What can go wrong, and the exit status each leaves.

    RealError            1   the run failed
    ├── RecordError      1   one record is bad; `--on-error skip` goes on without it
    ├── ModelError       1   a model cannot be found or loaded
    └── UsageError       2   the command line is wrong

    Terminated         143   SIGTERM or SIGHUP arrived; no `except Exception` takes it

A message says what is wrong, then, after a semicolon, what would be right. The place (file and line) goes in front.
"""

from enum import IntEnum


class Status(IntEnum):
    """Exit statuses, as the man page lists them."""

    done = 0
    failed = 1
    usage = 2
    rejected = 3
    over_limit = 3  # another name: the run is done, and something in the data is not as asked
    interrupted = 130
    terminated = 143


class RealError(Exception):
    """An error with a message for the user and an exit status for the shell."""

    status = Status.failed


class RecordError(RealError):
    """One record cannot be used; the message does not yet say where it stands."""


class ModelError(RealError):
    """A model cannot be found, loaded or used as asked."""


class UsageError(RealError):
    """Options that do not fit together, or a value out of range."""

    status = Status.usage


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP arrived: leave in good order. Event loops let what derives from KeyboardInterrupt through."""

    status = Status.terminated

    def __init__(self) -> None:
        super().__init__("terminated")


def clip(value: object, width: int = 60) -> str:
    """Show a value in a message, cut to one short line.

    Args:
        value: Anything.
        width: Most characters to show.

    Returns:
        The value's repr, at most `width` characters.
    """
    text = repr(value)
    return text if len(text) <= width else text[: width - 3] + "..."
