"""The report of `real eval compare`: differences from the baseline, the methods side by side, what they cost."""

from operator import itemgetter
from typing import Any

from real_cli.evaluate.compare.answer import answer
from real_cli.evaluate.compare.measures import MEASURES
from real_cli.report.contents import SHARE, Plot, PlotKind, Report, Section, Table
from real_cli.report.field_words import in_words, note_in_words
from real_cli.report.series import series_of, table_of
from real_cli.text.phrases import say_count

Summary = dict[str, Any]
Row = dict[str, Any]

COUNTS = ("num_rows", "num_methods", "num_seeds", "num_prompts", "num_pairs", "num_comparisons")
INTERVAL = "95% intervals over prompts and seeds, not corrected for the number of comparisons"
# More bars than this are no picture; the table has all.
MOST_BARS = 40
MEGABYTE = 1e6


def compare_report(summary: Summary) -> Report:
    """Lay out what was compared, each number with its n."""
    sections = (*_differences(summary), *_methods(summary), *_cost(summary))
    facts = tuple((in_words(name), f"{summary[name]:,}") for name in COUNTS)
    notes = tuple(map(note_in_words, summary["notes"]))
    return Report("Methods side by side", _lead(summary), sections, facts, notes)


def _lead(summary: Summary) -> str:
    if not summary["num_rows"]:
        return "No row was read."
    if phrases := answer(summary):
        return f"Compared with {summary['baseline']}: {'; '.join(phrases)}."
    pairs = say_count(summary["num_pairs"], "held-out pair")
    return f"{say_count(summary['num_methods'], 'method')}, {pairs}, and no verdict."


def _differences(summary: Summary) -> list[Section]:
    rows = [row for row in summary["differences"] if row["num_seeds"]]
    if not rows:
        return []
    base, count = summary["baseline"], summary["num_comparisons"]
    text = (
        f"Each method minus {base}, on the same pairs and the same seeds. p-values are corrected by Holm for "
        f"{say_count(count, 'comparison')}, each measure by itself; a method is better or worse by its accuracy, where "
        "the corrected p is below 0.05. A larger margin alone makes no policy better: losses and settings decide how "
        "far a policy goes."
    )
    fields = (
        "method", "verdict", "accuracy", "accuracy_p", "accuracy_p_holm", "smallest_shown", "prompts_needed",
        "seeds_needed", "num_seeds",
    )  # fmt: skip
    tables = [table_of(f"Accuracy minus that of {base}", fields, rows, _note(summary))]
    others = [row for measure in MEASURES[1:] for row in _long_rows(rows, measure.name)]
    if others:
        columns = ("measure", "method", "difference", "p", "corrected_p")
        tables.append(table_of(f"Other numbers minus those of {base}", columns, others, _note(summary)))
    plots = [_bars(summary, rows, measure.name) for measure in MEASURES if measure.name in rows[0]]
    return [Section(f"Differences from {base}", text, (*plots, *tables))]


def _long_rows(rows: list[Row], name: str) -> list[Row]:
    return [
        {
            "measure": in_words(name),
            "method": row["method"],
            "p": row[f"{name}_p"],
            "corrected_p": row[f"{name}_p_holm"],
        }
        | {f"difference{end}": row[f"{name}{end}"] for end in ("", "_low", "_high")}
        for row in rows
        if name in row
    ]


def _bars(summary: Summary, rows: list[Row], name: str) -> Plot:
    shown = rows[:MOST_BARS]
    title = f"{in_words(name)[0].upper()}{in_words(name)[1:]}, minus that of {summary['baseline']}"
    series = series_of("", [row["method"] for row in shown], shown, name, lambda row: summary["num_pairs"])
    note = _note(summary) + _cut(rows)
    return Plot(
        PlotKind.bars, title, "method", f"{in_words(name)}, difference", (series,), note, 0.0, "no difference",
        interval=INTERVAL,
    )  # fmt: skip


def _methods(summary: Summary) -> list[Section]:
    rows = summary["methods"]
    if not rows:
        return []
    shown = rows[:MOST_BARS]
    series = series_of("", [row["method"] for row in shown], shown, "accuracy", lambda row: summary["num_pairs"])
    plot = Plot(
        PlotKind.bars, "Which method is right most often?", "method", "share of pairs", (series,),
        _note(summary) + _cut(rows), 0.5, "chance", interval="95% intervals over prompts and seeds", y_span=SHARE,
    )  # fmt: skip
    names = [measure.name for measure in MEASURES if measure.name in rows[0]]
    table = table_of("By method", ("method", *names, "num_seeds"), rows, _note(summary))
    text = (
        "Accuracy is the share of pairs whose chosen response has the larger log-ratio of policy to reference; margins "
        "are in nats, whatever beta the method trained with. The measure of length is how often the longer response is "
        "preferred, where lengths differ."
    )
    return [Section("Methods", text, (plot, table))]


def _cost(summary: Summary) -> list[Section]:
    rows = [_in_megabytes(row) for row in summary["methods"]]
    known = [row for row in rows if row["train_seconds"] is not None]
    if not any(row[name] is not None for row in rows for name in ("train_seconds", "peak_memory_megabytes")):
        return []
    fields = (
        "method", "train_seconds", "train_seconds_ratio", "peak_memory_megabytes", "peak_device_megabytes",
        "train_steps", "train_pairs",
    )  # fmt: skip
    text = (
        "Seconds of the steps alone, a mean over seeds; memory is the most that a process held, with the libraries in "
        "it. Trainings that ran beside each other, or beside other work, were slower for it."
    )
    items: list[Plot | Table] = []
    if known:
        shown = known[:MOST_BARS]
        names = [row["method"] for row in shown]
        series = series_of("", names, [row | _NO_ENDS for row in shown], "train_seconds", itemgetter("num_seeds"))
        note = f"n = {say_count(sum(row['num_seeds'] for row in known), 'training')}.{_cut(known)}"
        items.append(Plot(PlotKind.bars, "How long does training take?", "method", "seconds", (series,), note))
    note = f"n = {say_count(sum(row['num_seeds'] for row in rows), 'training')}."
    return [Section("Cost", text, (*items, table_of("Time and memory", fields, rows, note)))]


_NO_ENDS = {"train_seconds_low": None, "train_seconds_high": None}


def _in_megabytes(row: Row) -> Row:
    return row | {
        f"peak_{part}_megabytes": None if (size := row[f"peak_{part}_bytes"]) is None else round(size / MEGABYTE)
        for part in ("memory", "device")
    }


def _note(summary: Summary) -> str:
    pairs, prompts = say_count(summary["num_pairs"], "pair"), say_count(summary["num_prompts"], "prompt")
    return f"n = {pairs} of {prompts}, under policies of {say_count(summary['num_seeds'], 'seed')}."


def _cut(rows: list[Row]) -> str:
    return f" The first {MOST_BARS} of {len(rows):,} methods; the table has all." if len(rows) > MOST_BARS else ""
