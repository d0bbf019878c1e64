"""Summaries at a terminal of 80 columns."""

import io
import os
import pty
import subprocess
import sys

import pytest

from real_cli.report.outline import NUM_BLOCKS, outline, sparkline
from real_cli.report.terminal import print_summary, show_table

DECILES = [
    {"similarity_low": n / 10, "similarity_high": n / 10 + 0.1, "num_pairs": 100 + n}
    | {"share_wrong": 0.1 * n, "share_wrong_low": 0.1 * n - 0.01, "share_wrong_high": 0.1 * n + 0.01}
    for n in range(3)
]
SUMMARY = {
    "num_pairs": 1234567,
    "share_wrong": 0.125,
    "share_wrong_low": 0.1,
    "share_wrong_high": 0.1503,
    "mean_gap": None,
    "mean_gap_low": None,
    "mean_gap_high": None,
    "similarity": {"median": 0.5, "histogram": {"edges": [-1.0, 0.0, 1.0, 2.0], "counts": [1, 0, 8]}},
    "models": ["a", "[bold]b[/bold]"],
    "by_decile": DECILES,
    "notes": ["2 records have no gold score and are left out of share_wrong"],
}


def printed(summary, *, encoding="utf-8", width=80, **options):
    """Print to a console of fixed width that knows an encoding."""
    from rich.console import Console

    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")
    console = Console(file=stream, width=width, markup=False, highlight=False, emoji=False, **options)
    print_summary(console, "labels", summary)
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)


def row_of(text, name):
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return next(line for line in lines if line.startswith(name))


def test_a_number_and_its_interval_are_one_row():
    """Ends have the digits of their number; without an interval there are no brackets."""
    text = printed(SUMMARY)
    assert row_of(text, "share wrong").split(maxsplit=2)[2] == "0.125 [0.100, 0.150]"
    assert row_of(text, "num pairs").endswith("1,234,567")
    assert "share wrong low" not in text


def test_a_histogram_is_a_line_between_its_ends():
    """Counts 1, 0, 8: lowest block, nothing, highest block; the number of rows is the sum."""
    text = printed(SUMMARY)
    assert row_of(text, "similarity histogram").split(maxsplit=2)[2] == "9 -1.000 ▁ █ 2.000"


def test_a_histogram_of_many_bins_is_added_up():
    """40 bins of 1 and one of 39 more at the end: every two are one; a single row is still seen."""
    line = sparkline([1] * 39 + [40])
    assert len(line) == NUM_BLOCKS
    assert line == "▁" * 19 + "█"
    assert sparkline([]) == ""
    assert sparkline([0, 0]) == "  "
    assert sparkline([10**6, 1]) == "█▁"


def test_where_letters_are_few_blocks_are_plain():
    """A terminal that knows ASCII alone gets ASCII alone."""
    text = printed(SUMMARY, encoding="ascii")
    assert row_of(text, "similarity histogram").split(maxsplit=2)[2] == "9 -1.000 . @ 2.000"


def test_records_are_a_table_of_their_own():
    """One line a record, intervals with their numbers; a range without a number is a column as well."""
    text = printed(SUMMARY)
    assert row_of(text, "similarity pairs") == "similarity pairs share wrong"
    assert row_of(text, "[0.100, 0.200]").split(maxsplit=2)[2] == "101 0.100 [ 0.090, 0.110]"
    assert "by decile" in text


def test_a_distribution_is_one_row():
    """Mean, median, ends and n; the quartiles stand in the summary."""
    described = {"count": 3, "mean": 3.0, "min": 1.0, "p25": 1.5, "median": 2.0, "p75": 4.0, "max": 6.0}
    text = printed({"gap": described})
    assert row_of(text, "gap") == "gap mean 3.000 median 2.000, 1.000 to 6.000, n 3"


def test_what_was_measured_comes_before_further_counts():
    """Where not all columns fit, counts after the first give way; the order stays."""
    record = {"name": "a", "num_a": 1, "num_bbbbbbbbbb": 2, "share_low": 0.1, "share_high": 0.2, "share": 0.15}
    text = printed({"rows": [record]}, width=45)
    assert "more columns in the summary: num bbbbbbbbbb" in text
    assert row_of(text, "a 1") == "a 1 0.150 [0.100, 0.200]"


def test_notes_are_not_said_again():
    """The job's line has them; the table follows it."""
    assert "gold" not in printed(SUMMARY)


