"""However a session stops, one line says how many pairs are answered, where they are kept, and how to go on."""

import fcntl
import json
import os
import signal
import sys
import termios

import pytest

from real_cli.errors import RealError
from real_cli.io.terminal_lock import open_terminal_lock
from real_cli.relabel.human.screen import Terminal
from tests.relabel.human.terminals import Session

RECORDS = [
    {"prompt": f"prompt {number}", "responses": [{"text": f"first {number}"}, {"text": f"second {number}"}]}
    for number in range(3)
]
SIGNALS = {
    signal.SIGTERM: ("terminated", 143),
    signal.SIGHUP: ("the terminal was closed", 143),
    signal.SIGINT: ("interrupted", 130),
}
GOES_ON = "j has every answer; run the same command again to go on"


def lines(*records):
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


@pytest.fixture
def start(tmp_path):
    sessions = []

    def of(*words, **settings):
        sessions.append(Session("--journal", "j", *words, cwd=tmp_path, **settings))
        return sessions[-1]

    yield of
    for session in sessions:
        session.close()


def send(session, *records):
    session.process.stdin.write(lines(*records))
    session.process.stdin.flush()


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("keys", ["", "n", "nhalf a note", "?"], ids=["question", "empty note", "note", "help"])
def test_a_signal_at_any_moment_of_a_question_tells_what_is_answered(start, tmp_path, number, keys):
    session = start("-o", "out", data=lines(*RECORDS))
    session.wait_for("prompt 0")
    session.type("a", "prompt 1")
    session.type("t", "prompt 2")
    session.type(keys, {"": "prompt", "n": "note", "?": "Keys"}[keys[:1]])
    session.process.send_signal(number)
    _, errors, status = session.end()
    cause, wanted = SIGNALS[number]
    assert (status, errors) == (wanted, f"real: {cause}, 2 of 3 answered: 1 pair, 1 tie; {GOES_ON}\n")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_while_the_pipe_is_silent_tells_what_is_answered(start, number):
    session = start()
    send(session, RECORDS[0])
    session.wait_for("prompt 0")
    session.type("a", "waiting for the next pair")
    session.process.send_signal(number)
    labeled, errors, status = session.end()
    cause, wanted = SIGNALS[number]
    assert (status, len(labeled)) == (wanted, 1)
    handed_on = "1 pair handed on, unless the next command was stopped too"
    assert errors == f"real: {cause}, 1 of at least 1 answered: {handed_on}; {GOES_ON}\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_before_the_first_question_tells_what_the_journal_answered(start, number):
    session = start(data=lines(*RECORDS[:2]))
    session.wait_for("prompt 0")
    session.type("a", "prompt 1")
    session.type("b")
    session.end()
    session = start("-o", "out")
    send(session, *RECORDS[:2])
    session.read(2)
    session.process.send_signal(number)
    _, errors, status = session.end()
    cause, wanted = SIGNALS[number]
    assert (status, errors) == (wanted, f"real: {cause}, 2 of at least 2 answered: 2 pairs; {GOES_ON}\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_stop_that_ends_the_whole_pipe_is_told_too(start, number):
    session = start(data=lines(*RECORDS))
    session.wait_for("prompt 0")
    session.type("a", "prompt 1")
    session.process.stdout.close()
    session.process.send_signal(number)
    _, errors, status = session.end()
    cause = SIGNALS[number][0]
    notes = f"real: {cause}, 1 of 3 answered; the next command of the pipe is gone: {GOES_ON}\n"
    assert (status, errors) == (143, notes)


def test_a_quit_from_the_keyboard_restores_the_terminal(start):
    session = start("-o", "out", data=lines(*RECORDS))
    session.wait_for("prompt 0")
    session.type("\x1c")
    _, errors, status = session.end()
    assert (status, errors) == (130, f"real: interrupted, 0 of 3 answered: 0 pairs; {GOES_ON}\n")
    assert termios.tcgetattr(session.slave) == session.settings


def test_a_quick_stop_asks_nothing_and_says_so(start):
    session = start("-o", "out")
    session.read(2)
    session.process.send_signal(signal.SIGTERM)
    _, errors, status = session.end()
    assert (status, errors) == (143, f"real: terminated, nothing asked: 0 pairs; {GOES_ON}\n")


@pytest.mark.parametrize(
    ("words", "models", "shell_end", "expected"),
    [
        ("-o out.jsonl", (), "", "next: real train-dpo --policy MODEL -o FOLDER out.jsonl"),
        ("-o 'my pairs'", (), "", "next: real train-dpo --policy MODEL -o FOLDER 'my pairs'"),
        ("", (), "> out.jsonl", "next: real train-dpo --policy MODEL -o FOLDER FILE"),
        ("-o out.jsonl --ties keep", ("base", "mine"), "", "next: real eval winrate out.jsonl"),
        ("-o out.jsonl --ties keep", ("base", "base"), "", "next: real train-dpo --policy MODEL -o FOLDER out.jsonl"),
        ("", (), "| cat > out.jsonl", ""),
    ],
)
def test_the_last_line_tells_what_was_answered_where_it_is_and_what_comes_next(
    start, tmp_path, words, models, shell_end, expected
):
    records = [dict(record) for record in RECORDS]
    for record in records if models else []:
        record["responses"] = [
            response | {"model": model} for response, model in zip(record["responses"], models, strict=True)
        ]
    (tmp_path / "in").write_bytes(lines(*records))
    shell = f"{sys.executable} -m real_cli relabel human --journal j {words} in {shell_end}"
    session = start(program=["bash", "--norc", "-c", shell])
    for number, key in enumerate("ats"):
        session.wait_for(f"prompt {number}", f"{number} of 3")
        session.type(key)
    _, errors, status = session.end()
    assert status == 0
    (line,) = errors.splitlines()
    kept = ", 1 tie" if "keep" in words else ""
    assert line.startswith(f"real: 3 of 3 answered: 1 pair{kept}; j has every answer; ")
    assert expected in line
    assert ("next: " in line) == bool(expected)
    assert line.endswith("left out: 1 skipped" if "keep" in words else "left out: 1 skipped, 1 tie")


def is_asked(session):
    """Whether a question stands on the session's terminal, as other commands on it see."""
    descriptor = open_terminal_lock(session.slave, "asked")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def test_other_commands_are_silent_while_a_question_stands_and_may_speak_while_the_pipe_is_awaited(start):
    session = start()
    send(session, RECORDS[0])
    session.wait_for("prompt 0")
    assert is_asked(session)
    session.type("a", "real: waiting for the next pair from the pipe: u back, q pause, Q finish")
    assert not is_asked(session)
    assert session.raw.count(b"\x1b[?1049l") == 1
    session.type("u", "prompt 0", "your answer")
    assert is_asked(session)
    session.type("a")
    send(session, RECORDS[1])
    session.wait_for("prompt 1")
    assert is_asked(session)
    session.process.stdin.close()
    session.type("b")
    assert session.end()[2] == 0
    assert not is_asked(session)


def test_a_stopped_session_lets_others_speak(start, tmp_path):
    """A shell with job control stands between, or the kernel would not stop the run."""
    (tmp_path / "in").write_bytes(lines(*RECORDS))
    first = f"{sys.executable} -m real_cli relabel human --journal j in > out"
    shell = f"{first}; echo stopped > /dev/tty; read go < /dev/tty; fg %1 > /dev/null"
    session = start(program=["bash", "--norc", "-i", "-c", shell])
    session.wait_for("prompt 0")
    session.type("\x1a", "stopped")
    assert not is_asked(session)
    session.screen.reset()
    session.type("\r", "prompt 0")
    assert is_asked(session)
    session.type("q")
    session.end()


def test_a_terminal_that_draws_nothing_is_not_asked_on(monkeypatch):
    """TERM=dumb, of an editor's shell say: escape sequences would stand there as text."""
    monkeypatch.setenv("TERM", "dumb")
    with pytest.raises(RealError, match=r"TERM=dumb.*--export"), Terminal():
        pass
