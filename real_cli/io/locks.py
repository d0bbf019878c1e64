"""Locks on files being written; the system frees them however a process ends."""

import fcntl
from pathlib import Path

from real_cli.errors import RealError


def lock(descriptor: int, path: Path, *, otherwise: str = "name another file") -> bool:
    """Lock an open file or folder for this run; False where the file system has no locks."""
    # filelock opens the file that it locks, by name; this locks the very descriptor that is written.
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RealError(f"{path}: another run is writing it; wait for it, or {otherwise}") from None
    except OSError:
        return False
    return True
