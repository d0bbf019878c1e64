"""The verdicts of `real eval pairs`: every check over every pair, the level it leaves, and the pairs that are sound."""

from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.errors import Status, UsageError, clip
from real_cli.evaluate.pairs.checks import CHECKS, Check, Finding, PairView
from real_cli.evaluate.pairs.mending import MendCommand
from real_cli.io.progress import say
from real_cli.report.contents import VerdictLevel, VerdictRow, Verdicts
from real_cli.text.phrases import say_count

NUM_PLACES = 5
LEVELS = tuple(VerdictLevel)
TITLE = "Is it sound to train on?"
# What a column comes from that a user has to ask for.
COLUMN_OPTIONS = {"leaks": "--against FILE", "near-leaks": "--against FILE and --near D"}


class Places:
    """The places of all pairs, 16 bytes each: the file's number, and the line's."""

    def __init__(self) -> None:
        self._names: dict[str, int] = {}
        self._order: list[str] = []
        self._files, self._lines = array("L"), array("Q")

    def add(self, place: str) -> None:
        """Note the place of the next pair."""
        name, _, line = place.rpartition(":")
        if not line.isdecimal():
            name, line = place, "0"
        number = self._names.setdefault(name, len(self._order))
        if number == len(self._order):
            self._order.append(name)
        self._files.append(number)
        self._lines.append(int(line))

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, row: int) -> str:
        name, line = self._order[self._files[row]], self._lines[row]
        return f"{name}:{line}" if line else name


class Inspection:
    """What checks keep of each pair, and what they make of it at the end.

    Args:
        mend: Writes the commands that mend.
    """

    def __init__(self, mend: MendCommand | None = None) -> None:
        self._command = mend or MendCommand()
        self._kept: dict[str, array[Any]] = {check.name: array(check.kind) for check in CHECKS}
        # What looks at a pair, what keeps the answer, and whether that is a float: looked up once for all pairs.
        self._looks = [
            (check.look, self._kept[check.name].append, check.kind == "d") for check in CHECKS if not check.column
        ]
        self._places = Places()
        self._findings: dict[str, tuple[Check, Finding]] = {}

    def add(self, view: PairView, place: str) -> None:
        """Have every check look at a pair."""
        self._places.add(place)
        for look, keep, is_float in self._looks:
            value = look(view)
            keep(value if is_float else int(value))

    def judge(self, prompts: NDArray[np.uint64], columns: Mapping[str, NDArray[Any]]) -> None:
        """Judge what was kept, once; a check that had nothing to look at has no verdict."""
        if self._findings:
            return
        for check in CHECKS:
            if check.column and check.column not in columns:
                continue
            kept = self._kept[check.name]
            values = columns[check.column] if check.column else np.array(kept, dtype=np.dtype(check.kind))
            finding = check.judge(values, prompts)
            if finding.is_wrong or finding.share.num_rows:
                self._findings[check.name] = (check, finding)

    @property
    def verdict(self) -> VerdictLevel:
        """The worst level of all."""
        return min((level for _, level, _ in self._levels()), key=LEVELS.index, default=VerdictLevel.sound)

    def named(self, worst: Collection[VerdictLevel]) -> list[str]:
        """Name the checks of some levels, each with its measure."""
        return [
            f"{level}: {check.name} ({finding.measure})" for check, level, finding in self._levels() if level in worst
        ]

    def summary(self) -> list[dict[str, Any]]:
        """Give each verdict as a record, the worst first."""
        return [self._record(check, level, finding) for check, level, finding in self._worst_first()]

    def mend(self) -> dict[str, Any]:
        """Give the command that leaves out what all checks found, and how many pairs stay.

        A check that would leave no pair beside those that are worse is not in it.
        """
        stays = np.ones(len(self._places), dtype=np.bool_)
        names = []
        for check, level, finding in self._worst_first():
            rest = stays & (finding.rows != 1) if level is not VerdictLevel.sound else stays
            if rest.any() and (finding.rows == 1).any() and level is not VerdictLevel.sound:
                names.append(check.name)
                stays = rest
        return {
            "mend": self._command.line(names) if names else None,
            "mend_note": self._command.note or None if names else None,
            "num_left": int(stays.sum()),
        }

    def sentence(self) -> str:
        """Say the verdict in a line: which checks found something, and in how many pairs."""
        parts = []
        for wanted in (VerdictLevel.broken, VerdictLevel.doubtful):
            names = [
                f"{check.name} {int((finding.rows == 1).sum()):,}".removesuffix(" 0")
                for check, level, finding in self._levels()
                if level is wanted
            ]
            parts += [f"{wanted}: {', '.join(names)}"] if names else []
        return "; ".join(parts) or f"sound: {len(self._findings)} checks held"

    def places(self) -> Iterator[str]:
        """Name the place of each pair."""
        return map(self._places.__getitem__, range(len(self._places)))

    def reasons(self, names: Sequence[str]) -> Iterator[list[str]]:
        """Name for each pair the checks that leave it out: of those named, or of all that say broken."""
        marks = [
            (check.name, finding.rows == 1)
            for check, level, finding in self._levels()
            if (check.name in names if names else level is VerdictLevel.broken)
        ]
        for row in range(len(self._places)):
            yield [name for name, rows in marks if rows[row]]

    def _levels(self) -> Iterator[tuple[Check, VerdictLevel, Finding]]:
        for check, finding in self._findings.values():
            yield check, check.level if finding.is_wrong else VerdictLevel.sound, finding

    def _worst_first(self) -> list[tuple[Check, VerdictLevel, Finding]]:
        return sorted(self._levels(), key=lambda row: LEVELS.index(row[1]))

    def _record(self, check: Check, level: VerdictLevel, finding: Finding) -> dict[str, Any]:
        is_sound = level is VerdictLevel.sound
        marked = np.flatnonzero(finding.rows == 1)
        mends = 0 < marked.size < finding.rows.size  # what leaves nothing is no remedy
        return {
            "check": check.name,
            "level": level.value,
            "title": check.holds or f"not found: {check.title}" if is_sound else check.title,
            "measure": finding.measure,
            "num_pairs": 0 if is_sound else int(marked.size),
            "num_checked": int((finding.rows >= 0).sum()),
            **finding.share.fields("share"),
            "reason": check.reason,
            "mend": self._command.line([check.name]) if mends and not is_sound else None,
            "num_left": int((finding.rows != 1).sum()) if mends and not is_sound else None,
            "places": [] if is_sound else [self._places[row] for row in marked[:NUM_PLACES].tolist()],
        }


