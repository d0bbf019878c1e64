"""The report of `real eval margin`: margins, differences between policies, calibration, rewards."""

from collections.abc import Callable
from operator import itemgetter
from typing import Any

from real_cli.evaluate.accuracy_parts import accuracy_difference, length_section
from real_cli.evaluate.margin.answer import answer, at_equal_length
from real_cli.evaluate.margin.curves import training_section
from real_cli.report.contents import SHARE, Plot, PlotKind, Report, Section, Series, Span
from real_cli.report.examples import Examples, examples_section
from real_cli.report.field_words import in_words, note_in_words
from real_cli.report.numbers import show_estimate, show_fixed, show_range
from real_cli.report.series import histogram_series, series_of, table_of
from real_cli.text.phrases import say_count
from real_cli.train.curves import TrainingCurves

Summary = dict[str, Any]
MEASURES = (
    *("accuracy", "margin", "margin_beta", "margin_equal_length", "margin_per_extra_token"),
    *("accuracy_per_token", "margin_per_token", "likelihood_accuracy", "likelihood_margin"),
    *("rewards_chosen", "rewards_rejected"),
)
COMPARED = (("accuracy", "share of pairs"), ("margin", "nats"), ("likelihood_accuracy", "share of pairs"))
EXAMPLES = "A few pairs at the ends, not a sample: they show what the extremes look like, and not how often they are."


def margin_report(summary: Summary, examples: Examples, curves: TrainingCurves | None = None) -> Report:
    """Lay out plots, tables and example rows, each with its n."""
    policies = summary.get("policies", [summary])
    parts = [
        _answer(policies),
        _comparison(summary.get("differences", [])),
        _margins(policies),
        _similarity(policies),
        _length(policies),
        _calibration(policies),
        _rewards(policies),
        training_section(curves) if curves else None,
        examples_section("Pairs to look at", EXAMPLES, examples),
    ]
    foot = (("pairs", f"{policies[0]['num_pairs']:,}"), ("prompts", f"{policies[0]['num_prompts']:,}"))
    lead = " ".join(map(answer, policies))
    sections = tuple(part for part in parts if part)
    return Report("Margins of a policy over its reference", lead, sections, foot, _notes(summary, policies))


def _notes(summary: Summary, policies: list[Summary]) -> tuple[str, ...]:
    """List what is to be known about all numbers, then about those of one policy."""
    shared = summary["notes"] if "policies" in summary else []
    of_policies = [_whose(row) + note_in_words(note) for row in policies for note in row["notes"]]
    differences = [
        f"{row['policy']} minus {row['minus']}: {note_in_words(note)}"
        for row in summary.get("differences", [])
        for note in row["notes"]
    ]
    return (*map(note_in_words, shared), *of_policies, *differences)


def _answer(policies: list[Summary]) -> Section:
    rows = [
        {"policy": row.get("policy"), "number": in_words(name), "n": _n(row, name)}
        | {f"value{end}": row[f"{name}{end}"] for end in ("", "_low", "_high")}
        for row in policies
        for name in MEASURES
    ]
    note = (
        "Intervals are of 95%, clustered by prompt. A margin is a log-ratio of policy to reference, chosen - rejected."
    )
    table = table_of("Numbers", ("policy", "number", "value", "n"), rows, note)
    return Section("The answer", "An accuracy is a share of pairs; a tie counts as wrong.", (table,))


def _n(row: Summary, name: str) -> int:
    if name in ("margin_equal_length", "margin_per_extra_token"):
        return int(row["num_lengths"])
    return int(row["num_per_token"] if name.endswith("per_token") else row["num_pairs"])


def _whose(row: Summary) -> str:
    return f"{row['policy']}: " if "policy" in row else ""


def _sentences(policies: list[Summary], say: Callable[[Summary], str]) -> str:
    """Say something of each policy, under its name where there are several."""
    texts = [(_whose(row), say(row)) for row in policies]
    return " ".join(f"{whose}{text}" if whose else f"{text[:1].upper()}{text[1:]}" for whose, text in texts)


def _shared_span(policies: list[Summary], *names: str) -> Span:
    """Give histograms that are looked at side by side one axis."""
    edges = [edge for row in policies for name in names for edge in row[name]["edges"]]
    return (min(edges), max(edges)) if edges else (None, None)


def _comparison(differences: list[Summary]) -> Section | None:
    if not differences:
        return None
    base, plots = differences[0]["minus"], []
    sizes = ", ".join(f"{row['policy']} {row['num_pairs']:,}" for row in differences)
    for name, unit in COMPARED:
        series = series_of("", [row["policy"] for row in differences], differences, name, itemgetter("num_pairs"))
        title = f"{in_words(name)[:1].upper()}{in_words(name)[1:]}: difference from {base}"
        note = f"n = pairs under both: {sizes}. Paired: both policies on the same prompts."
        plots.append(Plot(PlotKind.bars, title, "policy", unit, (series,), note, 0.0, "no difference"))
    return Section("Comparison", " ".join(accuracy_difference(row, "policy") for row in differences), tuple(plots))


def _margins(policies: list[Summary]) -> Section:
    plots, span = [], _shared_span(policies, "margin_histogram")
    for row in policies:
        series = histogram_series("", row["margin_histogram"])
        note = f"n = {say_count(row['num_pairs'], 'pair')}; right of 0 the chosen response is preferred."
        title = f"Margins of pairs{_of(row)}"
        plots.append(Plot(PlotKind.histogram, title, "margin in nats", "pairs", (series,), note, x_span=span))
    return Section("Margins", _sentences(policies, _signs), tuple(plots))


