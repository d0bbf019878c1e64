"""The lines of several parts, in the order of the records that they were made of."""

import heapq
from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import chain
from operator import itemgetter
from pathlib import Path

from real_cli.errors import RealError, RecordError, Status, UsageError, show_name
from real_cli.io.check_outputs import check_outputs
from real_cli.io.descriptors import need_descriptors
from real_cli.io.jsonl import dump_record
from real_cli.io.output import open_output
from real_cli.io.progress import Counter, say
from real_cli.io.sources import STANDARD_INPUT, Item, check_are_there, check_sources, read_source
from real_cli.records.record import Record
from real_cli.records.shards import MARK, Mark, check_parts, read_mark
from real_cli.text.phrases import say_count

# The output, its folder, and what a library may open.
NUM_DESCRIPTORS = 8


class ShardOutput:
    """The lines of one shard's output, which are in the order of their records."""

    def __init__(self, name: str, max_line_bytes: int) -> None:
        self.name = name
        self._items = read_source(name, max_line_bytes)
        first = next(self._items, None)
        self.mark = None if first is None else _mark_of(first)
        self._first = first

    def lines(self) -> Iterator[tuple[int, Record]]:
        """Read the lines, without their marks, each with the number of its record."""
        if self._first is None or self.mark is None:
            return
        before = self.mark
        for item in chain([self._first], self._items):
            mark = _mark_of(item)
            if mark[:2] != before[:2]:
                raise RealError(
                    f"{item.place}: is of shard {mark.part}/{mark.of}, and the line before of "
                    f"{before.part}/{before.of}; a part is the output of one shard"
                )
            if mark.record < before.record:
                raise RealError(
                    f"{item.place}: is of record {mark.record:,}, and the line before of {before.record:,}; a part "
                    "is in the order of its input; where 'real sample' was stopped, run it with --resume once more"
                )
            before = mark
            yield mark.record, {name: value for name, value in (item.record or {}).items() if name != MARK}

    def close(self) -> None:
        """Close the file."""
        self._items.close()  # type: ignore[attr-defined]


def _mark_of(item: Item) -> Mark:
    if item.record is None:
        raise RealError(f"{item.place}: {item.problem}")
    try:
        return read_mark(item.record)
    except RecordError as error:
        raise RealError(f"{item.place}: {error}") from None


def merge_parts(names: list[str], output: Path | None, max_line_bytes: int, *, quiet: bool) -> Status:
    """Write the lines of all parts in the order of their records."""
    check_sources(names)
    check_are_there(names)
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{show_name(name)}: is named twice; give each part once")
    check_outputs(names, [output] if output else [], not_sources=[])
    need_descriptors(len(names) + NUM_DESCRIPTORS)
    counter = Counter("records", quiet=quiet)
    with ExitStack() as stack:
        parts = [stack.enter_context(closing(ShardOutput(name, max_line_bytes))) for name in names]
        shown = ["<stdin>" if part.name == STANDARD_INPUT else show_name(part.name) for part in parts]
        check_parts([(name, part.mark) for name, part in zip(shown, parts, strict=True)], "part", "parts")
        stream = stack.enter_context(open_output(output))
        stack.enter_context(counter)
        for _, record in heapq.merge(*(part.lines() for part in parts), key=itemgetter(0)):
            stream.write(dump_record(record))
            counter.add()
    if not quiet:
        say(f"{say_count(counter.num_done, 'record')} of {say_count(len(parts), 'shard')}")
    return Status.done
