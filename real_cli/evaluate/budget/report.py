"""The report of `real eval budget`: curves with bands, differences, labels saved, what would decide the rest."""

from operator import itemgetter
from typing import Any

from real_cli.evaluate.budget.answer import answer, saving_words
from real_cli.evaluate.budget.outcomes import show_budget
from real_cli.report.contents import Plot, PlotKind, Report, Section, Series
from real_cli.report.field_words import note_in_words
from real_cli.report.series import series_of, table_of
from real_cli.text.phrases import say_count

Row = dict[str, Any]

INTERVAL = "95% intervals over prompts and seeds"
LABELS = "labels"
MOST_MISSING = 40


def budget_report(summary: Row) -> Report:
    """Lay out plots and tables, each with its n."""
    parts = [
        _areas(summary),
        _curves(summary),
        _differences(summary),
        _savings(summary),
        _needed(summary),
        _missing(summary),
    ]
    foot = (("runs", f"{summary['num_runs']:,}"), ("prompts", f"{summary['num_prompts']:,}"))
    notes = tuple(map(note_in_words, summary["notes"]))
    return Report("What labels buy", answer(summary), tuple(part for part in parts if part), foot, notes)


def _areas(summary: Row) -> Section | None:
    rows = summary["areas"]
    if not rows:
        return None
    fields = ("strategy", "area", "p_holm", "verdict", "margin_area", "num_budgets", "num_seeds")
    note = (
        f"The area between two curves over the logarithm of the budget, by its width. n = "
        f"{say_count(summary['num_prompts'], 'prompt')}; p is corrected for {say_count(len(rows), 'test')} (Holm)."
    )
    table = table_of(f"Minus {summary['baseline']}", fields, rows, note)
    return Section("The answer", f"How much more often is the chosen response preferred? {INTERVAL}.", (table,))


def _curves(summary: Row) -> Section | None:
    if not summary["cells"]:
        return None
    curves = _by_strategy(summary)
    note = f"n = {say_count(summary['num_prompts'], 'prompt')}. The axis of labels is logarithmic."
    plots = [
        Plot(
            PlotKind.curve, title, LABELS, label,
            tuple(_series(name, rows, field) for name, rows in curves.items()),
            note, interval=INTERVAL, is_log_x=True,
        )
        for field, title, label in (
            ("accuracy", "How often is a policy right?", "accuracy"),
            ("margin", "By how much?", "margin, nats"),
        )
        if any(row[field] is not None for row in summary["cells"])
    ]  # fmt: skip
    fields = ("strategy", "budget", "accuracy", "margin", "num_seeds", "num_pairs")
    table = table_of("Cells", fields, summary["cells"], "Pairs are those of all seeds together.")
    shared = any(row["strategy"] == summary["shared"] for row in summary["cells"])
    text = f"Runs of {summary['shared']!r} belong to every strategy." if shared else ""
    return Section("Learning curves", text, (*plots, table))


def _by_strategy(summary: Row) -> dict[str, list[Row]]:
    """Sort the cells into curves, the baseline's first; shared ones end every curve."""
    cells, shared = summary["cells"], [row for row in summary["cells"] if row["strategy"] == summary["shared"]]
    names = sorted(
        {row["strategy"] for row in cells if row not in shared}, key=lambda name: name != summary["baseline"]
    )
    if not names:
        return {summary["shared"]: shared}
    curves = {name: [row for row in cells if row["strategy"] == name] for name in names}
    for rows in curves.values():
        rows += [row for row in shared if row["budget"] not in {inner["budget"] for inner in rows}]
        rows.sort(key=itemgetter("budget"))
    return curves


def _series(name: str, rows: list[Row], field: str) -> Series:
    return series_of(name, [row["budget"] for row in rows], rows, field, itemgetter("num_pairs"))


def _differences(summary: Row) -> Section | None:
    rows = summary["differences"]
    if not rows:
        return None
    names = dict.fromkeys(row["strategy"] for row in rows)
    series = tuple(
        series_of(name, [row["budget"] for row in inside], inside, "accuracy", itemgetter("num_prompts"))
        for name in names
        for inside in [[row for row in rows if row["strategy"] == name]]
    )
    base = summary["baseline"]
    plot = Plot(
        PlotKind.curve, f"How much more often than {base}?", LABELS, "accuracy, difference", series,
        f"n = {say_count(summary['num_prompts'], 'prompt')}, the same on both sides.", 0.0, base,
        interval=INTERVAL, is_log_x=True,
    )  # fmt: skip
    fields = ("strategy", "budget", "accuracy", "p_holm", "verdict", "margin", "num_seeds")
    note = f"p is corrected for {say_count(len(rows), 'test')} (Holm); intervals are each of 95%."
    table = table_of(f"Minus {base}, at equal budgets", fields, rows, note)
    return Section("Differences at equal budgets", "", (plot, table))


def _savings(summary: Row) -> Section | None:
    rows = [row | {"labels saved": saving_words(row)} for row in summary["savings"]]
    if not rows:
        return None
    base = summary["baseline"]
    fields = ("strategy", "budget", "accuracy", "equal_budget", "labels saved")
    shown = [{name: value for name, value in row.items() if not name.startswith("equal_budget_")} for row in rows]
    note = f"Budgets of {base} in between are read off a line over the logarithm of the budget; {INTERVAL}."
    table = table_of(f"Labels that {base} needs for the same accuracy", fields, shown, note)
    return Section("Labels saved at equal accuracy", "", (table,))


def _needed(summary: Row) -> Section | None:
    rows = [row for row in summary["areas"] if row["area_low"] is not None]
    if not rows:
        return None
    fields = ("strategy", "area", "smallest_shown", "num_prompts", "prompts_needed", "num_seeds", "seeds_needed")
    shown = [
        {name: value for name, value in row.items() if name not in ("area_low", "area_high")}
        | {name: "none alone" if row[name] is None else row[name] for name in ("prompts_needed", "seeds_needed")}
        for row in rows
    ]
    note = "Shown four times out of five, at the corrected level; each with the other number as it is."
    table = table_of("What n would decide it", fields, shown, note)
    return Section("What would decide it", "", (table,))


def _missing(summary: Row) -> Section | None:
    rows = [row | {"budget": show_budget(row["budget"])} for row in summary["missing"][:MOST_MISSING]]
    if not rows:
        return None
    count = len(summary["missing"])
    note = f"The first {MOST_MISSING} of {count:,}." if count > MOST_MISSING else ""
    return Section("Runs that are missing", "", (table_of("Missing", ("strategy", "budget", "seed"), rows, note),))
