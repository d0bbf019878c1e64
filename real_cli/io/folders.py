"""A folder that appears whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from real_cli.errors import UsageError


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
    if path.exists() and not path.is_dir():
        raise UsageError(f"--output {path}: is a file; a folder is needed")
    if path.is_dir() and any(path.iterdir()):
        raise UsageError(f"--output {path}: is not empty; name another folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        yield Path(part)
        # mkdtemp makes private folders; a result has the mode that the user's umask gives.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(part, 0o777 & ~umask)
        os.rename(part, path)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
