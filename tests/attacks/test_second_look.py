"""What a second attack found: members of kinds that were thought mended."""

import fcntl
import json
import os
import subprocess

import pytest

from tests.attacks.commands import CANDIDATES, REAL, lines, one_line, real

PAIR = {"prompt": "a", "chosen": "x", "rejected": "y"}


@pytest.mark.parametrize("torn", ['{"version":1,"dependencies":{"lodash":"^1.2.3"}', '{"version":1,"my":"diary'])
def test_a_torn_line_with_a_name_that_no_journal_has_is_somebody_elses(tmp_path, torn):
    (tmp_path / "j").write_text(torn)
    done = real("relabel", "human", "--journal", "j", cwd=tmp_path, data=lines(PAIR), start_new_session=True, status=1)
    assert one_line(done.stderr).startswith("real: j:1: ")
    assert (tmp_path / "j").read_text() == torn


@pytest.mark.parametrize(
    "torn",
    [
        '{"id":0,"prompt":"q0","chosen":"mine","rejected":"precious"',
        '{"prompt":"q0","mydiary":"dear',
        '{"id":0,"x":[1,2',
    ],
)
def test_a_torn_line_with_a_field_that_this_run_does_not_write_is_somebody_elses(tmp_path, torn):
    (tmp_path / "f").write_text(torn)
    rows = [{"id": row["id"], "prompt": row["prompt"]} for row in CANDIDATES]
    words = ["sample", "-p", "m", "--endpoint", "http://127.0.0.1:9/v1", "--no-cache", "--resume", "f"]
    assert one_line(real(*words, cwd=tmp_path, data=lines(*rows), status=1).stderr).startswith("real: f:1: ")
    assert (tmp_path / "f").read_text() == torn


def test_what_another_run_appends_to_is_not_replaced(tmp_path):
    """`sample --resume x` at work, and `pair -o x` beside it."""
    (tmp_path / "x").write_text("paid for\n")
    with (tmp_path / "x").open("ab") as appending:
        fcntl.flock(appending, fcntl.LOCK_EX)
        done = real("pair", "-s", "best-worst", "-o", "x", cwd=tmp_path, data=lines(*CANDIDATES), status=1)
    assert "another run is writing it" in one_line(done.stderr)
    assert (tmp_path / "x").read_text() == "paid for\n"
    assert os.listdir(tmp_path) == ["x"]


def test_the_rejects_do_not_replace_the_input_that_the_shell_opened(tmp_path):
    (tmp_path / "in").write_bytes(lines(*CANDIDATES))
    words = [*REAL, "pair", "-s", "best-worst", "--on-error", "skip", "--rejects", "in"]
    with (tmp_path / "in").open("rb") as source:
        done = subprocess.run(words, cwd=tmp_path, stdin=source, capture_output=True, check=False, timeout=60)
    assert (done.returncode, one_line(done.stderr)) == (2, "real: in: is the input; name another file")
    assert (tmp_path / "in").read_bytes() == lines(*CANDIDATES)


@pytest.mark.parametrize("size", [9, 1_000_000, 10**18])
def test_pairs_chosen_from_very_many_responses_are_counted_at_once(tmp_path, size):
    """All pairs of n are n (n - 1) / 2; nobody lists them. More than 2^24 responses are counted as so many."""
    done = real("eval", "pairs", cwd=tmp_path, data=lines(PAIR | {"num_responses": size, "strategy": "all"}), status=0)
    rows = {row["strategy"]: row for row in json.loads(done.stdout)["savings"]}
    counted = min(size, 1 << 24)
    assert rows["all"]["num_labels"] == counted * (counted - 1) // 2
    assert rows["best-vs-rest"]["num_labels"] == counted - 1


@pytest.mark.parametrize("words", [["pair", "-s", "best-worst", "-"], ["relabel", "goal", "-"], ["eval", "pairs", "-"]])
def test_a_closed_standard_input_is_told(tmp_path, words):
    line = f"exec {subprocess.list2cmdline([*REAL, *words])} <&-"
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (1, b"")
    assert "<stdin>: is closed" in one_line(done.stderr)


@pytest.mark.parametrize("address", ["http://[::1/v1", "http://a\x1bb/v1", f"http://a/{'v' * 66_000}"])
def test_an_address_that_is_none_is_a_mistake(tmp_path, address):
    words = ["relabel", "judge", "-m", "m", "--endpoint", address, "--no-cache"]
    assert "an address is needed" in one_line(real(*words, cwd=tmp_path, data=lines(PAIR), status=2).stderr)


def test_answers_nested_without_end_are_told(tmp_path):
    nested = "[" * 5000 + "]" * 5000
    (tmp_path / "votes.json").write_text('[{"key":' + nested + ',"verdict":"a"}]')
    done = real("relabel", "human", "--import", "votes.json", cwd=tmp_path, data=lines(PAIR))
    assert done.returncode == 1
    one_line(done.stderr)
    (tmp_path / "r.toml").write_text(f"x = {nested}\n")
    done = real("relabel", "judge", "-m", "m", "--rubric", "r.toml", cwd=tmp_path, data=lines(PAIR), status=2)
    assert one_line(done.stderr).startswith("real: r.toml: ")


def test_a_descriptor_that_no_system_has_is_told(tmp_path):
    done = real("pair", "-s", "all", "-o", "/dev/fd/999999999999999999999", cwd=tmp_path, data=lines(*CANDIDATES))
    assert done.returncode in (1, 2)
    one_line(done.stderr)


def test_show_rubric_to_a_closed_output_is_a_line(tmp_path):
    line = f"exec {subprocess.list2cmdline([*REAL, 'relabel', 'judge', '--show-rubric', 'pairwise'])} >&-"
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, check=False, timeout=60)
    assert done.returncode == 1
    one_line(done.stderr)
