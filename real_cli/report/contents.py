"""What a report shows: plots, tables and example rows, as plain data that a renderer draws.

Every plot carries the numbers it shows; nobody draws from anything else.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

# The ends of an axis; None for that which the data ask for.
Span: TypeAlias = tuple[float | None, float | None]
SHARE: Span = (0.0, 1.0)


class PlotKind(StrEnum):
    """How a plot is drawn; the functions are in `real_cli.report.plots`."""

    histogram = "histogram"  # x: edges (n + 1), y: counts (n)
    curve = "curve"  # x: numbers, y: numbers, with a band from low to high where given
    bars = "bars"  # x: names, y: numbers, with whiskers from low to high where given
    reliability = "reliability"  # x: said probability, y: share that came true, with the diagonal


@dataclass(frozen=True)
class Series:
    """Numbers that belong together.

    Attributes:
        name: For the legend; empty where there is one series.
        x: Places, or edges, or names.
        y: A number for each (for a histogram one less).
        low: Lower ends of 95% intervals, None where there is none.
        high: Upper ends.
        counts: How many rows each number stands on.
    """

    name: str
    x: tuple[Any, ...]
    y: tuple[float | None, ...]
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()
    counts: tuple[int, ...] = ()


@dataclass(frozen=True)
class Plot:
    """One picture.

    Attributes:
        kind: How it is drawn.
        title: What it answers, as a short phrase.
        x_label: What the horizontal axis is, with its unit.
        y_label: What the vertical axis is.
        series: What is drawn.
        note: One sentence beneath it: n, and what to beware of; of intervals and lines the caption tells itself.
        baseline: A value of y to mark, such as the share of chance.
        baseline_label: What the mark is, for the caption.
        interval: What intervals are, where the series have some.
        x_span: Ends of the horizontal axis, so that plots beside each other share it; None for the data's own.
        y_span: Ends of the axis of y, such as 0 and 1 of a share; None for the data's own.
        is_log_x: Whether a curve's horizontal axis is logarithmic, with a tick at each of its places.
    """

    kind: PlotKind
    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    note: str = ""
    baseline: float | None = None
    baseline_label: str = ""
    interval: str = "95% intervals"
    x_span: Span = (None, None)
    y_span: Span = (None, None)
    is_log_x: bool = False


@dataclass(frozen=True)
class Table:
    """Numbers in rows; a reader sorts it by a click on a column's head.

    Attributes:
        title: What it lists.
        columns: Heads.
        rows: Cells: a string, a number, or None.
        note: One sentence beneath it.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | int | None, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Excerpt:
    """A few rows of the data, to look at.

    Attributes:
        title: What they have in common.
        rows: Each with `prompt`, named texts in `texts` (pairs of heading and text), and named numbers in `facts`.
    """

    title: str
    rows: tuple["ExcerptRow", ...]


@dataclass(frozen=True)
class ExcerptRow:
    """One record, cut to what a person reads.

    Attributes:
        place: File and line.
        prompt: The prompt's text.
        texts: Headings and texts, such as ("chosen", "...").
        facts: Names and values, such as ("similarity", "0.12").
    """

    place: str
    prompt: str
    texts: tuple[tuple[str, str], ...]
    facts: tuple[tuple[str, str], ...]


class VerdictLevel(StrEnum):
    """How bad what a check found is; they are shown in this order."""

    broken = "broken"  # training on it is wrong
    doubtful = "doubtful"  # it may mislead: look before training
    sound = "sound"  # checked, and held


@dataclass(frozen=True)
class VerdictRow:
    """What one check found.

    Attributes:
        level: How bad it is.
        title: What was found, in a few words.
        measure: How much of it there is, such as "12 of 340 pairs"; may be empty.
        reason: Why it matters, a sentence or two.
        mend: The command that mends it, or its part of that, to be copied into a shell; empty where there is none.
        places: Files and lines of a few examples.
    """

    level: VerdictLevel
    title: str
    measure: str = ""
    reason: str = ""
    mend: str = ""
    places: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdicts:
    """What checks found, the worst first.

    Attributes:
        title: What was checked.
        rows: One a check; within a level in the order given.
        note: One sentence beneath them.
        mend: The command that mends all of them; empty where there is none.
        mend_note: What it does, above it.
    """

    title: str
    rows: tuple[VerdictRow, ...]
    note: str = ""
    mend: str = ""
    mend_note: str = ""

    def by_level(self) -> list[tuple[VerdictLevel, tuple[VerdictRow, ...]]]:
        """Group the rows, the worst level first; a level without rows is left out."""
        groups = [(level, tuple(row for row in self.rows if row.level is level)) for level in VerdictLevel]
        return [(level, rows) for level, rows in groups if rows]


@dataclass(frozen=True)
class Section:
    """A part of a report with a heading.

    Attributes:
        title: The heading.
        text: One or two sentences that say in words what the numbers say.
        items: Plots, tables, excerpts and verdicts, in order.
    """

    title: str
    text: str
    items: tuple[Plot | Table | Excerpt | Verdicts, ...]


@dataclass(frozen=True)
class Report:
    """A whole report.

    Attributes:
        title: What was measured.
        lead: The answer in a sentence or two.
        sections: Its parts.
        facts: Names and values for the foot: the command, versions, the number of rows, the date.
        notes: What to beware of, a sentence each, without a full stop; they are shown as they are, for a name may come
            first.
    """

    title: str
    lead: str
    sections: tuple[Section, ...]
    facts: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
