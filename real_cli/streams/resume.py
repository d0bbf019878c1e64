"""Going on with an output that a killed run left behind."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from real_cli.core.records import Record, content_key
from real_cli.errors import RealError, RecordError
from real_cli.streams.job import Located
from real_cli.streams.jsonl import parse_record, read_lines


def repair(path: Path) -> None:
    """Cut off a last line that was not written to its end.

    Args:
        path: The output of an earlier run; a file that is not there is an empty one.
    """
    if not path.exists():
        return
    with path.open("rb+") as file:
        end = file.seek(0, 2)
        while end:
            start = max(0, end - (1 << 16))
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        file.truncate(end)


def remaining(located: Iterable[Located], path: Path | None) -> Iterator[Record]:
    """Skip the records that an earlier output holds already.

    The output is in the order of the input, so the two are read side by side and nothing is held in memory.

    Args:
        located: The input.
        path: The earlier output; None or a file that is not there skips nothing.

    Yields:
        The records still to be done.

    Raises:
        RealError: If the output does not come from this input.
    """
    records = iter(located)
    if path is not None and path.exists():
        with path.open("rb") as file:
            for number, data in read_lines(file):
                item = next(records, None)
                try:
                    same = item is not None and content_key(item.record) == content_key(parse_record(data))
                except (RecordError, KeyError, TypeError):
                    same = False
                if not same:
                    where = item.place if item else "the end of the input"
                    raise RealError(
                        f"{path}:{number}: does not belong to {where}; resume with the same input and options"
                    )
    yield from (item.record for item in records)
