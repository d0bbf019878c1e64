"""Limits on the numbers of a summary, for a gate in a Makefile."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

from real_cli.errors import Status, UsageError, clip
from real_cli.io.progress import say
from real_cli.records.messages import is_number

# Of a summary what is text where it is not null.
TEXTS = {"by", "mend"}
# Counts by a name that only the data know; what is not among them is 0.
OPEN = "strategies"
FORM = re.compile(rf"\s*([\w.]+|{OPEN}\..+?)\s*(<=|>=)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*")


class Limit(NamedTuple):
    """What a number of the summary has to keep to.

    Attributes:
        name: Of the number; dots lead into nested ones.
        sign: "<=" or ">=".
        value: The limit itself, which may be reached.
    """

    name: str
    sign: str
    value: float

    def __str__(self) -> str:
        return f"{self.name}{self.sign}{self.value:.12g}"


class Gate(NamedTuple):
    """Limits, and whether passing one is a failure.

    Attributes:
        limits: What numbers of the summary have to keep to.
        is_strict: Whether a passed limit leaves a status of its own.
    """

    limits: Sequence[Limit]
    is_strict: bool


def read_gate(
    texts: Sequence[str],
    names: Callable[[], Sequence[str]],
    *,
    is_strict: bool,
    needed: str,
    default: Sequence[str] = (),
) -> Gate:
    """Read the limits of a command line.

    Args:
        texts: As the user writes them.
        names: Gives those of the numbers; asked only where there is a limit.
        is_strict: Whether passing one is a failure.
        needed: A limit that a strict gate has in any case: nothing measured breaks no other, and a gate is to notice.
        default: Limits of a strict gate where the user sets none; those on numbers that the summary lacks are left out.
    """
    if not (texts or is_strict):
        return Gate([], is_strict)
    known = names()
    chosen = texts or [limit for limit in default if limit.partition("<")[0] in known]
    first = [needed] if is_strict and needed not in chosen else []
    return Gate([read_limit(text, known) for text in (*first, *chosen)], is_strict)


def read_limit(text: str, names: Sequence[str]) -> Limit:
    """Read a limit as a user writes it; a name that is not among the numbers is refused with those close to it."""
    match = FORM.fullmatch(text)
    if not match:
        raise UsageError(f"--limit {clip(text)}; NAME<=X or NAME>=X, such as 'share_chosen_longer<=0.6'")
    name, sign, value = match[1], match[2], float(match[3])
    if not math.isfinite(value):
        raise UsageError(f"--limit {clip(text)}: the limit is too large; give a finite number")
    if name not in names and not name.startswith(f"{OPEN}."):
        close = get_close_matches(name, names, n=3, cutoff=0.5) or list(names[:3])
        raise UsageError(
            f"--limit {clip(text)}: no number of the summary is called so; close to it: {', '.join(close)}"
        )
    return Limit(name, sign, value)


def number_names(summary: Mapping[str, Any]) -> list[str]:
    """Name the numbers of a summary, those in nested records with dots; None is a number that was not given.

    >>> number_names({"by": None, "mean_score": None, "length_note": None, "ties": {"score": 0.5}})
    ['mean_score', 'ties.score']
    """
    names = []
    for name, value in summary.items():
        if isinstance(value, Mapping):
            names += [f"{name}.{inner}" for inner in number_names(value)]
        elif is_number(value) or (value is None and name not in TEXTS and not name.endswith("_note")):
            names.append(name)
    return names


def find_number(summary: Mapping[str, Any], name: str) -> float | None:
    """Look up a number of a summary by its name; a strategy without pairs has 0 of them."""
    first, _, rest = name.partition(".")
    if first == OPEN and isinstance(summary.get(OPEN), Mapping):
        return int(summary[OPEN].get(rest, 0))
    value: Any = summary
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value if is_number(value) else None


def check_limits(summary: Mapping[str, Any], limits: Iterable[Limit]) -> list[dict[str, Any]]:
    """Compare the numbers of a summary with limits: a row a limit.

    A number that could not be given keeps no limit: a gate that cannot measure must not let everything through.
    """
    rows = []
    for limit in limits:
        value = find_number(summary, limit.name)
        kept = value is not None and (value <= limit.value if limit.sign == "<=" else value >= limit.value)
        shown = f"{limit.sign}{limit.value:.12g}"
        rows.append({"name": limit.name, "limit": shown, "value": value, "is_met": kept})
    return rows


def passed_limits(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Say each limit that is passed, a line each."""
    return [f"{row['name']} is {_shown(row['value'])}, not {row['limit']}" for row in rows if not row["is_met"]]


def tell_limits(rows: Iterable[Mapping[str, Any]], status: Status, *, is_strict: bool, quiet: bool) -> Status:
    """Tell each limit that was passed; strict ones are failures, which --quiet does not hide."""
    lines = passed_limits(rows)
    if is_strict or not quiet:
        for line in lines:
            say(line)
    return Status.over_limit if is_strict and lines else status


def _shown(value: float | None) -> str:
    if value is None:
        return "not known"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
