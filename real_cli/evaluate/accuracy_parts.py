"""What reports of accuracies on labeled pairs have in common: sentences, and the section on length."""

from collections.abc import Sequence
from functools import partial
from operator import itemgetter
from typing import Any

from real_cli.report.contents import SHARE, Plot, PlotKind, Section
from real_cli.report.numbers import show_difference, show_fixed
from real_cli.report.series import series_of, table_of
from real_cli.text.phrases import say_count

Summary = dict[str, Any]


def tie_words(count: int) -> str:
    """Say how ties count, to follow a number of pairs."""
    return f", where {say_count(count, 'tie')} count{'s' if count == 1 else ''} as wrong" if count else ""


def against_chance(row: Summary) -> str:
    """Say whether an accuracy is more than chance, as far as its interval tells."""
    low, high = row["accuracy_low"], row["accuracy_high"]
    if low is None or high is None:
        return ""
    return f", {'more' if low > 0.5 else 'less' if high < 0.5 else 'no more'} often than chance would"


def accuracy_difference(row: Summary, name: str) -> str:
    """Say how the accuracies of two differ; `name` is the field of the row that names the first."""
    if row["accuracy"] is None:
        return f"{row[name]} and {row['minus']} share no pair."
    difference = show_difference(row, "accuracy", partial(show_fixed, signed=True), say_count(row["num_pairs"], "pair"))
    return f"The accuracy of {row[name]} minus that of {row['minus']} is {difference}"


def length_section(
    named: Sequence[tuple[str | None, Summary]], text: str, *, column: str, better: str, unit: str, value: str
) -> Section:
    """Lay out what `describe_lengths` gives of one or several.

    Args:
        named: Summaries that have `by_length`, at least one, each under its name; None where it is alone.
        text: What is said of them.
        column: The column of the names.
        better: What the response is called whose length counts.
        unit: What a length is counted in.
        value: The field of the mean that stands beside the accuracy.
    """
    series = tuple(
        series_of(
            name or "",
            [bucket["chosen_is"] for bucket in row["by_length"]],
            row["by_length"],
            "accuracy",
            itemgetter("num_pairs"),
        )
        for name, row in named
    )
    sizes = ", ".join(f"{bucket['chosen_is']} {bucket['num_pairs']:,}" for bucket in named[0][1]["by_length"])
    plot = Plot(
        PlotKind.bars, "Accuracy by which response is longer", f"the {better} response is", "accuracy", series,
        f"n = {sizes} pairs. Length is counted in {unit}.", 0.5, "chance", y_span=SHARE,
    )  # fmt: skip
    rows = [{column: name} | bucket for name, row in named for bucket in row["by_length"]]
    fields = (column, "chosen_is", "accuracy", value, "num_pairs")
    table = table_of("By length", fields, rows, "n is the number of pairs; intervals are of 95%.")
    return Section("By length", text, (plot, table))
