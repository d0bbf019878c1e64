"""A stream of records cut into the windows of a command, so that each can be worked on anywhere.

What reading refused stands in its window at its place: whoever works on the window sets it aside when its turn comes,
and --rejects has the order of the input.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import IO, NamedTuple, cast

from real_cli.errors import RecordError
from real_cli.io.job import Job, Located
from real_cli.io.jsonl import dump_record, parse_record
from real_cli.records.record import Record


class LineKind(StrEnum):
    """What stands on a line of a window."""

    record = "record"
    reject = "reject"
    error = "error"


class PlacedLine(NamedTuple):
    """One line of a window.

    Attributes:
        data: A record as JSON; for a reject the line of --rejects, for an error its message.
        place: Where the record came from, file:line.
        kind: What it is.
    """

    data: bytes
    place: str = ""
    kind: LineKind = LineKind.record


class HeldRejects:
    """Stands in for the file of --rejects while records of a window are read."""

    def __init__(self) -> None:
        self._lines: list[PlacedLine] = []

    def write(self, data: bytes) -> None:
        """Hold a line."""
        self._lines.append(PlacedLine(data, kind=LineKind.reject))

    def take(self) -> list[PlacedLine]:
        """Return what was held since the last time."""
        lines, self._lines = self._lines, []
        return lines


def cut_windows(
    job: Job, located: Iterable[Located], size: Callable[[Record], int], limit: int
) -> Iterator[list[PlacedLine]]:
    """Cut a stream into windows of records that have at least `limit` together by `size`.

    A bad record that ends the run ends the last window.
    """
    held, file = HeldRejects(), job.rejects_file
    stand_in = file and cast("IO[bytes]", held)
    window: list[PlacedLine] = []
    total = 0
    job.rejects_file = stand_in
    try:
        for place, record in located:
            total += size(record)
            window += [*held.take(), PlacedLine(dump_record(record), place)]
            if total >= limit:
                job.rejects_file = file
                yield window
                job.rejects_file = stand_in
                window, total = [], 0
    except RecordError as error:
        window += [*held.take(), PlacedLine(str(error).encode(), kind=LineKind.error)]
    finally:
        job.rejects_file = file
    window += held.take()
    if window:
        yield window


def replay(job: Job, window: Sequence[PlacedLine]) -> Iterator[Located]:
    """Give back the records of a window; what reading refused goes to the job's --rejects in its turn."""
    for data, place, kind in window:
        if kind is LineKind.error:
            raise RecordError(data.decode())
        if kind is LineKind.record:
            yield Located(place, parse_record(data))
        elif job.rejects_file is not None:
            job.rejects_file.write(data)
