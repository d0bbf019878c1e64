"""A folder that appears whole or not at all."""

import contextlib
import fcntl
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from real_cli.errors import RealError, UsageError
from real_cli.io.durable import sync, sync_all

LOCK = ".part.lock"
OURS = b"of a folder that 'real' writes; gone when it is done\n"


@contextmanager
def open_folder(path: Path) -> Iterator[Path]:
    """Make a folder beside its name; it takes the name at the end.

    Args:
        path: The folder to make; it may be there if it is empty.

    Yields:
        The folder to write into.

    Raises:
        UsageError: If the name is taken.
    """
    path = path.resolve()  # a link stays a link: what it points to is made
    _remove_dead(path)
    if path.exists() and not path.is_dir():
        raise UsageError(f"--output {path}: is a file; a folder is needed")
    if path.is_dir() and any(path.iterdir()):
        raise UsageError(f"--output {path}: is not empty; name another folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked_part(path) as part:
        try:
            yield part
        except OSError as error:
            if error.filename is None or part in Path(error.filename).parents:
                raise RealError(f"--output {path}: cannot be written: {error.strerror or error}") from None
            raise
        sync_all(part)
        os.rename(part, path)
        sync(path.parent)


@contextmanager
def _locked_part(path: Path) -> Iterator[Path]:
    """Make a folder to write in, beside a lock that tells whether whoever made it still lives."""
    lock, number = _new_lock(path)
    part = _part_of(lock)
    try:
        part.mkdir()  # with the mode that the user's umask gives
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)
        lock.unlink(missing_ok=True)
        os.close(number)


def _new_lock(path: Path) -> tuple[Path, int]:
    while True:
        number, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=LOCK, dir=path.parent)
        if _takes(number, Path(name)):
            os.write(number, OURS)
            return Path(name), number
        os.close(number)  # another run took it for that of a dead one, before it was locked


def _remove_dead(path: Path) -> None:
    """Remove what runs for this folder left that were killed: their locks can be taken, and say that they are ours."""
    for lock in path.parent.glob(f".{glob.escape(path.name)}.*{LOCK}"):
        with contextlib.suppress(OSError):
            number = os.open(lock, os.O_RDWR | os.O_NOFOLLOW)
            try:
                content, part = os.read(number, len(OURS) + 1), _part_of(lock)
                # The folder is made when the sentence is written.
                is_ours = content == OURS or (OURS.startswith(content) and not part.exists())
                if is_ours and _takes(number, lock):
                    shutil.rmtree(part, ignore_errors=True)
                    lock.unlink()
            finally:
                os.close(number)


def _takes(number: int, lock: Path) -> bool:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(number), lock.stat())
    except OSError:
        return False


def _part_of(lock: Path) -> Path:
    return lock.with_name(lock.name.removesuffix(LOCK) + ".part")
