"""Reports at a terminal: the answer first, tables that fit, nothing cut and nothing obeyed."""

import io
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from fcntl import ioctl
from pathlib import Path

import pyte
import pytest

from real_cli.report.contents import Plot, PlotKind, Report, Section, Series, Table, Verdicts
from real_cli.report.numbers import band_texts, join_columns
from real_cli.report.terminal import NUM_BLOCKS, print_report, sparkline
from real_cli.report.terminal_table import print_table
from tests.report.evaluations import candidates, labeled_pairs, verdicts, write_reports, write_rows

WIDTHS = (40, 60, 80, 100, 200)
NAMES = ("labels", "strategies", "pairs", "reward", "winrate", "ranking", "judge", "margin", "policies")


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """The reports that the commands hand over, by name."""
    kept = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("real_cli.report.html.write_report", lambda path, report: kept.update({path.stem: report}))
        write_reports(tmp_path_factory.mktemp("reports"))
    return kept


def printed(show, width, encoding="utf-8"):
    from rich.console import Console

    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="backslashreplace")
    show(Console(file=stream, width=width, markup=False, highlight=False, emoji=False))
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)


def unfolded(text):
    """Without what folding adds: line ends and the blanks around them."""
    return re.sub(r"\s+", "", text)


def unwrapped(text):
    return " ".join(text.split())


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", NAMES)
def test_a_report_fits_and_loses_nothing(reports, name, width):
    """The answer is first; each number of each table is there, or its column is named as left out."""
    report = reports[name]
    text = printed(lambda console: print_report(console, report), width)
    items = [item for section in report.sections for item in section.items]
    # A command is one line, to be copied; the terminal itself wraps it.
    blocks = [item for item in items if isinstance(item, Verdicts)]
    mends = {f"  {item.mend}" for block in blocks for item in (block, *block.rows)}
    assert max(len(line) for line in text.splitlines() if line not in mends) <= width
    assert unfolded(text).startswith(unfolded(report.lead))
    tables = [item for item in items if isinstance(item, Table) and item.rows]
    assert tables
    for table in tables:
        alone = printed(lambda console, table=table: print_table(console, table), width)
        assert alone in text
        left_out = unfolded(alone.partition("Too narrow for:")[2].partition("--json")[0])
        for column in join_columns(table):
            ends = (f"{column.name}{mark}" for mark in ",;")
            if left_out.endswith(unfolded(f"{column.name}.")) or any(unfolded(end) in left_out for end in ends):
                continue
            shown, bands = band_texts(column, "-", is_padded=True) if column.bands else ([], [])
            assert all(cell in alone for cell in (*shown, *bands)), column.name
            assert [word for word in column.name.split() if word[:14] not in alone] == []
    for note in report.notes:
        assert unfolded(note) in unfolded(text)


@pytest.mark.parametrize("name", NAMES)
def test_a_wide_terminal_has_every_column(reports, name):
    text = printed(lambda console: print_report(console, reports[name]), 200)
    assert "Too narrow" not in text
    assert "_" not in text.replace("annotator_", "")


def test_columns_that_do_not_fit_are_named_and_few_rows_become_blocks():
    names = tuple(f"metric {number}" for number in range(6))
    row = ("word " * 8, *(0.5, 0.25, 0.75) * 6)
    columns = ("model", *(head for name in names for head in (name, f"{name} low", f"{name} high")))
    many = printed(lambda console: print_table(console, Table("t", columns, (row,) * 9)), 60)
    assert "Too narrow for: metric" in many
    assert max(map(len, many.splitlines())) <= 60
    few = printed(lambda console: print_table(console, Table("t", columns, (row,) * 2)), 40)
    assert "Too narrow" not in few
    assert all(few.count(name) == 2 for name in names)
    assert few.count("[0.250, 0.750]") == 12


def test_names_with_commas_are_parted_by_something_else():
    table = Table("t", ("name", "x" * 20, "ties, share", "wins, share"), (("a", 1, 2, 3),) * 9)
    text = printed(lambda console: print_table(console, table), 30)
    assert "Too narrow for: ties, share; wins, share." in unwrapped(text)


