"""Answers on disk: one line each, written before the next question is asked."""

import contextlib
import fcntl
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from real_cli.errors import RealError, RecordError
from real_cli.io.jsonl import dump_record, parse_record, read_lines
from real_cli.io.resume import repair
from real_cli.relabel.human.pair import PairAnswer, journal_line, read_journal_line


class Journal:
    """The answers of this run and of earlier ones; of two lines for one pair the later counts."""

    def __init__(self, path: Path, seed: int) -> None:
        self.answers: dict[str, PairAnswer] = {}
        self.repeats: dict[str, PairAnswer] = {}
        self._path = path
        self._seed = seed

    def __enter__(self) -> Self:
        try:
            self._file = open(self._path, "ab")
        except OSError as error:
            raise RealError(f"{self._path}: {error.strerror or error}") from None
        try:
            self._lock()
            repair(self._path)  # what a killed run began to write was never answered
            self._read()
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RealError(f"{self._path}: another run is writing it; wait for it, or name another journal") from None
        except OSError:
            pass  # a file system without locks

    def _read(self) -> None:
        with self._path.open("rb") as file:
            try:
                for number, data in read_lines(file):
                    try:
                        key, answer, is_repeat = read_journal_line(parse_record(data))
                    except RecordError as error:
                        raise RecordError(f"{number}: {error}") from None
                    (self.repeats if is_repeat else self.answers)[key] = answer
            except RecordError as error:
                raise RealError(f"{self._path}:{error}") from None

    def add(self, key: str, answer: PairAnswer, *, is_repeat: bool) -> None:
        """Write one answer; on return it is on the disk.

        Args:
            key: The key of the pair.
            answer: The answer.
            is_repeat: Whether the pair was asked for the second time.
        """
        when = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        self._file.write(dump_record(journal_line(key, answer, seed=self._seed, when=when, is_repeat=is_repeat)))
        self._file.flush()
        with contextlib.suppress(OSError):  # a pipe or a device has nothing to sync
            os.fsync(self._file.fileno())
