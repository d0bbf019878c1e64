"""Answers on disk, keyed by question: nothing is paid for twice."""

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Self

import orjson

from real_cli.errors import RealError, RecordError, clip
from real_cli.llm.chat import is_token_count
from real_cli.records.questions import Choice, Completion, WordOdds
from real_cli.records.word_odds import is_distribution
from real_cli.text.phrases import say_count

# sqlite3 itself: diskcache pickles its values, and evicts them; a paid answer must stay.
FILE = "answers.sqlite"
# Version of how records are read: 1 since prompts are sent whole; older files have 0.
READING = 1
ODDS_TABLE = "CREATE TABLE IF NOT EXISTS odds (name TEXT PRIMARY KEY, odds TEXT NOT NULL) WITHOUT ROWID"


class AnswerCache:
    """Completions by question key.

    One SQLite file, so that shards on one machine may share it; each answer is committed before the next is used.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._missed: set[str] = set()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._database = sqlite3.connect(self._path, timeout=60, isolation_level=None, check_same_thread=False)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=NORMAL")  # a kill loses nothing; a power cut the last few
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS answers (name TEXT PRIMARY KEY, text TEXT NOT NULL,"
                " is_cut INTEGER NOT NULL, num_prompt_tokens INTEGER NOT NULL, num_completion_tokens INTEGER NOT NULL)"
                " WITHOUT ROWID"
            )
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS choices (name TEXT NOT NULL, number INTEGER NOT NULL, text TEXT NOT NULL,"
                " is_cut INTEGER NOT NULL, PRIMARY KEY (name, number)) WITHOUT ROWID"
            )
            self._is_earlier = self._begin_reading()
        except (sqlite3.Error, OSError) as error:
            raise RealError(f"{self._path}: cannot be used as a cache: {error}; name another --cache") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._database.close()

    def get(self, name: str) -> Completion | None:
        """Look up the completion of a `request_key`; None if there is none."""
        try:
            row = self._database.execute(
                "SELECT text, is_cut, num_prompt_tokens, num_completion_tokens FROM answers WHERE name = ?", (name,)
            ).fetchone()
            others = self._database.execute("SELECT text, is_cut FROM choices WHERE name = ? ORDER BY number", (name,))
            choices = others.fetchall()
        except sqlite3.Error as error:
            if "UTF-8" in str(error):  # this row is damaged, not the file
                raise RecordError(f"{self._path}: the cached answer is not text") from None
            raise RealError(f"{self._path}: {error}") from None
        if row is None:
            self._missed.add(name)
            return None
        if not all(isinstance(text, str) and isinstance(is_cut, int) for text, is_cut in [row[:2], *choices]):
            raise RecordError(f"{self._path}: the cached answer is not text: {clip(row[0])}")
        if not all(map(is_token_count, row[2:])):
            raise RecordError(f"{self._path}: the cached answer counts tokens as {clip(row[2:])}")
        further = tuple(Choice(text, bool(is_cut)) for text, is_cut in choices)
        return Completion(row[0], bool(row[1]), int(row[2]), int(row[3]), further, self._odds(name))

    def _odds(self, name: str) -> tuple[WordOdds, ...]:
        try:
            row = self._database.execute("SELECT odds FROM odds WHERE name = ?", (name,)).fetchone()
        except sqlite3.Error:  # a file without such answers has no table of them
            return ()
        try:
            words = tuple(WordOdds(word, odds) for word, odds in orjson.loads(row[0])) if row else ()
        except (ValueError, TypeError):
            words = (WordOdds("", {}),)
        if not all(is_distribution(word.odds) for word in words):
            raise RecordError(f"{self._path}: the cached probabilities are {clip(row[0])}")
        return words

    def _begin_reading(self) -> bool:
        """Stamp a new file; tell whether an earlier version, which read some records differently, filled this one."""
        (reading,) = self._database.execute("PRAGMA user_version").fetchone()
        if reading < READING and self._database.execute("SELECT 1 FROM answers LIMIT 1").fetchone():
            return True
        if reading < READING:
            self._database.execute(f"PRAGMA user_version = {READING}")
        return False

    def sentence(self) -> str:
        """Report, once a file, questions that an earlier version may have worded differently; empty for none."""
        if not (self._is_earlier and self._missed):
            return ""
        with suppress(sqlite3.Error):  # a read-only file repeats the report
            self._database.execute(f"PRAGMA user_version = {READING}")
        return (
            f"; {say_count(len(self._missed), 'question')} have no answer in {self._path}, which an earlier version "
            "filled: records that are now read differently are asked again"
        )

    def put(self, name: str, completion: Completion) -> None:
        """Store a completion."""
        try:
            # Further choices first, so that whoever finds the answer finds them too.
            for number, other in enumerate(completion.others, 1):
                self._database.execute("INSERT OR REPLACE INTO choices VALUES (?, ?, ?, ?)", (name, number, *other))
            if completion.odds:
                odds = orjson.dumps([tuple(word) for word in completion.odds]).decode()
                self._database.execute(ODDS_TABLE)
                self._database.execute("INSERT OR REPLACE INTO odds VALUES (?, ?)", (name, odds))
            self._database.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)", (name, *completion[:4]))
        except sqlite3.Error as error:
            raise RealError(f"{self._path}: {error}") from None


class ReadCache(AnswerCache):
    """The answers of a cache that is only looked into: neither folder nor file is made or changed."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._missed = set()
        self._is_earlier = False
        try:
            uri = f"{self._path.absolute().as_uri()}?mode=rw"  # also a reader of a WAL file makes files beside it
            self._database = sqlite3.connect(uri, uri=True, timeout=60, isolation_level=None, check_same_thread=False)
            self._database.execute("PRAGMA query_only=ON")
            self._database.execute("SELECT 1 FROM answers, choices LIMIT 1")
        except sqlite3.Error as error:
            raise RealError(f"{self._path}: cannot be read as a cache: {error}; name another --cache") from None

    def put(self, name: str, completion: Completion) -> None:
        """Store nothing."""


def open_to_read(folder: Path) -> "ReadCache | NoCache":
    """Open a cache that is only looked into; one that is not there is empty."""
    return ReadCache(folder) if (folder / FILE).is_file() else NoCache()


class NoCache:
    """A cache that stores nothing."""

    def sentence(self) -> str:
        """Report nothing."""
        return ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def get(self, name: str) -> Completion | None:
        """Find nothing."""
        return None

    def put(self, name: str, completion: Completion) -> None:
        """Store nothing."""
