"""The verdicts of `real eval pairs`: every check over every pair, the level it leaves, and the pairs that are sound."""

import shlex
from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.errors import Status, UsageError, clip
from real_cli.evaluate.pairs.checks import CHECKS, Check, Finding, PairView
from real_cli.io.progress import say
from real_cli.report.contents import VerdictLevel, VerdictRow, Verdicts

NUM_PLACES = 5
LEVELS = tuple(VerdictLevel)
TITLE = "Is it sound to train on?"


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
        files: The input as a shell writes it, for the commands that mend.
        other: The option that names the other file, likewise, for the checks that look there.
    """

    def __init__(self, files: str = "pairs.jsonl", *, other: str = "") -> None:
        self._files = files
        self._other = other
        self._kept: dict[str, array[Any]] = {check.name: array(check.kind) for check in CHECKS}
        self._places = Places()
        self._findings: dict[str, tuple[Check, Finding]] = {}

    def add(self, view: PairView, place: str) -> None:
        """Have every check look at a pair."""
        self._places.add(place)
        for check in CHECKS:
            if not check.column:
                value = check.look(view)
                self._kept[check.name].append(value if check.kind == "d" else int(value))

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
        ordered = sorted(self._levels(), key=lambda row: LEVELS.index(row[1]))
        return [self._record(check, level, finding) for check, level, finding in ordered]

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

    def _record(self, check: Check, level: VerdictLevel, finding: Finding) -> dict[str, Any]:
        is_sound = level is VerdictLevel.sound
        marked = np.flatnonzero(finding.rows == 1)
        mends = 0 < marked.size < finding.rows.size  # what leaves nothing is no remedy
        return {
            "check": check.name,
            "level": level.value,
            "title": check.title,
            "measure": finding.measure,
            "num_pairs": 0 if is_sound else int(marked.size),
            "num_checked": int((finding.rows >= 0).sum()),
            **finding.share.fields("share"),
            "reason": check.reason,
            "mend": self._mend(check) if mends and not is_sound else None,
            "places": [] if is_sound else [self._places[row] for row in marked[:NUM_PLACES].tolist()],
        }

    def _mend(self, check: Check) -> str:
        needed = f" {self._other}" if check.column else ""
        return f"real eval pairs{needed} --drop {check.name} --sound sound.jsonl {self._files}"


def tell_verdict(inspection: Inspection, worst: str | None, status: Status) -> Status:
    """Tell each verdict at a level or worse, as a gate that is shut does; --quiet does not hide why."""
    if worst is None:
        return status
    shut = inspection.named(LEVELS[: LEVELS.index(VerdictLevel(worst)) + 1])
    for line in shut:
        say(line)
    return Status.over_limit if shut else status


def shell_words(sources: Sequence[str]) -> str:
    """Write the names of the input's files as a shell reads them; standard input is called pairs.jsonl."""
    names = ["pairs.jsonl" if name == "-" else name for name in sources] or ["pairs.jsonl"]
    return shlex.join(names)


def check_names(names: Sequence[str], given: Mapping[str, bool]) -> list[str]:
    """Refuse names that are no check's, with those close to them, and checks whose column is not given."""
    known = {check.name: check for check in CHECKS}
    for name in names:
        if name not in known:
            close = get_close_matches(name, known, n=3, cutoff=0.5) or known
            raise UsageError(f"--drop {clip(name)}: no check is called so; close to it: {', '.join(close)}")
        if known[name].column and not given.get(known[name].column):
            raise UsageError(f"--drop {name}: nothing was looked for; give --against FILE too")
    return list(names)


def verdicts_block(summary: Mapping[str, Any]) -> Verdicts:
    """Lay the verdicts of a summary out for a report or a terminal."""
    rows = tuple(
        VerdictRow(
            VerdictLevel(row["level"]), row["title"], row["measure"], row["reason"], row["mend"] or "",
            tuple(row["places"]),
        )
        for row in summary["verdicts"]
    )  # fmt: skip
    return Verdicts(TITLE, rows)
