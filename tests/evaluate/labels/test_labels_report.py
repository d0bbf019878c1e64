"""The report of `eval labels`: every number of the summary where a reader looks for it, with its n."""

import pytest

from real_cli.evaluate.labels.budgets import parse_budgets
from real_cli.evaluate.labels.gold import Truth
from real_cli.evaluate.labels.report import labels_report
from real_cli.evaluate.labels.strategies import StrategyTrials, parse_strategies
from real_cli.evaluate.labels.survey import LabelSurvey
from real_cli.report.contents import Excerpt, Plot, PlotKind, Table
from real_cli.report.field_words import note_in_words


def survey(trials=None):
    """Forty prompts of three responses; the judge puts the third first, which gold does for odd prompts only."""
    result = LabelSurvey(Truth("gold", "score"), trials)
    for number in range(40):
        responses = [
            {"text": f"r{place}", "gold": gold, "score": score, "embedding": embedding, "note": "kept out"}
            for place, (gold, score, embedding) in enumerate(
                zip([0, 1 + number / 9, number % 2 * 5], [1, 2, 3], [[1, 0], [0, 1], [0.6, 0.8]], strict=True)
            )
        ]
        record = {"prompt": f"q{number}", "responses": responses, "strategy": "all"}
        result.add(record, f"in:{number}")
    return result


@pytest.fixture(scope="module")
def compared():
    result = survey(StrategyTrials(parse_strategies("easy,hard,random"), parse_budgets("100%,50%")))
    summary = result.summary()
    return summary, labels_report(summary, result.examples())


def section(report, title):
    (result,) = [part for part in report.sections if part.title == title]
    return result


def plots(part):
    return [item for item in part.items if isinstance(item, Plot)]


def test_sections_come_in_order_and_empty_ones_do_not_come(compared):
    _, report = compared
    titles = [part.title for part in report.sections]
    assert titles[:4] == ["Labels", "Gaps", "By strategy", "By similarity"]
    assert titles[4:] == ["Strategies side by side", "Budgets", "Pairs to look at"]
    nothing = LabelSurvey(Truth()).summary()
    empty = labels_report(nothing, {})
    assert ([part.title for part in empty.sections], empty.lead) == (["Labels"], "There is no pair.")


def test_the_lead_and_the_foot_say_n(compared):
    summary, report = compared
    assert f"{summary['num_wrong']:,} of {summary['num_judged']:,} labels" in report.lead
    assert f"{summary['share_wrong']:.1%} (95% interval {summary['share_wrong_low']:.1%} to" in report.lead
    assert f"of {summary['num_pairs']:,} pairs" in report.lead
    assert ("pairs", "120") in report.facts
    assert report.notes == tuple(map(note_in_words, summary["notes"])) != ()


def test_every_plot_carries_the_numbers_of_the_summary(compared):
    summary, report = compared
    flips, wrong, gap, difference = plots(section(report, "Strategies side by side"))
    for plot, name, band in (
        (flips, "expected_flips", "expected_flips"),
        (wrong, "share_wrong", "share_wrong"),
        (gap, "mean_gap", "mean_gap"),
    ):
        (series,) = plot.series
        assert series.x == ("easy", "hard", "random")
        assert series.y == tuple(row[name] for row in summary["compare"])
        assert series.low == tuple(row[f"{band}_low"] for row in summary["compare"])
        assert series.high == tuple(row[f"{band}_high"] for row in summary["compare"])
    assert wrong.series[0].counts == tuple(row["num_judged"] for row in summary["compare"])
    assert (difference.series[0].x, difference.baseline) == (("easy", "hard"), 0.0)
    assert difference.series[0].y == tuple(row["difference_expected_flips"] for row in summary["compare"][:2])
    (histogram,) = plots(section(report, "Gaps"))
    assert histogram.kind is PlotKind.histogram
    assert histogram.series[0].x == tuple(summary["gap_histogram"]["edges"])
    assert histogram.series[0].y == tuple(summary["gap_histogram"]["counts"])
    (deciles,) = plots(section(report, "By similarity"))
    assert [series.y for series in deciles.series] == [
        tuple(row[name] for row in summary["by_similarity"]) for name in ("expected_flips", "share_wrong")
    ]


