"""The last line of a session counts the whole input, promises no output that is not there, and says nothing twice."""

import json
import sys

import pytest

from tests.relabel.human.terminals import Session

RECORDS = [
    {"prompt": f"prompt {number}", "responses": [{"text": f"first {number}"}, {"text": f"second {number}"}]}
    for number in range(10)
]
GOES_ON = "has every answer; run the same command again to go on"


@pytest.fixture
def start(tmp_path):
    (tmp_path / "in").write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
    sessions = []

    def of(*words, **settings):
        sessions.append(Session(*words, cwd=tmp_path, **settings))
        return sessions[-1]

    yield of
    for session in sessions:
        session.close()


def answer(session, keys, *, first=0):
    """Answer questions; the prompt that follows the last one is on the screen then."""
    session.wait_for(f"prompt {first}")
    for number, key in enumerate(keys, first + 1):
        session.type(key, f"prompt {number}")


@pytest.mark.parametrize("old", [None, b"old\n"], ids=["no output", "an old output"])
@pytest.mark.parametrize(
    ("keys", "counts"), [("", "0 of 10 answered: 0 pairs"), ("ts", "2 of 10 answered: 0 pairs, 1 tie, 1 skipped")]
)
def test_a_finish_without_a_pair_fails_and_leaves_the_output_alone(start, tmp_path, keys, counts, old):
    if old:
        (tmp_path / "out").write_bytes(old)
    session = start("-q", "-o", "out", "in")
    answer(session, keys)
    session.type("Q")
    _, errors, status = session.end()
    assert (status, errors) == (1, f"real: finished, {counts}, nothing to write; out.journal {GOES_ON}\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == (["in", "out"] if old else ["in"]) + ["out.journal"]
    assert not old or (tmp_path / "out").read_bytes() == old


def test_a_finish_without_a_pair_fails_in_a_pipe_too(start):
    session = start("--journal", "j", "in")
    answer(session, "")
    session.type("Q")
    assert session.end() == ([], f"real: finished, 0 of 10 answered: 0 pairs, nothing to write; j {GOES_ON}\n", 1)


def test_ties_that_are_kept_are_something_to_write(start, tmp_path):
    session = start("--ties", "keep", "-o", "out", "in")
    answer(session, "t")
    session.type("Q")
    _, errors, status = session.end()
    assert status == 0
    assert errors.startswith(f"real: finished, 1 of 10 answered: 0 pairs, 1 tie; out.journal {GOES_ON}; ")
    assert len((tmp_path / "out").read_bytes().splitlines()) == 1


@pytest.mark.parametrize(("keys", "left"), [("a", 9), ("ab", 8), ("abs", 7)])
@pytest.mark.parametrize("key", "Qq")
def test_however_many_are_answered_the_whole_is_what_the_screen_says(start, keys, left, key):
    session = start("--journal", "j", "in")
    answer(session, keys)
    session.wait_for(f"{len(keys)} of 10 · ")
    session.type(key)
    _, errors, _ = session.end()
    assert f", {len(keys)} of 10 answered: " in errors
    assert f"{left} unanswered" in errors


def test_the_rest_counts_what_the_journal_answers_of_it(start):
    session = start("--journal", "j", "in")
    answer(session, "ab")
    session.type("Q")
    session.end()
    session = start("--journal", "j", "in", "in")
    answer(session, "a", first=2)
    session.wait_for("6 of 20 · ")
    session.type("Q")
    _, errors, status = session.end()
    assert status == 0
    assert errors.startswith("real: finished, 6 of 20 answered: 6 pairs; ")
    assert errors.endswith("; left out: 14 unanswered\n")


def test_ties_and_skips_stand_in_the_last_line_once(start):
    session = start("--journal", "j", "in")
    answer(session, "abtsababt")
    session.type("a")
    _, errors, status = session.end()
    assert (status, errors) == (
        0,
        "real: 10 of 10 answered: 7 pairs; j has every answer; left out: 1 skipped, 2 tie\n",
    )


def test_what_is_handed_on_to_a_file_is_there(start, tmp_path):
    words = ["bash", "--norc", "-c", f"{sys.executable} -m real_cli relabel human --journal j in > out"]
    session = start(program=words)
    answer(session, "a")
    session.type("\x03")
    _, errors, _ = session.end()
    assert "interrupted, 1 of 10 answered: 1 pair handed on; j has" in errors
    assert len((tmp_path / "out").read_bytes().splitlines()) == 1


def test_back_at_the_first_question_of_a_run_says_that_earlier_runs_are_out_of_reach(start):
    session = start("--journal", "j", "in")
    answer(session, "ab")
    session.type("q")
    session.end()
    session = start("--journal", "j", "in")
    session.wait_for("prompt 2")
    session.type("u", "nothing to go back to: of this run, the last 20 answers can be changed")
    session.type("q")
    session.end()
