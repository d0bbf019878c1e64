"""Checkpoints that count: those whose mark is in place and agrees with the files beside it.

The mark is a file of the checkpoint, written and renamed into place when all others are on the disk. It holds every
file's size, and the hash of the small ones: they steer a resumed run, and reading the weights twice would take as long
as loading them.
"""

import hashlib
import re
import shutil
from pathlib import Path
from typing import Any

import orjson

from real_cli.io.durable import sync, sync_all, write_whole

WORK = ".work"  # a run's own files, removed when it ends
MANIFEST = "real.json"  # written last: a folder without it is unfinished
MARK = "whole.json"
RECENT_FILE = "recent.json"  # what an objective remembers
HASHED_BYTES = 1 << 20
NAME = re.compile(r"checkpoint-\d+")


def seal(checkpoint: Path) -> None:
    """Mark a checkpoint as whole once its files are on the disk."""
    sync_all(checkpoint)
    files = sorted(path for path in checkpoint.rglob("*") if path.is_file())
    write_whole(checkpoint / MARK, orjson.dumps({str(path.relative_to(checkpoint)): _facts(path) for path in files}))
    sync(checkpoint.parent)


def is_whole(checkpoint: Path) -> bool:
    """Tell whether a checkpoint is as it was when it was marked."""
    try:
        marked = orjson.loads((checkpoint / MARK).read_bytes())
        return all(_facts(checkpoint / name) == facts for name, facts in marked.items())
    except (OSError, orjson.JSONDecodeError, AttributeError):  # no mark, or not our file
        return False


def _facts(path: Path) -> list[Any]:
    size = path.stat().st_size
    return [size, hashlib.sha256(path.read_bytes()).hexdigest() if size <= HASHED_BYTES else None]


def is_broken_off(path: Path) -> bool:
    """Tell whether a folder is a checkpoint that a training run did not finish."""
    of_ours = any((folder / WORK).is_dir() for folder in path.resolve().parents[:2])
    return of_ours and bool(NAME.fullmatch(path.resolve().name)) and not is_whole(path)


def checkpoints_in(folder: Path) -> list[Path]:
    """List the checkpoints of a folder, whole or not, by step."""
    return sorted((path for path in folder.glob("checkpoint-*") if NAME.fullmatch(path.name)), key=step_of)


def step_of(checkpoint: Path) -> int:
    """Read the step of a checkpoint from its name."""
    return int(checkpoint.name.rpartition("-")[2])


def newest_whole(folder: Path) -> Path | None:
    """Find the last whole checkpoint."""
    return next((path for path in reversed(checkpoints_in(folder)) if is_whole(path)), None)


def remove_checkpoint(path: Path) -> None:
    """Remove a checkpoint, its mark first."""
    (path / MARK).unlink(missing_ok=True)
    shutil.rmtree(path, ignore_errors=True)
