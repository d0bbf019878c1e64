"""A folder that appears whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from real_cli.errors import RealError, UsageError
from real_cli.io.durable import sync, sync_all
from real_cli.io.output import give_mode, real_path
from real_cli.io.parts import make_part_folder, signals_wait


@contextmanager
def open_folder(path: Path, option: str = "--output ") -> Iterator[Path]:
    """Fill a folder beside its name, which it takes at the end; the name may hold an empty folder."""
    path = real_path(path)  # a link stays a link: its target is made
    if path.exists() and not path.is_dir():
        raise UsageError(f"{option}{path}: is a file; a folder is needed")
    if path.is_dir() and any(path.iterdir()):
        raise UsageError(f"{option}{path}: is not empty; name another folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    part: Path | None = None
    try:
        with signals_wait():
            descriptor, part = make_part_folder(path)
        try:
            yield part
        except OSError as error:
            if error.filename is None or part in Path(error.filename).parents:
                raise RealError(f"{option}{path}: cannot be written: {error.strerror or error}") from None
            raise
        give_mode(descriptor, path, 0o777)
        sync_all(part)
        os.rename(part, path)
        sync(path.parent)
    except BaseException:
        if part:
            shutil.rmtree(part, ignore_errors=True)
        raise
    finally:
        if part:
            os.close(descriptor)
