"""What stands beneath a figure: its note, and of intervals and lines only what is drawn."""

from real_cli.report.contents import Plot, PlotKind, Series


def caption(plot: Plot) -> str:
    """Write a figure's caption.

    >>> from real_cli.report.contents import Series
    >>> bars = Plot(PlotKind.bars, "wins", "model", "share", (Series("", ("a", "b"), (0.4, 0.5)),), "n = 9.")
    >>> caption(bars)
    'n = 9.'
    """
    parts = [plot.note, _intervals(plot), _baseline(plot)]
    return " ".join(part for part in parts if part)


def has_interval(series: Series, index: int) -> bool:
    """Tell whether a point and both ends of its interval are known."""
    if len(series.low) <= index or len(series.high) <= index:
        return False
    return None not in (series.y[index], series.low[index], series.high[index])


def is_alone(series: Series, index: int) -> bool:
    """Tell whether no point beside this one has an interval: then no band reaches it, and it gets a whisker."""
    neighbors = [place for place in (index - 1, index + 1) if 0 <= place < len(series.y)]
    return has_interval(series, index) and not any(has_interval(series, place) for place in neighbors)


def _intervals(plot: Plot) -> str:
    if plot.kind is PlotKind.histogram or not any(series.low or series.high for series in plot.series):
        return ""
    points = [(series, index) for series in plot.series for index, value in enumerate(series.y) if value is not None]
    known = [point for point in points if has_interval(*point)]
    if not points or not known:
        return "No interval can be given." if points else ""
    is_band = plot.kind is PlotKind.curve and not all(is_alone(*point) for point in known)
    lacking = len(points) - len(known)
    rest = f"; {lacking:,} of {len(points):,} have none" if lacking else ""
    return f"{'Bands' if is_band else 'Whiskers'} are {plot.interval}{rest}."


def _baseline(plot: Plot) -> str:
    if plot.baseline is None or not plot.baseline_label or plot.kind is PlotKind.histogram:
        return ""
    return f"The dashed line is {plot.baseline_label}."
