"""Captions: of bands, whiskers and lines only what is drawn; and no minus before a zero."""

import dataclasses

import pytest

from real_cli.report.captions import caption, is_alone
from real_cli.report.contents import Plot, PlotKind, Series, Table
from real_cli.report.field_words import in_words, note_in_words
from real_cli.report.numbers import (
    join_columns,
    show_column,
    show_estimate,
    show_fixed,
    show_interval,
    show_number,
    show_percent,
    show_range,
)  # fmt: skip
from real_cli.report.plots import draw
from real_cli.report.series import table_of

X, Y = (1, 2, 3), (0.2, 0.3, 0.4)
WHOLE = Series("", X, Y, (0.1, 0.2, 0.3), (0.3, 0.4, 0.5))
NONE = Series("", X, Y, (None,) * 3, (None,) * 3)
SOME = Series("", X, Y, (0.1, 0.2, None), (0.3, 0.4, None))
APART = Series("", X, Y, (0.1, None, 0.3), (0.3, None, 0.5))
BARE = Series("", X, Y)


def plot(kind, *series, **more):
    return Plot(kind, "t", "x", "y", series, "n = 3.", **more)


@pytest.mark.parametrize(
    ("kind", "series", "words"),
    [
        (PlotKind.curve, WHOLE, "n = 3. Bands are 95% intervals."),
        (PlotKind.curve, SOME, "n = 3. Bands are 95% intervals; 1 of 3 have none."),
        (PlotKind.curve, APART, "n = 3. Whiskers are 95% intervals; 1 of 3 have none."),
        (PlotKind.curve, NONE, "n = 3. No interval can be given."),
        (PlotKind.curve, BARE, "n = 3."),
        (PlotKind.bars, WHOLE, "n = 3. Whiskers are 95% intervals."),
        (PlotKind.bars, NONE, "n = 3. No interval can be given."),
        (PlotKind.reliability, SOME, "n = 3. Whiskers are 95% intervals; 1 of 3 have none."),
    ],
)
def test_a_caption_promises_no_interval_that_is_not_drawn(kind, series, words):
    assert caption(plot(kind, series)) == words


def test_a_band_of_one_point_is_a_whisker():
    """A band has a width between two points only: of one alone nothing was seen."""
    assert [is_alone(APART, index) for index in range(3)] == [True, False, True]
    assert not any(is_alone(WHOLE, index) for index in range(3))
    drawn, bare = (draw(plot(PlotKind.curve, series), "p") for series in (APART, BARE))
    assert drawn.count("stroke-width: 1.2") == bare.count("stroke-width: 1.2") + 2


def test_a_line_is_named_where_it_is_drawn():
    named = {"baseline": 0.5, "baseline_label": "chance"}
    assert caption(plot(PlotKind.bars, BARE, **named)) == "n = 3. The dashed line is chance."
    assert caption(plot(PlotKind.bars, BARE, baseline_label="chance")) == "n = 3."


def test_axes_keep_the_ends_they_are_given():
    share = plot(PlotKind.bars, dataclasses.replace(BARE, x=("a", "b", "c")), y_span=(0.0, 1.0))
    assert ">1</text>" in draw(share, "p")
    assert ">1</text>" not in draw(dataclasses.replace(share, y_span=(None, None)), "p")


@pytest.mark.parametrize("value", [-0.0, -1e-9, -0.00001])
def test_what_rounds_to_zero_has_no_minus(value):
    row = {"x": value, "x_low": value, "x_high": 0.5}
    texts = [
        show_fixed(value), show_percent(value), show_estimate(row, "x"), show_interval(row, "x", show_fixed),
        show_range(value, 0.5), *show_column([value, 0.5]), show_fixed(value, 1, signed=True),
    ]  # fmt: skip
    assert not [text for text in texts if "-0" in text]
    assert show_number(-0.0) == "0"
    assert (show_fixed(-0.5), show_percent(-0.5)) == ("-0.500", "-50.0%")


def test_a_column_of_nothing_is_left_out():
    """Of one policy the column of policies was there, and empty."""
    table = table_of("t", ("policy", "win_rate"), [{"policy": None, "win_rate": 0.5}, {"policy": "", "win_rate": 0.4}])
    assert [column.name for column in join_columns(table)] == ["win rate"]
    assert [column.name for column in join_columns(Table("t", ("a", "b"), (("", 0), ("", None))))] == ["b"]


def test_names_of_fields_become_words_and_the_users_own_stay():
    assert in_words("score_chosen") == "score of the chosen"
    assert in_words("num_gold_ties") == "ties of the other label"
    assert note_in_words("gap_mean of runs/gap_mean and 'gap_mean'") == "mean score gap of runs/gap_mean and 'gap_mean'"
    assert note_in_words("field 'my_score' is missing; my_own_field too") == (
        "field 'my_score' is missing; my_own_field too"
    )
