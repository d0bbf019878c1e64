"""Shared by readers of compared responses: verdicts written, numbers and lists of objects read.

A pair with a winner becomes a preference; a tie becomes candidates of one rank, with the verdict that `eval winrate`
reads. Signs, numbers and names that speak of a first and a second response become chosen and rejected.
"""

import math
from collections.abc import Iterable
from typing import Any

from real_cli.errors import RecordError, clip
from real_cli.records.messages import is_number
from real_cli.records.public.layout_readers import rest
from real_cli.records.record import Record, to_preference
from real_cli.records.verdicts import TIE


def decide(
    record: Record, uses: Iterable[str], prompt: Any, sides: tuple[Record, Record], winner: int | None, **more: Any
) -> Record:
    """Write two responses as a preference, or as candidates of equal rank for a tie.

    `uses` names the fields that went into prompt, responses and verdict; `winner` is 0 or 1, None for a tie.

    >>> decide({"id": 1}, [], "q", ({"text": "a"}, {"text": "b"}), 1)
    {'prompt': 'q', 'chosen': 'b', 'rejected': 'a', 'id': 1}
    """
    if winner is None:
        tied = [side | {"rank": 1} for side in sides]
        return rest(record, uses, prompt=prompt, responses=tied, **more, annotation={"verdict": TIE})
    candidates = rest(record, uses, prompt=prompt, responses=list(sides), **more)
    return to_preference(candidates, sides[winner], sides[1 - winner], {})


def read_number(record: Record, field: str) -> float:
    """Read a number, which a table may hold as a numeral.

    >>> read_number({"preference": "1.5"}, "preference")
    1.5
    """
    value: Any = record.get(field)
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            value = None
    if not is_number(value) or not math.isfinite(value):
        raise RecordError(f"field '{field}' is {clip(record.get(field))}; a number is needed")
    return value  # type: ignore[no-any-return]


def objects(record: Record, field: str, needed: str) -> list[Record]:
    """Read a list of objects that all have a field.

    >>> objects({"answers": [{"text": "a"}]}, "answers", "text")
    [{'text': 'a'}]
    """
    values: list[Record] = record[field]
    for number, value in enumerate(values, 1):
        if not isinstance(value, dict) or needed not in value:
            raise RecordError(f"{field} {number} has no '{needed}': {clip(value)}")
    return values
