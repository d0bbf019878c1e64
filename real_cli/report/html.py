"""A report as one HTML file that needs nothing from a network."""

import base64
import hashlib
import os
from collections.abc import Iterable, Iterator
from importlib.resources import files
from importlib.util import find_spec
from itertools import count, groupby
from pathlib import Path
from typing import Any

from real_cli.errors import RealError, UsageError
from real_cli.io.output import is_device, open_output, real_path
from real_cli.report.contents import Excerpt, Plot, Report, Table, Verdicts
from real_cli.report.numbers import NumberColumn, is_numeric, join_columns, numbers_of, show_column

LIBRARIES = ("matplotlib", "jinja2")
SUFFIXES = (".html", ".htm")


def check_report(path: Path | None) -> None:
    """Refuse, before the work begins, a report that cannot be drawn or written."""
    if path is None:
        return
    if missing := [name for name in LIBRARIES if find_spec(name) is None]:
        raise UsageError(f"--report needs {' and '.join(missing)}; pip install 'real-cli[report]'")
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
        {"title": section.title, "text": section.text, "groups": _groups(section.items, numbers)}
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


def _groups(items: Iterable[Plot | Table | Excerpt | Verdicts], numbers: Iterator[int]) -> list[tuple[str, list[Any]]]:
    """Put plots that follow each other into one grid, two a row where there is room."""
    return [
        (kind.__name__.lower(), [SHOWN[kind](item, numbers) for item in group]) for kind, group in groupby(items, type)
    ]


def _shown_plot(plot: Plot, numbers: Iterator[int]) -> dict[str, Any]:
    from markupsafe import Markup

    from real_cli.report.plots import draw, legend

    return {
        "title": plot.title,
        "note": plot.note,
        "svg": Markup(draw(plot, f"plot-{next(numbers)}")),
        "legend": legend(plot),
        "numbers": _shown_table(numbers_of(plot), numbers),
    }


def _shown_table(table: Table, _: Iterator[int]) -> dict[str, Any]:
    columns = join_columns(table)
    heads = [{"name": column.name, "is_number": is_numeric(column.values)} for column in columns]
    rows = list(zip(*map(_cells, columns), strict=True))
    return {"title": table.title, "note": table.note, "heads": heads, "rows": rows}


def _cells(column: NumberColumn) -> list[dict[str, Any]]:
    """Write a column, its numbers and the ends of their intervals to the same place."""
    numeric, size = is_numeric(column.values), len(column.values)
    shown = show_column([*column.values, *(end for band in column.bands for end in band)])
    bands = [""] * size
    for index, (low, high) in enumerate(column.bands):
        if low is not None and high is not None:
            bands[index] = f"[{shown[size + 2 * index]}, {shown[size + 2 * index + 1]}]"
    return [
        {"shown": text, "value": value if numeric else None, "is_number": numeric, "band": band}
        for text, value, band in zip(shown, column.values, bands, strict=False)
    ]


def _shown_excerpt(excerpt: Excerpt, _: Iterator[int]) -> Excerpt:
    return excerpt


def _shown_verdicts(verdicts: Verdicts, _: Iterator[int]) -> dict[str, Any]:
    return {"title": verdicts.title, "note": verdicts.note, "levels": verdicts.by_level()}


SHOWN: dict[type, Any] = {
    Plot: _shown_plot,
    Table: _shown_table,
    Excerpt: _shown_excerpt,
    Verdicts: _shown_verdicts,
}
