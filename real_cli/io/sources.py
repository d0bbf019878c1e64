"""Where records come from: files, standard input, compressed or not, and tables through `datasets`."""

import bz2
import gzip
import io
import lzma
import os
import re
import stat
import sys
import zlib
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import IO, Any, NamedTuple

from real_cli.errors import RealError, RecordError, UsageError, show_name
from real_cli.io.csv_rows import is_header, read_csv
from real_cli.io.descriptors import TOO_MANY
from real_cli.io.input.addresses import Use, check_name
from real_cli.io.jsonl import parse_record, read_lines
from real_cli.io.standard_input import is_terminal, standard_input
from real_cli.io.tables import DATASET, PARQUET, read_table
from real_cli.io.terminal.gauge import InputGauge
from real_cli.io.unpacking import XzFile
from real_cli.records.choices import MAX_LINE_BYTES, InputFormat
from real_cli.records.record import Record

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

STANDARD_INPUT = "-"
# A line with embeddings outgrows Python's own buffer, which would be refilled several times for it.
BUFFER_BYTES = 1 << 17
# Of lines read ahead: about six with embeddings. More would leave the processor's cache before their turn.
WINDOW_BYTES = 3 << 16
# A table by its name, compressed or not.
TABLE_NAME = re.compile(r"\.(csv|tsv)(\.(gz|zst|zstd|bz2|xz))?", re.IGNORECASE)
DELIMITERS = {InputFormat.csv: ",", InputFormat.tsv: "\t"}


class Item(NamedTuple):
    """One record or what stands in its place: where it is, its bytes if it came as a line, and its problem."""

    place: str
    record: Record | None
    data: bytes = b""
    problem: str = ""


@dataclass(frozen=True)
class SourceOptions:
    """How a command reads its records.

    Attributes:
        format: What the sources are, whatever their names say; None for what the names say.
        numbers: Fields that options read as numbers; a cell of CSV is a text otherwise.
        score: The field of a response that is its score; None for what the layout says.
    """

    format: InputFormat | None = None
    numbers: Collection[str] = ()
    score: str | None = None


BY_NAME = SourceOptions()

# Each reader lives as long as the source below it, which its opener closes.
DECOMPRESSORS: dict[bytes, Callable[[IO[bytes]], IO[bytes]]] = {
    b"\x1f\x8b": lambda stream: io.BufferedReader(gzip.GzipFile(fileobj=stream)),
    b"\x28\xb5\x2f\xfd": lambda stream: io.BufferedReader(zstd.ZstdFile(stream)),
    b"BZh": lambda stream: io.BufferedReader(bz2.BZ2File(stream)),
    b"\xfd7zXZ\x00": lambda stream: io.BufferedReader(XzFile(stream)),
}


class _ReadLater(io.FileIO):
    """A pipe that signals when its bytes are used up, before a read that may wait."""

    before_waiting: Callable[[], object] | None = None

    def readinto(self, buffer: Any) -> int | None:
        if self.before_waiting:
            self.before_waiting()
        return super().readinto(buffer)


def read_source(
    name: str,
    max_line_bytes: int = MAX_LINE_BYTES,
    *,
    before_waiting: Callable[[], object] | None = None,
    reading: SourceOptions = BY_NAME,
    gauge: InputGauge | None = None,
) -> Iterator[Item]:
    """Read every record of one source; a bad line is an item with a problem, and reading goes on.

    `before_waiting` runs each time a pipe is asked for more than it gave, which may take any time. `gauge` is shown a
    file whose bytes are not those of its records.
    """
    if name.startswith(DATASET) and reading.format is not None:
        raise UsageError(f"--format {reading.format}: {show_name(name)} declares its own format; leave --format out")
    if name.startswith(DATASET) or (reading.format is None and name.endswith(PARQUET)):
        csv_file = partial(_csv_of_dataset, max_line_bytes=max_line_bytes, numbers=_numbers(reading))
        yield from (Item(*row) for row in read_table(name, csv_file))
        return
    shown = "<stdin>" if name == STANDARD_INPUT else show_name(name)
    delimiter = DELIMITERS.get(_format_of(name, reading))
    with _open(name, before_waiting, gauge) as stream, _faults_of(shown):
        if delimiter:
            yield from _csv_items(stream, shown, max_line_bytes, delimiter, _numbers(reading))
        else:
            yield from _json_items(stream, shown, max_line_bytes)


def _format_of(name: str, reading: SourceOptions) -> InputFormat:
    match = TABLE_NAME.search(name)
    by_name = InputFormat(match[1].lower()) if match and match.end() == len(name) else InputFormat.jsonl
    return by_name if reading.format is None or name == os.devnull else reading.format


def _numbers(reading: SourceOptions) -> Collection[str]:
    return [*reading.numbers, *([reading.score] if reading.score else [])]


@contextmanager
def _faults_of(shown: str) -> Iterator[None]:
    """Say of which source a fault is."""
    try:
        yield
    except RecordError as error:
        raise RealError(f"{shown}:{error}") from None
    except BrokenPipeError:
        raise  # the reader of our output is gone: raised here by whoever consumes the items
    except (EOFError, OSError, lzma.LZMAError, zlib.error, zstd.ZstdError) as error:
        raise RealError(f"{shown}: cannot be read to its end: {error}") from None


