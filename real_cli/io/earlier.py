"""A file of records that an earlier run left, perhaps torn: inspected before it is touched."""

import codecs
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from real_cli.errors import RealError, RecordError
from real_cli.io.jsonl import Line, dump_record, parse_record, read_lines
from real_cli.records.record import Record

# What `embed` and `sample` add, for files without one whole line.
WRITTEN = frozenset({"prompt", "responses", "embedding", "embedding_dtype"})


class Earlier:
    """The lines of an earlier run. Nothing is cut or added before `settle`, when all of them were seen to be ours.

    Args:
        path: The file; one that is not there is an empty one.
        names: Fields that a record keeps of what it was made of: by them a torn one is known.
        written: Fields that a record may have beside those of what it was made of; a torn one with others is somebody
            else's. Left out, they are those of the first line.
    """

    def __init__(
        self, path: Path | None, names: Sequence[str] = ("id", "prompt"), written: Collection[str] | None = None
    ) -> None:
        self._path = path
        self._names = names
        self._written = written
        self._torn: Line | None = None
        self._lacks_newline = False

    def lines(self) -> Iterator[Line]:
        """Read the complete records, the last one with or without its newline."""
        if self._path is None or not self._path.exists():
            return
        with self._path.open("rb") as file:
            try:
                for line in read_lines(file):
                    if not line.data.endswith(b"\n"):
                        self._lacks_newline = True
                        if not _is_record(line.data):
                            self._torn = line
                            return
                    yield line
            except RecordError as error:
                raise RealError(f"{self._path}:{error}") from None

    def settle(self, wanted: Iterable[Record]) -> None:
        """Make the file ready to append to: cut a torn record off, end a complete one with a newline.

        A torn line that starts no record of `wanted` is somebody else's: it stays, and the run ends with a
        RealError.
        """
        if self._path is None or not self._lacks_newline:
            return
        if self._torn is None:
            with self._path.open("ab") as file:
                file.write(b"\n")
            return
        if not is_start(self._torn.data, wanted, self._names, self._written or _written_before(self._path)):
            raise RealError(
                f"{self._path}:{self._torn.number}: is no record, nor the start of one that this run would write; "
                "take the line out, or name another file"
            )
        with self._path.open("rb+") as file:
            file.truncate(file.seek(0, 2) - len(self._torn.data))


def is_start(
    data: bytes, wanted: Iterable[Record], names: Sequence[str], written: Collection[str] = frozenset()
) -> bool:
    """Tell whether a torn line starts a record made of one of `wanted`.

    It begins as JSON does, keeps the fields of `names`, and has no others but those of `written`.
    """
    import jiter

    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)  # the last character may be torn too
        begun = jiter.from_json(data, partial_mode="trailing-strings")
    except ValueError:
        return False
    if not isinstance(begun, dict):
        return False
    if not begun:  # cut within the first name
        return any(dump_record(record).startswith(data) for record in wanted)
    first = next(iter(begun))
    return any(
        first in record
        and begun.keys() <= {*record, *written}
        and all(_begins(begun[name], record.get(name)) for name in names if name in begun)
        for record in wanted
    )


def _begins(part: Any, whole: Any) -> bool:
    if isinstance(part, str) and isinstance(whole, str):
        return whole.startswith(part)
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) <= len(whole) and all(map(_begins, part, whole))
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(name in whole and _begins(value, whole[name]) for name, value in part.items())
    # A torn number may lack its last digits.
    return bool(part == whole) or (type(part) is int and str(whole).startswith(str(part)))


def _is_record(data: bytes) -> bool:
    try:
        parse_record(data)
    except RecordError:
        return False
    return True


def _written_before(path: Path) -> Collection[str]:
    """Collect the fields that a line may have beside its record's: the first line has them all."""
    with path.open("rb") as file:
        first = file.readline()
    return WRITTEN | (parse_record(first).keys() if _is_record(first) else set())
