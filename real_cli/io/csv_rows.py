"""CSV as it was written: rows as long as their header, cells under their names; misfits are reported."""

import csv
import sys
from collections.abc import Collection, Iterator
from typing import IO, NamedTuple

from real_cli.errors import RealError, RecordError, clip
from real_cli.io.jsonl import read_lines
from real_cli.records.empty_prompts import with_empty_prompt
from real_cli.records.number_columns import cell_reader
from real_cli.records.public.written_lists import read_side_lists
from real_cli.records.record import Record

HINTS = {
    "unexpected end of data": "a quote that opens here is never closed; double a quote in a text",
    "field larger than": "a cell is longer than the longest line that is accepted; raise --max-line-bytes",
    "new-line character": "a carriage return stands in a text without quotes; quote the text",
}
# The header of preference data has at least one of them.
KNOWN_COLUMNS = frozenset(
    {"prompt", "instruction", "question", "query", "input", "chosen", "rejected", "response", "completion", "output"}
    | {"text", "messages", "history", "conversation", "conversations", "response_a", "human_ref_A", "model_a"}
)
SEPARATORS = {",": "commas", "\t": "tabs"}


class CsvRow(NamedTuple):
    """One row: its first line's number from 1, the record or what is wrong, and its bytes."""

    number: int
    record: Record | None
    data: bytes
    problem: str = ""


class _Lines:
    """The lines of a table as texts; keeps those of the current row."""

    def __init__(self, stream: IO[bytes], max_line_bytes: int) -> None:
        self._lines = read_lines(stream, max_line_bytes, keeps_blank=True)
        self.start = 0
        self.data: list[bytes] = []
        self.fault = ""

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        number, data = next(self._lines)
        self.start = self.start or number
        self.data.append(data)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            self.fault = self.fault or (
                f"byte {error.start + 1} is not UTF-8; convert the file first: iconv -f WINDOWS-1252 -t UTF-8"
            )
            return data.decode("utf-8", "surrogateescape")

    def begin_row(self) -> None:
        self.start, self.data, self.fault = 0, [], ""


def read_csv(
    stream: IO[bytes], shown: str, max_line_bytes: int, *, delimiter: str = ",", numbers: Collection[str] = ()
) -> Iterator[CsvRow]:
    """Read the rows of a CSV file; the first row names the columns.

    An empty cell is a field that its row lacks, unless it is the only prompt. A broken quote ends the run, since
    nothing behind it can be told apart.
    """
    # The library's own limit is shorter than some responses; it holds for the process and is never lowered.
    csv.field_size_limit(max(csv.field_size_limit(), min(max_line_bytes, sys.maxsize)))
    lines = _Lines(stream, max_line_bytes)
    rows = _rows(csv.reader(lines, strict=True, delimiter=delimiter), lines, shown)
    header = next(rows, None)
    if header is None:
        raise RealError(f"{shown}: cannot be read: it is empty; the names of the columns are needed in its first line")
    _check_header(header, f"{shown}:{lines.start}", lines.fault, delimiter)
    readers = {name: reader for name in header if (reader := cell_reader(name, numbers))}
    for cells in rows:
        record: Record = {name: cell for name, cell in zip(header, cells, strict=False) if cell}
        problem = (
            lines.fault or _count(cells, header) or ("" if record else "all its cells are empty; take the row out")
        )
        if not problem:
            try:
                record |= {name: read(record[name]) for name, read in readers.items() if name in record}
                record = with_empty_prompt(read_side_lists(record), header, "")
            except RecordError as error:
                problem = str(error)
        yield CsvRow(lines.start, None if problem else record, b"".join(lines.data), problem)


def _rows(reader: Iterator[list[str]], lines: _Lines, shown: str) -> Iterator[list[str]]:
    while True:
        lines.begin_row()
        try:
            cells = next(reader, None)
        except csv.Error as error:
            problem = next((hint for words, hint in HINTS.items() if str(error).startswith(words)), "")
            problem = problem or f"not CSV: {error}; double a quote in a text"
            raise RealError(f"{shown}:{lines.start}: {problem}") from None
        except RecordError as error:
            raise RealError(f"{shown}:{error}") from None
        if cells is None:
            return
        if cells:  # a blank line
            yield cells


def _check_header(header: list[str], place: str, fault: str, delimiter: str) -> None:
    if fault:
        raise RealError(f"{place}: {fault}")
    if len(header) == 1 and any(mark in header[0] for mark in ",;\t|"):
        hint = " (--format tsv reads tabs)" if "\t" in header[0] else ""
        raise RealError(
            f"{place}: one column, {clip(header[0])}; {SEPARATORS[delimiter]} between the columns are needed{hint}"
        )
    if header[0].lower().startswith("sep="):
        raise RealError(f"{place}: {clip(header[0])} is an instruction to spreadsheets; remove the line")
    for name in header:
        if name != name.strip() and name.strip() in KNOWN_COLUMNS:
            raise RealError(f"{place}: column {clip(name)} has spaces around its name; take them out")
        if header.count(name) > 1:
            raise RealError(f"{place}: column {clip(name)} appears twice; give each column its own name")


def _count(cells: list[str], header: list[str]) -> str:
    if len(cells) == len(header):
        return ""
    what = "comma" if len(cells) > len(header) else "line end"
    return f"has {len(cells)} fields, and the header has {len(header)}; put a text with a {what} between quotes"


def is_header(data: bytes) -> bool:
    """Tell whether a line that is not JSON names columns: several, at least one of them known."""
    try:
        text = data.decode("utf-8").strip()
        cells = next(csv.reader([text], strict=True, delimiter="\t" if "\t" in text else ","), [])
    except (csv.Error, UnicodeDecodeError):
        return False
    return len(cells) > 1 and not KNOWN_COLUMNS.isdisjoint(cells)
