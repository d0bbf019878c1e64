"""`pair --keep` over shards, in two passes: each writes its keys, and then knows by all keys which of its pairs stay.

A key is the number that `--keep` sorts by, with the mark of the pair's record. Equal numbers go by position in the
whole input, as in one run, so that the same pairs stay.
"""

from array import array
from collections import Counter as Tally
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from real_cli.errors import RealError, RecordError, UsageError
from real_cli.io.job import Job, Located
from real_cli.io.jsonl import dump_record
from real_cli.io.output import open_output
from real_cli.io.sources import Item, read_source
from real_cli.pair.choose import Settings
from real_cli.pair.keep import KeepBound, keep_bound
from real_cli.pair.options import KeepOrder
from real_cli.records.messages import is_number
from real_cli.records.record import Record
from real_cli.records.shards import MARK, Mark, check_parts, read_mark

VALUE = "value"


def head_of(order: KeepOrder, settings: Settings) -> Record:
    """Say what keys are of: the first line of their file, which both passes must agree on."""
    of = {"strategy": settings.strategy.value, "by": order.by, "lowest": order.lowest, "seed": order.seed}
    return of | {
        "nearest": "none" if order.nearest is None else order.nearest,
        "orient": settings.orient.value,
        "curriculum": settings.curriculum,
    }


def write_keys(job: Job, pairs: Iterable[Located], order: KeepOrder, head: Record, path: Path) -> Iterator[bytes]:
    """Write the key of each pair to a file, and no line where pairs go."""
    with open_output(path) as stream:
        stream.write(dump_record({"keys": head}))
        for _, (value, mark) in job.apply(lambda record: _key_of(record, order), pairs):
            stream.write(dump_record({VALUE: value, MARK: mark._asdict()}))
    yield from ()


def _key_of(record: Record, order: KeepOrder) -> tuple[float, Mark]:
    return order.value(record), read_mark(record)


@dataclass(frozen=True)
class ShardKeys:
    """The keys of all shards: which pair is the last that stays, and how many pairs each shard has."""

    bound: KeepBound | None
    num_pairs: dict[int, int]
    folder: Path

    @classmethod
    def read(cls, folder: Path, order: KeepOrder, head: Record) -> "ShardKeys":
        """Read the files of a folder; refuse those of another run, and a folder that lacks some."""
        values, records = array("d"), array("q")
        num_pairs: Tally[int] = Tally()
        parts: list[tuple[str, Mark | None]] = []
        for path in key_files(folder):
            mark = None
            for value, mark in _read_file(path, head):
                values.append(value)
                records.append(mark.record)
                num_pairs[mark.part] += 1
            parts.append((str(path), mark))
        check_parts(parts, "file of keys", "files of keys")
        if not values:
            return cls(None, {}, folder)
        count = order.keep.of(len(values))
        bound = keep_bound(np.frombuffer(values), np.frombuffer(records, np.int64), count, lowest=order.lowest)
        return cls(bound, num_pairs, folder)

    def kept(self, job: Job, pairs: Iterable[Located], order: KeepOrder) -> Iterator[bytes]:
        """Write the pairs that stay, as lines."""
        seen: Tally[int] = Tally()
        before, number = 0, 0
        for _, (record, (value, mark)) in job.apply(lambda record: (record, _key_of(record, order)), pairs):
            number = number + 1 if mark.record == before else 0
            before = mark.record
            seen[mark.part] += 1
            if self.bound and self.bound.keeps(value, mark.record, number, lowest=order.lowest):
                yield dump_record(record)
        for part, count in seen.items():
            if count != self.num_pairs[part]:
                raise RealError(
                    f"{self.folder}: has {self.num_pairs[part]:,} keys of shard {part}, which has {count:,} pairs; "
                    "write its keys again with --keys-to"
                )


def key_files(folder: Path) -> list[Path]:
    """List the files of a folder of keys, but for those that are being written."""
    try:
        paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except NotADirectoryError:
        raise UsageError(f"--keys-from {folder}: is a file; give the folder with the keys of all shards") from None
    except OSError as error:
        raise UsageError(f"--keys-from {folder}: {error.strerror}; give a folder with the keys of all shards") from None
    if not paths:
        raise UsageError(f"--keys-from {folder}: is empty; write the keys of each shard with --keys-to first")
    for path in paths:
        if not path.is_file():
            raise UsageError(f"{path}: is no file; give a folder with what --keys-to wrote, and nothing else")
    return paths


def _read_file(path: Path, head: Record) -> Iterator[tuple[float, Mark]]:
    items = read_source(str(path))
    first = next(items, None)
    written = None if first is None or first.record is None else first.record.get("keys")
    if not isinstance(written, dict):
        raise RealError(f"{path}: holds no keys; give a folder with what --keys-to wrote, and nothing else")
    for name, value in head.items():
        if written.get(name) != value:
            raise UsageError(
                f"{path}: holds keys by {name} {written.get(name)}, and this run has {value}; give both passes "
                "the same options"
            )
    part = None
    for item in items:
        value, mark = _parse_key(item)
        if part not in (None, mark[:2]):
            raise RealError(f"{item.place}: is of another shard than the line before; a file has the keys of one shard")
        part = mark[:2]
        yield value, mark


def _parse_key(item: Item) -> tuple[float, Mark]:
    value = None if item.record is None else item.record.get(VALUE)
    if item.record is None or not is_number(value):
        raise RealError(f"{item.place}: is no key; write the keys again with --keys-to")
    try:
        return float(value), read_mark(item.record)  # type: ignore[arg-type]
    except RecordError as error:
        raise RealError(f"{item.place}: {error}") from None
