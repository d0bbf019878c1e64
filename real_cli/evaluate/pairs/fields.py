"""Fields of a pair that `real eval pairs` reads besides its texts."""

import math

from real_cli.errors import RecordError
from real_cli.records.cut_marks import CUT_FIELDS
from real_cli.records.messages import is_number
from real_cli.records.record import Record, is_preference, refuse_unpaired
from real_cli.stats.numeric import number_or_nan

# What is looked at of a response beside its text.
READ = ("score", "model", *CUT_FIELDS)
NAMES_READ = {side: tuple((name, f"{name}_{side}") for name in READ) for side in ("chosen", "rejected")}
NUMBERS = ("score", "rank")


def check_pair(record: Record) -> None:
    """Refuse a record that has another number of responses than two."""
    number = 2 if is_preference(record) else len(record["responses"])
    if number != 2:
        refuse_unpaired(record)
        raise RecordError(f"{number} responses; a pair has two: choose one with 'real pair'")


def pool_size(record: Record) -> int:
    """Read `num_responses`; 0 if it is not there, and no more than fits."""
    number = record.get("num_responses")
    return min(max(2, int(number)), 1 << 24) if isinstance(number, int | float) and is_number(number) else 0


def two_responses(record: Record) -> tuple[Record, Record]:
    """Read what is looked at of the two responses, the chosen one first; `to_candidates` reads every field."""
    if not is_preference(record):
        first, second = record["responses"]
        return first, second
    return _side(record, "chosen"), _side(record, "rejected")


def _side(record: Record, side: str) -> Record:
    return {"text": record[side]} | {name: record[given] for name, given in NAMES_READ[side] if given in record}


def has_no_number(record: Record, first: Record, second: Record) -> bool:
    """Tell whether something stands where a number belongs; null, as tables have it, is none too."""
    return (
        _is_no_number(record, "similarity")
        or any(_is_no_number(first, name) for name in NUMBERS)
        or any(_is_no_number(second, name) for name in NUMBERS)
    )


def _is_no_number(holder: Record, name: str) -> bool:
    return name in holder and math.isnan(number_or_nan(holder[name]))


def field_gap(first: Record, second: Record, field: str) -> float:
    """Subtract a number of the second response from that of the first; NaN if either is none."""
    gap = number_or_nan(first.get(field)) - number_or_nan(second.get(field))
    return gap if math.isfinite(gap) else math.nan
