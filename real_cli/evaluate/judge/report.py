"""The report of `real eval judge`: agreement, its causes, the judge's biases, and what its labels can show."""

from operator import itemgetter
from typing import Any

from real_cli.evaluate.judge.notes import claim
from real_cli.report.contents import SHARE, Plot, PlotKind, Report, Section, Table
from real_cli.report.examples import Examples, examples_section
from real_cli.report.field_words import in_words, note_in_words
from real_cli.report.numbers import show_difference, show_fixed, show_interval, show_range, show_share
from real_cli.report.series import series_of, table_of
from real_cli.text.phrases import say_count

Summary = dict[str, Any]

COUNTS = (
    *("num_records", "num_pairs", "num_prompts", "num_compared", "num_compared_prompts", "num_without_gold"),
    *("num_judge_ties", "num_gold_ties"),
)
AGREEMENT = ("agreement", "kappa", "ac1", "accuracy")
METHOD = (
    "Kappa and AC1 count each pair in both orders, for which of its responses stands first is arbitrary. Accuracy is "
    "of pairs whose other label is no tie; a tie of the judge is half right."
)
# By the table of the summary: what its rows are tenths of, the name of the ends, and the axis.
TENTHS = {
    "by_similarity": ("similarity", "decile of similarity, 1 is least similar"),
    "by_score_gap": ("score_gap", "decile of the score gap, 1 is narrowest"),
    "by_length_difference": ("length_difference", "decile of the length difference, 1 is smallest"),
}


def judge_report(summary: Summary, examples: Examples) -> Report:
    """Lay out plots, tables and example rows, each with its n."""
    parts = [
        _overall(summary),
        *(_tenths(summary, name) for name in TENTHS),
        _orders(summary),
        _lengths(summary),
        _repeats(summary),
        _self_preference(summary),
        _reach(summary),
        examples_section("Pairs to look at", "A few pairs as they stand in the data.", examples),
    ]
    facts = tuple((in_words(name), f"{summary[name]:,}") for name in COUNTS)
    judges = (("judge", ", ".join(summary["judges"])),) if summary["judges"] else ()
    notes = tuple(map(note_in_words, summary["notes"]))
    return Report("A judge", _lead(summary), tuple(part for part in parts if part), (*judges, *facts), notes)


def _lead(summary: Summary) -> str:
    if not summary["num_pairs"]:
        return "There is no label of a judge."
    if not summary["num_compared"]:
        return f"{say_count(summary['num_pairs'], 'label')} of the judge's, and none to compare with."
    kappa = "" if summary["kappa"] is None else f" (kappa {_with_interval(summary, 'kappa')})"
    text = f"Judge and other label agree on {show_share(summary, 'agreement')} of "
    text += f"{say_count(summary['num_compared'], 'pair')}{kappa}."
    if summary["smallest_difference"] is not None:
        text += f" {_difference_shown(summary)}"
    return text


def _with_interval(summary: Summary, name: str) -> str:
    return f"{show_fixed(summary[name], 2)}, {show_interval(summary, name, lambda end: show_fixed(end, 2))}"


def _difference_shown(summary: Summary) -> str:
    rate = 0.5 + summary["smallest_difference"]
    return f"Labels on {say_count(summary['num_labels'], 'prompt')} show a win rate of {rate:.1%} or more."


def _values(summary: Summary, sizes: dict[str, str]) -> list[Summary]:
    """List numbers of the summary as rows, each with the count that it stands on; leave out those without a value."""
    return [
        {"number": in_words(name), "n": summary[size]}
        | {f"value{end}": summary[f"{name}{end}"] for end in ("", "_low", "_high")}
        for name, size in sizes.items()
        if summary[name] is not None
    ]


def _table(title: str, summary: Summary, sizes: dict[str, str], note: str) -> list[Table]:
    rows = _values(summary, sizes)
    return [table_of(title, ("number", "value", "n"), rows, note)] if rows else []


def _overall(summary: Summary) -> Section | None:
    if not summary["num_compared"]:
        return None
    count = say_count(summary["num_compared"], "pair")
    ties = f"the judge says tie of {summary['num_judge_ties']:,}, the other label of {summary['num_gold_ties']:,}"
    note = f"n = {count} over {say_count(summary['num_compared_prompts'], 'prompt')}; {ties}. {METHOD}"
    sizes = dict.fromkeys(AGREEMENT, "num_compared") | {"accuracy": "num_gold_decided"}
    plot = _bars("How far do judge and other label agree?", "agreement", summary, sizes, f"n = {count}.")
    return Section("Agreement", f"Of {count} {ties}.", (plot, *_table("Agreement", summary, sizes, note)))


def _bars(title: str, unit: str, summary: Summary, sizes: dict[str, str], note: str, **more: Any) -> Plot:
    """Draw numbers of the summary beside each other."""
    rows = _values(summary, sizes)
    series = series_of("", [row["number"] for row in rows], rows, "value", itemgetter("n"))
    return Plot(PlotKind.bars, title, "number", unit, (series,), note, **more)


def _tenths(summary: Summary, name: str) -> Section | None:
    rows = summary[name]
    if len(rows) < 2:
        return None
    field, axis = TENTHS[name]
    what = in_words(field)
    series = series_of("", [row["tenth"] for row in rows], rows, "agreement", itemgetter("num_compared"))
    note = f"n = {say_count(sum(row['num_compared'] for row in rows), 'pair')} in {say_count(len(rows), 'part')}."
    plot = Plot(PlotKind.curve, f"Agreement by {what}", axis, "agreement", (series,), note, y_span=SHARE)
    shown = [row | {f"{field}_range": _range(row, field)} for row in rows]
    fields = ("tenth", f"{field}_range", "agreement", "kappa", "ac1", "num_compared")
    text = f"Agreement {_of_tenth(rows[0], field)}; {_of_tenth(rows[-1], field)}."
    if name == "by_similarity" and summary["agreement_gap"] is not None:
        sentence = claim(summary)
        text = f"{sentence[0].upper()}{sentence[1:]}. {text}"
    return Section(f"By {what}", text, (plot, table_of(f"By decile of {what}", fields, shown, note)))


