"""Temporary files for input that is read twice; memory holds a number a line, or nothing."""

from array import array
from collections.abc import Iterator
from typing import IO, Self

import numpy as np
from numpy.typing import NDArray

from real_cli.io.jsonl import dump_record, parse_record
from real_cli.io.named import open_spool
from real_cli.records.record import Record


class ValueSpool:
    """Lines on disk, each with a number to sort by."""

    def __init__(self) -> None:
        self._values = array("d")
        self._lines: IO[bytes] = open_spool()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._lines.close()

    def __len__(self) -> int:
        return len(self._values)

    def add(self, record: Record, value: float) -> None:
        """Put a record on disk, with the number that sorts it."""
        self._lines.write(dump_record(record))
        self._values.append(value)

    @property
    def values(self) -> NDArray[np.float64]:
        """The numbers, in the order in which they came. Shape (batch,)."""
        return np.frombuffer(self._values, dtype=np.float64) if self._values else np.empty(0)

    def lines(self, mask: NDArray[np.bool_]) -> Iterator[bytes]:
        """Read lines again, in the order in which they came.

        Args:
            mask: True for each line to read, shape (batch,).

        Yields:
            Lines with their newline.
        """
        self._lines.seek(0)
        for line, wanted in zip(self._lines, mask, strict=True):
            if wanted:
                yield line


class RecordSpool:
    """Records on disk for several passes in their order; memory holds none.

    The file has no name: however the run ends, nothing is left of it.
    """

    def __init__(self) -> None:
        self._lines: IO[bytes] = open_spool()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._lines.close()

    def add(self, record: Record) -> None:
        """Put a record on disk."""
        self._lines.write(dump_record(record))

    def records(self) -> Iterator[Record]:
        """Read all records again, in order."""
        self._lines.seek(0)
        for line in self._lines:
            yield parse_record(line)
