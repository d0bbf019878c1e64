"""The report of `real eval reward`: accuracy, categories, length, calibration, score gaps."""

from collections.abc import Callable
from operator import itemgetter
from typing import Any

from real_cli.evaluate.accuracy_parts import accuracy_difference, length_section
from real_cli.evaluate.reward.answer import answer, at_equal_length, length_bias
from real_cli.report.contents import SHARE, Plot, PlotKind, Report, Section, Table
from real_cli.report.examples import Examples, examples_section
from real_cli.report.field_words import in_words, note_in_words
from real_cli.report.numbers import show_estimate, show_fixed, show_percent, show_share
from real_cli.report.series import histogram_series, series_of, table_of
from real_cli.text.phrases import say_count

Summary = dict[str, Any]
MEASURES = {
    "accuracy": "num_pairs",
    "accuracy_equal_length": "num_pairs",
    "score_gap": "num_pairs",
    "score_gap_equal_length": "num_lengths",
    "score_gap_per_extra_character": "num_lengths",
    "best_of_n_accuracy": "num_best_of_n",
    "several_best_accuracy": "num_several_best",
    "several_best_preferred": "num_several_best",
}
TIES = ("ref_accuracy", "tied_accuracy", "preferred", "preferred_hard", "margin_score", "score")
EXAMPLES = "A few pairs at the ends, not a sample: they show what the extremes look like, and not how often they are."
# More bars than this are no picture; the table has all.
MOST_BARS = 40


def reward_report(summary: Summary, examples: Examples) -> Report:
    """Lay out plots, tables and example rows, each with its n."""
    models = summary.get("models", [summary])
    parts = [
        _answer(models),
        _comparison(summary.get("differences", [])),
        _categories(models),
        _ties(models),
        _length(models),
        _calibration(models),
        _gaps(models),
        examples_section("Pairs to look at", EXAMPLES, examples),
    ]
    names = ("num_records", "num_pairs", "num_prompts")
    foot = tuple((in_words(name), f"{models[0][name]:,}") for name in names)
    lead = " ".join(answer(row, row["field"]) if len(models) > 1 else answer(row) for row in models)
    sections = tuple(part for part in parts if part)
    return Report("Rewards against labels", lead, sections, foot, tuple(map(note_in_words, summary["notes"])))


def _named(models: list[Summary], row: Summary) -> str | None:
    return row["field"] if len(models) > 1 else None


def _answer(models: list[Summary]) -> Section:
    rows = [
        {"field": _named(models, row), "number": in_words(name), "n": row[count]}
        | {f"value{end}": row[f"{name}{end}"] for end in ("", "_low", "_high")}
        for row in models
        for name, count in MEASURES.items()
        if row[name] is not None
    ]
    note = "Intervals are of 95%, clustered by prompt; n counts pairs, or records where it is about best of n."
    table = table_of("Numbers", ("field", "number", "value", "n"), rows, note)
    text = "An accuracy is a share of pairs in which the better response has the higher score; a tie counts as wrong."
    return Section("The answer", text, (table,))


def _sentences(models: list[Summary], say: Callable[[Summary], str]) -> str:
    """Say something of each model, under its name where there are several."""
    return " ".join(f"{row['field']}: {say(row)}" if len(models) > 1 else say(row) for row in models)


def _comparison(differences: list[Summary]) -> Section | None:
    if not differences:
        return None
    base, plots = differences[0]["minus"], []
    for name, count in (("accuracy", "num_pairs"), ("best_of_n_accuracy", "num_records")):
        series = series_of("", [row["field"] for row in differences], differences, name, itemgetter(count))
        title = f"{in_words(name)[:1].upper()}{in_words(name)[1:]}: difference from {base}"
        note = f"n = {differences[0][count]:,} {in_words(count)}. Paired: both models on the same responses."
        plots.append(Plot(PlotKind.bars, title, "scores", "share", (series,), note, 0.0, "no difference"))
    return Section("Comparison", " ".join(accuracy_difference(row, "field") for row in differences), tuple(plots))


def _categories(models: list[Summary]) -> Section | None:
    by = models[0]["by"]
    if not models[0]["by_category"]:
        return None
    rows = [
        {"field": _named(models, row)} | bucket | {"category": _shown(bucket["category"])}
        for row in models
        for bucket in row["by_category"]
    ]
    several = len(models) > 1
    series = tuple(
        series_of(
            row["field"] if several else "",
            [_shown(bucket["category"]) for bucket in row["by_category"][:MOST_BARS]],
            row["by_category"][:MOST_BARS],
            "accuracy",
            itemgetter("num_pairs"),
        )
        for row in models
    )
    count = len(models[0]["by_category"])
    cut = f" The first {MOST_BARS} of {count:,} categories; the table has all." if count > MOST_BARS else ""
    note = f"n = {say_count(models[0]['num_pairs'], 'pair')}.{cut}"
    plot = Plot(
        PlotKind.bars, f"Accuracy by {by}", str(by), "accuracy", series, note, 0.5, "chance", y_span=SHARE
    )  # fmt: skip
    fields = ("field", "category", "accuracy", "num_pairs", "best_of_n_accuracy", "score", "num_best_of_n")
    table = table_of(f"By {by}", fields, rows, "The score is RewardBench 2's: best of n, or its score of ties.")
    return Section("Categories", _sentences(models, _mean_text), (plot, table))