def test_a_table_never_loses_its_first_number():
    """What the names are there for; many rows become blocks then too."""
    table = Table("t", ("category", "model", "against", "win rate"), (("abcdefghijkl", "m" * 12, "n" * 12, 0.25),) * 9)
    text = printed(lambda console: print_table(console, table), 40)
    assert (text.count("win rate"), text.count("0.250")) == (9, 9)


def test_heads_of_numbers_are_not_stacked_where_there_is_room():
    heads = ("script", "share of texts", "length-controlled rate of all pairs")
    lines = printed(lambda console: print_table(console, Table("t", heads, (("Latin", 0.5, 0.5),))), 80).splitlines()
    assert [" ".join(line.split()) for line in lines[:2]] == [
        "length-controlled",
        "script share of texts rate of all pairs",
    ]


def test_a_reason_has_room_before_intervals_stand_beside_their_numbers():
    heads = ("model", *(f"n{number}{end}" for number in range(4) for end in ("", " low", " high")), "reason")
    row = ("m" * 20, *(0.5, 0.25, 0.75) * 4, "eight decided comparisons are fewer than thirty")
    text = printed(lambda console: print_table(console, Table("t", heads, (row,) * 3)), 140)
    assert row[-1] in text


def test_an_interval_goes_beneath_its_number_before_a_column_goes():
    table = Table("t", ("name", "share", "share low", "share high", "n"), (("abcdefghijkl", 0.5, 0.4, 0.6, 1200),) * 9)
    wide, narrow = (printed(lambda console: print_table(console, table), width) for width in (60, 36))
    assert "0.500 [0.400, 0.600]" in wide
    assert re.search(r"0\.500 +1,200\n +\[0\.400, 0\.600\]", narrow)
    assert "Too narrow" not in narrow


def test_wide_letters_count_twice():
    table = Table("t", ("name", "n"), (("日本語のモデル" * 3, 5), ("b", 7)))
    text = printed(lambda console: print_table(console, table), 40)
    assert max(len(line) + len(re.findall("[\u3000-\u9fff]", line)) for line in text.splitlines()) <= 40
    assert unfolded("日本語のモデル" * 3) in unfolded(text).replace("5", "")


def test_a_histogram_is_a_line_between_its_ends():
    """Counts 1, 0, 8: lowest block, nothing, highest block; ASCII where the terminal knows no other letters."""
    series = Series("", (-1.0, 0.0, 1.0, 2.0), (1, 0, 8))
    plot = Plot(PlotKind.histogram, "Gaps", "points", "pairs", (series,))
    report = Report("t", "Lead.", (Section("Gap", "", (plot,)),))
    assert "-1.000 ▁ █ 2.000" in printed(lambda console: print_report(console, report), 80)
    plain = printed(lambda console: print_report(console, report), 80, "ascii")
    assert "-1.000 . @ 2.000" in plain
    assert sparkline([1] * 39 + [40]) == "▁" * (NUM_BLOCKS - 1) + "█"
    assert (sparkline([]), sparkline([0, 0]), sparkline([10**6, 1])) == ("", "  ", "█▁")


def test_names_from_the_data_are_no_markup_and_move_no_cursor():
    table = Table("[bold]t", ("model\x1b",), (("\x1b[31m[red]x",),))
    text = printed(lambda console: print_report(console, Report("", "\x1b[2J", (Section("", "", (table,)),))), 80)
    assert "\x1b" not in text
    assert "[bold]t" in text
    assert "[red]x" in text