def test_budget_curves_go_from_few_labels_to_many(compared):
    summary, report = compared
    flips, wrong, _ = plots(section(report, "Budgets"))
    assert [series.name for series in flips.series] == ["easy", "hard", "random"]
    for plot, name in ((flips, "expected_flips"), (wrong, "share_wrong")):
        rows = [row for row in summary["budgets"] if row["strategy"] == "easy"]
        assert plot.series[0].x == (20, 40)
        assert plot.series[0].y == (rows[1][name], rows[0][name])
        assert plot.series[0].low == (rows[1][f"{name}_low"], rows[0][f"{name}_low"])


def test_every_note_says_n_and_every_table_has_a_row_of_each_column(compared):
    _, report = compared
    for part in report.sections:
        assert part.text.endswith(".")
        for item in part.items:
            if isinstance(item, Plot):
                assert "n " in item.note
            if isinstance(item, Table):
                assert {len(row) for row in item.rows} == {len(item.columns)}


def test_excerpts_show_the_ends_and_what_was_labeled_wrongly(compared):
    _, report = compared
    excerpts = {item.title: item for item in section(report, "Pairs to look at").items if isinstance(item, Excerpt)}
    assert list(excerpts) == ["Least similar", "Most similar", "Wrongly labeled, widest gap"]
    worst = excerpts["Wrongly labeled, widest gap"].rows[0]
    # Of prompt 38 gold is 0, 1 + 38/9, 0, and the judge puts the last one first.
    assert (worst.place, dict(worst.facts)["gap"]) == ("in:38", "5.222")
    assert dict(worst.facts)["label"] == "against gold"
    assert dict(excerpts["Least similar"].rows[0].facts)["similarity"] == "0"


def test_a_difference_that_may_be_none_is_said_so(compared):
    summary, report = compared
    text = section(report, "Strategies side by side").text
    for row in summary["compare"][:2]:
        holds = row["difference_expected_flips_low"] <= 0 <= row["difference_expected_flips_high"]
        assert f"of {row['strategy']} minus those of random" in text
        assert ("holds 0" in text) or not holds
    few = survey(StrategyTrials(parse_strategies("easy,random"), [])).summary() | {
        "compare": [
            {**row, "difference_expected_flips_low": None, "difference_expected_flips_high": None}
            for row in summary["compare"]
        ]
    }
    assert "no interval can be given" in section(labels_report(few, {}), "Strategies side by side").text


def with_gain(summary, low, high):
    """A summary in which easy has fewer expected flips than random, with this interval of the difference."""
    difference = {"difference_expected_flips": -0.2} | {
        f"difference_expected_flips_{end}": value for end, value in (("low", low), ("high", high))
    }
    rows = [
        row | {"expected_flips": 0.1 if row["strategy"] == "easy" else 0.3} | difference for row in summary["compare"]
    ]
    return labels_report(summary | {"compare": rows}, {}).lead


def test_the_lead_begins_with_what_is_certain(compared):
    summary, _ = compared
    assert with_gain(summary, -0.3, -0.1).startswith("Labels are right most often on the pairs of easy: 10.0%")
    lead = with_gain(summary, -0.3, 0.1)
    assert lead.startswith("Labels that prefer the response with the lower gold: ")
    assert "right most often on" not in lead
    assert "No strategy is surely right more often than random: easy has the fewest expected flips, 10.0%" in lead
    assert lead.endswith("which may be chance.")


@pytest.mark.parametrize(("scale", "is_told"), [(1, True), (30, False)])
def test_a_temperature_too_high_for_the_scale_of_gold_is_told(scale, is_told):
    """Gold from 0 to 1: at temperature 1 every label is close to a coin's."""
    result = LabelSurvey(Truth("gold"))
    for number in range(12):
        responses = [{"text": f"r{place}", "gold": scale * place * (0.3 + number / 50)} for place in (0, 1)]
        result.add({"prompt": f"q{number}", "responses": responses})
    notes = [note for note in result.summary()["notes"] if "--temperature" in note]
    note = "100.0% of the pairs are ambiguous at temperature 1: the gaps of gold are small beside it, 0.41 on average"
    assert notes == ([f"{note}; try a lower --temperature, such as 0.1"] if is_told else [])
