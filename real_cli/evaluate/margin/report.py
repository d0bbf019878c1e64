"""The report of `real eval margin`."""

from collections.abc import Mapping
from typing import Any

from real_cli.evaluate.margin.curves import training_section
from real_cli.report.contents import Plot, PlotKind, Report, Section, Series, Table
from real_cli.report.examples import Examples, examples_section
from real_cli.report.numbers import show_share
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
    """Make the report of a summary.

    Args:
        summary: Of one policy, or of several.
        examples: Pairs to look at.
        curves: Of a training run.
        facts: Names and values for the foot; None is left out.

    Returns:
        Plots, tables and example rows, each with its n.
    """
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


def _lead(own: Summary) -> str:
    who = own.get("policy", "The policy")
    if not own["num_pairs"]:
        return f"{who}: no pair was measured."
    return (
        f"{who} prefers the chosen response in {show_share(own, 'accuracy')} of "
        f"{say_count(own['num_pairs'], 'pair')}{_ties(own['num_ties'])}; its mean margin over the "
        f"reference is {own['margin']:.3g} nats{_band(own, 'margin')}."
    )


def _ties(count: int) -> str:
    return f", where {say_count(count, 'tie')} count{'s' if count == 1 else ''} as wrong" if count else ""


def _band(own: Summary, name: str) -> str:
    low, high = own[f"{name}_low"], own[f"{name}_high"]
    if low is None or high is None:
        return " (no interval can be given)"
    return f" (95% interval {low:.3g} to {high:.3g})"


def _notes(summary: Summary, policies: list[Summary]) -> tuple[str, ...]:
    """List what is to be known about all numbers, then about those of one policy."""
    shared = summary["notes"] if "policies" in summary else []
    return (*shared, *(_whose(own) + note for own in policies for note in own["notes"]))


def _answer(policies: list[Summary]) -> Section:
    measures = ("accuracy", "margin", "margin_beta", "accuracy_per_token", "margin_per_token", "likelihood_accuracy")
    rows = tuple(
        (
            own.get("policy", ""),
            name.replace("_", " "),
            own[name],
            own[f"{name}_low"],
            own[f"{name}_high"],
            _n(own, name),
        )
        for own in policies
        for name in (*measures, "likelihood_margin", "rewards_chosen", "rewards_rejected")
    )
    columns = ("policy", "number", "value", "low", "high", "n")
    table = Table("Numbers", columns, rows, "low and high are 95% intervals; margins are in nats, or times beta.")
    return Section("The answer", "An accuracy is a share of pairs; a tie counts as wrong.", (table,))


def _n(own: Summary, name: str) -> int:
    return int(own["num_per_token"] if name.endswith("per_token") else own["num_pairs"])


def _whose(own: Summary) -> str:
    return f"{own['policy']}: " if "policy" in own else ""


def _comparison(differences: list[Summary]) -> Section | None:
    if not differences:
        return None
    base, plots = differences[0]["minus"], []
    sizes = ", ".join(f"{own['policy']} {own['num_pairs']:,}" for own in differences)
    for name, unit in COMPARED:
        series = Series(
            "",
            tuple(own["policy"] for own in differences),
            tuple(own[name] for own in differences),
            tuple(own[f"{name}_low"] for own in differences),
            tuple(own[f"{name}_high"] for own in differences),
            tuple(own["num_pairs"] for own in differences),
        )
        title = f"Difference of {name.replace('_', ' ')} from {base}"
        note = f"n = pairs under both: {sizes}. {BAND} They are paired: both policies on the same prompts."
        plots.append(Plot(PlotKind.bars, title, "policy", unit, (series,), note, 0.0))
    return Section("Comparison", " ".join(_compared(own) for own in differences), tuple(plots))


def _compared(own: Summary) -> str:
    if own["accuracy"] is None:
        return f"{own['policy']} and {own['minus']} share no pair."
    low, high = own["accuracy_low"], own["accuracy_high"]
    said = f"The accuracy of {own['policy']} minus that of {own['minus']} is {own['accuracy']:+.3f}"
    if low is None or high is None:
        return f"{said} over {say_count(own['num_pairs'], 'pair')}; no interval can be given."
    holds = "holds" if low <= 0 <= high else "does not hold"
    return f"{said} over {say_count(own['num_pairs'], 'pair')}; its 95% interval, {low:+.3f} to {high:+.3f}, {holds} 0."


