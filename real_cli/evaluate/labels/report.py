"""The report of `real eval labels`: label error overall, by strategy, by similarity and by budget."""

from functools import partial
from operator import itemgetter
from typing import Any

from real_cli.report.contents import Plot, PlotKind, Report, Section, Series, Table
from real_cli.report.examples import Examples, examples_section
from real_cli.report.numbers import show_difference, show_share
from real_cli.report.series import histogram_series, series_of
from real_cli.stats.intervals import field_names
from real_cli.text.phrases import say_count

Summary = dict[str, Any]

WHISKERS = "Whiskers are 95% intervals"
METHOD = (
    "Intervals of shares are Wilson's, with pairs of one prompt counted for what they are worth together; all others "
    "are drawn over prompts."
)
EXAMPLES = "A few pairs at the ends, not a sample: they do not show how often such pairs are."
FLIPS = "expected flips of a Bradley-Terry annotator"
COLUMNS = ("expected_flips", "share_wrong", "share_ambiguous", "mean_gap", "mean_similarity")


def labels_report(summary: Summary, examples: Examples, facts: dict[str, object]) -> Report:
    """Lay out plots, tables and example rows, each with its n; facts that are None are left out."""
    parts = [
        _overall(summary),
        _by_strategy(summary["by_strategy"]),
        _by_similarity(summary["by_similarity"]),
        _gaps(summary),
        _compared(summary),
        _budgets(summary),
        examples_section("Pairs to look at", EXAMPLES, examples),
    ]
    shown = tuple((name, str(value)) for name, value in facts.items() if value is not None)
    named = ("gold", "label", "temperature", "ambiguous", "num_pairs", "num_prompts")
    foot = tuple((name.replace("_", " "), str(summary[name])) for name in named if summary[name] is not None)
    sections = tuple(part for part in parts if part)
    return Report("Labels against gold", _lead(summary), sections, (*shown, *foot), tuple(summary["notes"]))


def _lead(summary: Summary) -> str:
    if not summary["num_pairs"]:
        return "There is no pair."
    sentences = []
    if summary["num_judged"]:
        sentences.append(
            f"Labels that prefer the response with the lower {summary['gold']}: {summary['num_wrong']:,} of "
            f"{say_count(summary['num_judged'], 'label')}, {show_share(summary, 'share_wrong')}."
        )
    sentences.append(
        f"At temperature {summary['temperature']:g} a Bradley-Terry annotator would flip "
        f"{show_share(summary, 'expected_flips')} of {say_count(summary['num_pairs'], 'pair')}."
    )
    return " ".join(sentences)


def _overall(summary: Summary) -> Section:
    rows = [
        (name.replace("_", " "), *(summary[field] for field in field_names(name)), _size(summary, name))
        for name in COLUMNS
    ]
    note = (
        f"{summary['num_labeled']:,} of {say_count(summary['num_pairs'], 'pair')} are labeled; "
        f"{summary['num_gold_ties']:,} have equal gold. The prompts are {summary['num_prompts']:,}. {METHOD}"
    )
    text = (
        f"A label is wrong if the response it prefers has the lower {summary['gold']}. A pair is ambiguous if it is "
        f"flipped more often than {summary['ambiguous']:g}."
    )
    return Section("Labels", text, (Table("All pairs", ("number", "value", "low", "high", "n"), tuple(rows), note),))


def _size(row: Summary, name: str) -> int:
    return int(row["num_judged"] if name.endswith("share_wrong") else row["num_pairs"])


def _bars(rows: list[Summary], head: str, name: str, title: str, unit: str, note: str, **more: Any) -> Plot:
    """Draw one number of a table."""
    series = series_of("", [str(row[head]) for row in rows], rows, name, partial(_size, name=name))
    sizes = ", ".join(f"{row[head]} {_size(row, name):,}" for row in rows)
    return Plot(PlotKind.bars, title, head, unit, (series,), f"{note}; n = {sizes} pairs.", **more)


def _table(rows: list[Summary], title: str, heads: tuple[str, ...], more: tuple[str, ...] = ()) -> Table:
    names = [field for name in (*COLUMNS, *more) for field in field_names(name)]
    columns = (*heads, "num_pairs", "num_prompts", "num_judged", *names)
    cells = tuple(tuple(row.get(name) for name in columns) for row in rows)
    note = "n is num pairs, of share wrong num judged; low and high are 95% intervals."
    return Table(title, tuple(name.replace("_", " ") for name in columns), cells, note)


def _by_strategy(rows: list[Summary]) -> Section | None:
    if not rows:
        return None
    plots = [_bars(rows, "strategy", "expected_flips", "Expected flips by strategy", "share of pairs", WHISKERS)]
    if any(row["num_judged"] for row in rows):
        plots.append(_bars(rows, "strategy", "share_wrong", "Wrong labels by strategy", "share of labels", WHISKERS))
    text = "Of the pairs as the records name the strategy that chose them; other prompts may stand behind each bar."
    return Section("By strategy", text, (*plots, _table(rows, "By strategy", ("strategy",))))


