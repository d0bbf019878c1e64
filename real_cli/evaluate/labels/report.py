"""The report of `real eval labels`: label error overall, by strategy, by similarity and by budget."""

from functools import partial
from operator import itemgetter
from typing import Any

from real_cli.report.contents import Plot, PlotKind, Report, Section, Series, Table
from real_cli.report.examples import Examples, examples_section
from real_cli.report.field_words import in_words, note_in_words
from real_cli.report.numbers import show_difference, show_fixed, show_range, show_share
from real_cli.report.series import histogram_series, series_of, table_of
from real_cli.text.phrases import say_count

Summary = dict[str, Any]

METHOD = (
    "Intervals of shares are Wilson's, with pairs of one prompt counted for what they are worth together; all others "
    "are drawn over prompts."
)
EXAMPLES = "A few pairs at the ends, not a sample: they do not show how often such pairs are."
FLIPS = "expected flips of a Bradley-Terry annotator"
COLUMNS = ("expected_flips", "share_wrong", "share_ambiguous", "mean_gap", "mean_similarity")


def labels_report(summary: Summary, examples: Examples) -> Report:
    """Lay out plots, tables and example rows, each with its n."""
    parts = [
        _overall(summary),
        _gaps(summary),
        _by_strategy(summary["by_strategy"]),
        _by_similarity(summary["by_similarity"]),
        _compared(summary),
        _budgets(summary),
        examples_section("Pairs to look at", EXAMPLES, examples),
    ]
    named = ("gold", "label", "temperature", "ambiguous", "num_pairs", "num_prompts")
    foot = tuple((in_words(name), str(summary[name])) for name in named if summary[name] is not None)
    sections = tuple(part for part in parts if part)
    notes = tuple(map(note_in_words, summary["notes"]))
    return Report("Labels against gold", _lead(summary), sections, foot, notes)


def _lead(summary: Summary) -> str:
    if not summary["num_pairs"]:
        return "There is no pair."
    best, is_sure = _best_strategy(summary) if summary.get("compare") else ("", False)
    sentences = [best] if is_sure else []
    if summary["num_judged"]:
        sentences.append(
            f"Labels that prefer the response with the lower {summary['gold']}: {summary['num_wrong']:,} of "
            f"{say_count(summary['num_judged'], 'label')}, {show_share(summary, 'share_wrong')}."
        )
    sentences.append(
        f"At temperature {summary['temperature']:g} a Bradley-Terry annotator would flip "
        f"{show_share(summary, 'expected_flips')} of {say_count(summary['num_pairs'], 'pair')}."
    )
    sentences += [] if is_sure else [best]
    return " ".join(sentence for sentence in sentences if sentence)


def _best_strategy(summary: Summary) -> tuple[str, bool]:
    """Say which strategy asks for the labels that are right most often; returns whether that is sure too."""
    base = summary["compared_with"]
    rows = [row for row in summary["compare"] if row["expected_flips"] is not None]
    if len(rows) < 2:
        return "", False
    best = min(rows, key=itemgetter("expected_flips"))
    flips = show_share(best, "expected_flips")
    text = f"Labels are right most often on the pairs of {best['strategy']}: {flips} expected flips"
    unsure = f"No strategy is surely right more often than {base}"
    if best["strategy"] == base or best["difference_expected_flips"] is None:
        return f"{unsure}, with {flips} expected flips." if best["strategy"] == base else f"{text}.", False
    low, high = best["difference_expected_flips_low"], best["difference_expected_flips_high"]
    points = f"{show_fixed(100 * best['difference_expected_flips'], 1, signed=True)} points against {base}"
    if low is None or high is None:
        return f"{text}, {points}; no interval can be given.", False
    ends = " to ".join(show_fixed(100 * end, 1, signed=True) for end in (low, high))
    if high < 0:
        return f"{text}, {points} (95% interval {ends}), surely fewer.", True
    fewest = f"{best['strategy']} has the fewest expected flips, {flips}, {points} (95% interval {ends})"
    return f"{unsure}: {fewest}, which may be chance.", False


def _overall(summary: Summary) -> Section:
    rows = [
        {"number": in_words(name), "n": _size(summary, name)}
        | {f"value{end}": summary[f"{name}{end}"] for end in ("", "_low", "_high")}
        for name in COLUMNS
        if summary[name] is not None
    ]
    note = (
        f"{summary['num_labeled']:,} of {say_count(summary['num_pairs'], 'pair')} are labeled; "
        f"{summary['num_gold_ties']:,} have equal gold. The prompts are {summary['num_prompts']:,}. {METHOD}"
    )
    text = (
        f"A label is wrong if the response it prefers has the lower {summary['gold']}. A pair is ambiguous if it is "
        f"flipped more often than {summary['ambiguous']:g}."
    )
    return Section("Labels", text, (table_of("All pairs", ("number", "value", "n"), rows, note),))


def _size(row: Summary, name: str) -> int:
    return int(row["num_judged"] if name.endswith("share_wrong") else row["num_pairs"])


