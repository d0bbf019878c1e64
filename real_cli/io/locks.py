"""Locks that say that a file is being written; the system frees them however a process ends."""

import fcntl
from pathlib import Path

from real_cli.errors import RealError


def lock(descriptor: int, path: Path, *, otherwise: str = "name another file") -> bool:
    """Lock an open file or folder for this run.

    Args:
        descriptor: Of the file.
        path: Its name, for the message.
        otherwise: What else the user can do than wait.

    Returns:
        False where the file system knows no locks.

    Raises:
        RealError: If another run holds it.
    """
    # filelock opens the file that it locks, by name; this locks the very descriptor that is written.
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RealError(f"{path}: another run is writing it; wait for it, or {otherwise}") from None
    except OSError:
        return False
    return True