def _json_items(stream: IO[bytes], shown: str, max_line_bytes: int) -> Iterator[Item]:
    for number, data in read_lines(stream, max_line_bytes):
        place = f"{shown}:{number}"
        try:
            yield Item(place, parse_record(data), data)
        except RecordError as error:
            is_table = number == 1 and is_header(data)
            name = InputFormat.tsv if b"\t" in data else InputFormat.csv
            problem = f"not JSON, but the header of a table; --format {name} reads it" if is_table else str(error)
            yield Item(place, None, data, problem)


def _csv_items(
    stream: IO[bytes], shown: str, max_line_bytes: int, delimiter: str, numbers: Collection[str]
) -> Iterator[Item]:
    for number, record, data, problem in read_csv(stream, shown, max_line_bytes, delimiter=delimiter, numbers=numbers):
        yield Item(f"{shown}:{number}", record, data, problem)


def _csv_of_dataset(file: str, max_line_bytes: int, numbers: Collection[str]) -> Iterator[Item]:
    delimiter, shown = DELIMITERS.get(_format_of(file, BY_NAME), ","), show_name(file)
    with _open(file, None) if "://" not in file else _open_remote(file) as stream, _faults_of(shown):
        yield from _csv_items(stream, shown, max_line_bytes, delimiter, numbers)


@contextmanager
def _open_remote(address: str) -> Iterator[IO[bytes]]:
    from datasets.utils.file_utils import xopen

    with xopen(address, "rb") as file:
        yield _decompressed(io.BufferedReader(file))


def show_ahead(items: Iterable[Item], show: Callable[[Record], None]) -> Iterator[Item]:
    """Show the records of a window to `show` before they are yielded, in order, without their bytes."""
    window: deque[Item] = deque()
    num_bytes = 0  # a table's row has no bytes to count: it is a window of its own
    try:
        for item in items:
            num_bytes += len(item.data) or WINDOW_BYTES
            if item.record is not None:
                show(item.record)
                item = Item(item.place, item.record)  # its bytes have served; what waits should fit into the cache
            window.append(item)
            if num_bytes >= WINDOW_BYTES:
                while window:
                    yield window.popleft()
                num_bytes = 0
    except RealError:
        yield from window
        raise
    yield from window


def is_at_hand(name: str) -> bool:
    """Tell a regular file, as standard input too: reading ahead of it waits for no writer."""
    try:
        status = os.fstat(standard_input().fileno()) if name == STANDARD_INPUT else os.stat(name)
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(status.st_mode)


def size_at_hand(name: str) -> int | None:
    """Return how many bytes of a regular file are to be read, as standard input too; None for anything else."""
    if name.endswith(PARQUET) or not is_at_hand(name):  # a table's rows do not tell how many bytes they took
        return None
    with suppress(OSError):
        if name != STANDARD_INPUT:
            return os.stat(name).st_size
        descriptor = standard_input().fileno()
        return os.fstat(descriptor).st_size - os.lseek(descriptor, 0, os.SEEK_CUR)
    return None


@contextmanager
def _open(
    name: str, before_waiting: Callable[[], object] | None, gauge: InputGauge | None = None
) -> Iterator[IO[bytes]]:
    if is_at_hand(name):
        before_waiting = None
    if name == STANDARD_INPUT:
        yield _decompressed(_buffered(standard_input().buffer, before_waiting), gauge)
        return
    try:
        # Closed below, after the decompressor.
        file = _in_buffer(_ReadLater(name), before_waiting)
    except IsADirectoryError:
        raise RealError(f"{name}: is a folder; give its files, or hf:{name} for a dataset folder") from None
    except OSError as error:
        if error.errno in TOO_MANY:
            raise
        raise RealError(f"{name}: {error.strerror or error}") from None
    with file:
        yield _decompressed(file, gauge)


def _buffered(stream: IO[bytes], before_waiting: Callable[[], object] | None) -> io.BufferedReader:
    with suppress(OSError):  # a stream that a test puts there has no descriptor
        # One read gives what a pipe holds, so a larger buffer makes nobody wait. The descriptor stays open.
        return _in_buffer(_ReadLater(stream.fileno(), closefd=False), before_waiting)
    return stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(stream)  # type: ignore[arg-type]


def _in_buffer(file: _ReadLater, before_waiting: Callable[[], object] | None) -> io.BufferedReader:
    file.before_waiting = before_waiting
    return io.BufferedReader(file, BUFFER_BYTES)


def _decompressed(stream: io.BufferedReader, gauge: InputGauge | None = None) -> IO[bytes]:
    # peek returns what one read gives: a slow pipe may show a part of the magic bytes, never none.
    head = stream.peek(8)[:8]
    for magic, open_stream in DECOMPRESSORS.items():
        if head.startswith(magic):
            if gauge is not None:
                gauge.measure_packed(stream)
            return open_stream(stream)
    return stream


def check_are_there(names: Iterable[str]) -> None:
    """Refuse a file that is not there before the ones named before it are worked on."""
    for name in names:
        if name == STANDARD_INPUT or name.startswith(DATASET) or "://" in name:
            continue
        try:
            os.stat(name)
        except FileNotFoundError as error:
            raise RealError(f"{name}: {error.strerror}") from None
        except (OSError, ValueError):
            continue  # opening it says more


def check_sources(names: list[str]) -> list[str]:
    """Return the named sources, or standard input, which must not be a terminal then."""
    if names:
        for name in names:
            check_name(name, Use.records)
        if names.count(STANDARD_INPUT) > 1:
            raise UsageError("'-' is named twice; standard input can be read once")
        return names
    if is_terminal():
        raise UsageError("no input: name a file, or pipe records in ('-' reads from the terminal)")
    return [STANDARD_INPUT]