def _of_tenth(row: Summary, field: str) -> str:
    pairs = say_count(row["num_compared"], "pair")
    return f"on the {pairs} of decile {row['tenth']} ({_range(row, field)}): {show_share(row, 'agreement')}"


def _range(row: Summary, field: str) -> str:
    low, high = row[f"{field}_low"], row[f"{field}_high"]
    return f"{low:,.0f} to {high:,.0f}" if field == "length_difference" else show_range(low, high)


def _orders(summary: Summary) -> Section | None:
    count = summary["num_both_orders"]
    if not count:
        return None
    text = (
        f"Of {say_count(count, 'judgment')} in both orders {show_share(summary, 'flip_rate')} flipped: the judge named "
        "the same place both times."
    )
    if summary["share_first_place"] is not None:
        share = show_share(summary, "share_first_place")
        verdicts = say_count(summary["num_place_verdicts"], "verdict")
        text += f" Of {verdicts} for a place {share} were for the first; without favor it would be half."
    sizes = {"flip_rate": "num_both_orders", "share_first_place": "num_place_verdicts"}
    sizes["share_flips_to_first"] = "num_flips"
    to_first = say_count(summary["num_flips_to_first"], "flip")
    note = f"{to_first} to the first place, {summary['num_flips_to_second']:,} to the second."
    return Section("The order in which responses were shown", text, tuple(_table("Both orders", summary, sizes, note)))


def _lengths(summary: Summary) -> Section | None:
    if not summary["num_unequal_lengths"]:
        return None
    shares = dict.fromkeys(("judge_prefers_longer", "gold_prefers_longer"), "num_unequal_lengths")
    sizes = shares | dict.fromkeys(("accuracy_equal_length", "length_effect"), "num_gold_decided")
    text = f"The judge prefers the longer response in {show_share(summary, 'judge_prefers_longer')} of the pairs."
    text += _beside(summary, "longer")
    note = (
        "A tie is half; n of the other labels may be less. At equal length: a logistic curve through right and wrong "
        "labels over tanh of how much longer the preferred response is, in standard deviations, read at 0; the effect "
        "of length is what its slope adds to the log-odds."
    )
    plot = _bars(
        "How often is the longer response preferred?", "share of pairs", summary, shares,
        f"n = {say_count(summary['num_unequal_lengths'], 'pair')} of unequal lengths.",
        baseline=0.5, baseline_label="no favor", y_span=SHARE,
    )  # fmt: skip
    return Section("Length", text, (plot, *_table("Length", summary, sizes, note)))


def _beside(summary: Summary, name: str) -> str:
    """Put the judge's preference beside that of the other labels, on the same pairs."""
    difference = f"difference_prefers_{name}"
    if summary[difference] is None:
        return ""
    return f" In points against the other labels: {show_difference(summary, difference, _points, 'the same pairs')}"


def _points(share: float) -> str:
    return show_fixed(100 * share, 1, signed=True)


def _repeats(summary: Summary) -> Section | None:
    sizes = {"self_consistency": "num_repeated", "gold_consistency": "num_gold_repeated"}
    tables = _table("Repeats", summary, sizes, "n is the number of pairs with several labels.")
    if not tables:
        return None
    text = "How often two labels of the same pair agree; no judge can be expected to agree with labels more than these "
    return Section("Repeats", f"{text}agree with each other.", tuple(tables))


def _self_preference(summary: Summary) -> Section | None:
    if not summary["num_own"]:
        return None
    text = (
        f"Of {say_count(summary['num_own'], 'pair')} of the judge's own model and another it prefers its own in "
        f"{show_share(summary, 'judge_prefers_own')}.{_beside(summary, 'own')}"
    )
    sizes = dict.fromkeys(("judge_prefers_own", "gold_prefers_own"), "num_own")
    return Section("Its own model", text, tuple(_table("Its own model", summary, sizes, "A tie is half.")))


def _reach(summary: Summary) -> Section | None:
    if summary["smallest_difference"] is None and summary["labels_needed"] is None:
        return None
    shown = f"{_difference_shown(summary)} " if summary["smallest_difference"] is not None else ""
    rate = f"{0.5 + summary['effect']:.1%}"
    needed = summary["labels_needed"]
    cost = f"A win rate of {rate} takes {needed:,} labels, {summary['labels_missing']:,} more." if needed else ""
    row = {name: summary[name] for name in ("num_labels", "effect", "labels_missing", "labels_per_gold_label")}
    ends = {f"{name}{end}": summary[f"{name}{end}"] for name in REACH for end in ("", "_low", "_high")}
    note = (
        "At 5%, two-sided, with power 80%, one label a prompt; differences are win rates beyond one half. Errors that "
        "favor one of the models, by its length or its name, are not allowed for: no number of labels removes them."
    )
    fields = ("num_labels", "smallest_difference", "effect", "labels_needed", "labels_missing", "labels_per_gold_label")
    return Section("What its labels show", f"{shown}{cost}", (table_of("Two models", fields, [row | ends], note),))


REACH = ("smallest_difference", "labels_needed")
