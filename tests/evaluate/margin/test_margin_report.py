"""The report of `real eval margin`: what it says and draws is what the summary says."""

import numpy as np
import pytest

from real_cli.evaluate.margin.curves import training_section
from real_cli.evaluate.margin.examples import MarginExamples
from real_cli.evaluate.margin.margins import MarginTally, PairMargin, compare
from real_cli.evaluate.margin.report import margin_report
from real_cli.records.messages import text_key
from real_cli.report.contents import Excerpt, Plot, PlotKind, Table
from real_cli.train.curves import read_curves


def tally(seed, *, count=40, similarity=True):
    draws = np.random.default_rng(seed)
    result = MarginTally(0.5)
    for number in range(count):
        similar = float(draws.uniform()) if similarity else None
        pair = PairMargin(*draws.normal((0.5, 0.0, 0.0)), similar, *map(int, draws.integers(1, 9, 2)))
        result.add(pair, text_key(f"prompt {number}"))
    return result


def of_one(result):
    return result.summary() | {"num_truncated": 0}


def of_several(*tallies):
    names = ["base", "next", "last"][: len(tallies)]
    policies = [{"policy": name, **of_one(record)} for name, record in zip(names, tallies, strict=True)]
    return {"policies": policies, "differences": compare(tallies, names), "notes": []}


def plots(report):
    return {item.title: item for section in report.sections for item in section.items if isinstance(item, Plot)}


def titles(report):
    return [section.title for section in report.sections]


@pytest.fixture(scope="module")
def summary():
    return of_one(tally(0))


@pytest.fixture(scope="module")
def several():
    return of_several(tally(0), tally(1), tally(2))


def test_the_lead_says_accuracy_and_margin_with_their_n_and_intervals(summary):
    lead = margin_report(summary, {}).lead
    accuracy, low, high = (summary[name] for name in ("accuracy", "accuracy_low", "accuracy_high"))
    assert f"{accuracy:.1%} (95% interval {low:.1%} to {high:.1%}) of 40 pairs, " in lead
    assert f"is {summary['margin']:.3f} nats (95% interval {summary['margin_low']:.3f} to" in lead
    equal = summary["margin_equal_length"], summary["margin_equal_length_low"]
    assert "At equal length the margin is {:.3f} nats (95% interval {:.3f} to ".format(*equal) in lead


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "of 40 pairs, more"),
        (1, "of 40 pairs, where 1 tie counts as wrong, more"),
        (3, "3 ties count as wrong, more"),
    ],
)
def test_the_lead_has_ties_where_there_are_some(summary, count, words):
    """Not "0 of them ties" behind a percentage."""
    assert words in margin_report(summary | {"num_ties": count}, {}).lead


def test_one_policy_has_no_comparison_and_several_have(summary, several):
    parts = ["The answer", "Margins", "By similarity", "By length", "Calibration", "Chosen against rejected"]
    assert titles(margin_report(summary, {})) == parts
    assert titles(margin_report(several, {})) == [parts[0], "Comparison", *parts[1:]]


def test_every_plot_carries_the_numbers_of_the_summary(summary):
    drawn = plots(margin_report(summary, {}))
    bars = drawn["Margins of pairs"].series[0]
    assert {"edges": list(bars.x), "counts": list(bars.y)} == summary["margin_histogram"]
    buckets = drawn["Accuracy by similarity"].series[0]
    for values, name in ((buckets.y, ""), (buckets.low, "_low"), (buckets.high, "_high")):
        assert list(values) == [item[f"accuracy{name}"] for item in summary["by_similarity"]]
    assert buckets.counts == (10, 10, 10, 10)
    curve = drawn["Said and true"].series[0]
    used = [item for item in summary["calibration"] if item["num_pairs"]]
    result = zip(curve.x, curve.y, curve.low, curve.high, curve.counts, strict=True)
    fields = ("said", "right", "right_low", "right_high", "num_pairs")
    assert list(result) == [tuple(item[name] for name in fields) for item in used]
    sides = drawn["Rewards of chosen and rejected responses"].series
    assert [item.name for item in sides] == ["chosen", "rejected"]
    assert [list(item.y) for item in sides] == [summary[f"rewards_{item.name}_histogram"]["counts"] for item in sides]


