"""How each kind of plot is drawn."""

import math
import textwrap
import unicodedata
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

from real_cli.report.captions import is_alone
from real_cli.report.contents import Plot, PlotKind, Series
from real_cli.report.numbers import show_column
from real_cli.report.svg import NUM_LINES, SENTINELS, SIZE, drawing_settings, safe_text, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 3.9, 2.6  # inches; small, so that letters are large on a narrow screen
BAND = 0.18
NAME_WIDTH, X_WIDTH, Y_WIDTH = 18, 44, 30
LINE_HEIGHT = 10.5
NUM_MARKED = 30
NUM_TICKS = 7  # at most so many and one on a logarithmic axis

# Color alone tells two lines apart for some readers only.
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.6)), (0, (1.2, 1.4)), (0, (5, 1.6, 1.2, 1.6)), (0, (9, 2)), (0, (3, 3)))
MARKERS = ("o", "s", "^", "D", "v", "P")
# matplotlib's ticks overflow some way beyond.
LARGEST = 1e100


def draw(plot: Plot, name: str) -> str:
    """Draw a plot as an SVG element; empty if it has no number to show, or one that no axis has room for."""
    numbers = [value for series in plot.series for value in series.y if _is_number(value)]
    positions = [value for series in plot.series for value in series.x if _is_number(value)]
    if not numbers or max(map(abs, [*numbers, *positions])) > LARGEST:
        return ""
    from matplotlib.figure import Figure

    with drawing_settings(name), warnings.catch_warnings():
        # The page's font draws the letters; matplotlib only measures them, and its own font lacks many.
        warnings.filterwarnings("ignore", message="Glyph|Matplotlib currently does not support")
        figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
        DRAWINGS[plot.kind](figure, plot)
        return to_svg(figure, name, f"{plot.title}: {plot.y_label} by {plot.x_label}")


def draw_histogram(figure: "Figure", plot: Plot) -> None:
    """Draw counts between edges: filled where there is one series, outlined as well where they lie on each other."""
    axes = figure.subplots()
    for series, look in zip(plot.series, _looks(), strict=False):
        counts, edges = _numbers(series.y), _numbers(series.x)
        is_alone = len(plot.series) == 1
        axes.stairs(counts, edges, fill=True, color=look["color"], alpha=0.75 if is_alone else BAND)
        if not is_alone:
            axes.stairs(counts, edges, color=look["color"], linestyle=look["linestyle"], linewidth=1.4)
    edges = [edge for series in plot.series for edge in _numbers(series.x)]
    if min(edges) < 0 < max(edges):
        axes.axvline(0, color=SENTINELS["faint"], linewidth=0.8)
    axes.set_ylim(bottom=0)
    axes.grid(False, axis="x")
    _finish(axes, plot)
    axes.yaxis.get_major_locator().set_params(integer=True)  # type: ignore[call-arg]


def draw_curve(figure: "Figure", plot: Plot) -> None:
    """Draw lines with bands; a missing number breaks the line."""
    axes = figure.subplots()
    shade = BAND if len(plot.series) <= 3 else BAND / 2
    for series, look in zip(plot.series, _looks(), strict=False):
        x, values = _numbers(series.x), _numbers(series.y)
        if series.low and series.high:
            ends = _numbers(series.low), _numbers(series.high)
            axes.fill_between(x, *ends, color=look["color"], alpha=shade, linewidth=0)
            for index in filter(partial(is_alone, series), range(len(x))):
                axes.vlines(x[index], ends[0][index], ends[1][index], colors=look["color"], linewidth=1.2)
        marker = look["marker"] if len(x) <= NUM_MARKED else ""
        axes.plot(x, values, color=look["color"], linestyle=look["linestyle"], marker=marker)
    _finish(axes, plot)


