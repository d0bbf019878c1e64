"""One run of a filter: its sources, its output, its rejects, and what is told at the end.

    with Job(files, output=path, on_error=..., rejects=..., quiet=...) as job:
        for located in job.apply(transform, job.records()):
            job.write(located.record)
        job.summary = "..."

A RecordReader alone reads what a command needs beside its records, and opens nothing to write. A Job knows nothing of
what the records mean. It is told of every file that a command writes (`also_writes`) or reads beside the records
(`also_reads`, each with its option), so that none is written over another.
"""

import sys
import threading
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self, TypeVar

from real_cli.errors import RecordError, Status
from real_cli.io.check_outputs import check_outputs, check_side_inputs
from real_cli.io.input.joined_rows import JoinedRows, Sharding
from real_cli.io.jsonl import dump_record, line_fields
from real_cli.io.output import open_output, open_to_append
from real_cli.io.progress import Counter, say
from real_cli.io.sources import (
    BY_NAME,
    Item,
    SourceOptions,
    check_are_there,
    check_sources,
    is_at_hand,
    read_source,
    show_ahead,
    size_at_hand,
)
from real_cli.io.terminal.gauge import InputGauge
from real_cli.records.choices import MAX_LINE_BYTES, OnError
from real_cli.records.layouts import Adapted, adapt, with_score_of
from real_cli.records.record import Record
from real_cli.text.phrases import say_count

Made = TypeVar("Made")


class Located(NamedTuple):
    """A record and the place it came from."""

    place: str
    record: Record


class Invocation(NamedTuple):
    """How a command was called, for a report's foot.

    Attributes:
        words: Options and files that the user gave.
        settings: Options in force, defaults too, each with its value.
    """

    words: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


class RecordReader:
    """Reads the records of some sources and writes nothing; the first bad record ends the run."""

    def __init__(
        self, files: list[str], *, max_line_bytes: int = MAX_LINE_BYTES, reading: SourceOptions = BY_NAME
    ) -> None:
        self.sources = check_sources(files)
        check_are_there(self.sources)
        self.gauge = InputGauge([size_at_hand(name) for name in self.sources])
        self._max_line_bytes = max_line_bytes
        self._reading = reading
        self._owner = threading.get_ident()
        measured = {*reading.numbers, *([reading.score] if reading.score else [])}
        self.joined_rows = JoinedRows(measured, self.gauge)

    def records(
        self, read: Callable[[Record], Adapted] = adapt, *, ahead: Callable[[Record], None] | None = None
    ) -> Iterator[Located]:
        """Read every source in order; `read` adapts each record, and rows of one response are joined.

        `ahead` is shown records before their turn, where that makes nobody wait.
        """
        joiner = self.joined_rows
        convert = joiner.checked(with_score_of(read, self._reading.score))
        items = self._items(None if joiner.is_part else ahead)  # others' records never come
        for place, record in joiner.join(joiner.adapt(convert, items, self.reject)):
            yield Located(place, record)

    def objects(self) -> Iterator[Located]:
        """Read every source in order as it stands: lines of numbers, of which no layout is asked."""
        return (Located(place, record) for place, record in self._convert(lambda record: record, self._items(None)))

    def _items(self, ahead: Callable[[Record], None] | None) -> Iterator[Item]:
        for name in self.sources:
            items = self.gauge.watch(
                read_source(
                    name, self._max_line_bytes, before_waiting=self._wait, reading=self._reading, gauge=self.gauge
                )
            )
            yield from show_ahead(items, ahead) if ahead and is_at_hand(name) else items
        self.gauge.end()

    def _convert(self, function: Callable[[Record], Made], items: Iterable[Item]) -> Iterator[tuple[str, Made]]:
        for item in items:
            if item.record is None:
                self.reject(item, item.problem)
                continue
            try:
                converted = function(item.record)
            except RecordError as error:
                self.reject(item, str(error))
                continue
            yield item.place, converted

    def apply(self, function: Callable[[Record], Made], located: Iterable[Located]) -> Iterator[tuple[str, Made]]:
        """Map a function over records and keep their places; a RecordError rejects the record."""
        return self._convert(function, (Item(place, record) for place, record in located))

    def check(self, function: Callable[[Record], object], located: Iterable[Located]) -> Iterator[Located]:
        """Pass on the records that a function does not refuse by a RecordError."""

        def checked(record: Record) -> Record:
            function(record)
            return record

        return (Located(place, record) for place, record in self.apply(checked, located))

    def reject(self, item: Item, reason: str) -> None:
        """Refuse one record by a RecordError with its place."""
        raise RecordError(f"{item.place}: {reason}")

    def _wait(self) -> None:
        """Note that a read may wait."""
        self.gauge.begin_waiting(reads_ahead=threading.get_ident() != self._owner)


