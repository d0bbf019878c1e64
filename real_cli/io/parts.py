"""Files and folders under construction: each grows, locked, under a name beside the one it will take.

The name is the same in every run, and no other program uses it: the next run for the same output finds what a killed
run left, sees by the lock that nobody writes it any more, and removes it.
"""

import contextlib
import hashlib
import os
import secrets
import shutil
import signal
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from real_cli.errors import RealError
from real_cli.io.locks import lock

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # signals that end a run
LONGEST_NAME = 255  # bytes, on every file system that people have
NUM_TRIES = 100
FILE_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


class _Waiting:
    """The signals that wait for steps that belong together."""

    depth = 0
    signals: ClassVar[list[int]] = []


@contextmanager
def signals_wait() -> Iterator[None]:
    """Defer signals that stop a run until a few steps that belong together are done.

    The mask is not enough: a signal may reach a library's thread that does not block it, and Python's handler then
    runs in the main thread all the same. A handler that raises asks `must_wait` first.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    _Waiting.depth += 1
    try:
        yield
    finally:
        _Waiting.depth -= 1
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if not _Waiting.depth and _Waiting.signals:
            number = _Waiting.signals[0]
            _Waiting.signals.clear()
            signal.raise_signal(number)


def must_wait(signum: int) -> bool:
    """Tell a handler whether its signal has to wait; it is raised again when its turn comes."""
    if _Waiting.depth:
        _Waiting.signals.append(signum)
    return _Waiting.depth > 0


def part_path(path: Path, token: str = "") -> Path:
    """Name what grows beside an output: hidden, with a digest that nobody else's file has by chance."""
    digest = hashlib.blake2b(os.fsencode(path.name), digest_size=8, person=b"real part").hexdigest()
    end = f".{digest}{token}.part"
    start = os.fsencode(path.name)[: LONGEST_NAME - 1 - len(end)]
    # The cut may fall within a character.
    shown = os.fsdecode(start) if len(start) == len(os.fsencode(path.name)) else start.decode("utf-8", "ignore")
    return path.with_name(f".{shown}{end}")


def make_part_file(path: Path) -> tuple[int, Path]:
    """Make the file that becomes an output, locked and private; returns its descriptor and its name."""
    return _make(path, lambda part: os.open(part, FILE_FLAGS, 0o600))


def make_part_folder(path: Path) -> tuple[int, Path]:
    """Make the folder that becomes an output, locked; returns its descriptor and its name."""

    def create(part: Path) -> int:
        part.mkdir(0o700)
        return os.open(part, os.O_RDONLY | os.O_DIRECTORY)

    return _make(path, create)


def refuse_if_made(path: Path) -> None:
    """Refuse to append to a file that another run is about to replace."""
    with contextlib.suppress(OSError):
        descriptor = _open(part_path(path))
        try:
            lock(descriptor, path)
        finally:
            os.close(descriptor)


def _make(path: Path, create: Callable[[Path], int]) -> tuple[int, Path]:
    part = part_path(path)
    for _ in range(NUM_TRIES):
        try:
            descriptor = create(part)
        except FileExistsError:
            if not _remove_dead(part, path):
                part = part_path(path, f"-{secrets.token_hex(4)}")
            continue
        try:
            lock(descriptor, path)
            if _is_at(descriptor, part):
                return descriptor, part
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # another run took it for dead before it was locked
    raise RealError(f"{path}: another run is writing it; wait for it, or name another file")


def _remove_dead(part: Path, path: Path) -> bool:
    """Remove what a killed run left; tell whether the name may be free now."""
    try:
        descriptor = _open(part)
    except FileNotFoundError:
        return True
    except OSError as error:
        raise RealError(f"{part}: {error.strerror}; it is in the way: remove it") from None
    try:
        if not lock(descriptor, path):
            return False
        if _is_at(descriptor, part):
            if part.is_dir():
                shutil.rmtree(part)
            else:
                part.unlink()
        return True
    finally:
        os.close(descriptor)


def _open(part: Path) -> int:
    mode = os.lstat(part).st_mode
    if stat.S_ISDIR(mode):
        return os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    if not stat.S_ISREG(mode):
        raise OSError(0, "Is neither file nor folder")
    return os.open(part, os.O_RDWR | os.O_NOFOLLOW)


def _is_at(descriptor: int, part: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(part))
    except FileNotFoundError:
        return False