def test_differences_are_drawn_with_whiskers_and_told_in_words(several):
    report = margin_report(several, {})
    drawn = plots(report)["Margin, nats: difference from base"]
    series = drawn.series[0]
    assert (series.x, drawn.baseline, series.counts) == (("next", "last"), 0, (40, 40))
    for values, name in ((series.y, ""), (series.low, "_low"), (series.high, "_high")):
        assert list(values) == [item[f"margin{name}"] for item in several["differences"]]
    ours = several["differences"][0]
    text = report.sections[1].text
    holds = "holds" if ours["accuracy_low"] <= 0 <= ours["accuracy_high"] else "does not hold"
    assert f"The accuracy of next minus that of base is {ours['accuracy']:+.3f} over 40 pairs" in text
    assert f"{ours['accuracy_low']:+.3f} to {ours['accuracy_high']:+.3f}, {holds} 0." in text
    for notes in ours, ours | {"accuracy_low": 0.1, "accuracy_high": 0.2}, ours | {"accuracy_low": None}:
        words = margin_report(several | {"differences": [notes]}, {}).sections[1].text
        expected = "no interval" if notes["accuracy_low"] is None else "does not hold 0" if notes != ours else holds
        assert expected in words


@pytest.mark.parametrize("kind", ["summary", "several"])
def test_every_plot_says_its_n(kind, request):
    curves = read_curves([{"step": 1, "loss": 1, "eval_loss": 2}, {"step": 2, "loss": 1}])
    report = margin_report(request.getfixturevalue(kind), {}, curves=curves)
    assert all(plot.note.startswith("n = ") for plot in plots(report).values())
    assert {plot.kind for plot in plots(report).values()} == set(PlotKind)
    tables = [item for section in report.sections for item in section.items if isinstance(item, Table)]
    assert tables
    assert all({"n", "pairs"} & set(table.columns) for table in tables)


def test_the_table_has_each_number_of_each_policy_with_its_n(several):
    (table,) = [item for item in margin_report(several, {}).sections[0].items if isinstance(item, Table)]
    rows = {(row[0], row[1]): row[2:] for row in table.rows}
    ours = several["policies"][1]
    assert rows["next", "margin a token, nats"] == (
        ours["margin_per_token"], ours["margin_per_token_low"], ours["margin_per_token_high"], ours["num_per_token"],
    )  # fmt: skip
    assert len(rows) == 33


def test_what_is_not_there_is_not_drawn():
    report = margin_report(of_one(tally(0, count=0)), {})
    assert titles(report) == ["The answer", "Margins", "Chosen against rejected"]
    assert report.lead == "The policy: no pair was measured."
    assert report.notes == ("no pair was measured",)
    first = margin_report(of_one(tally(0, count=1)), {})
    assert "there is nothing to compare" in first.sections[2].text
    assert "(no interval can be given)" in first.lead
    assert "By similarity" not in titles(margin_report(of_one(tally(0, similarity=False)), {}))


def test_an_empty_comparison_is_said():
    words = margin_report(of_several(tally(0, count=0), tally(1, count=0)), {}).sections[1].text
    assert words == "next and base share no pair."


