"""Files that are whole or not there, whatever ends the process or the machine."""

import contextlib
import os
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Write a file beside its name; it takes the name once it is on the disk."""
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
            with contextlib.suppress(OSError):  # some file systems know no such thing
                os.fsync(number)
        else:
            os.fsync(number)
    finally:
        os.close(number)


def sync_all(folder: Path) -> None:
    """Have the system put all that is in a folder on the disk."""
    for path in sorted(folder.rglob("*"), reverse=True):
        sync(path)
    sync(folder)
