"""The report of `real eval margin`: margins, differences between policies, calibration, rewards."""

from collections.abc import Mapping
from operator import itemgetter
from typing import Any

from real_cli.evaluate.margin.curves import training_section
from real_cli.report.contents import Plot, PlotKind, Report, Section, Series, Table
from real_cli.report.examples import Examples, examples_section
from real_cli.report.numbers import show_difference, show_interval, show_share
from real_cli.report.series import histogram_series, series_of
from real_cli.stats.intervals import field_names
from real_cli.text.phrases import say_count
from real_cli.train.curves import TrainingCurves

Summary = dict[str, Any]
COMPARED = (("accuracy", "share of pairs"), ("margin", "nats"), ("likelihood_accuracy", "share of pairs"))
BAND = "Whiskers are 95% intervals."
EXAMPLES = "A few pairs at the ends, not a sample: they show what the extremes look like, and not how often they are."


def margin_report(
    summary: Summary,
    examples: Examples,
    curves: TrainingCurves | None = None,
    facts: Mapping[str, object] | None = None,
) -> Report:
    """Lay out plots, tables and example rows, each with its n; facts that are None are left out."""
    policies = summary.get("policies", [summary])
    parts = [
        _answer(policies),
        _comparison(summary.get("differences", [])),
        _margins(policies),
        _similarity(policies),
        _calibration(policies),
        _rewards(policies),
        training_section(curves) if curves else None,
        examples_section("Pairs to look at", EXAMPLES, examples),
    ]
    shown = tuple((name, str(value)) for name, value in (facts or {}).items() if value is not None)
    foot = (*shown, ("pairs", f"{policies[0]['num_pairs']:,}"), ("prompts", f"{policies[0]['num_prompts']:,}"))
    lead = " ".join(map(_lead, policies))
    sections = tuple(part for part in parts if part)
    return Report("Margins of a policy over its reference", lead, sections, foot, _notes(summary, policies))


def _lead(row: Summary) -> str:
    who = row.get("policy", "The policy")
    if not row["num_pairs"]:
        return f"{who}: no pair was measured."
    return (
        f"{who} prefers the chosen response in {show_share(row, 'accuracy')} of "
        f"{say_count(row['num_pairs'], 'pair')}{_ties(row['num_ties'])}; its mean margin over the "
        f"reference is {row['margin']:.3g} nats{_band(row, 'margin')}."
    )


def _ties(count: int) -> str:
    return f", where {say_count(count, 'tie')} count{'s' if count == 1 else ''} as wrong" if count else ""


def _band(row: Summary, name: str) -> str:
    return f" ({show_interval(row, name, '{:.3g}'.format)})"


def _notes(summary: Summary, policies: list[Summary]) -> tuple[str, ...]:
    """List what is to be known about all numbers, then about those of one policy."""
    shared = summary["notes"] if "policies" in summary else []
    return (*shared, *(_whose(row) + note for row in policies for note in row["notes"]))


def _answer(policies: list[Summary]) -> Section:
    measures = ("accuracy", "margin", "margin_beta", "accuracy_per_token", "margin_per_token", "likelihood_accuracy")
    rows = tuple(
        (
            row.get("policy", ""),
            name.replace("_", " "),
            *(row[field] for field in field_names(name)),
            _n(row, name),
        )
        for row in policies
        for name in (*measures, "likelihood_margin", "rewards_chosen", "rewards_rejected")
    )
    columns = ("policy", "number", "value", "low", "high", "n")
    table = Table("Numbers", columns, rows, "low and high are 95% intervals; margins are in nats, or times beta.")
    return Section("The answer", "An accuracy is a share of pairs; a tie counts as wrong.", (table,))


def _n(row: Summary, name: str) -> int:
    return int(row["num_per_token"] if name.endswith("per_token") else row["num_pairs"])


def _whose(row: Summary) -> str:
    return f"{row['policy']}: " if "policy" in row else ""


def _comparison(differences: list[Summary]) -> Section | None:
    if not differences:
        return None
    base, plots = differences[0]["minus"], []
    sizes = ", ".join(f"{row['policy']} {row['num_pairs']:,}" for row in differences)
    for name, unit in COMPARED:
        series = series_of("", [row["policy"] for row in differences], differences, name, itemgetter("num_pairs"))
        title = f"Difference of {name.replace('_', ' ')} from {base}"
        note = f"n = pairs under both: {sizes}. {BAND} They are paired: both policies on the same prompts."
        plots.append(Plot(PlotKind.bars, title, "policy", unit, (series,), note, 0.0))
    return Section("Comparison", " ".join(_compared(row) for row in differences), tuple(plots))


