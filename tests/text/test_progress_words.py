"""How far a run is, in one line of any terminal's width."""

import pytest

from real_cli.text.progress_words import GAP, RunState, lay_out_progress

WIDTHS = (39, 40, 59, 79, 99, 119, 199)
STATES = {
    "reading": RunState("pair", "records", 12, seconds=3.0, rate=4.0),
    "loading": RunState("train-dpo", "loading the model", 0, seconds=12.0, is_counted=False),
    "estimated": RunState("relabel implicit", "records", 12_345, 19_873, True, 100.0, 123.4, "", 61.0),
    "priced": RunState("relabel judge", "records", 99, 1_000, False, 60.0, 0.4, "", 4000.0, "1,234 calls, $12.34"),
    "training": RunState("train-dpo", "steps", 1_000, 100_000, False, 9e3, 12.0, "pairs", 9e4, "loss 0.693"),
    "huge": RunState("relabel implicit", "records", 10**12, 10**13, True, 1e6, 123_456.7, "", 1e9, "x" * 60),
}


def width_of(parts):
    """The columns that a line takes, as it is drawn: a space on each side of the bar."""
    return len(parts.before) + (parts.bar_width + 1) * bool(parts.bar_width) + bool(parts.after) + len(parts.after)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", STATES)
def test_a_line_fits(name, width):
    assert width_of(lay_out_progress(STATES[name], width)) <= width


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["estimated", "priced", "training"])
def test_count_total_and_time_left_are_there_at_every_width(name, width):
    parts, state = lay_out_progress(STATES[name], width), STATES[name]
    assert f"{state.num_done:,}" in parts.before
    assert ("19,900" if state.is_estimate else f"{state.total:,}") in parts.before
    assert parts.after.endswith(" left")


def test_what_matters_least_goes_first():
    shown = {width: lay_out_progress(STATES["priced"], width) for width in (120, 70, 60, 40)}
    assert shown[120].bar_width > GAP
    assert shown[120].after == "1,234 calls, $12.34 · 24/min · 1 h 07 min left"
    assert "calls" not in shown[60].after
    assert not shown[40].bar_width
    assert shown[40].before == "judge 99/1,000"


def test_where_nothing_is_counted_no_number_stands():
    assert lay_out_progress(STATES["loading"], 80) == ("train-dpo loading the model", 0, "12 s")
    assert lay_out_progress(RunState("pair", "records", 0, seconds=2.0), 80) == ("pair 0 records", 0, "2 s")


def test_an_estimate_is_called_one():
    assert "of about 19,900 records" in lay_out_progress(STATES["estimated"], 120).before
    assert "/~19,900" in lay_out_progress(STATES["estimated"], 45).before


@pytest.mark.parametrize(
    ("rate", "words"), [(123.4, "123/s"), (4.56, "4.6/s"), (0.5, "30/min"), (0.05, "3.0/min"), (0.001, "3.6/h")]
)
def test_slow_rates_are_told_by_the_minute_or_hour(rate, words):
    assert lay_out_progress(RunState("pair", "records", 5, rate=rate), 80).after == words
