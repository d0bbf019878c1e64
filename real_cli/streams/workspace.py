"""The folder a training run writes: its spooled input, and what is needed to go on after an interruption."""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple, Self

import orjson

from real_cli.core.records import Record
from real_cli.errors import RealError, UsageError, show_name, show_names
from real_cli.streams.jsonl import dump_record, parse_record, read_lines
from real_cli.streams.locks import lock
from real_cli.streams.named import open_named

WORK = ".work"
MANIFEST = "real.json"
SETTINGS = "settings.json"


class Spooled(NamedTuple):
    """Records on disk under the hash of their bytes."""

    path: Path
    digest: str
    num_records: int


class Workspace:
    """An output folder, from the first record to the manifest."""

    def __init__(self, folder: Path, *, resume: bool) -> None:
        if show_name(str(folder)) != str(folder):
            raise UsageError(
                f"--output {folder}: a checkpoint is written only under names that are UTF-8; name another"
            )
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"--output {folder}: is a file; a folder is needed")
        ours = (folder / WORK).exists() or _is_trained(folder / MANIFEST)
        if folder.is_dir() and any(folder.iterdir()) and not ours:
            raise UsageError(f"--output {folder}: is not empty and not from 'real train-dpo'; name another folder")
        if resume and (folder / MANIFEST).exists():
            raise UsageError(f"--resume: {folder} is finished; to train anew, leave --resume out")
        self.folder = folder
        self.work = folder / WORK
        self._resume = resume
        self._lock = ExitStack()

    def __enter__(self) -> Self:
        """Make the folder and lock it: of two runs in one folder each would remove what the other spools."""
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        self._lock.callback(os.close, descriptor)
        try:
            lock(descriptor, self.folder, otherwise="name another folder")
        except BaseException:
            self._lock.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._lock.close()

    @property
    def is_resumed(self) -> bool:
        """Whether this run goes on where another one was stopped."""
        return self._resume

    def open(self) -> None:
        """Make the folder. What an earlier run left stays until there is something to put in its place."""
        self.work.mkdir(parents=True, exist_ok=True)

    def begin(self, data: Spooled, settings: dict[str, Any]) -> None:
        """Start a run: without --resume, remove what an earlier one left, its manifest before all else.

        Args:
            data: The training records, spooled.
            settings: Everything that decides the trajectory; kept for --resume.
        """
        if not self._resume:
            (self.folder / MANIFEST).unlink(missing_ok=True)
            for old in self._checkpoints():
                shutil.rmtree(old, ignore_errors=True)
            for old in self.work.iterdir():
                if old != data.path:
                    old.unlink()
        (self.work / SETTINGS).write_bytes(orjson.dumps(show_names(settings)))

    def spool(self, name: str, records: Iterable[Record]) -> Spooled:
        """Write records to disk; training reads them more than once, and a pipe can be read once.

        Args:
            name: What they are for: `train` or `eval`.
            records: The records.

        Returns:
            Where they are. With --resume and no records, those of the interrupted run.

        Raises:
            RealError: If --resume comes with other records than the interrupted run had.
        """
        digest = hashlib.sha256()
        part = self.work / f".{name}.part"
        num_records = 0
        with open_named(part, "wb", str(part)) as file:
            for record in records:
                line = dump_record(record)
                digest.update(line)
                file.write(line)
                num_records += 1
        earlier = sorted(self.work.glob(f"{name}-*.jsonl"))
        if self._resume and earlier and not num_records:
            part.unlink()
            return _respooled(earlier[0])
        path = self.work / f"{name}-{digest.hexdigest()[:16]}.jsonl"
        if self._resume and earlier and earlier[0] != path:
            part.unlink()
            raise RealError(f"--resume: the {name} records are not those that {self.folder} was trained on")
        part.replace(path)
        return Spooled(path, digest.hexdigest(), num_records)

    def check_settings(self, settings: dict[str, Any]) -> None:
        """Refuse to resume a run under other settings.

        Args:
            settings: Everything that decides the trajectory.

        Raises:
            UsageError: If --resume comes with other settings; the message names them.
        """
        path = self.work / SETTINGS
        if self._resume and path.exists():
            earlier, wanted = orjson.loads(path.read_bytes()), orjson.loads(orjson.dumps(show_names(settings)))
            changed = [name for name, value in wanted.items() if earlier.get(name) != value]
            if changed:
                shown = ", ".join(f"{name} was {earlier.get(name)}" for name in changed)
                raise UsageError(f"--resume: go on with the settings of the run ({shown}), or start anew without it")

    def last_checkpoint(self, folder: Path) -> Path | None:
        """Find the checkpoint to go on from.

        Args:
            folder: This one, or that of a stage.

        Returns:
            The one with the highest step, with --resume; None to start at the beginning.
        """
        found = [path for path in folder.glob("checkpoint-*") if (path / "trainer_state.json").is_file()]
        return max(found, key=lambda path: int(path.name.rsplit("-", 1)[1]), default=None) if self._resume else None

    def clear(self, *, keep_checkpoints: bool) -> None:
        """Remove what only an interrupted run needs.

        Args:
            keep_checkpoints: Leave them; the user asked for them.
        """
        shutil.rmtree(self.work, ignore_errors=True)
        for path in [] if keep_checkpoints else self._checkpoints():
            shutil.rmtree(path, ignore_errors=True)

    def _checkpoints(self) -> list[Path]:
        return [*self.folder.glob("checkpoint-*"), *self.folder.glob("stage-*")]


def read_spool(spooled: Spooled) -> Iterator[Record]:
    """Read spooled records again.

    Args:
        spooled: Where they are.

    Yields:
        The records, in order.
    """
    with spooled.path.open("rb") as file:
        for _, data in read_lines(file):
            yield parse_record(data)


def _is_trained(manifest: Path) -> bool:
    """Tell whether a manifest may be of a training run; `real soup` writes one too."""
    try:
        return bool(orjson.loads(manifest.read_bytes()).get("command", "train-dpo") == "train-dpo")
    except (OSError, orjson.JSONDecodeError, AttributeError):
        return manifest.exists()


def _respooled(path: Path) -> Spooled:
    digest = hashlib.sha256()
    num_records = 0
    with path.open("rb") as file:
        for line in file:
            digest.update(line)
            num_records += 1
    return Spooled(path, digest.hexdigest(), num_records)
