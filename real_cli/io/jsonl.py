"""One JSON object a line: reading with line numbers, writing without loss.

orjson is fast and has edges that would silently change data; each is caught here and reported with its line.
"""

import base64
import json
import math
from collections.abc import Iterator
from datetime import date, time
from types import NoneType
from typing import IO, Any, NamedTuple

import orjson

from real_cli.errors import RecordError, clip
from real_cli.io.integers import check_integers
from real_cli.records.choices import MAX_LINE_BYTES
from real_cli.records.record import Record

BOM = b"\xef\xbb\xbf"
WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")
# What a table may hold that JSON can write; dates become texts.
PLAIN_TYPES = (str, int, float, bool, NoneType, date, time)
# orjson reads deeper nesting than it writes.
MAX_DEPTH = 254
DUMP_OPTIONS = orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY


class Line(NamedTuple):
    """One line of a source: its number from 1, and its bytes."""

    number: int
    data: bytes


def read_lines(stream: IO[bytes], max_line_bytes: int = MAX_LINE_BYTES, *, keeps_blank: bool = False) -> Iterator[Line]:
    """Read lines that are not blank; numbers count the blank ones too, and a byte-order mark goes."""
    number = 0
    while data := stream.readline(max_line_bytes + 1):
        number += 1
        if len(data) > max_line_bytes:
            raise RecordError(f"{number}: line is longer than {max_line_bytes} bytes; raise --max-line-bytes")
        if number == 1:
            if data.startswith(WIDE_BOMS):
                raise RecordError("1: text is UTF-16; convert it to UTF-8 first: iconv -f UTF-16 -t UTF-8")
            data = data.removeprefix(BOM)
        if keeps_blank or (not data.isspace() and data):
            yield Line(number, data)


def parse_record(data: bytes) -> Record:
    """Parse one line; refuse what could not be written again as it was read."""
    try:
        record = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise RecordError(_diagnose(data.rstrip(), error)) from None
    if not isinstance(record, dict):
        raise RecordError(_wrong_shape(record))
    if len(data) > 2 * MAX_DEPTH and _has_brackets(data, MAX_DEPTH + 1):  # each bracket has its other
        _check_depth(record)
    check_integers(data)
    return record


def _wrong_shape(value: object) -> str:
    if isinstance(value, list):
        return "a JSON array; one object a line is needed: jq -c '.[]' makes it so"
    return f"{clip(value)} is not a JSON object; one object a line is needed"


def _has_brackets(data: bytes, number: int) -> bool:
    """Count opening brackets to a limit; find leaps over an embedding that count would walk through."""
    for bracket in b"[", b"{":
        place = data.find(bracket)
        while place >= 0 and number > 0:
            number -= 1
            place = data.find(bracket, place + 1)
    return number <= 0


def _check_depth(record: Record) -> None:
    try:
        orjson.dumps(record)
    except TypeError as error:
        raise RecordError(f"nests too deep to be written again ({error}); {MAX_DEPTH} levels can be kept") from None


def _diagnose(data: bytes, error: orjson.JSONDecodeError) -> str:
    """Say what is wrong with a line that orjson refuses, and what would be right."""
    start = data.lstrip()[:1]
    if start == b"[":
        return "a JSON array starts here; one object a line is needed: jq -c '.[]' makes it so"
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as fault:
        return f"byte {fault.start + 1} is not UTF-8; convert the file, or drop the line"
    constants: list[str] = []

    def note(name: str) -> float:
        constants.append(name)
        return math.nan

    try:
        json.loads(text, parse_constant=note)
    except (ValueError, RecursionError):
        if data.strip() == b"{":
            return "a JSON object that spans lines; one object a line is needed: jq -c . makes it so"
        return f"not JSON: {error.msg}, column {min(error.pos, len(text)) + 1}"
    if constants:
        return f"{constants[0]} is not JSON; write null, or leave the field out"
    if "\\ud" in text.lower():
        return "a lone surrogate (\\ud800 to \\udfff) is not Unicode text; replace it, \\ufffd say"
    return f"not JSON that can be kept: {error.msg}"


def dump_record(record: Record) -> bytes:
    """Write a record as a line of UTF-8 with its newline; embeddings may be numpy arrays.

    Computed numbers are checked where they are computed: here NaN would become null.
    """
    try:
        return orjson.dumps(record, option=DUMP_OPTIONS)
    except TypeError as error:
        if "surrogates" in str(error):
            raise RecordError("holds text that is not valid Unicode, which JSON cannot hold; rewrite it") from None
        raise RecordError(f"cannot be written as JSON: {error}") from None


def line_fields(data: bytes) -> Record:
    """Return the field that keeps a line which is no record: its text, or base64 of bytes that are none."""
    try:
        return {"line": data.decode("utf-8").rstrip("\r\n")}
    except UnicodeDecodeError:
        return {"line_base64": base64.b64encode(data).decode("ascii")}


def check_values(value: Any, path: str = "") -> None:
    """Refuse what JSON cannot hold: bytes, and NaN and infinity, which orjson would write as null."""
    if isinstance(value, float) and not math.isfinite(value):
        raise RecordError(f"field '{path}' is {value}, which JSON cannot hold; write null, or leave the field out")
    if isinstance(value, dict):
        for field, item in value.items():
            check_values(item, f"{path}.{field}" if path else str(field))
    elif isinstance(value, list):
        for item in value:
            check_values(item, path)
    elif not isinstance(value, PLAIN_TYPES):
        raise RecordError(f"field '{path}' holds {type(value).__name__}, which JSON cannot hold; leave the column out")