def _compared(row: Summary) -> str:
    if row["accuracy"] is None:
        return f"{row['policy']} and {row['minus']} share no pair."
    difference = show_difference(row, "accuracy", "{:+.3f}".format, say_count(row["num_pairs"], "pair"))
    return f"The accuracy of {row['policy']} minus that of {row['minus']} is {difference}"


def _margins(policies: list[Summary]) -> Section:
    plots = []
    for row in policies:
        drawn = row["margin_histogram"]
        series = histogram_series("", drawn)
        note = f"n = {say_count(row['num_pairs'], 'pair')}; right of 0 the chosen response is preferred."
        title = f"Margins of pairs{_of(row)}"
        plots.append(Plot(PlotKind.histogram, title, "margin in nats", "pairs", (series,), note))
    sentences = [
        f"{_whose(row)}{say_count(row['num_correct'], 'pair')} above 0, {row['num_ties']:,} at 0, "
        f"{row['num_pairs'] - row['num_correct'] - row['num_ties']:,} below."
        for row in policies
    ]
    return Section("Margins", " ".join(sentences), tuple(plots))


def _of(row: Summary) -> str:
    return f" under {row['policy']}" if "policy" in row else ""


def _similarity(policies: list[Summary]) -> Section | None:
    if "by_similarity" not in policies[0]:
        return None
    series = tuple(_bucket_bars(row.get("policy", ""), row["by_similarity"]) for row in policies)
    sizes = ", ".join(f"{count:,}" for count in series[0].counts)
    note = f"n = {sizes} pairs, least similar first. {BAND} The line is chance."
    axes = ("similarity of the two responses", "accuracy")
    plot = Plot(PlotKind.bars, "Accuracy by similarity", *axes, series, note, 0.5)
    return Section("By similarity", " ".join(map(_gap, policies)), (plot,))


def _bucket_bars(name: str, buckets: list[Summary]) -> Series:
    edges = [f"{bucket['similarity_low']:.3g} to {bucket['similarity_high']:.3g}" for bucket in buckets]
    return series_of(name, edges, buckets, "accuracy", itemgetter("num_pairs"))


def _gap(row: Summary) -> str:
    if "accuracy_gap" not in row:
        return f"{_whose(row)}one pair carries a similarity; there is nothing to compare."
    return (
        f"{_whose(row)}accuracy on the least similar {say_count(row['num_least_similar'], 'pair')} minus that on "
        f"the most similar {row['num_most_similar']:,} is {row['accuracy_gap']:+.3f}{_band(row, 'accuracy_gap')}."
    )


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
    note = f"n = {sizes} pairs that are no tie, in bins of the said probability. {BAND}"
    axes = ("said probability, sigmoid(beta * |margin|)", "share that was right")
    plot = Plot(PlotKind.reliability, "Said and true", *axes, tuple(series), note)
    sentences = [
        f"{_whose(row)}what the implicit reward says of a pair is off by {row['ece']:.3f} on average over "
        f"{say_count(row['num_calibrated'], 'pair')}{_band(row, 'ece')} (expected calibration error at beta "
        f"{row['beta']:g}). It is too large on average: with as many pairs a policy that says the truth would "
        f"be off by about {row['ece_by_chance']:.3f}."
        for row in drawn
    ]
    return Section(
        "Calibration", " ".join(sentences) + " beta sets the scale: another one gives another error.", (plot,)
    )


def _rewards(policies: list[Summary]) -> Section:
    plots = []
    for row in policies:
        sides = {name: row[f"rewards_{name}_histogram"] for name in ("chosen", "rejected")}
        series = tuple(histogram_series(name, bars) for name, bars in sides.items())
        note = f"n = {say_count(row['num_pairs'], 'response')} on each side."
        title = f"Rewards of chosen and rejected responses{_of(row)}"
        plots.append(Plot(PlotKind.histogram, title, "reward, times beta", "responses", series, note))
    sentences = [
        f"{_whose(row)}mean reward of the chosen {row['rewards_chosen']:.3g}, of the rejected "
        f"{row['rewards_rejected']:.3g}, over {say_count(row['num_pairs'], 'pair')}."
        for row in policies
        if row["num_pairs"]
    ]
    return Section("Chosen against rejected", " ".join(sentences), tuple(plots))