def _bars(rows: list[Summary], name: str, title: str, unit: str, note: str = "", **more: Any) -> Plot:
    """Draw one number of the strategies."""
    series = series_of("", [str(row["strategy"]) for row in rows], rows, name, partial(_size, name=name))
    sizes = ", ".join(f"{row['strategy']} {_size(row, name):,}" for row in rows)
    return Plot(PlotKind.bars, title, "strategy", unit, (series,), f"n = {sizes} pairs.{note}", **more)


def _error_plots(rows: list[Summary], by: str = "") -> list[Plot]:
    """Draw expected flips and wrong labels to one scale, for they stand beside each other."""
    ends = [row[f"{name}{end}"] for row in rows for name in ("expected_flips", "share_wrong") for end in ("", "_high")]
    span = (0.0, min(1.0, 1.05 * max((end for end in ends if end), default=1.0)))
    plots = [_bars(rows, "expected_flips", f"Expected flips{by}", "share of pairs", y_span=span)]
    if any(row["num_judged"] for row in rows):
        plots.append(_bars(rows, "share_wrong", f"Wrong labels{by}", "share of labels", y_span=span))
    return plots


def _table(rows: list[Summary], title: str, heads: tuple[str, ...], more: tuple[str, ...] = ()) -> Table:
    fields = (*heads, COLUMNS[0], *more, *COLUMNS[1:], "num_pairs", "num_prompts", "num_judged")
    return table_of(title, fields, rows, "n is the number of pairs, of wrong labels that of labels judged.")


def _by_strategy(rows: list[Summary]) -> Section | None:
    if not rows:
        return None
    plots = _error_plots(rows, " by strategy")
    text = "Of the pairs as the records name the strategy that chose them; other prompts may stand behind each bar."
    return Section("By strategy", text, (*plots, _table(rows, "By strategy", ("strategy",))))


def _by_similarity(rows: list[Summary]) -> Section | None:
    if not rows:
        return None
    first, last = rows[0], rows[-1]
    text = f"Expected flips {_of_decile(first)}; {_of_decile(last)}."
    shown = [("expected_flips", FLIPS)]
    if any(row["num_judged"] for row in rows):
        shown.append(("share_wrong", "wrong labels"))
    series = tuple(
        series_of(name, [row["decile"] for row in rows], rows, field, partial(_size, name=field))
        for field, name in shown
    )
    count = sum(row["num_pairs"] for row in rows)
    note = f"n = {say_count(count, 'pair')} in {say_count(len(rows), 'part')}, least similar first."
    axes = ("decile of similarity, 1 is least similar", "share")
    plot = Plot(PlotKind.curve, "Label error by similarity", *axes, series, note, y_span=(0.0, None))
    ranges = [row | {"similarity_range": show_range(row["similarity_low"], row["similarity_high"])} for row in rows]
    table = _table(ranges, "By decile of similarity", ("decile", "similarity_range"))
    return Section("By similarity", text, (plot, table))


def _of_decile(row: Summary) -> str:
    similarities = show_range(row["similarity_low"], row["similarity_high"])
    return (
        f"of the {say_count(row['num_pairs'], 'pair')} in decile {row['decile']} (similarity {similarities}): "
        f"{show_share(row, 'expected_flips')}"
    )


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
    plots = _error_plots(rows)
    plots.append(_bars(rows, "mean_gap", "Mean gap", summary["gold"]))
    others = [row for row in rows if row["strategy"] != base]
    if others:
        note = " Both sides are of the same prompts."
        more_plots: dict[str, Any] = {"baseline": 0.0, "baseline_label": "no difference"}
        title = f"Expected flips minus those of {base}"
        plots.append(_bars(others, "difference_expected_flips", title, "share of pairs", note, **more_plots))
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
    return show_fixed(100 * share, 1, signed=True)


def _budgets(summary: Summary) -> Section | None:
    rows = [row for row in summary.get("budgets", []) if row["num_labels"]]
    if not rows:
        return None
    kinds = [("expected_flips", "Expected flips", "share of pairs"), ("mean_gap", "Mean gap", summary["gold"])]
    if any(row["num_judged"] for row in rows):
        kinds.insert(1, ("share_wrong", "Wrong labels", "share of labels"))
    names = list(dict.fromkeys(row["strategy"] for row in rows))
    note = (
        f"n of a point is its number of labels, up to {max(row['num_labels'] for row in rows):,}; of wrong labels "
        "those whose gold differs."
    )
    plots = [
        Plot(
            PlotKind.curve,
            f"{title} by budget",
            "labels",
            unit,
            tuple(_curve(name, [row for row in rows if row["strategy"] == name], field) for name in names),
            note,
            x_span=(0.0, None),
            y_span=(0.0, None),
        )
        for field, title, unit in kinds
    ]
    text = "What so many labels buy if each strategy spends them on its own first pairs; the curves share prompts."
    fields = ("strategy", "budget", *(field for field, *_ in kinds), "num_labels", "num_prompts", "num_judged")
    table = table_of("Budgets", fields, summary["budgets"], note)
    return Section("Budgets", text, (*plots, table))


def _curve(name: str, rows: list[Summary], field: str) -> Series:
    rows = sorted(rows, key=lambda row: int(row["num_labels"]))
    size = "num_judged" if field == "share_wrong" else "num_labels"
    return series_of(name, [row["num_labels"] for row in rows], rows, field, itemgetter(size))
