"""A part of a data set, split by prompt."""

import re
from typing import NamedTuple

from real_cli.errors import UsageError, clip
from real_cli.records.messages import text_key
from real_cli.records.record import Record


class Shard(NamedTuple):
    """The shard to work on, from 1, and how many there are."""

    part: int
    number: int


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
    match = re.fullmatch(r"(\d+)/(\d+)", "1/1" if text is None else text)
    if match and 1 <= int(match[1]) <= int(match[2]):
        return Shard(int(match[1]), int(match[2]))
    raise UsageError(f"--shard {clip(text)}: give I/N with I from 1 to N, as 1/4")


def in_shard(record: Record, shard: Shard) -> bool:
    """Tell whether a record belongs to a shard; all records of a prompt go to the same one."""
    return int.from_bytes(text_key(record["prompt"])[:8], "big") % shard.number == shard.part - 1