def _by_similarity(rows: list[Summary]) -> Section | None:
    if not rows:
        return None
    first, last = rows[0], rows[-1]
    text = (
        f"Expected flips of the {say_count(first['num_pairs'], 'pair')} in decile {first['decile']} (similarity "
        f"{first['similarity_low']:.3g} to {first['similarity_high']:.3g}): {show_share(first, 'expected_flips')}; of "
        f"the {say_count(last['num_pairs'], 'pair')} in decile {last['decile']} ({last['similarity_low']:.3g} to "
        f"{last['similarity_high']:.3g}): {show_share(last, 'expected_flips')}."
    )
    shown = [("expected_flips", FLIPS)]
    if any(row["num_judged"] for row in rows):
        shown.append(("share_wrong", "wrong labels"))
    series = tuple(
        series_of(name, [row["decile"] for row in rows], rows, field, partial(_size, name=field))
        for field, name in shown
    )
    count = sum(row["num_pairs"] for row in rows)
    note = f"n = {say_count(count, 'pair')} in {len(rows)} parts, least similar first. Bands are 95% intervals."
    axes = ("decile of similarity, 1 is least similar", "share")
    plot = Plot(PlotKind.curve, "Label error by similarity", *axes, series, note)
    table = _table(rows, "By decile of similarity", ("decile", "similarity_low", "similarity_high"))
    return Section("By similarity", text, (plot, table))


def _gaps(summary: Summary) -> Section | None:
    drawn = summary["gap_histogram"]
    if not drawn:
        return None
    series = histogram_series("", drawn)
    note = f"n = {say_count(summary['num_pairs'], 'pair')}, {summary['num_gold_ties']:,} of them with equal gold."
    title = f"Gaps of {summary['gold']}"
    plot = Plot(PlotKind.histogram, title, f"difference of {summary['gold']}", "pairs", (series,), note)
    share = show_share(summary, "share_ambiguous")
    pairs = say_count(summary["num_pairs"], "pair")
    text = f"Pairs with a gap so small that they are ambiguous: {share} of {pairs}."
    return Section("Gaps", text, (plot,))


def _compared(summary: Summary) -> Section | None:
    rows = summary.get("compare")
    if not rows:
        return None
    base = summary["compared_with"]
    plots = [_bars(rows, "strategy", "expected_flips", "Expected flips", "share of pairs", WHISKERS)]
    if any(row["num_judged"] for row in rows):
        plots.append(_bars(rows, "strategy", "share_wrong", "Wrong labels", "share of labels", WHISKERS))
    plots.append(_bars(rows, "strategy", "mean_gap", "Mean gap", summary["gold"], WHISKERS))
    others = [row for row in rows if row["strategy"] != base]
    if others:
        note = f"{WHISKERS}; both sides are of the same prompts"
        title = f"Expected flips minus those of {base}"
        difference = "difference_expected_flips"
        plots.append(_bars(others, "strategy", difference, title, "share of pairs", note, baseline=0.0))
    text = " ".join(_difference(row, base) for row in others) or f"{base} stands alone: there is nothing to compare."
    more = ("difference_expected_flips", "difference_share_wrong")
    return Section("Strategies side by side", text, (*plots, _table(rows, "Strategies", ("strategy",), more)))


def _difference(row: Summary, base: str) -> str:
    name = "difference_expected_flips"
    if row[name] is None:
        return f"{row['strategy']} or {base} chose no pair."
    difference = show_difference(row, name, _points, say_count(row["num_pairs"], "pair"))
    return f"Expected flips of {row['strategy']} minus those of {base}, in points: {difference}"


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"


def _budgets(summary: Summary) -> Section | None:
    rows = [row for row in summary.get("budgets", []) if row["num_labels"]]
    if not rows:
        return None
    kinds = [("expected_flips", "Expected flips", "share of pairs"), ("mean_gap", "Mean gap", summary["gold"])]
    if any(row["num_judged"] for row in rows):
        kinds.insert(1, ("share_wrong", "Wrong labels", "share of labels"))
    names = list(dict.fromkeys(row["strategy"] for row in rows))
    note = (
        "Bands are 95% intervals; n of a point is its number of labels, of wrong labels those whose gold "
        f"differs, up to {max(row['num_labels'] for row in rows):,}."
    )
    plots = [
        Plot(
            PlotKind.curve,
            f"{title} by budget",
            "labels",
            unit,
            tuple(_curve(name, [row for row in rows if row["strategy"] == name], field) for name in names),
            note,
        )
        for field, title, unit in kinds
    ]
    text = "What so many labels buy if each strategy spends them on its own first pairs; the curves share prompts."
    heads = ("strategy", "budget", "num_labels", "num_prompts", "num_judged")
    fields = [field for name, *_ in kinds for field in field_names(name)]
    cells = tuple(tuple(row[name] for name in (*heads, *fields)) for row in summary["budgets"])
    table = Table("Budgets", tuple(name.replace("_", " ") for name in (*heads, *fields)), cells, note)
    return Section("Budgets", text, (*plots, table))


def _curve(name: str, rows: list[Summary], field: str) -> Series:
    rows = sorted(rows, key=lambda row: int(row["num_labels"]))
    size = "num_judged" if field == "share_wrong" else "num_labels"
    return series_of(name, [row["num_labels"] for row in rows], rows, field, itemgetter(size))