class Job(RecordReader):
    """Open the streams of one command; close them, and tell what happened, in every case."""

    def __init__(
        self,
        files: list[str],
        *,
        output: Path | None = None,
        append: bool = False,
        also_writes: Sequence[Path] = (),
        also_reads: Sequence[tuple[str, Path | None]] = (),
        on_error: OnError = OnError.fail,
        rejects: Path | None = None,
        quiet: bool = False,
        max_line_bytes: int = MAX_LINE_BYTES,
        reading: SourceOptions = BY_NAME,
        what: str = "records",
    ) -> None:
        super().__init__(files, max_line_bytes=max_line_bytes, reading=reading)
        named = [path for path in (output, rejects, *also_writes) if path is not None]
        aside = [path for path in (rejects, *also_writes) if path is not None]
        check_outputs(self.sources, named, not_sources=[*aside, *([output] if append and output else [])])
        check_side_inputs(named, also_reads)
        self.also_reads = list(also_reads)
        self.invocation = Invocation()
        self.quiet = quiet
        self.summary = ""
        # Shows what a person is to see before the last line, when no counter stands on the terminal any more.
        self.before_telling: Callable[[], object] | None = None
        self.num_rejected = 0
        self.num_dropped: Tally[str] = Tally()
        self._output_path = output
        self._append = append
        self._on_error = on_error
        self._rejects_path = rejects
        # Open as long as the job is; who reads ahead holds back what it refuses, and puts its own in this place.
        self.rejects_file: IO[bytes] | None = None
        self._stack = ExitStack()
        self.counter = Counter(what, quiet=quiet)
        self.counter.gauge = self.gauge
        self.joined_rows.skip = self.counter.refuse

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.rejects_file = None
            if self._rejects_path:
                self.rejects_file = stack.enter_context(open_output(self._rejects_path, outlives_pipe=True))
            goes_on = self._append and self._output_path
            opened = open_to_append(goes_on) if goes_on else open_output(self._output_path)
            self._output = stack.enter_context(opened)
            stack.enter_context(self.counter)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)
        if kind is None and self.before_telling:
            self.before_telling()
        if kind is None and not self.quiet:
            parts = [self.summary] if self.summary else []
            if self.num_dropped:
                parts.append(
                    "left out: " + ", ".join(f"{n:,} {reason}" for reason, n in sorted(self.num_dropped.items()))
                )
            parts += [f"{say_count(n, 'record')} {note}" for note, n in sorted(self.joined_rows.num_noted.items())]
            if self.num_rejected:
                parts.append(f"{self.num_rejected:,} rejected")
            if parts:
                say("; ".join(parts))

    def take_shard(self, sharding: Sharding) -> None:
        """Read one shard of the input; to be called before anything is read."""
        self.joined_rows.sharding = sharding

    def refuse_parts(self, reason: str) -> None:
        """Stop at a record of one shard of several, for what is asked is of the whole input; "" lets them pass."""
        self.joined_rows.of_the_whole = reason

    @property
    def is_at_terminal(self) -> bool:
        """Whether records would go to a terminal that nobody named; to be asked before the job is entered."""
        return self._output_path is None and sys.stdout is not None and sys.stdout.isatty()

    @property
    def stream(self) -> IO[bytes]:
        """The output, for a command that writes its own lines."""
        return self._output

    @property
    def status(self) -> Status:
        """The exit status that the records leave."""
        return Status.rejected if self.num_rejected else Status.done

    def reject(self, item: Item, reason: str) -> None:
        """Refuse a record: stop the run with its place, or with --on-error skip set it aside and count it."""
        if self._on_error is OnError.fail:
            super().reject(item, reason)
        self.num_rejected += 1
        self.counter.refuse()
        self.set_aside(item.place, reason, item.record, item.data)

    def drop(self, place: str, record: Record, reason: str) -> None:
        """Leave out a sound record that is not wanted (a tie, say): count its reason, keep it with --rejects."""
        self.num_dropped[reason] += 1
        self.set_aside(place, reason, record)

    def give_up(self, place: str, record: Record, reason: str) -> None:
        """Go on without a sound record after an outside failure; say so at once if no file keeps it."""
        self.num_rejected += 1
        self.set_aside(place, reason, record)
        if self.rejects_file is None and not self.quiet:
            say(f"{place}: {reason}")

    def set_aside(self, place: str, reason: str, record: Record | None, data: bytes = b"") -> None:
        """Write a record, or the line that is none, to the rejects file if there is one."""
        if self.rejects_file is not None:
            kept = line_fields(data) if record is None else {"record": record}
            self.rejects_file.write(dump_record({"place": place, "reason": reason, **kept}))

    def write(self, record: Record) -> None:
        """Write one record to the output."""
        self._output.write(dump_record(record))

    def write_line(self, line: bytes) -> None:
        """Write a record that is JSON already, with its newline."""
        self._output.write(line)

    def _wait(self) -> None:
        """Flush before a read that may wait; a thread that reads ahead leaves that to the writer."""
        super()._wait()
        if threading.get_ident() != self._owner:
            return
        try:
            self.flush()
        except BrokenPipeError:
            raise
        except OSError:
            pass  # the next write reports it; here it would look like a fault of the input

    def flush(self) -> None:
        """Flush the output, so that the next command in the pipe can work on it."""
        self._output.flush()
