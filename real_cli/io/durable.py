"""Files that are whole or absent, whatever ends the process or the machine."""

import contextlib
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from real_cli.errors import RealError

# Ours: atomicwrites is archived, and no maintained library locks the part, holds signals or keeps mode and owner.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def told_if_full(path: Path) -> Iterator[None]:
    """Name the place that has no room: the system names none once a file is open."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL or error.filename is not None:
            raise
        raise RealError(f"{path}: cannot be written: {os.strerror(error.errno)}; make room and run again") from None


def write_whole(path: Path, data: bytes) -> None:
    """Write a file beside its name, which it takes once it is on the disk."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(data)
        sync(part)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    part.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Have the system put a file or a folder on the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        if path.is_dir():
            with contextlib.suppress(OSError):  # some file systems cannot
                os.fsync(number)
        else:
            os.fsync(number)
    finally:
        os.close(number)


def sync_all(folder: Path) -> None:
    """Have the system put a folder's contents on the disk."""
    for path in sorted(folder.rglob("*"), reverse=True):
        sync(path)
    sync(folder)