def draw_bars(figure: "Figure", plot: Plot) -> None:
    """Draw bars that lie, so that long names can be read, with whiskers and the number itself at the right."""
    names = list(dict.fromkeys(name for series in plot.series for name in series.x))
    step = 0.8 / len(plot.series)
    figure.set_size_inches(WIDTH, 0.75 + len(names) * max(0.34, 0.2 * len(plot.series) + 0.1))
    axes = figure.subplots()
    for index, (series, look) in enumerate(zip(plot.series, _looks(), strict=False)):
        heights = [names.index(name) + (index + 0.5) * step - 0.4 for name in series.x]
        axes.barh(heights, _numbers(series.y), step * 0.86, color=look["color"], alpha=0.75, linewidth=0)
        axes.hlines(heights, *_whiskers(series), colors=SENTINELS["ink"], linewidth=1.4)
        for height, text in zip(heights, show_column(series.y), strict=True):
            axes.annotate(text, (1.02, height), xycoords=axes.get_yaxis_transform(), va="center")
    _write_names(figure, axes, [short_name(name) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(False, axis="y")
    axes.set_xlim(*plot.y_span)
    if plot.baseline is not None:
        axes.axvline(plot.baseline, color=SENTINELS["faint"], linestyle="--", linewidth=1)
    _locate(axes.xaxis, 4)
    axes.axvline(0, color=SENTINELS["faint"], linewidth=0.8)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(_wrapped(plot.y_label, X_WIDTH))


def draw_reliability(figure: "Figure", plot: Plot) -> None:
    """Draw what came true against what was predicted, with the diagonal, and beneath it how many were predicted so."""
    figure.set_size_inches(WIDTH, HEIGHT * 1.25)
    probabilities = [number for series in plot.series for number in _numbers(series.x) if not math.isnan(number)]
    start = 0.5 if probabilities and min(probabilities) >= 0.5 else 0.0
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    upper.plot([start, 1], [start, 1], color=SENTINELS["faint"], linestyle="--", linewidth=1)
    width = (1 - start) / 60
    for index, (series, look) in enumerate(zip(plot.series, _looks(), strict=False)):
        x, values = _numbers(series.x), _numbers(series.y)
        upper.vlines(x, *_whiskers(series), colors=look["color"], linewidth=1.2)
        upper.plot(x, values, color=look["color"], linestyle=look["linestyle"], marker=look["marker"])
        if series.counts:
            moved = [position + width * (index - (len(plot.series) - 1) / 2) for position in x]
            lower.bar(moved, series.counts, width, color=look["color"], alpha=0.75, linewidth=0)
    for axes, label in ((upper, plot.y_label), (lower, "n")):
        _locate(axes.yaxis)
        axes.set_ylabel(_wrapped(label, Y_WIDTH))
    bottom = min(start, *(end for series in plot.series for end in (*_numbers(series.y), *_whiskers(series)[0])))
    upper.set_ylim(bottom - 0.02, 1.02)
    _locate(lower.xaxis)
    _locate(lower.yaxis, 2)
    lower.set_xlim(start - 0.02, 1.02)
    lower.set_xlabel(_wrapped(plot.x_label, X_WIDTH))


DRAWINGS: dict[PlotKind, Callable[["Figure", Plot], None]] = {
    PlotKind.histogram: draw_histogram,
    PlotKind.curve: draw_curve,
    PlotKind.bars: draw_bars,
    PlotKind.reliability: draw_reliability,
}


def short_name(name: object) -> list[str]:
    """Break a long name into at most two lines; an ellipsis stands for the middle that is left out."""
    text = safe_text(name)
    width = NAME_WIDTH // 2 if _num_wide(text) > len(text) / 2 else NAME_WIDTH
    if len(text) > 2 * width:
        # Names of models differ at their ends.
        return [text[:width], f"…{text[1 - width :]}"]
    lines = textwrap.wrap(text, width) or [""]
    return lines if len(lines) <= 2 else [text[:width], text[width:]]


def _num_wide(text: str) -> int:
    """Count the letters of East Asian scripts, each as wide as two others."""
    return sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)


def _write_names(figure: "Figure", axes: "Axes", names: list[list[str]]) -> None:
    """Write names of one or two lines left of their bars.

    Each line is placed alone, by its end: the page's font is not the one that matplotlib would align them by.
    """
    axes.set_yticks([])
    for height, lines in enumerate(names):
        for index, line in enumerate(lines):
            shift = LINE_HEIGHT * ((len(lines) - 1) / 2 - index)
            axes.annotate(
                line, (0, height), (-4, shift), axes.get_yaxis_transform(), "offset points", ha="right", va="center"
            )
    # matplotlib's own font lacks wide letters and measures something narrower.
    missing = 0.5 * SIZE / 72 * max(_num_wide(line) for lines in names for line in lines)
    engine: Any = figure.get_layout_engine()
    engine.set(rect=(missing / WIDTH, 0, 1 - missing / WIDTH, 1))


def _looks() -> Any:
    """Give each series a color, a dash and a marker; the colors come around again, with other dashes."""
    for index in cycle(range(NUM_LINES * len(DASHES))):
        turn = index // NUM_LINES
        yield {
            "color": SENTINELS[f"line-{index % NUM_LINES + 1}"],
            "linestyle": DASHES[(index + turn) % len(DASHES)],
            "marker": MARKERS[(index + turn) % len(MARKERS)],
        }


def legend(plot: Plot) -> list[dict[str, Any]]:
    """Say what each series of several looks like: `name`, the property of its `color`, the `dashes` of its line."""
    if len(plot.series) < 2:
        return []
    is_line = plot.kind in (PlotKind.curve, PlotKind.reliability, PlotKind.histogram)
    entries = []
    for series, look in zip(plot.series, islice(_looks(), len(plot.series)), strict=True):
        color = next(name for name, sentinel in SENTINELS.items() if sentinel == look["color"])
        dashes = "" if look["linestyle"] == "-" else " ".join(f"{1.6 * dash:g}" for dash in look["linestyle"][1])
        entries.append({"name": series.name, "color": f"var(--{color})", "dashes": dashes, "is_line": is_line})
    return entries


def _finish(axes: "Axes", plot: Plot) -> None:
    if plot.baseline is not None:
        axes.axhline(plot.baseline, color=SENTINELS["faint"], linestyle="--", linewidth=1)
    if plot.is_log_x:
        _mark_places(axes, plot)
    else:
        _locate(axes.xaxis)
    _locate(axes.yaxis)
    axes.set_xlim(*plot.x_span)
    axes.set_ylim(*plot.y_span)
    axes.set_xlabel(_wrapped(plot.x_label, X_WIDTH))
    axes.set_ylabel(_wrapped(plot.y_label, Y_WIDTH))


def _mark_places(axes: "Axes", plot: Plot) -> None:
    """Make the horizontal axis logarithmic; places that stand close together share a tick, the first one's."""
    from matplotlib.ticker import FuncFormatter, NullLocator

    places = sorted({place for series in plot.series for place in _numbers(series.x) if place > 0})
    axes.set_xscale("log")
    least = (places[-1] / places[0]) ** (1 / NUM_TICKS) if places else 1.0
    ticks: list[float] = []
    for place in places:
        if not ticks or place >= least * ticks[-1]:
            ticks.append(place)
    axes.set_xticks(ticks)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: tick(value)))


def _wrapped(label: str, width: int) -> str:
    return "\n".join(textwrap.wrap(safe_text(label), width))


def _locate(axis: Any, count: int = 5) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(count, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: tick(value)))


def tick(value: float) -> str:
    """Write a number at an axis: 20k for twenty thousand."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if size <= abs(value) < 1e12:
            return f"{value / (1e3 if letter == 'k' else size):.6g}{letter}".replace("-", "\N{MINUS SIGN}")
    return f"{value:.6g}".replace("-", "\N{MINUS SIGN}")


def _whiskers(series: Series) -> tuple[list[float], list[float]]:
    """Return the ends of the intervals, NaN where there is none or nothing that it is about."""
    ends = _numbers(series.low), _numbers(series.high)
    if not all(ends):
        return [math.nan] * len(series.y), [math.nan] * len(series.y)
    low, high = ([end if _is_number(y) else math.nan for end, y in zip(side, series.y, strict=True)] for side in ends)
    return low, high


def _numbers(values: Sequence[Any]) -> list[float]:
    return [float(value) if _is_number(value) else math.nan for value in values]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