def test_what_has_no_value_is_one_line_at_the_end():
    """Four models: seventeen rows of nothing stood before the first number."""
    names = [f"share_{number}" for number in range(17)]
    text = printed({"num_models": 4, **dict.fromkeys(names), "ranking": [], "rows": [{"model": "a", "wins": 3}]})
    assert [line.split() for line in text.splitlines()[:4] if line.strip()] == [["labels"], ["num", "models", "4"]]
    notes = text[text.index("without a value: ") :]
    assert " ".join(notes.split()) == f"without a value: {', '.join(name.replace('_', ' ') for name in names)}, ranking"
    assert row_of(printed(SUMMARY), "without") == "without a value: mean gap"


def test_a_number_that_does_not_fit_is_not_passed_over_for_one_behind_it():
    """At 60 columns the first of what was measured gave way to a narrower one; a text that is too wide may."""
    text = {"text": "w" * 60}
    record = {"name": "a", "num": 1, **text, "first": 0.1, "first_low": 0.01, "first_high": 0.3, "second": 0.4}
    wide = printed({"rows": [record]}, width=40)
    assert row_of(wide, "a 1") == "a 1 0.100 [0.010, 0.300]"
    narrow = printed({"rows": [record]}, width=24)
    assert row_of(narrow, "a") == "a 1"


def test_names_from_the_data_are_no_markup_and_move_no_cursor():
    """Brackets stay, control characters are pictures."""
    assert "a, [bold]b[/bold]" in printed(SUMMARY)
    text = printed({"models": ["\x1b[31mred"], "rows": [{"model\x1b": "\x1b[2J"}]})
    assert "\x1b" not in text


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(width):
    """Columns that do not fit are named beneath the table; those that do are whole."""
    names = [f"metric_{number}" for number in range(1, 9)]
    record = {"model": "word" * 30} | {
        key: value for name in names for key, value in ((name, 0.5), (f"{name}_low", 0.1), (f"{name}_high", 0.9))
    }
    records = [record, record]
    text = printed({"rows": records}, width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "metric 1" in text
    assert "0.500 [0.100, 0.900]" in text
    assert "more columns in the summary: metric" in text


def test_values_of_any_kind_have_a_place():
    """None, words, nested names, empty lists, rows with other names: nothing is lost, nothing fails."""
    result = outline(
        {
            "a": {"b": {"c": 1}},
            "empty": [],
            "numbers": [1, 2],
            "x_low": 0.1,
            "x_high": 0.3,
            "alone_low": 4,
            "flag": True,
            "rows": [{"p": 1, "r": None}, {"q": 3, "p": 2}],
        }
    )
    assert {row.name: (row.value, row.beside) for row in result.rows} == {
        "a b c": ("1", ""),
        "numbers": ("1, 2", ""),
        "x": ("", "[0.100, 0.300]"),
        "alone low": ("4", ""),
        "flag": ("yes", ""),
    }
    assert result.without == ["empty"]
    assert result.tables[0].heads == ("p", "q")
    assert result.tables[0].rows == (("1", "-"), ("2", "3"))  # nothing is known of r: it is left out


def test_nothing_is_shown_where_nobody_looks(capsys):
    """Standard error is no terminal here."""
    show_table("labels", SUMMARY, quiet=False)
    assert capsys.readouterr() == ("", "")


CODE = """from real_cli.report.terminal import show_table
import tests.report.test_report_terminal as t
show_table("labels", t.SUMMARY, quiet={quiet})"""


def seen_at_a_terminal(quiet=False, **variables):
    """Run in a process whose standard error is a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"COLUMNS": "80", "TERM": "xterm-256color"} | variables
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(quiet=quiet)], stderr=theirs, stdout=subprocess.PIPE, env=environment
    )
    os.close(theirs)
    seen = b""
    try:
        while part := os.read(ours, 65536):
            seen += part
    except OSError:  # Linux says so when the other end is closed
        pass
    os.close(ours)
    assert done.stdout == b""
    return seen.decode()


def test_a_terminal_gets_the_table_and_no_color_where_none_is_wanted():
    """Standard output stays clean; NO_COLOR and a dumb terminal get no escape sequences that color."""
    assert row_of(seen_at_a_terminal(), "share wrong") == "share wrong 0.125 [0.100, 0.150]"
    for variables in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        text = seen_at_a_terminal(**variables)
        assert "share wrong" in text
        assert "\x1b[3" not in text
    assert "\x1b" not in seen_at_a_terminal(TERM="dumb")
    assert seen_at_a_terminal(quiet=True) == ""
