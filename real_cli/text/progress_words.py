"""How far a run is, in words of one line that fits a terminal."""

from typing import NamedTuple

SHORTEST_BAR, LONGEST_BAR = 10, 40
GAP = 2
# Rates below these are told by the minute and by the hour.
PER_SECOND, PER_MINUTE = 1.0, 1 / 60


class RunState(NamedTuple):
    """How far a run is.

    Attributes:
        command: Its words, as "relabel judge".
        what: What it counts, in the plural; or what it is doing, where it counts nothing.
        num_done: How many are done.
        total: How many there will be; None where nobody knows.
        is_estimate: Whether the total is extrapolated from what was read.
        seconds: Since it began.
        rate: How many a second; None before there is one.
        unit: What the rate counts, where that is not what is counted.
        seconds_left: Expected; None where nobody knows.
        note: What else is worth a few words, the loss say.
        is_counted: Whether there is anything to count.
        is_waiting: Whether nothing can be done until the input gives more.
    """

    command: str
    what: str
    num_done: int
    total: int | None = None
    is_estimate: bool = False
    seconds: float = 0.0
    rate: float | None = None
    unit: str = ""
    seconds_left: float | None = None
    note: str = ""
    is_counted: bool = True
    is_waiting: bool = False


class LineParts(NamedTuple):
    """A line: words before the bar, the bar's width (0 for none), words after it."""

    before: str
    bar_width: int
    after: str


def lay_out_progress(state: RunState, width: int) -> LineParts:
    """Say as much as fits into some columns; what matters least goes first: the bar, the note, the rate."""
    wide, narrow = _count(state), _count(state, is_narrow=True)
    command, last_word = state.command, state.command.split(" ")[-1]
    rest = [state.note, _rate(state), _left(state)]
    lines = [
        (command, wide, rest),
        (command, narrow, rest),
        (command, narrow, rest[1:]),
        (last_word, narrow, rest[1:]),
        (last_word, narrow, rest[2:]),
    ]
    for command, count, words in lines:
        before, after = " ".join(filter(None, [command, count])), " · ".join(filter(None, words))
        room = width - len(before) - len(after) - GAP * bool(after)
        if room >= 0:
            bar = min(LONGEST_BAR, room - GAP) if state.total and room - GAP >= SHORTEST_BAR else 0
            return LineParts(before, bar, after)
    return LineParts(f"{before}  {after}"[: max(0, width - 1)] + "…", 0, "")


def _count(state: RunState, *, is_narrow: bool = False) -> str:
    if not state.is_counted:
        return state.what
    if state.total is None:
        return f"{state.num_done:,} {state.what}"
    total = rounded_count(state.total) if state.is_estimate else state.total
    if is_narrow:
        return f"{state.num_done:,}/{'~' * state.is_estimate}{total:,}"
    return f"{state.num_done:,} of {'about ' * state.is_estimate}{total:,} {state.what}"


def rounded_count(count: int) -> int:
    """Round an estimate to three digits.

    >>> rounded_count(19_873), rounded_count(412)
    (19900, 412)
    """
    return round(count, 3 - len(str(count))) if count >= 1000 else count


def _rate(state: RunState) -> str:
    if state.rate is None:
        return say_duration(state.seconds)
    unit = f" {state.unit}" if state.unit else ""
    if state.rate >= PER_SECOND:
        return f"{state.rate:,.{1 if state.rate < 10 else 0}f}{unit}/s"
    if state.rate >= PER_MINUTE:
        return f"{state.rate * 60:.{1 if state.rate < 1 / 6 else 0}f}{unit}/min"
    return f"{state.rate * 3600:.1f}{unit}/h"


def _left(state: RunState) -> str:
    return "" if state.seconds_left is None else f"{say_duration(state.seconds_left)} left"


def say_duration(seconds: float) -> str:
    """Say how long something takes, in units that a person reads at a glance.

    >>> [say_duration(seconds) for seconds in (0.4, 59.7, 61, 3599, 3700, 200_000)]
    ['1 s', '60 s', '1 min', '60 min', '1 h 02 min', '56 h']
    """
    if seconds <= 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes >= 600:
        return f"{round(seconds / 3600):,} h"
    return f"{minutes} min" if seconds < 3600 else f"{minutes // 60} h {minutes % 60:02d} min"
