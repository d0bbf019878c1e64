"""The report of `eval winrate`: that it shows the summary's numbers, each with its n."""

import re

import pytest

from real_cli.evaluate.winrate.examples import WinrateExamples
from real_cli.evaluate.winrate.matches import Contest
from real_cli.evaluate.winrate.report import winrate_report
from real_cli.evaluate.winrate.tally import WinrateTally
from real_cli.records.verdicts import Judgment
from real_cli.report.contents import Plot, PlotKind, Table
from real_cli.stats.numeric import rounded
from tests.evaluate.winrate.contests import record_of


def summary(models, by=None, count=120):
    """A summary in which every number has an interval."""
    tally = WinrateTally(by=by)
    for number in range(count):
        first, second = (
            models[number % len(models)],
            models[(number + 1 + number // 7 % (len(models) - 1)) % len(models)],
        )
        texts = ("x" * (1 + number * 7 % 40), "y" * (1 + number * 13 % 50))
        verdicts = (Judgment(("A", "AB"[number % 2]), ("", "")),)
        contest = Contest((first, second), texts, (2, 0, 2, 1, 0)[number % 5], verdicts)
        tally.add(record_of(str(number), contest, task="st"[number % 2]))
    return rounded(tally.summary())


def items(report, kind):
    return [item for section in report.sections for item in section.items if isinstance(item, kind)]


def test_two_models():
    numbers = summary(("new", "old"), by="task")
    report = winrate_report(numbers, {})
    assert [section.title for section in report.sections] == [
        "Wins, ties and losses", "Length", "Categories", "The order in which responses were shown"
    ]  # fmt: skip
    wins, both, lengths, categories = items(report, Plot)
    (series,) = wins.series
    assert (wins.kind, wins.baseline, series.x) == (PlotKind.bars, 0.5, ("new : old",))
    assert (series.y, series.low, series.high, series.counts) == (
        (numbers["win_rate"],), (numbers["win_rate_low"],), (numbers["win_rate_high"],), (120,)
    )  # fmt: skip
    raw, controlled = both.series
    assert (raw.y, controlled.y, controlled.low) == (
        (numbers["win_rate"],), (numbers["lc_win_rate"],), (numbers["lc_win_rate_low"],)
    )  # fmt: skip
    assert list(lengths.series[0].x) == numbers["winner_length_difference"]["edges"]
    assert list(lengths.series[0].y) == numbers["winner_length_difference"]["counts"]
    assert categories.series[0].x == ("s", "t")
    assert list(categories.series[0].y) == [row["win_rate"] for row in numbers["by_category"]]


@pytest.mark.parametrize("models", [("new", "old"), ("a", "b", "c")])
def test_every_plot_and_table_says_its_n(models):
    report = winrate_report(summary(models, by="task"), {})
    for item in [*items(report, Plot), *items(report, Table)]:
        assert "n = " in item.note or item.title == "Notes"
    for plot in items(report, Plot):
        for series in plot.series:
            assert len(series.y) == len(series.counts) == len(series.x) - (plot.kind is PlotKind.histogram)
    for table in items(report, Table):
        assert all(len(row) == len(table.columns) for row in table.rows)


def test_the_lead_says_the_rate_its_interval_and_its_n():
    numbers = summary(("new", "old"))
    lead = winrate_report(numbers, {}).lead
    assert lead.startswith(f"new wins {numbers['win_rate']:.1%} (95% interval {numbers['win_rate_low']:.1%} to ")
    assert f"of 120 comparisons with old ({numbers['num_wins']} wins, " in lead
    assert f"expects {numbers['lc_win_rate']:.1%} (95% interval" in lead
    few = winrate_report(summary(("new", "old"), count=20), {}).lead
    assert "There is no rate at equal length: 16 decided, " in few


def test_three_models_are_ranked():
    numbers = summary(("a", "b", "c"))
    report = winrate_report(numbers, {})
    (plot,) = [plot for plot in items(report, Plot) if plot.title == "Who is how strong?"]
    (series,) = plot.series
    assert series.x == tuple(row["model"] for row in numbers["ranking"])
    assert series.y == tuple(row["strength"] for row in numbers["ranking"])
    assert series.low == tuple(row["strength_low"] for row in numbers["ranking"])
    first = numbers["ranking"][0]
    assert report.lead == (
        f"120 comparisons over 120 prompts of 3 models. No model is surely the strongest; {first['model']} leads the "
        "ranking."
    )
    first["strength_low"] = numbers["ranking"][1]["strength_high"] + 0.01
    assert winrate_report(numbers, {}).lead.endswith(f" of 3 models. {first['model']} is the strongest by the ranking.")


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.51, 0.8, ": new is the stronger"),
        (0.2, 0.49, ": new is the weaker"),
        (0.4, 0.6, ": these comparisons do not tell them apart"),
    ],
)
def test_the_win_rate_is_judged_by_its_interval(low, high, verdict):
    numbers = summary(("new", "old")) | {"win_rate_low": low, "win_rate_high": high}
    assert f"a tie is half a win){verdict}. " in winrate_report(numbers, {}).lead


