"""Where records go: standard output, or a file that appears whole or not at all."""

import contextlib
import io
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from real_cli.errors import RealError, UsageError
from real_cli.io.jsonl import dump_record
from real_cli.records.record import Record

STANDARD_OUTPUT = Path("-")
OWN_DESCRIPTOR = re.compile(r"/dev/(stdout|stderr|fd/(\d+))|/proc/self/fd/(\d+)")


@contextmanager
def open_output(path: Path | None, *, outlives_pipe: bool = False) -> Iterator[IO[bytes]]:
    """Open the place where records go.

    A regular file is written beside its name and takes the name at the end, so that a reader, and make, never see half
    of one. A device or a named pipe is written directly.

    Args:
        path: A file, or None or "-" for standard output.
        outlives_pipe: The file is whole, as far as it goes, when the reader of another output leaves.

    Yields:
        A stream of bytes.

    Raises:
        RealError: If the file cannot be written.
    """
    if path is not None and (match := OWN_DESCRIPTOR.fullmatch(str(path))):
        # As a link it leads to a file that is open already: appended to by the shell, say. It must not be replaced.
        number = {"stdout": 1, "stderr": 2}.get(match[1]) or int(match[2] or match[3])
        with standard_output() if number == 1 else _descriptor(path, number) as stream:
            yield stream
        return
    # A link stays a link: what it points to is written.
    path = path.resolve() if path is not None and path.is_symlink() else path
    if path is None or path == STANDARD_OUTPUT:
        with standard_output() as stream:
            yield stream
    elif path.exists() and not path.is_file():
        with _writable(path):
            stream = open(path, "wb")  # noqa: SIM115 - what goes wrong later is not about opening
        with stream:
            yield stream
    else:
        with _whole(path, outlives_pipe=outlives_pipe) as stream:
            yield stream


def is_device(path: Path) -> bool:
    """Tell whether a path is no file that could be replaced: a device, a pipe, a descriptor of ours.

    Args:
        path: Where records are to go.

    Returns:
        True if several outputs may share it.
    """
    return bool(OWN_DESCRIPTOR.fullmatch(str(path))) or (path.exists() and not path.is_file())


def check_outputs(sources: Sequence[str], outputs: Sequence[Path], *, not_sources: Sequence[Path]) -> None:
    """Refuse outputs that would run into each other, or into the input while it is read.

    Args:
        sources: What is read; "-" is standard input.
        outputs: What is written.
        not_sources: Those of the outputs that may be none of the sources.

    Raises:
        UsageError: If two are one file.
    """
    places = _places(outputs)
    for path in places:
        if places.count(path) > 1:
            raise UsageError(f"{path}: is named for two outputs; name another file")
    inputs = {Path(name).resolve() for name in sources if name != str(STANDARD_OUTPUT)}
    for path in not_sources:
        if path == STANDARD_OUTPUT:
            raise UsageError(f"{path}: records go there; name a file")
        if path.resolve() in inputs:
            raise UsageError(f"{path}: is the input; name another file")


def check_side_inputs(outputs: Sequence[Path], also_reads: Iterable[tuple[str, Path | None]]) -> None:
    """Refuse outputs that would replace a file that an option has the command read.

    Args:
        outputs: What is written.
        also_reads: Options and the files they read; None for one that is not given.

    Raises:
        UsageError: If one is written and read.
    """
    places = _places(outputs)
    for option, path in also_reads:
        if path is not None and path.resolve() in places:
            raise UsageError(f"{path}: is what {option} reads; name another file")


def _places(outputs: Sequence[Path]) -> list[Path]:
    return [path.resolve() for path in outputs if path != STANDARD_OUTPUT and not is_device(path)]


def _descriptor(path: Path, number: int) -> IO[bytes]:
    with _writable(path):
        return os.fdopen(os.dup(number), "wb")


@contextmanager
def _whole(path: Path, *, outlives_pipe: bool) -> Iterator[IO[bytes]]:
    with _writable(path):
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        _publish(name, path)
    except BaseException as error:
        if outlives_pipe and isinstance(error, BrokenPipeError):
            _publish(name, path)
            raise
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _publish(name: str, path: Path) -> None:
    # mkstemp makes private files; a result has the mode that the user's umask gives.
    umask = os.umask(0)
    os.umask(umask)
    os.chmod(name, 0o666 & ~umask)
    os.replace(name, path)


@contextmanager
def _writable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RealError(f"{path}: {error.strerror or error}") from None


@contextmanager
def standard_output() -> Iterator[IO[bytes]]:
    """Keep standard output for records: whatever a library prints meanwhile goes to standard error.

    Yields:
        The real standard output, buffered; flushed at the end.
    """
    sys.stdout.flush()
    try:
        shared = sys.stdout.fileno() == 1
    except (io.UnsupportedOperation, ValueError):
        shared = False
    if not shared:  # a test's own stream
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    ours = os.dup(1)
    os.dup2(2, 1)
    stream = os.fdopen(ours, "wb")
    try:
        yield stream
        stream.flush()
    finally:
        sys.stdout.flush()
        with contextlib.suppress(OSError):
            os.dup2(ours, 1)
        # The reader may be gone; what is left in the buffer has nowhere to go.
        with contextlib.suppress(OSError):
            stream.close()


def write_stdout(record: Record) -> None:
    """Write one record to standard output.

    Args:
        record: The record.
    """
    with standard_output() as stream:
        stream.write(dump_record(record))


class LogLines:
    """Lines for whoever reads along; that the reader leaves is no reason to stop working."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._open = True

    def write(self, record: Record) -> None:
        """Write one line and hand it on at once.

        Args:
            record: The line.
        """
        if self._open:
            try:
                self._stream.write(dump_record(record))
                self._stream.flush()
            except BrokenPipeError:
                self._open = False
