"""relabel feedback in a pipe: what is broken, empty, closed or of many users."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from real_cli.app import app
from tests.relabel.feedback.traces import asked, replied

REAL = (sys.executable, "-c", "from real_cli.app import main; main()")
RATED = {"id": "t-1", "user": "kim", "messages": [asked(), replied("A", rating=1)]}
SILENT = {"id": "t-2", "messages": [asked(), replied("A")]}


def run(*words, rows=(), data=None):
    data = "".join(f"{json.dumps(row)}\n" for row in rows) if data is None else data
    return CliRunner().invoke(app, ["relabel", "feedback", *map(str, words)], input=data, prog_name="real")


def test_what_is_left_out_is_counted_and_kept_whole(tmp_path):
    result = run("--rejects", tmp_path / "rejects", rows=[RATED, SILENT])
    assert (result.exit_code, result.stdout.count("\n")) == (0, 1)
    assert result.stderr == (
        "real: 0 pairs, 1 labeled reply from 2 traces; left out: 1 without feedback that tells good from bad\n"
    )
    assert json.loads((tmp_path / "rejects").read_text()) == {
        "place": "<stdin>:2",
        "reason": "without feedback that tells good from bad",
        "record": SILENT,
    }


def test_a_bad_trace_is_skipped_if_asked_and_kept_as_it_came(tmp_path):
    bad = {"messages": [asked(), replied("A", rating=4)]}
    words = ["--on-error", "skip", "--rejects", tmp_path / "rejects"]
    result = run(*words, data=f"{json.dumps(RATED)}\n{{\n{json.dumps(bad)}\n{json.dumps(RATED)}\n")
    assert (result.exit_code, result.stdout.count("\n")) == (3, 2)
    broken, refused = map(json.loads, (tmp_path / "rejects").read_text().splitlines())
    assert (broken["line"], refused["record"]) == ("{", bad)


def test_a_broken_second_line_stops_behind_the_first():
    result = run(data=f"{json.dumps(RATED)}\n{{broken\n")
    assert (result.exit_code, result.stdout.count("\n")) == (1, 1)
    assert result.stderr.startswith("real: <stdin>:2: not JSON: ")


def test_nothing_in_is_nothing_out():
    result = run(data="")
    assert (result.exit_code, result.stdout) == (0, "")


def test_a_closed_pipe_is_no_failure(tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_text(f"{json.dumps(RATED)}\n" * 20_000)
    with subprocess.Popen(
        [*REAL, "relabel", "feedback", str(source)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        first = json.loads(process.stdout.readline())
        process.stdout.close()
        stderr = process.stderr.read()
        assert process.wait(60) == 0
    assert (first["label"], stderr) == (True, b"")


@pytest.mark.parametrize("emit", ["pairs", "unpaired"])
def test_no_name_or_identifier_of_a_trace_reaches_a_record(emit):
    trace = {
        **{"id": "secret-1", "user_id": "secret-2", "title": "secret-3"},
        "mapping": {
            "secret-4": {"parent": None, "message": asked() | {"id": "secret-5", "name": "secret-6"}},
            "secret-7": {"parent": "secret-4", "message": replied("A", rating={"rating": 1, "by": "secret-8"})},
            "secret-9": {"parent": "secret-4", "message": replied("B", model="secret-10", create_time="secret-11")},
        },
    }
    result = run("--emit", emit, rows=[trace])
    assert result.stdout.count("\n") == (1 if emit == "pairs" else 2)
    assert "secret" not in result.stdout + result.stderr


def test_pairs_go_on_down_the_pipe():
    """What is written is read by the commands behind it."""
    trace = {"prompt": "Q?", "response": "A.", "edited_response": "B."}
    pairs = run("--emit", "pairs", rows=[trace]).stdout
    result = CliRunner().invoke(app, ["relabel", "degrade", "-q"], input=pairs.replace("B.", "Big red hats."))
    assert json.loads(result.stdout)["event"] == "edit"