def tell_verdict(inspection: Inspection, worst: str | None, status: Status) -> Status:
    """Tell each verdict at a level or worse, as a gate that is shut does; --quiet does not hide why."""
    if worst is None:
        return status
    shut = inspection.named(LEVELS[: LEVELS.index(VerdictLevel(worst)) + 1])
    for line in shut:
        say(line)
    return Status.over_limit if shut else status


def check_names(names: Sequence[str], given: Mapping[str, bool]) -> list[str]:
    """Refuse names that are no check's, with those close to them, and checks whose column is said not to be given."""
    known = {check.name: check for check in CHECKS}
    for name in names:
        if name not in known:
            close = get_close_matches(name, known, n=3, cutoff=0.5) or known
            raise UsageError(f"--drop {clip(name)}: no check is called so; close to it: {', '.join(close)}")
        if known[name].column and not given.get(known[name].column, True):
            needed = COLUMN_OPTIONS.get(known[name].column, "--against FILE")
            raise UsageError(f"--drop {name}: nothing was looked for; give {needed} too")
    return list(names)


def verdicts_block(summary: Mapping[str, Any]) -> Verdicts:
    """Lay the verdicts of a summary out for a report or a terminal."""
    pairs = say_count(summary["num_pairs"], "pair")
    rows = tuple(_verdict_row(row, pairs) for row in summary["verdicts"])
    if not summary["mend"]:
        return Verdicts(TITLE, rows)
    several = sum(row["mend"] is not None for row in summary["verdicts"]) > 1
    note = f"This leaves out what was found; {summary['num_left']:,} of {pairs} stay."
    note += " Without a --drop the pairs of its check stay too." if several else ""
    note += f" {summary['mend_note']}" if summary["mend_note"] else ""
    return Verdicts(TITLE, rows, mend=summary["mend"], mend_note=note)


def _verdict_row(row: Mapping[str, Any], pairs: str) -> VerdictRow:
    """Say of what is sound what holds; of the rest what was found, and which part of the command leaves it out."""
    level, title, measure, mend = VerdictLevel(row["level"]), row["title"], row["measure"], ""
    if level is VerdictLevel.sound and measure.startswith("0 of "):
        title, measure = f"{title} ({say_count(row['num_checked'], 'pair')})", ""
    if row["mend"]:
        mend = f"--drop {row['check']}  # by itself it leaves {row['num_left']:,} of {pairs}"
    return VerdictRow(level, title, measure, row["reason"], mend, tuple(row["places"]))