def _signs(row: Summary) -> str:
    below = row["num_pairs"] - row["num_correct"] - row["num_ties"]
    return f"{say_count(row['num_correct'], 'pair')} above 0, {row['num_ties']:,} at 0, {below:,} below."


def _of(row: Summary) -> str:
    return f" under {row['policy']}" if "policy" in row else ""


def _similarity(policies: list[Summary]) -> Section | None:
    if "by_similarity" not in policies[0]:
        return None
    series = tuple(_bucket_bars(row.get("policy", ""), row["by_similarity"]) for row in policies)
    sizes = ", ".join(f"{count:,}" for count in series[0].counts)
    plot = Plot(
        PlotKind.bars, "Accuracy by similarity", "similarity of the two responses", "accuracy", series,
        f"n = {sizes} pairs, least similar first.", 0.5, "chance", y_span=SHARE,
    )  # fmt: skip
    return Section("By similarity", _sentences(policies, _gap), (plot,))


def _bucket_bars(name: str, buckets: list[Summary]) -> Series:
    edges = [show_range(bucket["similarity_low"], bucket["similarity_high"]) for bucket in buckets]
    return series_of(name, edges, buckets, "accuracy", itemgetter("num_pairs"))


def _gap(row: Summary) -> str:
    if "accuracy_gap" not in row:
        return "one pair carries a similarity; there is nothing to compare."
    return (
        f"accuracy on the least similar {say_count(row['num_least_similar'], 'pair')} minus that on the most similar "
        f"{row['num_most_similar']:,} is {show_estimate(row, 'accuracy_gap')}."
    )


def _length(policies: list[Summary]) -> Section | None:
    drawn = [row for row in policies if row["by_length"]]
    if not drawn:
        return None
    named = [(row.get("policy"), row) for row in drawn]
    text = _sentences(drawn, _length_text)
    return length_section(named, text, column="policy", better="chosen", unit="tokens", value="margin")


def _length_text(row: Summary) -> str:
    text = ""
    if row["accuracy_length_gap"] is not None:
        gap = show_estimate(row, "accuracy_length_gap")
        text = f"accuracy where the chosen response is longer minus that where it is shorter is {gap}. "
    text += at_equal_length(row)
    if row["margin_per_extra_token"] is not None:
        slope = show_estimate(row, "margin_per_extra_token", " nats")
        text += (
            f" Each token by which the chosen response is longer goes with {slope} of margin: a line through the "
            f"margins of {say_count(row['num_lengths'], 'pair')}, its errors clustered by prompt."
        )
    return text


def _calibration(policies: list[Summary]) -> Section | None:
    drawn = [row for row in policies if row["num_calibrated"]]
    if not drawn:
        return None
    series = []
    for row in drawn:
        bins = [bar for bar in row["calibration"] if bar["num_pairs"]]
        x = [bar["said"] for bar in bins]
        series.append(series_of(row.get("policy", ""), x, bins, "right", itemgetter("num_pairs")))
    sizes = ", ".join(f"{_whose(row)}{row['num_calibrated']:,}" for row in drawn)
    note = f"n = {sizes} pairs that are no tie, in bins of the said probability. On the dashed line said is true."
    axes = ("said probability: sigmoid of beta times the margin's size", "share that was right")
    plot = Plot(PlotKind.reliability, "Said and true", *axes, tuple(series), note)
    text = _sentences(drawn, _calibration_text) + " Another beta gives another error: it sets the scale."
    return Section("Calibration", text, (plot,))


def _calibration_text(row: Summary) -> str:
    return (
        f"what the implicit reward says of a pair is off by {show_estimate(row, 'ece')} on average over "
        f"{say_count(row['num_calibrated'], 'pair')} (expected calibration error at beta {row['beta']:g}). "
        f"{_by_chance(row)}"
    )


def _by_chance(row: Summary) -> str:
    """Set the error against the one that so few pairs show by chance."""
    chance = f"about {show_fixed(row['ece_by_chance'])}"
    if row["ece"] <= row["ece_by_chance"]:
        return (
            "That is no more than chance gives: with as many pairs even a policy whose probabilities are true is off "
            f"by {chance}."
        )
    return f"Chance adds to that: with as many pairs a policy whose probabilities are true is off by {chance}."


def _rewards(policies: list[Summary]) -> Section:
    plots, span = [], _shared_span(policies, "rewards_chosen_histogram", "rewards_rejected_histogram")
    for row in policies:
        sides = {name: row[f"rewards_{name}_histogram"] for name in ("chosen", "rejected")}
        series = tuple(histogram_series(name, bars) for name, bars in sides.items())
        note = f"n = {say_count(row['num_pairs'], 'response')} on each side."
        title = f"Rewards of chosen and rejected responses{_of(row)}"
        axes = ("reward, times beta", "responses")
        plots.append(Plot(PlotKind.histogram, title, *axes, series, note, x_span=span))
    measured = [row for row in policies if row["num_pairs"]]
    return Section("Chosen against rejected", _sentences(measured, _mean_rewards), tuple(plots))


def _mean_rewards(row: Summary) -> str:
    chosen, rejected = (show_estimate(row, f"rewards_{name}") for name in ("chosen", "rejected"))
    return f"mean reward of the chosen {chosen}, of the rejected {rejected}, {say_count(row['num_pairs'], 'pair')}."
