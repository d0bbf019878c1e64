"""Files of the code before `Nothing misread`: they match where a record is read as it was, and it is told where not.

The files were made by commit 5822dea of `lines.jsonl`, `prompts.jsonl`, `ids.csv`, and of `tools.json` as Parquet, by
`real embed` (its vectors are cut short here), `real sample --policy smollm2 --max-tokens 4` (of prompts.jsonl with
`--chat`), `real relabel human --export csv`, and `real relabel judge` (`--emit-requests`, invented results,
`--apply-results --cache`; the cache is its SQL). The journals are of its `Journal`, one answer a pair.

Two of the inputs are read otherwise now: a table's nested nulls go, and an `id` in a CSV file is the text that it is.
"""

import os
import shutil
import sqlite3
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from real_cli.app import app
from tests.relabel.human.terminals import Session

FILES = Path(__file__).parent / "files"
OTHERWISE = (
    "whose prompt or responses are others now: the input has changed, or an earlier version read it otherwise; begin a "
    "new output"
)


def real(*words):
    return CliRunner().invoke(app, [*map(str, words)])


def lines_of(path):
    return [orjson.loads(line) for line in Path(path).read_bytes().splitlines()]


@pytest.fixture
def old(tmp_path):
    """A copy of the old files: no test changes them for another."""
    folder = tmp_path / "old"
    shutil.copytree(FILES, folder)
    pq.write_table(pa.Table.from_pylist(orjson.loads((folder / "tools.json").read_bytes())), folder / "tools.parquet")
    (folder / "cache").mkdir()
    with sqlite3.connect(folder / "cache" / "answers.sqlite") as database:
        database.executescript((folder / "answers.sql").read_text())
    database.close()
    return folder


# What is read as it was


@pytest.mark.parametrize(
    ("words", "output", "data"),
    [
        (["embed", "--encoding", "base64-float16"], "embedded.jsonl", "lines.jsonl"),
        (["sample", "-p", "smollm2", "--max-tokens", "4", "--chat"], "sampled.jsonl", "prompts.jsonl"),
    ],
    ids=["embed", "sample"],
)
def test_an_old_output_is_gone_on_with(old, words, output, data):
    before = (old / output).read_bytes()
    done = real(*words, "--resume", old / output, old / data)
    assert (done.exit_code, (old / output).read_bytes()) == (0, before), done.stderr


def test_an_old_journal_answers_every_pair(old):
    done = real("relabel", "human", "--journal", old / "journal-lines.jsonl", "-o", old / "out", old / "lines.jsonl")
    assert (done.exit_code, len(lines_of(old / "out"))) == (0, 5), done.stderr
    assert "otherwise" not in done.stderr


def test_old_votes_are_about_every_pair(old):
    done = real("relabel", "human", "--import", old / "votes-lines.csv", "-o", old / "out", old / "lines.jsonl")
    assert (done.exit_code, len(lines_of(old / "out"))) == (0, 5), done.stderr
    assert "otherwise" not in done.stderr


JUDGE = ("relabel", "judge", "-m", "judge", "--ties", "keep")


def judge(old, data, *words, cache="cache"):
    return real(*JUDGE, "--cache", old / cache, *words, "-o", old / "out", old / data)


def test_old_answers_of_a_judge_are_known(old):
    (old / "nothing").write_bytes(b"")
    done = judge(old, "lines.jsonl", "--apply-results", old / "nothing")
    assert (done.exit_code, len(lines_of(old / "out"))) == (0, 5), done.stderr
    assert "(10 answers known)" in done.stderr
    assert "earlier version" not in done.stderr


def test_old_results_of_a_batch_are_known(old):
    done = judge(old, "lines.jsonl", "--apply-results", old / "results-lines.jsonl", cache="new")
    assert (done.exit_code, len(lines_of(old / "out"))) == (0, 5), done.stderr
    assert "earlier version" not in done.stderr


# What is read otherwise


@pytest.mark.parametrize(
    ("words", "output", "data"),
    [
        (["embed"], "embedded-tools.jsonl", "tools.parquet"),
        (["sample", "-p", "smollm2", "--max-tokens", "4"], "sampled-ids.jsonl", "ids.csv"),
    ],
    ids=["embed", "sample"],
)
def test_an_old_output_of_what_is_read_otherwise_is_told_and_stays(old, words, output, data):
    before = (old / output).read_bytes()
    done = real(*words, "--resume", old / output, old / data)
    place = f"{old / data}:{2 if data.endswith('csv') else 1}"
    assert (done.exit_code, (old / output).read_bytes()) == (1, before)
    assert done.stderr == f"real: {old / output}:1: is of {place}, {OTHERWISE}\n"


def test_an_output_of_another_input_is_told_as_before(old):
    (old / "other.jsonl").write_bytes(b'{"prompt": "Which?", "chosen": "x", "rejected": "y"}\n')
    notes = f"{old}/embedded.jsonl:1: does not belong to {old}/other.jsonl:1; resume with the same input and options\n"
    assert real("embed", "--resume", old / "embedded.jsonl", old / "other.jsonl").stderr == f"real: {notes}"


UNUSED = "2 answers about pairs that are not in the input, or that an earlier version read differently"


def test_an_old_journal_of_what_is_read_otherwise_is_told_before_anybody_answers(old):
    words = ("--journal", "journal-tools.jsonl", "-o", "out", "tools.parquet")
    session = Session(*words, cwd=old)
    try:
        session.wait_for("2 answers in the journal, none of these so far; were they read differently?")
        session.type("a", "Add 1 and 1.")
        session.type("a")
        _, notes, status = session.end()
        assert (status, f"; journal-tools.jsonl has {UNUSED}" in notes) == (0, True), notes
    finally:
        session.close()
    assert len(lines_of(old / "out")) == 2


def test_old_votes_on_what_is_read_otherwise_are_told(old):
    done = real("relabel", "human", "--import", old / "votes-tools.csv", "-o", old / "out", old / "tools.parquet")
    assert UNUSED in done.stderr


def test_an_old_cache_that_does_not_know_a_question_is_told_once(old):
    (old / "nothing").write_bytes(b"")
    notes = f"4 questions have no answer in {old}/cache/answers.sqlite, which an earlier version filled"
    done = judge(old, "tools.parquet", "--apply-results", old / "nothing")
    assert (done.exit_code, notes in done.stderr) == (3, True), done.stderr
    os.remove(old / "out")
    assert "earlier version" not in judge(old, "tools.parquet", "--apply-results", old / "nothing").stderr


def test_a_new_cache_is_no_old_one(old):
    (old / "nothing").write_bytes(b"")
    judge(old, "lines.jsonl", "--apply-results", old / "results-lines.jsonl", cache="new")
    os.remove(old / "out")
    assert "earlier version" not in judge(old, "tools.parquet", "--apply-results", old / "nothing", cache="new").stderr


def test_old_results_about_what_is_read_otherwise_are_told(old):
    done = judge(old, "tools.parquet", "--apply-results", old / "results-tools.jsonl", cache="new")
    notes = "4 results answer no question of this run, or of prompts that an earlier version read differently"
    assert (done.exit_code, notes in done.stderr) == (3, True), done.stderr
