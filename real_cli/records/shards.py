"""A part of a data set, split by prompt, and the marks by which its parts find their order again."""

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from real_cli.errors import RecordError, UsageError, clip
from real_cli.records.messages import text_key
from real_cli.records.record import Record

# Of a record that `--numbered` has numbered; whatever is made of it keeps the field.
MARK = "shard"
MARK_FIELDS = ("part", "of", "record")
# Most numbers that a message lists.
MOST_LISTED = 10


class Shard(NamedTuple):
    """The shard to work on, from 1, and how many there are."""

    part: int
    number: int


class Mark(NamedTuple):
    """Where a line comes from: its shard from 1, how many there are, and the number of its record in the input."""

    part: int
    of: int
    record: int


WHOLE = Shard(1, 1)


def parse_shard(text: str | None) -> Shard:
    """Read "I/N", with 1 <= I <= N; None is the whole.

    Args:
        text: What the user gave; None is the whole.

    Returns:
        The shard.

    Raises:
        UsageError: If it is not two numbers with 1 <= I <= N.

    Example:
        >>> parse_shard("2/8")
        Shard(part=2, number=8)
    """
    match = re.fullmatch(r"([0-9]{1,18})/([0-9]{1,18})", "1/1" if text is None else text)
    if match and 1 <= int(match[1]) <= int(match[2]):
        return Shard(int(match[1]), int(match[2]))
    raise UsageError(f"--shard {clip(text)}: give I/N with I from 1 to N, as 1/4 (an array job's --array=1-4)")


def in_shard(record: Record, shard: Shard) -> bool:
    """Tell whether a record belongs to a shard; all records of a prompt go to the same one."""
    if shard.number == 1:
        return True
    return int.from_bytes(text_key(record["prompt"])[:8], "big") % shard.number == shard.part - 1


def is_numbered_in(number: int, shard: Shard) -> bool:
    """Tell whether the record of a number, which has no prompt that could be read, belongs to a shard."""
    return number % shard.number == shard.part - 1


def with_mark(record: Record, shard: Shard, number: int) -> Record:
    """Number a record of a shard.

    Args:
        record: A record without a mark.
        shard: Its shard.
        number: Of the record in the whole input, from 1; the same in every shard's run.

    Returns:
        The record with its mark as the last field.

    Raises:
        RecordError: If the field is there already.

    Example:
        >>> with_mark({"prompt": "q"}, Shard(2, 8), 17)
        {'prompt': 'q', 'shard': {'part': 2, 'of': 8, 'record': 17}}
    """
    if MARK in record:
        raise RecordError(
            f"field '{MARK}' is there already: {clip(record[MARK])}; leave out --numbered where an earlier command has "
            "numbered the records, or rename the field"
        )
    return record | {MARK: dict(zip(MARK_FIELDS, (*shard, number), strict=True))}


def read_mark(record: Record) -> Mark:
    """Read the mark of a record.

    Args:
        record: Any record.

    Returns:
        Its mark.

    Raises:
        RecordError: If it has none, or one that `with_mark` does not write.

    Example:
        >>> read_mark({"shard": {"part": 2, "of": 8, "record": 17}})
        Mark(part=2, of=8, record=17)
    """
    if MARK not in record:
        raise RecordError(f"field '{MARK}' is missing; make the parts with --shard I/N --numbered")
    mark = record[MARK]
    if isinstance(mark, dict) and tuple(mark) == MARK_FIELDS and all(type(value) is int for value in mark.values()):
        read = Mark(*mark.values())
        if 1 <= read.part <= read.of and read.record >= 1:
            return read
    raise RecordError(f"field '{MARK}' is {clip(mark)}; what --numbered writes is needed: part, of and record")


def numbered_mark(record: Record) -> Mark | None:
    """Return the mark of a record; None for one that is not numbered, whose field of that name is somebody else's.

    Args:
        record: Any record.

    Returns:
        Its mark, or None.

    Example:
        >>> numbered_mark({"shard": "mine"}) is None
        True
    """
    if MARK not in record:
        return None
    try:
        return read_mark(record)
    except RecordError:
        return None


def check_parts(parts: Sequence[tuple[str, Mark | None]], what: str, several: str) -> None:
    """Refuse parts that are not the shards of one input, each once.

    Args:
        parts: Names, each with the mark of a line in it; None for a part without a line, which may be any shard.
        what: What a part is, for the message, as "part".
        several: The same of several.

    Raises:
        UsageError: If parts were not cut by the same N, one stands twice, or some lack; the message has their numbers.

    Example:
        >>> check_parts([("a", Mark(1, 2, 5)), ("b", None)], "part", "parts")
    """
    places: dict[int, str] = {}
    first: tuple[str, Mark] | None = None
    for name, mark in parts:
        if mark is None:
            continue
        first = first or (name, mark)
        if mark.of != first[1].of:
            raise UsageError(
                f"{name}: is of {mark.of:,} shards, and {first[0]} of {first[1].of:,}; give the {several} of one run"
            )
        if mark.part in places:
            raise UsageError(f"{name}: holds shard {mark.part}, as {places[mark.part]} does; give each shard once")
        places[mark.part] = name
    if first is not None:
        _check_number(len(parts), first[1].of, places, what, several)


def _check_number(number: int, of: int, places: Collection[int], what: str, several: str) -> None:
    if number > of:
        raise UsageError(f"{number:,} {several} are there, of {of:,} shards; give each shard once")
    if number < of:
        absent = sorted(set(range(1, of + 1)) - set(places)) if of < 1e7 else []
        shown = ", ".join(map(str, absent[:MOST_LISTED])) + (", ..." if len(absent) > MOST_LISTED else "")
        empty = number - len(places)
        besides = f" (some of these {'is' if empty == 1 else 'are'} the {empty:,} without a line)" if empty else ""
        lacking = f"1 {what} of {of:,} is" if of - number == 1 else f"{of - number:,} {several} of {of:,} are"
        raise UsageError(f"{lacking} not there: shard {shown}{besides}; run what failed again")
