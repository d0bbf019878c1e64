"""The folder a training run writes: its spooled input, and what is needed to go on after an interruption."""

import hashlib
import io
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, Self

import orjson

from real_cli.errors import RealError, UsageError, show_name, show_names
from real_cli.io.checkpoint_marks import MANIFEST, WORK, newest_whole
from real_cli.io.durable import sync, sync_all, write_whole
from real_cli.io.job import Located
from real_cli.io.jsonl import dump_record, parse_record
from real_cli.io.locks import lock
from real_cli.io.named import open_named
from real_cli.records.record import Record

SETTINGS = "settings.json"
TOKENS = "tokens_sha256"
# Whose a folder is; the first command that trained did not say so in its settings, and once not in its manifest.
COMMAND, FIRST_COMMAND = "command", "train-dpo"
FINAL = "final"
# What transformers, peft and tokenizers save: of two runs in one folder, only the files of the later may be there.
FINAL_FILES = (
    *("*.safetensors", "*.safetensors.index.json", "config.json", "generation_config.json", "adapter_config.json"),
    *("tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
    *("vocab.json", "vocab.txt", "merges.txt", "chat_template.jinja", "additional_chat_templates"),
)


# Behind the place of a record on its line; JSON has no such byte, and a spool of before places has none.
PLACE_END = b"\t"


class Spooled(NamedTuple):
    """Records on disk, each with its place, under the hash of the records' bytes: a file may come by another name."""

    path: Path
    digest: str
    num_records: int


class Workspace:
    """An output folder, from the first record to the manifest.

    What tells where a run stands: settings.json is written when it begins, after all that an earlier run left is gone,
    and removed last of all; the manifest is written when all final files are in place.
    """

    def __init__(
        self,
        folder: Path,
        *,
        resume: bool,
        if_same: bool = False,
        reads: Sequence[tuple[str, str | None]] = (),
        command: str = "train-dpo",
    ) -> None:
        if show_name(str(folder)) != str(folder):
            raise UsageError(
                f"--output {folder}: a checkpoint is written only under names that are UTF-8; name another"
            )
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"--output {folder}: is a file; a folder is needed")
        for option, name in reads:
            if name is not None and Path(name).exists() and _holds(folder, Path(name)):
                raise UsageError(f"--output {folder}: is what {option} reads; name another folder")
        self.folder = folder
        self.work = folder / WORK
        self._command = command
        self._begun = _read_dict(self.work / SETTINGS)
        if folder.is_dir() and any(folder.iterdir()) and not self._is_ours():
            raise UsageError(f"--output {folder}: is not empty and not from 'real {command}'; name another folder")
        self._if_same = if_same
        self._resume = resume = resume or (if_same and self._begun is not None and not self._is_finished())
        self._difference = ""
        self._tokens = str((self._begun or {}).get(TOKENS, "")) if resume else ""
        if resume and self._is_finished() and self._begun is None:
            raise UsageError(f"--resume: {folder} is finished; to train anew, leave --resume out")
        self._lock = ExitStack()
        self._has_begun = self.work.exists()

    def __enter__(self) -> Self:
        """Make the folder and lock it: of two runs in one folder each would remove what the other spools."""
        is_new = not self.folder.exists()
        self.folder.mkdir(parents=True, exist_ok=True)
        if is_new:
            self._lock.callback(_remove_empty, self.folder)
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        self._lock.callback(os.close, descriptor)
        try:
            lock(descriptor, self.folder, otherwise="name another folder")
        except BaseException:
            self._lock.close()
            raise
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, RealError) and not self._has_begun:
            shutil.rmtree(self.work, ignore_errors=True)
        self._lock.close()

    def keep(self) -> None:
        """Keep from now on what is spooled, however the run ends; a run that was refused before leaves nothing."""
        self._has_begun = True

    @property
    def is_resumed(self) -> bool:
        """Whether this run goes on where another one was stopped."""
        return self._resume

    @property
    def result(self) -> Record | None:
        """The result of a run that is to be resumed and has only to be cleaned up after."""
        if not (self._resume and self._is_finished()):
            return None
        manifest: Record = orjson.loads((self.folder / MANIFEST).read_bytes())
        return manifest.get("result")

    @property
    def given_up(self) -> Path | None:
        """The last checkpoint of an unfinished run, which is about to be removed."""
        if self._resume or self._begun is None or self._is_finished():
            return None
        folders = [self.folder, *self.folder.glob("stage-*")]
        return next((path for folder in reversed(folders) if (path := newest_whole(folder))), None)

    @property
    def why_anew(self) -> str:
        """Why an unfinished run is not gone on with."""
        return self._difference and f"{self._difference}, and the run begins anew"

    def _give_up(self, difference: str) -> None:
        self._resume, self._tokens, self._difference = False, "", difference

    @property
    def replaces(self) -> bool:
        """Whether the folder holds a finished model, which this run takes the place of."""
        return not self._resume and self._is_finished()

    def open(self) -> None:
        """Make the folder. What an earlier run left stays until there is something to put in its place."""
        self.work.mkdir(parents=True, exist_ok=True)

    def begin(self, data: Spooled, settings: dict[str, Any], eval_data: Spooled | None = None) -> None:
        """Begin a run: unless it resumes another, remove what an earlier run left, its state files first."""
        spooled = {"train": data} | ({"eval": eval_data} if eval_data else {})
        if not self._resume or self._begun is None:
            (self.work / SETTINGS).unlink(missing_ok=True)
            (self.folder / MANIFEST).unlink(missing_ok=True)
            for old in self._checkpoints():
                shutil.rmtree(old, ignore_errors=True)
            for old in self.work.iterdir():
                if old not in [each.path for each in spooled.values()]:
                    shutil.rmtree(old) if old.is_dir() else old.unlink()
        digests = {f"{name}_sha256": each.digest for name, each in spooled.items()}
        digests |= {TOKENS: self._tokens} if self._tokens else {}
        write_whole(self.work / SETTINGS, orjson.dumps(show_names(settings | digests)))

    def check_tokens(self, digest: str) -> bool:
        """Keep a digest of what is trained on; False if a run that goes on had none, UsageError if it had another."""
        path, goes_on = self.work / SETTINGS, self._resume and any(self._checkpoints())
        if goes_on and self._tokens not in ("", digest):
            raise UsageError("--resume: the records are other tokens than when the run began; start anew without it")
        write_whole(path, orjson.dumps(orjson.loads(path.read_bytes()) | {TOKENS: digest}))
        return bool(self._tokens) or not goes_on

    def spool(self, name: str, lines: Iterable[Located]) -> Spooled:
        """Write records and their places to disk; a resumed run without input keeps the records it has."""
        digest = hashlib.sha256()
        part = self.work / f".{name}.part"
        num_records = 0
        with open_named(part, "wb", str(part)) as file:
            for place, record in lines:
                data = dump_record(record)
                digest.update(data)
                file.write(orjson.dumps(place) + PLACE_END + data)
                num_records += 1
        spooled = Spooled(self._spool_path(name, digest.hexdigest()), digest.hexdigest(), num_records)
        earlier = self._earlier(name) if self._resume else []
        if self._if_same and num_records and earlier and spooled.path not in earlier:
            self._give_up(f"its {name} records were others")
            earlier = []
        if not num_records or (earlier and spooled.path not in earlier):
            part.unlink()
            if num_records:
                raise RealError(
                    f"--resume: the {name} records are not those that {self.folder} was trained on: they are others, "
                    "or an earlier version read them otherwise; leave them out to go on with the records of then"
                )
            if len(earlier) > 1:
                raise RealError(f"--resume: {self.work} holds the {name} records of two runs; give those that you mean")
            return _respooled(earlier[0]) if earlier else spooled
        sync(part)
        part.replace(spooled.path)
        return spooled

    def _spool_path(self, name: str, digest: str) -> Path:
        return self.work / f"{name}-{digest[:16]}.jsonl"

    def _earlier(self, name: str) -> list[Path]:
        """List the records that an interrupted run may have had: those it tells of, or all that were spooled."""
        digest = (self._begun or {}).get(f"{name}_sha256")
        return [self._spool_path(name, digest)] if digest else sorted(self.work.glob(f"{name}-*.jsonl"))

    def check_settings(self, settings: dict[str, Any]) -> None:
        """Refuse to resume a run under other settings, naming those that changed; or begin anew, if that is asked."""
        earlier, wanted = _read_dict(self.work / SETTINGS), orjson.loads(orjson.dumps(show_names(settings)))
        if self._resume and earlier is not None:
            changed = [name for name, value in wanted.items() if earlier.get(name) != value]
            if changed:
                shown = ", ".join(f"{name} was {earlier.get(name)}" for name in changed)
                if self._if_same:
                    self._give_up(f"its settings were others ({shown})")
                    return
                raise UsageError(f"--resume: go on with the settings of the run ({shown}), or start anew without it")

    def last_checkpoint(self, folder: Path) -> Path | None:
        """Find the checkpoint of a folder to go on from: with --resume the last whole one, None for the beginning."""
        return newest_whole(folder) if self._resume else None

    @contextmanager
    def final(self) -> Iterator[Path]:
        """Collect the final files in a folder; on exit they replace those of an earlier run."""
        part = self.work / FINAL
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        yield part
        sync_all(part)
        for old in [path for pattern in FINAL_FILES for path in self.folder.glob(pattern)]:
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        for path in sorted(part.iterdir()):
            path.replace(self.folder / path.name)
        sync(self.folder)

    def clear(self, *, keep_checkpoints: bool) -> None:
        """Remove what only an interrupted run needs, its settings last, so that the next run can finish the job."""
        for path in [] if keep_checkpoints else self._checkpoints():
            shutil.rmtree(path, ignore_errors=True)
        for path in [path for path in self.work.glob("*") if path.name != SETTINGS]:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        shutil.rmtree(self.work, ignore_errors=True)

    def _checkpoints(self) -> list[Path]:
        return [*self.folder.glob("checkpoint-*"), *self.folder.glob("stage-*")]

    def _is_ours(self) -> bool:
        """Tell whether what is there may be of this command; others write a manifest and settings too."""
        known = self._begun or _read_dict(self.folder / MANIFEST)
        if known is None:  # torn, or of a run that was killed before it had either
            return (self.folder / MANIFEST).exists() or self.work.exists()
        return bool(known.get(COMMAND, FIRST_COMMAND) == self._command)

    def _is_finished(self) -> bool:
        """Tell whether the manifest is there, and no torn one."""
        return _read_dict(self.folder / MANIFEST) is not None


def _read_dict(path: Path) -> Record | None:
    try:
        content = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None
    return content if isinstance(content, dict) else None


def _remove_empty(folder: Path) -> None:
    """Remove a folder that a refused run made and left empty."""
    with suppress(OSError):
        folder.rmdir()


def read_spool(spooled: Spooled) -> Iterator[Located]:
    """Read spooled records with their places; one without a place is known by its line in the spool."""
    with spooled.path.open("rb") as file:
        for number, line in enumerate(file, 1):
            place, _, data = line.rpartition(PLACE_END)
            yield Located(orjson.loads(place) if place else f"{spooled.path}:{number}", parse_record(data))


def _holds(folder: Path, path: Path) -> bool:
    return folder.resolve() in (path.resolve(), *path.resolve().parents)


def _respooled(path: Path) -> Spooled:
    digest = hashlib.sha256()
    num_records = 0
    with path.open("rb") if path.exists() else io.BytesIO() as file:
        for line in file:
            digest.update(line.rpartition(PLACE_END)[2])
            num_records += 1
    if path.stem.rpartition("-")[2] != digest.hexdigest()[:16]:
        raise RealError(f"{path}: is damaged; give the records again")
    return Spooled(path, digest.hexdigest(), num_records)