def test_flips_and_notes_are_shown():
    numbers = summary(("a", "b"))
    report = winrate_report(numbers | {"notes": ["beware"]}, {})
    (flips,) = [table for table in items(report, Table) if table.title == "Both orders"]
    flipped = ("verdicts that flipped", *(numbers[name] for name in ("flip_rate", "flip_rate_low", "flip_rate_high")))
    assert flips.rows[0] == (*flipped, 60, numbers["num_both_orders"])
    assert flips.note == "n = 120 judgments in both orders; 60 flips to the first place, 0 to the second."
    assert report.notes == ("beware",)


def test_nothing_makes_a_report_too():
    report = winrate_report(WinrateTally().summary(), {})
    assert report.lead == "0 comparisons over 0 prompts of 0 models."


def test_long_winners_and_flips_are_shown():
    examples = WinrateExamples()
    for length in range(1, 9):
        contest = Contest(("new", "old"), ("x" * length, "x"), 2, (Judgment(("A", "B"), ("", "")),))
        examples.offer(f"f:{length}", {"prompt": "q"}, [contest])
    examples.offer("f:9", {"prompt": "q"}, [Contest(("new", "old"), ("x" * 99, "y"), 0)])  # the shorter won
    examples.offer("f:10", {"prompt": "q"}, [Contest(("new", "new"), ("x" * 99, "y"), 2)])
    examples.offer("f:11", {"prompt": "q"}, [Contest(("b", "a"), ("u", "v"), 1, (Judgment(("B", "B"), ("", "")),))])
    longest, flipped = examples.rows().values()
    assert [row.place for row in longest] == ["f:8", "f:7", "f:6", "f:5", "f:4"]
    assert dict(longest[0].facts)["winner"] == "new"
    assert [(row.place, row.texts) for row in flipped] == [("f:11", (("response 1", "u"), ("response 2", "v")))]
    shown = winrate_report(summary(("new", "old")), examples.rows()).sections[-1]
    assert [item.title.partition(":")[0] for item in shown.items] == [
        "Won by the longer response, widest difference first", "Flipped"
    ]  # fmt: skip
    assert set(WinrateExamples().rows().values()) == {()}


@pytest.mark.parametrize("models", [("new", "old"), ("a", "b", "c"), tuple("abcdef")])
def test_no_comparison_is_counted_twice(models):
    """Each is of two models, and the ranking's table said n = 240 for 120."""
    report = winrate_report(summary(models, by="task"), {})
    notes = [item.note for item in (*items(report, Plot), *items(report, Table)) if "n = " in item.note]
    counts = [int(count.replace(",", "")) for note in notes for count in re.findall(r"n = ([\d,]+) comparison", note)]
    assert max(counts) == 120
    assert (len(models) == 2) or any("Bradley" in table.title for table in items(report, Table))


def test_where_there_is_no_rate_at_equal_length_no_raw_rate_stands_in_its_place():
    """Reasons have a table of their own; the notes say so in English."""
    report = winrate_report(summary(("new", "old"), by="task", count=20), {})
    tables = {table.title: table for table in items(report, Table)}
    assert "Rates at equal length" not in tables
    reasons = [table for table in items(report, Table) if table.title.startswith("No rate at equal length")]
    assert [table.columns for table in reasons] == [("model", "against", "reason"), ("category", "reason")]
    assert [row[-1].partition(" decided, ")[2] for table in reasons for row in table.rows] == [
        "and a length-controlled rate needs 30 decided comparisons"
    ] * 3
    (note,) = [note for note in report.notes if "rows" in note]
    assert note.endswith("interval, in 2 of 2 rows of the table by category: the table beneath it says why")


def test_names_that_every_category_shares_are_said_once():
    report = winrate_report(summary(("new", "old"), by="task") | {"model": "new"}, {})
    (table,) = [table for table in items(report, Table) if table.title == "By task"]
    assert table.columns[:2] == ("category", "win rate")
    (part,) = [section for section in report.sections if section.title == "Categories"]
    assert part.text.startswith("new against old. ")
    several = winrate_report(summary(("a", "b", "c"), by="task"), {})
    (table,) = [table for table in items(several, Table) if table.title == "By task"]
    assert table.columns[:4] == ("category", "model", "against", "win rate")


def test_no_head_of_a_table_has_a_comma():
    """They are listed with commas where a terminal is too narrow for them."""
    tables = items(winrate_report(summary(("a", "b", "c"), by="task"), {}), Table)
    heads = [head for table in tables for head in table.columns]
    assert "share of wins" in heads
    assert [head for head in heads if "," in head] == []
