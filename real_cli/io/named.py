"""Files whose faults say their name, which Python leaves out where writing fails: a full disk has a place."""

import io
import tempfile
from collections.abc import Callable
from os import dup
from pathlib import Path
from typing import IO, Any, TypeVar

Made = TypeVar("Made")


class NamedFile(io.FileIO):
    """A file, not buffered; an error of writing or closing it has its name."""

    def __init__(self, file: int | str | Path, mode: str, shown: str) -> None:
        self._shown = shown
        super().__init__(file, mode)

    def write(self, data: Any) -> int:
        """Write some of the data; return how much."""
        return self._with_name(lambda: super(NamedFile, self).write(data))

    def close(self) -> None:
        """Close it; what the system kept back may fail only now."""
        self._with_name(super().close)

    def _with_name(self, work: Callable[[], Made]) -> Made:
        try:
            return work()
        except OSError as error:
            error.filename = error.filename or self._shown
            raise


def open_named(file: int | str | Path, mode: str, shown: str) -> IO[bytes]:
    """Open a file to write, buffered.

    Args:
        file: Its name, or its descriptor, which is closed with it.
        mode: `wb` or `ab`.
        shown: How it is called in messages.

    Returns:
        The file.
    """
    return io.BufferedWriter(NamedFile(file, mode, shown))


def open_spool() -> IO[bytes]:
    """Open a temporary file without a name: however the run ends, nothing is left of it.

    Returns:
        A file to write and to read again.
    """
    with tempfile.TemporaryFile(prefix="real-", buffering=0) as file:
        shown = f"{tempfile.gettempdir()} (TMPDIR)"
        return io.BufferedRandom(NamedFile(dup(file.fileno()), "w+b", shown))
