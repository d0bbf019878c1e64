"""Resume an output that a killed run left behind."""

from array import array
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

import numpy as np

from real_cli.errors import RealError, RecordError
from real_cli.io.earlier import Earlier
from real_cli.io.job import Located
from real_cli.io.jsonl import parse_record
from real_cli.io.output import open_output
from real_cli.records.messages import comparable, plain_text
from real_cli.records.record import Record, content_key, to_candidates
from real_cli.records.shards import numbered_mark

# What a line of another output may raise when it is read as a record of this one.
OTHER_OUTPUT = (RecordError, KeyError, TypeError, AttributeError)
# A shorter prompt may begin or end another by chance.
FEWEST_CHARACTERS = 8


def remaining(
    located: Iterable[Located],
    path: Path | None,
    check: Callable[[Record], object] = lambda record: None,
    skip: Callable[[], object] = lambda: None,
) -> Iterator[Record]:
    """Skip the records that an earlier output holds already.

    The output is in the order of the input: the two are read side by side and nothing is held in memory. `check`
    refuses a record of the output that this run would not have written; `skip` is called for each that is there.
    """
    records = iter(located)
    earlier = Earlier(path)
    for number, data in earlier.lines():
        item = next(records, None)
        try:
            written = parse_record(data)
            same = item is not None and content_key(item.record) == content_key(written)
        except OTHER_OUTPUT:
            same = False
        if not same:
            raise _foreign(f"{path}:{number}", data, [item] if item else [])
        try:
            check(written)
        except OTHER_OUTPUT as error:
            raise RealError(f"{path}:{number}: {error}; resume with the same input and options") from None
        skip()
    passed: list[Located] = []
    earlier.settle(_looked_at(islice(records, 1), passed))
    yield from (item.record for item in chain(passed, records))


def unfinished(
    located: Iterable[Located],
    path: Path | None,
    key: Callable[[Record], bytes],
    written_key: Callable[[Record], bytes],
    skip: Callable[[], object] = lambda: None,
    *,
    appends: bool = True,
) -> Iterator[Located]:
    """Skip the records that an earlier output holds already; some may have failed.

    The two are read side by side: only records missing where they belong are held in memory. `key` and
    `written_key` identify a record and what an output record was made of; `skip` is called for each that is there. What
    failed comes first. Without `appends` the output stays as it is.
    """
    records = iter(located)
    failed: dict[bytes, list[Located]] = defaultdict(list)
    earlier = Earlier(path)
    for number, data in earlier.lines():
        if not _take(records, failed, _key_of(data, written_key), key):
            passed_over = [item for items in failed.values() for item in items]
            raise _foreign(f"{path}:{number}", data, passed_over, "belongs to no record of the input")
        skip()
    missing = [item for items in failed.values() for item in items]
    passed: list[Located] = []  # a torn record may follow others that failed
    if appends:
        earlier.settle(chain((item.record for item in missing), _looked_at(records, passed)))
    yield from chain(missing, passed, records)


def _foreign(place: str, data: bytes, items: Iterable[Located], belonging: str = "") -> RealError:
    """Say why a line of an output cannot be continued: another input's, or read otherwise."""
    item = None
    for item in items:
        if _is_same_but_for_reading(item.record, data):
            return RealError(
                f"{place}: is of {item.place}, whose prompt or responses are others now: the input has changed, or an "
                "earlier version read it otherwise; begin a new output"
            )
    belonging = belonging or f"does not belong to {item.place if item else 'the end of the input'}"
    return RealError(f"{place}: {belonging}; resume with the same input and options")


def _is_same_but_for_reading(record: Record, data: bytes) -> bool:
    """Tell whether a line has a record's id, responses, or prompt, give or take what surrounds it."""
    try:
        written = parse_record(data)
        prompt, other = plain_text(record["prompt"]), plain_text(written["prompt"])
        responses, others = _responses_of(record), _responses_of(written)
    except OTHER_OUTPUT:
        return False
    kept = {name: value for name, value in to_candidates(record).items() if name != "responses"}
    if others[: len(responses)] == responses and all(written.get(name) == value for name, value in kept.items()):
        return False  # all of the record is there: the options differ
    if record.get("id") is not None and str(record["id"]) == str(written.get("id")):
        return True
    short, long = sorted((prompt, other), key=len)
    is_part = len(short) >= FEWEST_CHARACTERS and (long.startswith(short) or long.endswith(short))
    return prompt == other or is_part or (bool(responses) and responses == others)


def _responses_of(record: Record) -> list[str]:
    return [comparable(response["text"]) for response in to_candidates(record).get("responses", [])]


def _looked_at(records: Iterable[Located], passed: list[Located]) -> Iterator[Record]:
    """Yield records for inspection, and keep those inspected."""
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
    """Take the record of an output line from those passed over, else from the input."""
    if wanted is None:
        return False
    if wanted in failed:
        failed[wanted].pop(0)
        if not failed[wanted]:
            del failed[wanted]
        return True
    for item in records:
        identity = key(item.record)
        if identity == wanted:
            return True
        failed[identity].append(item)
    return False


def last_record(
    path: Path | None, check: Callable[[Record], object], wanted: Iterable[Record], *, appends: bool = True
) -> Record:
    """Read the last record of an earlier output, empty if none; with `appends` make the file ready for more."""
    earlier = Earlier(path)
    last = deque(earlier.lines(), maxlen=1)
    record: Record = {}
    if last:
        try:
            record = parse_record(last[0].data)
            check(record)
        except OTHER_OUTPUT as error:
            if not isinstance(error, RecordError):
                error = RecordError("is no record of this run; resume with the same options")
            raise RealError(f"{path}:{last[0].number}: {error}") from None
    if appends:
        earlier.settle(wanted)
    return record


def put_in_order(path: Path) -> None:
    """Sort the lines of a numbered output by their records; a file of others, or in order already, stays as it is.

    Memory holds two numbers a line. The file is replaced as a whole.
    """
    records, ends = array("q"), array("q", [0])
    with path.open("rb") as file:
        for line in file:
            mark = numbered_mark(parse_record(line))
            if mark is None:
                return
            records.append(mark.record)
            ends.append(ends[-1] + len(line))
    numbers = np.array(records, dtype=np.int64)
    if (np.diff(numbers) >= 0).all():
        return
    with path.open("rb") as file, open_output(path) as stream:
        for index in np.argsort(numbers, kind="stable").tolist():
            file.seek(ends[index])
            stream.write(file.read(ends[index + 1] - ends[index]))