def _shown(category: object) -> str:
    return "(none)" if category is None else str(category)


def _mean_text(row: Summary) -> str:
    if row["mean_score"] is None:
        return "There is no mean over categories, because one of them has no score."
    count = say_count(len(row["by_category"]), "category", "categories")
    return f"The mean score over {count}, each counting once, is {show_share(row, 'mean_score')}."


def _ties(models: list[Summary]) -> Section | None:
    drawn = [row for row in models if row["ties"]["num_tied"] or row["ties"]["num_ref"]]
    if not drawn:
        return None
    rows = [
        {"field": _named(models, row), "number": in_words(name)}
        | {f"value{end}": row["ties"].get(f"{name}{end}") for end in ("", "_low", "_high")}
        for row in drawn
        for name in TIES
    ]
    counts = drawn[0]["ties"]
    note = f"n = {counts['num_tied']:,} questions with several right answers, {counts['num_ref']:,} with one."
    table = table_of("RewardBench 2's score of ties", ("field", "number", "value"), rows, note)
    text = "Questions with several right answers: all of them are to stand above the wrong ones, and close together."
    return Section("Ties", text, (table,))


def _length(models: list[Summary]) -> Section | None:
    drawn = [row for row in models if row["by_length"]]
    if not drawn:
        return None
    named = [(_named(models, row), row) for row in drawn]
    text = _sentences(drawn, _length_text)
    return length_section(named, text, column="field", better="better", unit="characters", value="score_gap")


def _length_text(row: Summary) -> str:
    text = f"{length_bias(row)} {at_equal_length(row)}"
    if row["score_gap_per_extra_character"] is None:
        return text
    slope = show_estimate(row, "score_gap_per_extra_character")
    return f"{text} Each character by which the better response is longer goes with {slope} of score gap."


def _calibration(models: list[Summary]) -> Section | None:
    drawn = [row for row in models if row["num_calibrated"]]
    if not drawn:
        return None
    series = []
    for row in drawn:
        bins = [bar for bar in row["calibration"] if bar["num_pairs"]]
        x = [bar["said"] for bar in bins]
        series.append(series_of(_named(models, row) or "", x, bins, "right", itemgetter("num_pairs")))
    note = (
        f"n = {say_count(drawn[0]['num_calibrated'], 'pair')} that are no tie, in bins of the said probability. On the "
        "dashed line said is true."
    )
    axes = ("said probability: sigmoid of the size of the score gap over the temperature", "share that was right")
    plot = Plot(PlotKind.reliability, "Said and true", *axes, tuple(series), note)
    text = f"{_sentences(drawn, _calibration_text)} Another temperature gives another error: it sets the scale."
    return Section("Calibration", text, (plot,))


def _calibration_text(row: Summary) -> str:
    return (
        f"What a score gap says of a pair is off by {show_estimate(row, 'ece')} on average over "
        f"{say_count(row['num_calibrated'], 'pair')} (expected calibration error at temperature "
        f"{row['temperature']:g}); of true probabilities chance alone would make about "
        f"{show_fixed(row['ece_by_chance'])}."
    )


def _gaps(models: list[Summary]) -> Section | None:
    plots: list[Plot | Table] = []
    for row in models:
        if row["score_gap_histogram"]:
            whose = f" by {row['field']}" if len(models) > 1 else ""
            series = histogram_series("", row["score_gap_histogram"])
            note = f"n = {say_count(row['num_pairs'], 'pair')}; right of 0 the better response has the higher score."
            title = f"Score gaps{whose}"
            plots.append(Plot(PlotKind.histogram, title, "score, better minus worse", "pairs", (series,), note))
    measured = [row for row in models if row["num_pairs"]]
    return Section("Score gaps", _sentences(measured, _signs), tuple(plots)) if plots else None


def _signs(row: Summary) -> str:
    below = row["num_pairs"] - row["num_correct"] - row["num_ties"]
    share = show_percent(row["num_correct"] / row["num_pairs"])
    pairs = say_count(row["num_correct"], "pair")
    return f"{pairs} ({share}) above 0, {row['num_ties']:,} at 0, {below:,} below."
