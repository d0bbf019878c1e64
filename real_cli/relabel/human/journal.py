"""Answers on disk: one line each, written before the next question is asked."""

import contextlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from real_cli.errors import RealError, RecordError, UsageError
from real_cli.io.earlier import Earlier
from real_cli.io.jsonl import dump_record, parse_record
from real_cli.io.locks import lock
from real_cli.io.named import open_named
from real_cli.io.output import is_device
from real_cli.relabel.human.pair import JOURNAL_FIELDS, JOURNAL_VERSION, PairAnswer, journal_line, read_journal_line


class Journal:
    """The answers of this run and of earlier ones; a later line for a pair replaces an earlier one."""

    def __init__(self, path: Path, seed: int) -> None:
        self.answers: dict[str, PairAnswer] = {}
        self.repeats: dict[str, PairAnswer] = {}
        self._path = path
        self._seed = seed

    def __enter__(self) -> Self:
        if is_device(self._path):
            raise UsageError(f"{self._path}: cannot be read again, to go on from it; name a file")
        try:
            self._file = open_named(self._path, "ab", str(self._path))
        except OSError as error:
            raise RealError(f"{self._path}: {error.strerror or error}") from None
        try:
            lock(self._file.fileno(), self._path, otherwise="name another journal")
            self._read()
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def _read(self) -> None:
        earlier = Earlier(self._path, names=("version",), written=JOURNAL_FIELDS)
        for number, data in earlier.lines():
            try:
                key, answer, is_repeat = read_journal_line(parse_record(data))
            except RecordError as error:
                raise RealError(f"{self._path}:{number}: {error}") from None
            (self.repeats if is_repeat else self.answers)[key] = answer
        earlier.settle([{"version": JOURNAL_VERSION}])  # drops a line that a killed run left unfinished

    def add(self, key: str, answer: PairAnswer, *, is_repeat: bool) -> None:
        """Write an answer; it is on disk on return."""
        when = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        self._file.write(dump_record(journal_line(key, answer, seed=self._seed, when=when, is_repeat=is_repeat)))
        self._file.flush()
        with contextlib.suppress(OSError):  # pipes and devices do not sync
            os.fsync(self._file.fileno())
