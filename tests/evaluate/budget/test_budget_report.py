"""What `eval budget` says in words, lays out in tables, and draws."""

import math

import numpy as np
import pytest

from real_cli.evaluate.budget.answer import answer, saving_words
from real_cli.evaluate.budget.report import budget_report
from real_cli.evaluate.budget.tally import BudgetTally
from real_cli.report.contents import PlotKind
from real_cli.report.plots import DRAWINGS
from tests.evaluate.budget.curves import rows_of, simulate

AREA = {"strategy": "easy", "smallest_budget": 40, "largest_budget": 800, "verdict": "undecided"}
AREA |= {"area": 0.012, "area_low": -0.004, "area_high": 0.028}
SUMMARY = {"num_runs": 21, "num_prompts": 240, "baseline": "random", "missing": [], "areas": [AREA]}


def summary_of(accuracies, **options):
    tally = BudgetTally()
    for row in rows_of(simulate(np.random.default_rng(0), accuracies, **options)):
        tally.add(row)
    return tally.summary()


@pytest.fixture(scope="module")
def summary():
    heights = {"random": (0.5, 0.55, 0.6), "easy": (0.7, 0.75, 0.8)}
    cells = {
        (name, budget): share for name in heights for budget, share in zip((40, 160, 400), heights[name], strict=True)
    }
    return summary_of(cells | {("all", 800): 0.8})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {},
            "21 runs on 240 prompts. No strategy is shown to differ from random: easy from 40 to 800 labels, "
            "+1.2 points (95% interval -0.4 to +2.8).",
        ),
        (
            {"verdict": "better", "area_low": 0.004},
            "21 runs on 240 prompts. easy is more accurate than random from 40 to 800 labels: +1.2 points (95% "
            "interval +0.4 to +2.8).",
        ),
        (
            {"verdict": "worse", "area": -0.02, "area_low": -0.03, "area_high": -0.01, "largest_budget": 40},
            "21 runs on 240 prompts. easy is less accurate than random at 40 labels: -2.0 points (95% interval -3.0 to "
            "-1.0).",
        ),
        (
            {"area_low": None, "area_high": None},
            "21 runs on 240 prompts. No strategy is shown to differ from random: easy from 40 to 800 labels, +1.2 "
            "points (no interval can be given).",
        ),
    ],
)
def test_the_answer_claims_what_the_verdict_does(change, sentence):
    assert answer(SUMMARY | {"areas": [AREA | change]}) == sentence


def test_the_answer_tells_what_is_decided_from_what_is_not():
    hard = AREA | {"strategy": "hard", "verdict": "worse", "area_high": -0.001}
    text = answer(SUMMARY | {"areas": [AREA, hard], "missing": [1]})
    assert text.startswith("Partial: 21 runs on 240 prompts. hard is less accurate than random from 40 to 800 labels: ")
    assert "Not shown to differ from random: easy from 40 to 800 labels, +1.2 points" in text
    assert answer(SUMMARY | {"areas": []}) == "21 runs on 240 prompts; nothing to compare."


@pytest.mark.parametrize(
    ("values", "opened", "is_reached", "words"),
    [
        ((0.5, 0.25, 0.7), "", True, "50.0% (25.0% to 70.0%)"),
        ((0.5, 0.25, None), "high", True, "50.0%; at least 25.0%"),
        ((-0.5, None, 0.2), "low", True, "-50.0%; at most 20.0%"),
        ((0.5, None, None), "low high", True, "50.0%; these budgets tell neither end"),
        ((0.5, None, None), "", True, "50.0%; no interval can be given"),
        ((None, 0.4, None), "high", False, "not reached; at least 40.0%"),
        ((None, None, 0.1), "low", True, "fewer than the smallest budget; at most 10.0%"),
    ],
)
def test_a_saving_is_told_with_its_ends_or_that_it_has_none(values, opened, is_reached, words):
    row = dict(zip(("saving", "saving_low", "saving_high"), values, strict=True)) | {"is_reached": is_reached}
    assert saving_words(row | {f"is_{end}_open": end in opened.split() for end in ("low", "high")}) == words


def test_a_large_difference_is_called_and_not_reached(summary):
    report = budget_report(summary)
    assert "easy is more accurate than random from 40 to 800 labels: +" in report.lead
    (table,) = next(section for section in report.sections if section.title == "Labels saved at equal accuracy").items
    assert [row[-1] for row in table.rows] == [saving_words(row) for row in summary["savings"]]
    assert [row["saving_low"] > 0 for row in summary["savings"][:2]] == [True, True]
    assert summary["areas"][0]["p_holm"] < 0.05


def test_each_part_is_laid_out_with_its_n(summary):
    report = budget_report(summary)
    assert [section.title for section in report.sections] == [
        "The answer", "Learning curves", "Differences at equal budgets", "Labels saved at equal accuracy",
        "What would decide it",
    ]  # fmt: skip
    plots = [item for section in report.sections for item in section.items if hasattr(item, "kind")]
    assert [plot.kind for plot in plots] == [PlotKind.curve] * 3
    assert all("n = 240 prompts" in plot.note and plot.is_log_x for plot in plots)
    curves = {series.name: series for series in plots[0].series}
    assert list(curves) == ["random", "easy"]
    assert curves["easy"].x == curves["random"].x == (40, 160, 400, 800)  # the pool's runs end both
    assert curves["easy"].y[-1] == curves["random"].y[-1]
    assert None not in curves["easy"].low


def test_missing_runs_are_listed():
    summary = summary_of({("random", 40): 0.5, ("random", 160): 0.6, ("easy", 40): 0.6})
    report = budget_report(summary)
    assert report.lead.startswith("Partial: ")
    (table,) = report.sections[-1].items
    assert table.rows == tuple(("easy", "160", str(seed)) for seed in (1, 2, 3))


def test_an_empty_summary_has_a_report():
    report = budget_report(BudgetTally().summary())
    assert (report.lead, report.sections) == ("0 runs on 0 prompts; nothing to compare.", ())
    assert report.notes == ("no outcome was read",)


def test_budgets_stand_at_equal_steps_of_their_logarithm(summary):
    """With a tick at each, unless two stand too close."""
    from matplotlib.figure import Figure

    plot = next(item for section in budget_report(summary).sections for item in section.items if hasattr(item, "kind"))
    figure = Figure()
    DRAWINGS[plot.kind](figure, plot)
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    assert list(axes.get_xticks()) == [40, 160, 400, 800]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["40", "160", "400", "800"]
    places = [axes.transData.transform((budget, 0.5))[0] for budget in (40, 160, 400, 800)]
    steps = np.diff(places) / math.log(4)
    assert steps[0] / steps[2] == pytest.approx(math.log(4) / math.log(2))
