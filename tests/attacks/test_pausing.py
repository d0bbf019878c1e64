"""`q` in `relabel human` pauses: nothing that make would take for finished; `Q` finishes with what is answered."""

import json
import signal

import pytest

from tests.attacks.commands import lines
from tests.relabel.human.terminals import Session

RECORDS = [{"id": n, "prompt": f"prompt {n}", "responses": [{"text": "x"}, {"text": "y"}]} for n in range(10)]
KEYS = {"q": "q", "Ctrl-C": "\x03"}


@pytest.fixture
def start(tmp_path):
    sessions = []

    def of(*words, **settings):
        sessions.append(Session(*words, cwd=tmp_path, data=lines(*RECORDS), **settings))
        sessions[-1].wait_for("prompt 0")
        sessions[-1].type("a", "prompt 1")
        sessions[-1].type("b", "prompt 2")
        return sessions[-1]

    yield of
    for session in sessions:
        session.close()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("old", [None, b"old\n"], ids=["no output", "an old output"])
def test_a_pause_finishes_no_output(start, tmp_path, key, old):
    if old:
        (tmp_path / "out").write_bytes(old)
    session = start("-o", "out", "--rejects", "left")
    session.type(KEYS[key])
    _, errors, status = session.end()
    assert status == 130
    (line,) = errors.splitlines()
    assert line.startswith("real: ")
    assert "2 of 10" in line
    assert "out.journal" in line
    assert "run the same command again to go on" in line
    assert names(tmp_path) == (["out", "out.journal"] if old else ["out.journal"])
    assert not old or (tmp_path / "out").read_bytes() == old


def test_a_pause_is_told_in_quiet_too(start, tmp_path):
    session = start("-o", "out", "-q")
    session.type("q")
    _, errors, status = session.end()
    assert status == 130
    assert "run the same command again to go on" in errors


@pytest.mark.parametrize("key", KEYS)
def test_a_pause_in_a_pipe_says_what_was_handed_on(start, key):
    session = start("--journal", "j")
    session.type(KEYS[key])
    result, errors, status = session.end()
    assert (status, len(result)) == (130, 2)
    assert "2 pairs handed on" in errors
    assert "j has every answer" in errors


def test_a_finish_writes_what_is_answered_and_is_done(start, tmp_path):
    session = start("-o", "out", "--rejects", "left")
    session.type("Q")
    _, errors, status = session.end()
    assert status == 0
    assert len((tmp_path / "out").read_bytes().splitlines()) == 2
    assert len((tmp_path / "left").read_bytes().splitlines()) == 8
    assert "2 pairs" in errors
    assert "8 unanswered" in errors
    assert "out.journal" in errors


def test_both_keys_are_on_the_screen_and_in_the_help(start):
    session = start("--journal", "j")
    session.wait_for("q pause", "Q finish")
    session.type("?", "q, Ctrl-C", "Q  ")
    session.type("?")
    session.type("q")
    session.end()


def test_a_closed_terminal_finishes_no_output(start, tmp_path):
    session = start("-o", "out", "--rejects", "left")
    session.hang_up()
    _, errors, status = session.end()
    assert status == 143
    assert "run the same command again to go on" in errors
    assert names(tmp_path) == ["out.journal"]


def test_a_pause_goes_on_with_the_same_command(start, tmp_path):
    session = start("-o", "out")
    session.type("q")
    assert session.end()[2] == 130
    session = Session("-o", "out", cwd=tmp_path, data=lines(*RECORDS))
    try:
        for number in range(2, 10):
            session.wait_for(f"prompt {number}")
            session.type("a")
        assert session.end()[2] == 0
    finally:
        session.close()
    result = [json.loads(line)["id"] for line in (tmp_path / "out").read_bytes().splitlines()]
    assert result == list(range(10))


def test_a_terminated_session_finishes_no_output(start, tmp_path):
    session = start("-o", "out")
    session.process.send_signal(signal.SIGTERM)
    assert session.end()[2] == 143
    assert names(tmp_path) == ["out.journal"]