def test_the_pairs_to_look_at_are_the_ends():
    """Margins -3 to 3 and similarities 0 to 6 in steps: only those below 0 are wrong, only those above 0 largest."""
    examples = MarginExamples()
    for number in range(7):
        record = {"prompt": f"q{number}", "chosen": "a", "rejected": "b"}
        examples.offer(f"x:{number}", record, PairMargin(number - 3.0, 0.0, 0.0, float(number)))
    kinds = list(examples.rows("").values())
    assert [[row.place for row in rows] for rows in kinds] == [
        ["x:0", "x:1", "x:2"],
        ["x:6", "x:5", "x:4"],
        ["x:0", "x:1", "x:2", "x:3", "x:4"],
        ["x:6", "x:5", "x:4", "x:3", "x:2"],
    ]
    assert dict(kinds[0][0].facts) == {"margin (nats)": "-3", "likelihood margin (nats)": "0", "similarity": "0"}
    shown = margin_report(of_one(tally(0)), examples.rows("base")).sections[-1].items
    assert len(shown) == 4
    assert {type(item) for item in shown} == {Excerpt}
    assert shown[1].title == "Largest margins under base"
    assert set(MarginExamples().rows("").values()) == {()}


def test_curves_of_training_and_held_out_pairs_share_a_plot():
    lines = [
        {"step": 1, "loss": 0.7, "rewards/chosen": 0.1, "rewards/rejected": 0.0},
        {"step": 1, "eval_loss": 0.5},
        {},
    ]
    section = training_section(read_curves(lines))
    assert [[item.name for item in plot.series] for plot in section.items] == [
        ["training", "held out"],
        ["chosen, training", "rejected, training"],
    ]
    assert section.items[0].series[1].y == (0.5,)
    assert section.text == "2 logged lines of a training run. Passed over, because they are no step of a run: 1."


def test_the_foot_names_what_was_measured(summary):
    assert margin_report(summary, {}).facts == (("pairs", "40"), ("prompts", "40"))


@pytest.mark.parametrize(
    ("ece", "words"),
    [
        (0.002, "(expected calibration error at beta 0.5). That is no more than chance gives: with as many pairs even"),
        (0.4, "(expected calibration error at beta 0.5). Chance adds to that: with as many pairs a policy whose"),
    ],
)
def test_the_error_of_calibration_is_set_against_chance(summary, ece, words):
    """It said that every error is too large, of one far below what chance gives too."""
    report = margin_report(summary | {"ece": ece, "ece_by_chance": 0.282}, {})
    (text,) = [section.text for section in report.sections if section.title == "Calibration"]
    assert words in text
    assert "is off by about 0.282. Another beta" in text


@pytest.mark.parametrize(
    ("is_trained_on", "begin"), [(True, "Measured on the very pairs that it was"), (False, "The"), (None, "The")]
)
def test_the_lead_says_that_the_pairs_were_trained_on(summary, is_trained_on, begin):
    assert margin_report(summary | {"is_trained_on": is_trained_on}, {}).lead.startswith(begin)


@pytest.mark.parametrize(("reward", "is_told"), [(-2e-7, True), (2e-4, False)])
def test_accuracies_that_rounding_decides_are_told_apart(reward, is_told):
    lines = [
        {"step": 1, "loss": 0.7, "rewards/chosen": 1e-7, "rewards/rejected": reward, "rewards/accuracies": 0.25},
        {"step": 2, "loss": 0.6, "rewards/chosen": 0.1, "rewards/rejected": 0.0, "rewards/accuracies": 1.0},
    ]
    notes = {plot.title: plot.note for plot in training_section(read_curves(lines)).items}
    assert (" At 1 logged step both mean rewards are within 1e-05 of 0" in notes["Accuracy of rewards"]) == is_told
    assert "within" not in notes["Loss"]


@pytest.mark.parametrize(
    ("pair", "why"),
    [
        (PairMargin(-2.0, 0.0, 0.0, None, 4, 4), None),
        (PairMargin(0.0, 0.0, 0.0, None, 4, 4), "policy and reference give the same numbers"),
    ],
)
def test_pairs_that_are_all_ties_are_said_to_be(pair, why):
    """Policy and reference are the same: nothing is less often than chance."""
    result = MarginTally(0.1)
    for number in range(40):
        result.add(pair, text_key(f"prompt {number}"))
    lead = margin_report(of_one(result), {}).lead
    if why:
        assert lead == f"The policy: every pair is a tie (40 pairs); {why}."
    else:
        assert "less often than chance" in lead