def at_a_terminal(*words, width=80, stdin=None, stderr_too=True, **variables):
    """Run `real` with a terminal as its output; returns the status, the screen's lines, and the bytes."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    done = subprocess.Popen(
        [Path(sys.executable).parent / "real", *map(str, words)],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs if stderr_too else subprocess.DEVNULL,
        env=os.environ | {"TERM": "xterm-256color"} | variables,
    )
    os.close(theirs)
    seen = b""
    try:
        while part := os.read(ours, 65536):
            seen += part
    except OSError:  # Linux says so when the other end is closed
        pass
    os.close(ours)
    screen = pyte.Screen(width, 400)
    pyte.ByteStream(screen).feed(seen)
    return done.wait(), [line.rstrip() for line in screen.display], seen


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    rows = {"labels": labeled_pairs(), "pairs": labeled_pairs(), "winrate": verdicts(), "strategies": candidates()}
    return {name: write_rows(folder / f"{name}.jsonl", lines) for name, lines in rows.items()}


HEADLINES = {
    "labels": "Labels that prefer the response with the lower score: 24 of 120 labels, 20.0%",
    "pairs": "Broken: against scores. 120 pairs of 120 prompts, 120 labeled.",
    "winrate": "aligned-with-real wins 46.7% (95% interval 39.6% to 53.8%) of 120 comparisons",
    "strategies": "At temperature 1 a Bradley-Terry annotator would flip 12.4%",
}


@pytest.mark.parametrize("width", WIDTHS)
def test_a_terminal_shows_the_win_rate_first_and_no_json(files, width):
    status, lines, _ = at_a_terminal("eval", "winrate", files["winrate"], width=width)
    assert status == 0
    assert unfolded("".join(lines)).startswith(unfolded(HEADLINES["winrate"]))
    assert not [line for line in lines if line.startswith("{")]


@pytest.mark.parametrize("name", ["labels", "pairs", "strategies"])
def test_each_evaluation_shows_its_headline_first(files, name):
    more = ["--compare", "easy,random,hard"] if name == "strategies" else []
    words = ["eval", "labels" if more else name, *more, files[name]]
    status, lines, _ = at_a_terminal(*words)
    assert status == 0
    assert unfolded("".join(lines)).startswith(unfolded(HEADLINES[name]))


def test_a_pipe_and_json_get_the_same_line(files):
    """What a program reads does not depend on who looks; at a terminal --json and -o - ask for it."""
    words = ["eval", "winrate", files["winrate"]]
    piped = subprocess.run(
        [Path(sys.executable).parent / "real", *map(str, words)], capture_output=True, stdin=subprocess.DEVNULL
    ).stdout
    assert round(json.loads(piped)["win_rate"], 3) == 0.467
    for more in (["--json"], ["-o", "-"]):
        _, _, seen = at_a_terminal(*words, *more, stderr_too=False)
        assert seen.replace(b"\r\n", b"\n") == piped


def test_a_file_gets_the_json_and_the_terminal_a_line(files, tmp_path):
    _, lines, _ = at_a_terminal("eval", "winrate", files["winrate"], "-o", tmp_path / "summary.json")
    assert json.loads((tmp_path / "summary.json").read_text())["num_all_comparisons"] == 120
    assert "".join(lines).startswith("real: 120 comparisons of 2 models")
    assert "Models in pairs" not in "".join(lines)
    _, lines, _ = at_a_terminal("eval", "winrate", files["winrate"], "-q", "-o", tmp_path / "summary.json")
    assert "".join(lines) == ""


def test_notes_stand_beneath_the_tables_and_are_told_once(files, tmp_path):
    rows = [*labeled_pairs(30), labeled_pairs(1)[0] | {"prompt": "Only here.", "score_chosen": 3, "score_rejected": 3}]
    _, lines, _ = at_a_terminal("eval", "labels", write_rows(tmp_path / "rows", rows), width=200)
    (note,) = [index for index, line in enumerate(lines) if "with equal gold: " in line]
    assert note > max(index for index, line in enumerate(lines) if "decile" in line)
    quiet = at_a_terminal("eval", "labels", tmp_path / "rows", "-q")[1]
    assert unfolded("".join(quiet)).startswith("Labels")


def test_no_color_is_no_color(files):
    for variables in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert b"\x1b[3" not in at_a_terminal("eval", "winrate", files["winrate"], **variables)[2]
    assert b"\x1b" not in at_a_terminal("eval", "winrate", files["winrate"], TERM="dumb")[2]
