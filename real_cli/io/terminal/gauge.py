"""How much of a run's input was read, by the bytes of its files as they lie on disk."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import IO, Protocol, TypeVar


class HasData(Protocol):
    """What was read, with its bytes."""

    @property
    def data(self) -> bytes:
        """Its bytes, unpacked."""
        ...


Piece = TypeVar("Piece", bound=HasData)


class InputGauge:
    """Counts the records and bytes of some sources, in their order.

    Attributes:
        num_records: Records read.
        waits_since: When a pipe was asked for a record that has not come, by the clock of `time.monotonic`.
        reads_ahead: Whether that is asked for by a thread, while others work on what was read.
    """

    def __init__(self, sizes: Sequence[int | None]) -> None:
        self.num_records = 0
        self.waits_since: float | None = None
        self.reads_ahead = False
        # None for a source that has no size, as a pipe, and so the whole has none.
        self._total = None if None in sizes else sum(size or 0 for size in sizes)
        self._sizes = iter(sizes)
        self._num_before = self._num_bytes = self._start = 0
        self._packed: IO[bytes] | None = None
        self._is_ended = False

    def watch(self, items: Iterable[Piece]) -> Iterator[Piece]:
        """Count the items of the next source."""
        self._num_bytes = 0
        for item in items:
            self.waits_since = None
            self.num_records += 1
            self._num_bytes += len(item.data)
            yield item
        self._packed = None
        self._num_bytes = 0
        self._num_before += next(self._sizes, 0) or 0

    def measure_packed(self, file: IO[bytes]) -> None:
        """Take the position in the compressed file of the source that was just opened for what was read of it."""
        with suppress(OSError):
            self._start = file.tell()
            self._packed = file

    def begin_waiting(self, *, reads_ahead: bool) -> None:
        """Note that a pipe is asked for more than it gave."""
        self.reads_ahead = reads_ahead
        if self.waits_since is None:
            self.waits_since = time.monotonic()

    def join_row(self) -> None:
        """Count a row as part of the record before it."""
        self.num_records -= 1

    def end(self) -> None:
        """Note that all sources are read."""
        self._is_ended = True
        self.waits_since = None

    def fraction(self) -> float | None:
        """Return the share that was read, 1 once all of it was; None where nobody knows."""
        if self._is_ended:
            return 1.0
        packed, num_bytes = self._packed, self._num_bytes
        if packed is not None:
            try:
                num_bytes = packed.tell() - self._start
            except (OSError, ValueError):  # it was closed in this moment
                return None
        num_read = self._num_before + num_bytes
        # A compressed file of a few kilobytes is read at once, long before its records are.
        return num_read / self._total if self._total and num_read < self._total else None