def _margins(policies: list[Summary]) -> Section:
    plots = []
    for own in policies:
        drawn = own["margin_histogram"]
        series = Series("", tuple(drawn["edges"]), tuple(drawn["counts"]))
        note = f"n = {say_count(own['num_pairs'], 'pair')}; right of 0 the chosen response is preferred."
        title = f"Margins of pairs{_of(own)}"
        plots.append(Plot(PlotKind.histogram, title, "margin in nats", "pairs", (series,), note))
    told = [
        f"{_whose(own)}{say_count(own['num_correct'], 'pair')} above 0, {own['num_ties']:,} at 0, "
        f"{own['num_pairs'] - own['num_correct'] - own['num_ties']:,} below."
        for own in policies
    ]
    return Section("Margins", " ".join(told), tuple(plots))


def _of(own: Summary) -> str:
    return f" under {own['policy']}" if "policy" in own else ""


def _similarity(policies: list[Summary]) -> Section | None:
    if "by_similarity" not in policies[0]:
        return None
    series = tuple(_bucket_bars(own.get("policy", ""), own["by_similarity"]) for own in policies)
    sizes = ", ".join(f"{count:,}" for count in series[0].counts)
    note = f"n = {sizes} pairs, least similar first. {BAND} The line is chance."
    axes = ("similarity of the two responses", "accuracy")
    plot = Plot(PlotKind.bars, "Accuracy by similarity", *axes, series, note, 0.5)
    return Section("By similarity", " ".join(map(_gap, policies)), (plot,))


def _bucket_bars(name: str, buckets: list[Summary]) -> Series:
    edges = tuple(f"{one['similarity_low']:.3g} to {one['similarity_high']:.3g}" for one in buckets)
    fields = ("accuracy", "accuracy_low", "accuracy_high", "num_pairs")
    return Series(name, edges, *(tuple(one[field] for one in buckets) for field in fields))


def _gap(own: Summary) -> str:
    if "accuracy_gap" not in own:
        return f"{_whose(own)}one pair carries a similarity; there is nothing to compare."
    return (
        f"{_whose(own)}accuracy on the least similar {say_count(own['num_least_similar'], 'pair')} minus that on "
        f"the most similar {own['num_most_similar']:,} is {own['accuracy_gap']:+.3f}{_band(own, 'accuracy_gap')}."
    )


def _calibration(policies: list[Summary]) -> Section | None:
    drawn = [own for own in policies if own["num_calibrated"]]
    if not drawn:
        return None
    fields = ("said", "right", "right_low", "right_high", "num_pairs")
    series = []
    for own in drawn:
        bins = [one for one in own["calibration"] if one["num_pairs"]]
        series.append(Series(own.get("policy", ""), *(tuple(one[field] for one in bins) for field in fields)))
    sizes = ", ".join(f"{_whose(own)}{own['num_calibrated']:,}" for own in drawn)
    note = f"n = {sizes} pairs that are no tie, in bins of the said probability. {BAND}"
    axes = ("said probability, sigmoid(beta * |margin|)", "share that was right")
    plot = Plot(PlotKind.reliability, "Said and true", *axes, tuple(series), note)
    told = [
        f"{_whose(own)}what the implicit reward says of a pair is off by {own['ece']:.3f} on average over "
        f"{say_count(own['num_calibrated'], 'pair')}{_band(own, 'ece')} (expected calibration error at beta "
        f"{own['beta']:g}). It is too large on average: with as many pairs a policy that says the truth would "
        f"be off by about {own['ece_by_chance']:.3f}."
        for own in drawn
    ]
    return Section("Calibration", " ".join(told) + " beta sets the scale: another one gives another error.", (plot,))


def _rewards(policies: list[Summary]) -> Section:
    plots = []
    for own in policies:
        sides = {name: own[f"rewards_{name}_histogram"] for name in ("chosen", "rejected")}
        series = tuple(Series(name, tuple(bars["edges"]), tuple(bars["counts"])) for name, bars in sides.items())
        note = f"n = {say_count(own['num_pairs'], 'response')} on each side."
        title = f"Rewards of chosen and rejected responses{_of(own)}"
        plots.append(Plot(PlotKind.histogram, title, "reward, times beta", "responses", series, note))
    told = [
        f"{_whose(own)}mean reward of the chosen {own['rewards_chosen']:.3g}, of the rejected "
        f"{own['rewards_rejected']:.3g}, over {say_count(own['num_pairs'], 'pair')}."
        for own in policies
        if own["num_pairs"]
    ]
    return Section("Chosen against rejected", " ".join(told), tuple(plots))
