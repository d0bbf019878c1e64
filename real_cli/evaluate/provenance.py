"""What a report was made from, and by what: for the foot of the page."""

import hashlib
import os
import platform
import shlex
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from real_cli.errors import UsageError, show_name
from real_cli.io.checkpoint_marks import MANIFEST
from real_cli.io.jsonl import dump_record
from real_cli.io.sources import STANDARD_INPUT
from real_cli.models.load.manifest import installed_versions
from real_cli.text.phrases import say_count
from real_cli.text.secrets import SECRET_NAME, mask_secrets

if TYPE_CHECKING:
    from real_cli.io.job import Job, Located

Facts: TypeAlias = tuple[tuple[str, str], ...]

STDIN = "<stdin>"
EPOCH = "SOURCE_DATE_EPOCH"
CHUNK = 1 << 20
# A model of 7B takes half a minute to hash; what is larger is known by its manifest, or by name.
MOST_HASHED = 16 << 30
SHORTEST_SECRET = 8
WEIGHTS = ("*.safetensors", "*.gguf", "*.bin")


class Provenance:
    """Where the records of one run came from, counted as they are read.

    Args:
        job: Of the run, not entered yet.
        name: Of the evaluation.

    Raises:
        UsageError: If SOURCE_DATE_EPOCH is no number of seconds.
    """

    def __init__(self, job: "Job", name: str) -> None:
        self._words = ["real", "eval", name, *job.invocation.words]
        self._settings = job.invocation.settings
        self._sources = job.sources or [STANDARD_INPUT]
        self._aside = [str(path) for _, path in job.also_reads if path]
        self._num_records: Counter[str] = Counter()
        self._digests = {source: hashlib.sha256() for source in self._sources if not _is_regular(source)}
        self._date = _date()

    def count(self, located: Iterable["Located"]) -> Iterator["Located"]:
        """Pass records on, and count those of each source; what cannot be read twice is hashed now."""
        shown = {_shown(source): source for source in self._sources}
        for each in located:
            name = each.place.rpartition(":")[0]
            self._num_records[name] += 1
            if digest := self._digests.get(shown.get(name, "")):
                digest.update(dump_record(each.record))
            yield each

    def facts(self, models: Iterable[tuple[str, str]]) -> Facts:
        """List the command, the date, versions, models, files and the machine."""
        versions = installed_versions()
        used = list(models)
        shown = versions if used else {name: versions[name] for name in ("real-cli", "python")}
        return (
            ("command", shlex.join(_masked(self._words))),
            *((("options", ", ".join(_masked(self._settings))),) if self._settings else ()),
            ("date", self._date),
            ("version", ", ".join(f"{name} {number}" for name, number in shown.items())),
            *((role, f"{_masked([name])[0]}: {_describe_model(name)}") for role, name in used),
            *(("data", self._describe_source(source)) for source in dict.fromkeys(self._sources)),
            *(("also read", f"{_masked([name])[0]}: {_file_digest(name)}") for name in self._aside),
            ("machine", f"{platform.system()} on {platform.machine()}, {say_count(os.cpu_count() or 1, 'CPU')}"),
        )

    def _describe_source(self, source: str) -> str:
        count = say_count(self._num_records[_shown(source)], "record")
        name = "standard input" if source == STANDARD_INPUT else _masked([source])[0]
        if source in self._digests:
            return f"{name}: {count}, sha256 of the records as read {self._digests[source].hexdigest()}"
        return f"{name}: {count}, {_file_digest(source)}"


def _masked(words: Iterable[str]) -> list[str]:
    secrets = [
        value
        for name, value in os.environ.items()
        if SECRET_NAME.search(name.replace("_", "-")) and len(value) >= SHORTEST_SECRET
    ]
    return [show_name(word) for word in mask_secrets(list(words), secrets)]


def _date() -> str:
    """Say when the run began, or what the builder of a reproducible file says in its place."""
    given = os.environ.get(EPOCH)
    try:
        moment = datetime.now(UTC) if not given else datetime.fromtimestamp(int(given), UTC)
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"{EPOCH} {given}: give whole seconds since 1970, or leave it out") from None
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _shown(source: str) -> str:
    return STDIN if source == STANDARD_INPUT else show_name(source)


def _is_regular(source: str) -> bool:
    try:
        mode = os.fstat(0).st_mode if source == STANDARD_INPUT else os.stat(source).st_mode
    except (OSError, ValueError):  # a data set's name, a closed input
        return False
    return stat.S_ISREG(mode)


def _file_digest(source: str) -> str:
    """Hash a file as it lies on the disk; standard input from its start, without moving it."""
    digest, offset = hashlib.sha256(), 0
    try:
        descriptor = os.dup(0) if source == STANDARD_INPUT else os.open(source, os.O_RDONLY)
        try:
            while data := os.pread(descriptor, CHUNK, offset):
                digest.update(data)
                offset += len(data)
        finally:
            os.close(descriptor)
    except OSError as error:
        return f"cannot be read again: {error.strerror}"
    return f"sha256 {digest.hexdigest()}"


def _describe_model(name: str) -> str:
    """Say which weights a name stands for: hashes of the files, of the manifest, or the commit of the hub's copy."""
    from real_cli.models.load.resolve import packaged_path

    path = Path(packaged_path(name) or name)
    if path.is_file():
        return _weights_digest([path])
    if not path.is_dir():
        return "from the hub"
    parts = []
    if (path / MANIFEST).is_file():
        parts.append(f"{MANIFEST} {_file_digest(str(path / MANIFEST))}")
    files = sorted(file for pattern in WEIGHTS for file in path.glob(pattern))
    return ", ".join([*parts, *([f"weights {_weights_digest(files)}"] if files else [])]) or "no weights of its own"


def _weights_digest(files: list[Path]) -> str:
    size = sum(file.stat().st_size for file in files)
    if size > MOST_HASHED:
        return f"of {size:,} bytes, not hashed"
    if len(files) == 1:
        return _file_digest(str(files[0]))
    digests = "".join(f"{_file_digest(str(file))} {file.name}\n" for file in files)
    return f"sha256 of {len(files)} files' hashes {hashlib.sha256(digests.encode()).hexdigest()}"
