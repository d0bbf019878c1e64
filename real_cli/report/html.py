"""A report as one HTML file that needs nothing from a network."""

import base64
import hashlib
import os
from collections.abc import Iterator, Sequence
from importlib.resources import files
from importlib.util import find_spec
from itertools import count, takewhile
from pathlib import Path
from typing import Any

from real_cli.errors import RealError, UsageError
from real_cli.installing import install_extra
from real_cli.io.output import is_device, open_output, real_path
from real_cli.report.captions import caption
from real_cli.report.contents import Excerpt, Plot, Report, Section, Table, Verdicts
from real_cli.report.numbers import NumberColumn, band_texts, is_numeric, join_columns, numbers_of

LIBRARIES = ("matplotlib", "jinja2")
NUM_NARROW = 5  # columns of a table that fits half a page
NUM_FOLDED = 3  # columns of a table that fits a telephone
SHORT = 22  # letters of a text that is not broken
SUFFIXES = (".html", ".htm")


def check_report(path: Path | None) -> None:
    """Refuse, before the work begins, a report that cannot be drawn or written."""
    if path is None:
        return
    if missing := [name for name in LIBRARIES if find_spec(name) is None]:
        raise UsageError(f"--report needs {' and '.join(missing)}; {install_extra('report')}")
    if is_device(path):
        return
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"--report {path}: a report is HTML; give it a name that ends in .html")
    folder = real_path(path).parent
    if not folder.is_dir():
        raise RealError(f"{path}: no such folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise RealError(f"{path}: the folder cannot be written to")


def write_report(path: Path | None, report: Report) -> None:
    """Draw a report; the file appears whole or not at all."""
    if path is None:
        return
    page = render_report(report).encode("utf-8", errors="replace")
    with open_output(path) as stream:
        stream.write(page)


def render_report(report: Report) -> str:
    """Write a report as HTML; the same report gives the same text."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    script = _part("sort.js").strip()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    numbers = count(1)
    sections = [
        {
            "title": section.title,
            "text": section.text,
            "groups": _groups(section, numbers, is_half=section in halves),
            "is_half": section in halves,
        }
        for halves in [_halves(report.sections)]
        for section in report.sections
    ]
    return environment.from_string(_part("report.html")).render(
        report=report,
        sections=sections,
        style=Markup(_part("style.css")),
        script=Markup(script),
        digest=digest,
    )


def _part(name: str) -> str:
    return (files("real_cli") / "report" / "assets" / name).read_text(encoding="utf-8")


def _groups(section: Section, numbers: Iterator[int], *, is_half: bool) -> list[tuple[str, list[Any]]]:
    """Put plots that follow each other into a grid, two a row where there is room.

    A plot that is left alone in its row has its numbers beside it, or the table that follows if it is narrow.
    """
    groups: list[tuple[str, list[Any]]] = []
    items = list(section.items)
    while items:
        kind = type(items[0])
        group = list(takewhile(lambda item, kind=kind: type(item) is kind, items))  # type: ignore[misc]
        items = items[len(group) :]
        shown = [SHOWN[kind](item, numbers) for item in group]
        if kind is Plot and len(group) % 2 and not is_half:
            shown[-1]["is_lone"] = True
            if items and isinstance(items[0], Table) and _is_narrow(items[0]):
                shown[-1]["beside"] = _shown_table(items[0], numbers)
                items = items[1:]
        groups.append((kind.__name__.lower(), shown))
    return groups


def _is_narrow(table: Table) -> bool:
    return bool(table.rows) and len(join_columns(table)) <= NUM_NARROW


def _halves(sections: Sequence[Section]) -> list[Section]:
    """Find sections of one figure or one narrow table that follow each other: two share a row of a wide page."""
    halves: list[Section] = []
    pending: list[Section] = []
    for section in sections:
        pending = [*pending, section] if _is_small(section) else []
        if len(pending) == 2:
            halves, pending = [*halves, *pending], []
    return halves


def _is_small(section: Section) -> bool:
    if len(section.items) != 1:
        return False
    (item,) = section.items
    return isinstance(item, Plot) or (isinstance(item, Table) and _is_narrow(item))


def _shown_plot(plot: Plot, numbers: Iterator[int]) -> dict[str, Any]:
    from markupsafe import Markup

    from real_cli.report.plots import draw, legend

    return {
        "title": plot.title,
        "note": caption(plot),
        "svg": Markup(draw(plot, f"plot-{next(numbers)}")),
        "legend": legend(plot),
        "numbers": _shown_table(numbers_of(plot), numbers),
        "is_lone": False,
        "beside": None,
    }


def _shown_table(table: Table, _: Iterator[int]) -> dict[str, Any]:
    columns = join_columns(table)
    heads = [{"name": column.name, "is_number": is_numeric(column.values)} for column in columns]
    rows = list(zip(*map(_cells, columns), strict=True))
    is_wide = len(columns) > NUM_FOLDED or sum(bool(column.bands) for column in columns) > 1
    return {"title": table.title, "note": table.note, "heads": heads, "rows": rows, "is_wide": is_wide}


def _cells(column: NumberColumn) -> list[dict[str, Any]]:
    numeric = is_numeric(column.values)
    shown, bands = band_texts(column)
    kind = "number" if numeric else "short" if max(map(len, shown), default=0) <= SHORT else ""
    return [
        {"shown": text, "value": value if numeric else None, "kind": kind, "band": band, "head": column.name}
        for text, value, band in zip(shown, column.values, bands, strict=True)
    ]


def _shown_excerpt(excerpt: Excerpt, _: Iterator[int]) -> Excerpt:
    return excerpt


def _shown_verdicts(verdicts: Verdicts, _: Iterator[int]) -> dict[str, Any]:
    shown = {name: getattr(verdicts, name) for name in ("title", "note", "mend", "mend_note")}
    return {**shown, "levels": verdicts.by_level()}


SHOWN: dict[type, Any] = {
    Plot: _shown_plot,
    Table: _shown_table,
    Excerpt: _shown_excerpt,
    Verdicts: _shown_verdicts,
}
