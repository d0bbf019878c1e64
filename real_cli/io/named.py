"""Files whose errors carry their name, which Python leaves out where writing fails, on a full disk, say."""

import io
import tempfile
from collections.abc import Callable
from os import dup
from pathlib import Path
from typing import IO, Any, TypeVar

from real_cli.io.descriptors import need_descriptors

Made = TypeVar("Made")
# The file, and its copy.
NUM_DESCRIPTORS = 2


class NamedFile(io.FileIO):
    """An unbuffered file whose write and close errors carry its name."""

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
    """Open a file for writing, buffered, by its name or by a descriptor, which closes with it."""
    return io.BufferedWriter(NamedFile(file, mode, shown))


def open_spool() -> IO[bytes]:
    """Open a temporary file without a name: however the run ends, nothing is left of it."""
    need_descriptors(NUM_DESCRIPTORS)  # without any, tempfile says that there is no folder for it
    with tempfile.TemporaryFile(prefix="real-", buffering=0) as file:
        shown = f"{tempfile.gettempdir()} (TMPDIR)"
        return io.BufferedRandom(NamedFile(dup(file.fileno()), "w+b", shown))
