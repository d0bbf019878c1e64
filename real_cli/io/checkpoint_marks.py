"""Checkpoints that count: those whose last mark is in place and agrees with the files beside it.

The mark is a file of the checkpoint, written when all others are on the disk, and renamed into place. It holds the size
of each file, and the hash of those that are small: what steers a resumed run is among them, and reading weights twice
would take as long as loading them.
"""

import hashlib
import re
import shutil
from pathlib import Path
from typing import Any

import orjson

from real_cli.io.durable import sync, sync_all, write_whole

WORK = ".work"  # a run's own files, gone when it is done
MANIFEST = "real.json"  # written last of all: a folder without it is not finished
MARK = "whole.json"
RECENT_FILE = "recent.json"  # what an objective remembers
HASHED_BYTES = 1 << 20
NAME = re.compile(r"checkpoint-\d+")


def seal(checkpoint: Path) -> None:
    """Mark a checkpoint as whole, once its files are on the disk."""
    sync_all(checkpoint)
    files = sorted(path for path in checkpoint.rglob("*") if path.is_file())
    write_whole(checkpoint / MARK, orjson.dumps({str(path.relative_to(checkpoint)): _facts(path) for path in files}))
    sync(checkpoint.parent)


def is_whole(checkpoint: Path) -> bool:
    """Tell whether a checkpoint is as it was when it was marked."""
    try:
        marked = orjson.loads((checkpoint / MARK).read_bytes())
        return all(_facts(checkpoint / name) == facts for name, facts in marked.items())
    except (OSError, orjson.JSONDecodeError, AttributeError):  # no mark, or no file of ours
        return False


def _facts(path: Path) -> list[Any]:
    size = path.stat().st_size
    return [size, hashlib.sha256(path.read_bytes()).hexdigest() if size <= HASHED_BYTES else None]


def is_broken_off(path: Path) -> bool:
    """Tell whether a folder is a checkpoint of a training run of ours that was not written to its end."""
    of_ours = any((folder / WORK).is_dir() for folder in path.resolve().parents[:2])
    return of_ours and bool(NAME.fullmatch(path.resolve().name)) and not is_whole(path)


def checkpoints_in(folder: Path) -> list[Path]:
    """List the checkpoints of a folder, whole or not, from the first step to the last."""
    return sorted((path for path in folder.glob("checkpoint-*") if NAME.fullmatch(path.name)), key=step_of)


def step_of(checkpoint: Path) -> int:
    """Read from its name after which step a checkpoint was saved."""
    return int(checkpoint.name.rpartition("-")[2])


def newest_whole(folder: Path) -> Path | None:
    """Find the checkpoint with the highest step among those that are whole."""
    return next((path for path in reversed(checkpoints_in(folder)) if is_whole(path)), None)


def remove_checkpoint(path: Path) -> None:
    """Remove a checkpoint, its mark before all else."""
    (path / MARK).unlink(missing_ok=True)
    shutil.rmtree(path, ignore_errors=True)
