"""Going on with an output that a killed run left behind."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

from real_cli.errors import RealError, RecordError
from real_cli.io.earlier import Earlier
from real_cli.io.job import Located
from real_cli.io.jsonl import parse_record
from real_cli.records.record import Record, content_key

# What a line of some other output may lead to, where it is read as a record of this one.
OTHER_OUTPUT = (RecordError, KeyError, TypeError, AttributeError)


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
    earlier = Earlier(path)
    for number, data in earlier.lines():
        item = next(records, None)
        try:
            same = item is not None and content_key(item.record) == content_key(parse_record(data))
        except OTHER_OUTPUT:
            same = False
        if not same:
            where = item.place if item else "the end of the input"
            raise RealError(f"{path}:{number}: does not belong to {where}; resume with the same input and options")
    passed: list[Located] = []
    earlier.settle(_looked_at(islice(records, 1), passed))
    yield from (item.record for item in chain(passed, records))


def unfinished(
    located: Iterable[Located],
    path: Path | None,
    key: Callable[[Record], bytes],
    written_key: Callable[[Record], bytes],
) -> Iterator[Located]:
    """Skip the records that an earlier output holds already, where some may have failed.

    The two are read side by side; only records that are not in the output where they should be are held in memory.

    Args:
        located: The input.
        path: The earlier output; None or a file that is not there skips nothing.
        key: Of a record of the input; records with equal keys are counted.
        written_key: Of a record of the output: the key of what it was made of.

    Yields:
        The records still to be done, first those that failed.

    Raises:
        RealError: If the output does not come from this input.
    """
    records = iter(located)
    failed: dict[bytes, list[Located]] = defaultdict(list)
    earlier = Earlier(path)
    for number, data in earlier.lines():
        if not _take(records, failed, _key_of(data, written_key), key):
            raise RealError(
                f"{path}:{number}: belongs to no record of the input; resume with the same input and options"
            )
    missing = [item for items in failed.values() for item in items]
    passed: list[Located] = []  # a torn record may come behind others that failed
    earlier.settle(chain((item.record for item in missing), _looked_at(records, passed)))
    yield from chain(missing, passed, records)


def _looked_at(records: Iterable[Located], passed: list[Located]) -> Iterator[Record]:
    """Give records out to be looked at, and keep those that were."""
    for item in records:
        passed.append(item)
        yield item.record


def _key_of(data: bytes, key: Callable[[Record], bytes]) -> bytes | None:
    try:
        return key(parse_record(data))
    except OTHER_OUTPUT:
        return None


def _take(
    records: Iterator[Located],
    failed: dict[bytes, list[Located]],
    wanted: bytes | None,
    key: Callable[[Record], bytes],
) -> bool:
    """Take the record of an output line from those that were passed over, else from the input."""
    if wanted is None:
        return False
    if wanted in failed:
        failed[wanted].pop(0)
        if not failed[wanted]:
            del failed[wanted]
        return True
    for item in records:
        found = key(item.record)
        if found == wanted:
            return True
        failed[found].append(item)
    return False


def last_record(path: Path | None, check: Callable[[Record], object], wanted: Iterable[Record]) -> Record:
    """Read the last record of an earlier output, and make the output ready for the next.

    Args:
        path: The output; None or a file that is not there holds nothing.
        check: Raises a RecordError if the record is none of this run's.
        wanted: What a torn record may have been made of.

    Returns:
        The record; an empty one if there is none.

    Raises:
        RealError: If the last line is no record, or not of this run.
    """
    earlier = Earlier(path)
    last = deque(earlier.lines(), maxlen=1)
    record: Record = {}
    if last:
        try:
            record = parse_record(last[0].data)
            check(record)
        except OTHER_OUTPUT as error:
            told = error if isinstance(error, RecordError) else "is no record of this run; resume with the same options"
            raise RealError(f"{path}:{last[0].number}: {told}") from None
    earlier.settle(wanted)
    return record
