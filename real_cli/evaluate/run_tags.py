"""Tags by which rows of `real eval margin` tell trained policies apart: a name or a number each."""

import math

from real_cli.errors import RecordError, clip
from real_cli.records.messages import is_number
from real_cli.records.record import Record


def read_tag(record: Record, field: str) -> str:
    """Read a tag as text; a number is the same tag however it is written.

    >>> read_tag({"seed": 1.0}, "seed"), read_tag({"method": "ipo"}, "method")
    ('1', 'ipo')
    """
    value = record.get(field)
    if value is None:
        raise RecordError(f"field '{field}' is missing; 'real eval margin --rows FILE --tag {field}=...' writes it")
    if isinstance(value, str) and value.strip():
        return value
    if not is_number(value):
        raise RecordError(f"field '{field}' is {clip(value)}; a name or a number is needed")
    return str(int(value)) if math.isfinite(value) and value == int(value) else str(value)


def seed_order(seed: str) -> tuple[bool, float, str]:
    """Order seeds as numbers, and what is no number behind them.

    >>> sorted(["nan", "10", "9", "a"], key=seed_order)
    ['9', '10', 'a', 'nan']
    """
    try:
        number = float(seed)
    except ValueError:
        number = math.nan
    return (False, number, seed) if math.isfinite(number) else (True, 0.0, seed)
