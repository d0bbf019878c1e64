"""What objects counted, as plain values that travel between processes and add up."""

from collections import Counter as Tally
from collections.abc import Mapping
from typing import TypeAlias

# What an attribute may hold that counts: a number, numbers by name, names; a text is a fact that stays.
Count: TypeAlias = "int | Tally[str] | set[str] | str"
# By object, then by attribute.
Counts: TypeAlias = dict[str, dict[str, Count]]


def read_counts(objects: Mapping[str, object]) -> Counts:
    """Copy what each object counted: its whole numbers called num_, tallies and sets, and public texts.

    >>> class Sheep:
    ...     def __init__(self):
    ...         self.num_white, self.limit, self.names = 2, 9, {"Dolly"}
    >>> read_counts({"sheep": Sheep()})
    {'sheep': {'num_white': 2, 'names': {'Dolly'}}}
    """
    return {
        name: {key: _copy(value) for key, value in vars(item).items() if _is_count(key, value)}
        for name, item in objects.items()
    }


def _is_count(key: str, value: object) -> bool:
    is_number = type(value) is int and key.lstrip("_").startswith("num_")
    return is_number or isinstance(value, Tally | set) or (isinstance(value, str) and not key.startswith("_"))


def _copy(value: Count) -> Count:
    return value if isinstance(value, int | str) else value.copy()


def add_counts(first: Counts, second: Counts) -> Counts:
    """Add what two lots of objects counted.

    >>> add_counts({"sheep": {"num_white": 2}}, {"sheep": {"num_white": 1}, "goats": {"num_black": 3}})
    {'sheep': {'num_white': 3}, 'goats': {'num_black': 3}}
    """
    total = {name: dict(counts) for name, counts in first.items()}
    for name, counts in second.items():
        known = total.setdefault(name, {})
        for key, value in counts.items():
            known[key] = _sum(known[key], value) if key in known else value
    return total


def _sum(first: Count, second: Count) -> Count:
    if isinstance(first, int) and isinstance(second, int):
        return first + second
    if isinstance(first, Tally) and isinstance(second, Tally):
        return first + second
    if isinstance(first, set) and isinstance(second, set):
        return first | second
    return second or first


def set_counts(objects: Mapping[str, object], counts: Counts) -> None:
    """Have objects hold these counts in place of their own.

    Zeros (an empty mapping of counts) are set by `clear_counts`.
    """
    for name, item in objects.items():
        for key, value in counts.get(name, {}).items():
            setattr(item, key, _copy(value))


def clear_counts(objects: Mapping[str, object]) -> None:
    """Set what objects counted to nothing."""
    for item in objects.values():
        for key, value in vars(item).items():
            if _is_count(key, value) and not isinstance(value, str):
                setattr(item, key, type(value)())
