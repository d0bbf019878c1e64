"""Where records go: standard output, or a file that appears whole or not at all."""

import contextlib
import errno
import io
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from real_cli.errors import RealError, UsageError
from real_cli.io.descriptors import TOO_MANY
from real_cli.io.jsonl import dump_record
from real_cli.io.locks import lock
from real_cli.io.named import open_named
from real_cli.io.parts import make_part_file, refuse_if_made, signals_wait
from real_cli.io.progress import NAME_OF_STDOUT
from real_cli.records.record import Record

STANDARD_OUTPUT = Path("-")
OWN_DESCRIPTOR = re.compile(r"/dev/(stdout|stderr|fd/(\d+))|/proc/self/fd/(\d+)")


@contextmanager
def open_output(path: Path | None, *, outlives_pipe: bool = False) -> Iterator[IO[bytes]]:
    """Open the place where records go.

    A regular file is written beside its name and takes the name at the end, so that a reader, and make, never see
    half of one. A device or a named pipe is written directly. With `outlives_pipe` the file is kept, as far as it
    goes, when the reader of another output leaves.
    """
    if path is not None and (match := OWN_DESCRIPTOR.fullmatch(str(path))):
        # As a link it leads to an open file, one the shell appends to, say, which must not be replaced.
        number = {"stdout": 1, "stderr": 2}.get(match[1]) or int(match[2] or match[3])
        with standard_output() if number == 1 else _descriptor(path, number) as stream:
            yield stream
        return
    if path is None or path == STANDARD_OUTPUT:
        with standard_output() as stream:
            yield stream
        return
    path = _target(path)
    if path.exists() and not path.is_file():
        with _writable(path):
            stream = open_named(path, "wb", str(path))  # later errors are not about opening
        with stream:
            yield stream
    else:
        with _whole(path, outlives_pipe=outlives_pipe) as stream:
            yield stream


@contextmanager
def open_to_append(path: Path) -> Iterator[IO[bytes]]:
    """Open the output of an earlier run to append to it; no other run may meanwhile."""
    if is_device(path):
        raise UsageError(f"{path}: cannot be read again, to see what is in it; name a file")
    with _writable(path):
        stream = open_named(path, "ab", str(path))
    with stream:
        lock(stream.fileno(), path)
        refuse_if_made(path)
        if not os.path.samestat(os.fstat(stream.fileno()), os.stat(path)):
            raise RealError(f"{path}: another run has just replaced it; run again")
        yield stream


def is_device(path: Path) -> bool:
    """Tell a device, a pipe or a descriptor, which several outputs may share, from a file."""
    return bool(OWN_DESCRIPTOR.fullmatch(str(path))) or (path.exists() and not path.is_file())


def real_path(path: str | Path) -> Path:
    """Follow every link of a path, also where links form a circle and Path.resolve would raise."""
    try:
        return Path(os.path.realpath(path))
    except FileNotFoundError as error:  # no name is at fault: the working folder was removed
        error.filename = "the working folder"
        raise


def _descriptor(path: Path, number: int) -> IO[bytes]:
    with _writable(path):
        try:
            return open_named(os.dup(number), "wb", str(path))
        except OverflowError:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF)) from None


@contextmanager
def _whole(path: Path, *, outlives_pipe: bool) -> Iterator[IO[bytes]]:
    part: Path | None = None
    stream: IO[bytes] | None = None
    kept = contextlib.ExitStack()
    try:
        with _writable(path), signals_wait():  # until there is something to remove
            hold_against_appending(path, kept)
            handle, part = make_part_file(path)
            stream = open_named(handle, "wb", str(path))
        try:
            yield stream
        except BrokenPipeError:
            if outlives_pipe:
                _publish(stream, part, path)
                part = None
            raise
        _publish(stream, part, path)
        part = None
        stream.close()
    finally:
        with contextlib.suppress(OSError):
            if part:  # before the lock goes: then the name may be another run's
                os.unlink(part)
        with contextlib.suppress(OSError):  # the first error has already told what was not written
            if stream:
                stream.close()
        kept.close()


def hold_against_appending(path: Path, kept: contextlib.ExitStack) -> None:
    """Lock a file that is to be replaced: a run that appends would add to what nobody will see."""
    with contextlib.suppress(FileNotFoundError, PermissionError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        kept.callback(os.close, descriptor)
        lock(descriptor, path)


def _publish(stream: IO[bytes], part: Path, path: Path) -> None:
    stream.flush()
    with _writable(path):
        give_mode(stream.fileno(), path, 0o666)
        os.fsync(stream.fileno())
        os.replace(part, path)


def give_mode(descriptor: int, path: Path, mode: int) -> None:
    """Give a private file or folder the mode and owner of what it replaces, else what the umask leaves."""
    try:
        old = os.stat(path)
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        os.fchmod(descriptor, mode & ~umask)
        return
    with contextlib.suppress(OSError):  # only root may give files away
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode) & 0o777)


def _target(path: Path) -> Path:
    """Follow a link, so that it stays a link and its target is written."""
    if not path.is_symlink():
        return path
    with _writable(path):
        target = real_path(path)
        if target.is_symlink():  # what is left of a circle of links
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        return target


@contextmanager
def _writable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in TOO_MANY:
            raise
        raise RealError(f"{path}: {error.strerror or error}") from None


@contextmanager
def standard_output() -> Iterator[IO[bytes]]:
    """Keep standard output for records: what libraries print meanwhile goes to standard error."""
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
    stream = open_named(ours, "wb", NAME_OF_STDOUT)
    try:
        yield stream
        stream.flush()
    finally:
        sys.stdout.flush()
        with contextlib.suppress(OSError):
            os.dup2(ours, 1)
        # The reader may be gone; what the buffer still holds has nowhere to go.
        with contextlib.suppress(OSError):
            stream.close()


def write_stdout(record: Record) -> None:
    """Write one record to standard output."""
    with standard_output() as stream:
        stream.write(dump_record(record))


class LogLines:
    """Lines for whoever reads along; a reader that leaves does not stop the work."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._open = True

    def write(self, record: Record) -> None:
        """Write one line and flush it."""
        if self._open:
            try:
                self._stream.write(dump_record(record))
                self._stream.flush()
            except BrokenPipeError:
                self._open = False
