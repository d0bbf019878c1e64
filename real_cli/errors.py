"""What can go wrong, and the exit status each leaves.

    RealError            1   the run failed
    ├── RecordError      1   one record is bad; `--on-error skip` goes on without it
    ├── ModelError       1   a model cannot be found or loaded
    ├── Paused         130   the person who answers goes on later
    └── UsageError       2   the command line is wrong

    Terminated         143   SIGTERM or SIGHUP arrived; no `except Exception` takes it

A message says what is wrong, then, after a semicolon, what would be right. The place (file and line) goes in front.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from enum import IntEnum
from itertools import islice
from types import MappingProxyType
from typing import Any


class Status(IntEnum):
    """Exit statuses, as the man page lists them."""

    done = 0
    failed = 1
    usage = 2
    rejected = 3
    over_limit = 3  # another name: the run is done, and something in the data is not as asked
    interrupted = 130
    terminated = 143


class RealError(Exception):
    """An error with a message for the user and an exit status for the shell."""

    status = Status.failed


class RecordError(RealError):
    """One record cannot be used; the message does not yet say where it stands."""


class ModelError(RealError):
    """A model cannot be found, loaded or used as asked."""


class Paused(RealError):
    """Whoever answered has paused, or is gone: what is there is not the whole, and the same command goes on."""

    def __init__(self, message: str, status: Status = Status.interrupted) -> None:
        super().__init__(message)
        self.status = status


class UsageError(RealError):
    """Options that do not fit together, or a value out of range."""

    status = Status.usage


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP arrived: leave in good order. Event loops let what derives from KeyboardInterrupt through."""

    status = Status.terminated

    def __init__(self) -> None:
        super().__init__("terminated")


def show_name(name: str) -> str:
    r"""Write the name of a file as text: bytes that are no UTF-8 as \xNN.

    >>> print(show_name("caf\udce9.jsonl"), show_name("café.jsonl"))
    caf\xe9.jsonl café.jsonl
    """
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def show_names(value: Any) -> Any:
    """Write every text in a JSON value as `show_name` does."""
    if isinstance(value, str):
        return show_name(value)
    if isinstance(value, dict):
        return {show_names(name): show_names(item) for name, item in value.items()}
    return [show_names(item) for item in value] if isinstance(value, list | tuple) else value


def clip(value: object, width: int = 60) -> str:
    """Show a value in a message, cut to one short line."""
    try:
        text = repr(value)
    except RecursionError:
        text = f"{type(value).__name__}, nested without end"
    return text if len(text) <= width else text[: width - 3] + "..."


# A record may have any number of fields, with names of any length; comparing takes the product of two lengths.
MOST_NAMES, LONGEST_NAME = 1000, 100
# Of names up to this length, as dpo and tpo, many differ in a letter.
SHORT_NAME = 3
NO_OTHERS: Mapping[str, str] = MappingProxyType({})


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Find the known name that a mistyped one most likely meant; None where none is near.

    >>> nearest("esay", ["easy", "hard"]), nearest("EASY", ["easy"]), nearest("zzz", ["easy"])
    ('easy', 'easy', None)
    >>> nearest("dop", ["dpo", "tpo"]), nearest("kto", ["dpo", "tpo"])
    ('dpo', None)
    """
    likely = [each for each in islice(known, MOST_NAMES) if len(each) <= LONGEST_NAME]
    names = {each.casefold(): each for each in reversed(likely)}
    wanted = name.strip().casefold()[:LONGEST_NAME]
    if wanted in names:
        return names[wanted]
    begun = [each for each in names if len(wanted) > 1 and each.startswith(wanted)]
    close = [each for each in get_close_matches(wanted, names, n=3, cutoff=0.6) if _may_be_slip(wanted, each)]
    return names[begun[0]] if len(begun) == 1 else names[close[0]] if close else None


def _may_be_slip(typed: str, known: str) -> bool:
    """Tell whether letters were swapped, left out or doubled; another letter in a short name makes another name."""
    return len(typed) > SHORT_NAME or abs(len(typed) - len(known)) == 1 or sorted(typed) == sorted(known)


def none_of(value: str, known: Iterable[str], others: Mapping[str, str] = NO_OTHERS) -> str:
    """Refuse a value that is not among the known ones, and suggest what others call so, or the nearest.

    >>> none_of("esay", ["easy", "hard"])
    "'esay' is none of easy, hard; did you mean easy?"
    >>> none_of("sigmoid", ["dpo", "ipo"], {"sigmoid": "dpo"})
    "'sigmoid' is none of dpo, ipo; did you mean dpo?"
    """
    names = list(known)
    meant = others.get(value.strip().lower().replace("-", "_"), value)
    return f"{clip(value)} is none of {', '.join(names)}; {suggest(meant, names, 'name one of them')}"


def suggest(name: str, known: Iterable[str], otherwise: str) -> str:
    """Ask whether the nearest known name was meant; say something else where none is near.

    >>> suggest("esay", ["easy", "hard"], "name another")
    'did you mean easy?'
    """
    near = nearest(name, known)
    return otherwise if near is None else f"did you mean {near}?"
