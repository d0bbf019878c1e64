"""Questions and progress on one terminal: who asks silences the others, and a lock dies with its holder."""

import fcntl
import os
import subprocess
import sys
import termios
from contextlib import contextmanager

import pytest

from real_cli.io import terminal_lock

ASK = """
import sys
from real_cli.io.terminal_lock import terminal_question
with terminal_question():
    print("asked", flush=True)
    sys.stdin.readline()
"""
LOOK = "from real_cli.io.terminal_lock import is_terminal_asked; print(is_terminal_asked())"
TURN = """
import sys
from real_cli.io.terminal_lock import DrawingTurn
turn = DrawingTurn(is_last=sys.argv[1] == "last")
for line in sys.stdin:
    if line == "end\\n":
        turn.end()
    print(turn.is_ours(waits=line == "waits\\n"), flush=True)
"""


@contextmanager
def terminal():
    """A pseudo-terminal."""
    master, slave = os.openpty()
    try:
        yield slave
    finally:
        os.close(master)
        os.close(slave)


@contextmanager
def python(code, *words, device, leads=False):
    """A Python at a terminal: standard error is on it; as its leader it has it for its controlling terminal."""
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", code, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=device,
        text=True,
        start_new_session=True,
        preexec_fn=(lambda: fcntl.ioctl(device, termios.TIOCSCTTY, 0)) if leads else None,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def look(device):
    """Whether a process at the terminal sees a question."""
    with python(LOOK, device=device) as process:
        return process.stdout.readline().strip()


def ask(process, line):
    """Write a line to a process and read its answer."""
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def test_a_question_is_seen_by_others_on_its_terminal_until_it_is_answered():
    with terminal() as device, python(ASK, device=device, leads=True) as asker:
        assert asker.stdout.readline() == "asked\n"
        assert look(device) == "True"
        asker.stdin.write("\n")
        asker.stdin.flush()
        asker.wait(10)
        assert look(device) == "False"


def test_a_question_on_another_terminal_silences_nobody():
    with terminal() as device, terminal() as other, python(ASK, device=device, leads=True) as asker:
        assert asker.stdout.readline() == "asked\n"
        assert look(other) == "False"


def test_an_asker_that_is_killed_asks_no_more():
    with terminal() as device, python(ASK, device=device, leads=True) as asker:
        assert asker.stdout.readline() == "asked\n"
        assert look(device) == "True"
        asker.kill()
        asker.wait(10)
        assert look(device) == "False"


def test_without_a_terminal_a_question_is_asked_all_the_same():
    with terminal() as device, python(ASK, device=subprocess.DEVNULL) as asker:
        assert asker.stdout.readline() == "asked\n"
        assert look(device) == "False"


def test_the_first_draws_until_the_last_of_the_pipe_wants_to():
    with (
        terminal() as device,
        python(TURN, "first", device=device) as first,
        python(TURN, "second", device=device) as second,
        python(TURN, "last", device=device) as last,
    ):
        assert ask(first, "?") == "True"
        assert ask(second, "?") == "False"
        assert ask(last, "?") == "False"  # the first has not noticed yet
        assert ask(first, "?") == "False"
        assert ask(second, "?") == "False"
        assert ask(last, "?") == "True"
        last.kill()
        last.wait(10)
        assert ask(second, "?") == "True"


def test_who_waits_gives_the_turn_to_who_works_and_takes_it_back():
    with (
        terminal() as device,
        python(TURN, "first", device=device) as first,
        python(TURN, "second", device=device) as second,
        python(TURN, "last", device=device) as last,
    ):
        assert ask(last, "waits") == "True"
        assert ask(first, "works") == "False"  # the last has not noticed yet
        assert ask(last, "waits") == "False"
        assert ask(second, "waits") == "False"
        assert ask(first, "works") == "True"
        assert ask(second, "works") == "False"
        assert ask(last, "waits") == "False"
        ask(last, "works")
        assert ask(first, "works") == "False"
        assert ask(last, "works") == "True"
        ask(last, "waits")
        ask(second, "works")
        assert ask(last, "waits") == "False"
        assert ask(second, "works") == "True"


def test_where_all_wait_the_last_draws():
    with (
        terminal() as device,
        python(TURN, "first", device=device) as first,
        python(TURN, "last", device=device) as last,
    ):
        assert ask(first, "waits") == "True"
        ask(last, "waits")
        assert ask(first, "waits") == "False"
        assert ask(last, "waits") == "True"


def test_nobody_draws_while_a_question_stands():
    with (
        terminal() as device,
        python(TURN, "last", device=device) as last,
        python(ASK, device=device, leads=True) as asker,
    ):
        assert asker.stdout.readline() == "asked\n"
        assert ask(last, "?") == "False"
        asker.kill()
        asker.wait(10)
        assert ask(last, "?") == "True"


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Two folders where locks may be kept instead of the system's."""
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        folder.mkdir()
    monkeypatch.setattr(terminal_lock, "PLACES", [str(folder) for folder in folders])
    return [folder / f"real-terminals-{os.geteuid()}" for folder in folders]


def open_lock():
    with terminal() as device:
        os.close(terminal_lock.open_terminal_lock(device, "asked"))


def test_the_folder_of_locks_is_private(places):
    open_lock()
    assert places[0].stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in places[0].iterdir()] == [0o600]


def test_a_folder_that_others_may_enter_is_not_used(places):
    places[0].mkdir()
    places[0].chmod(0o755)
    open_lock()
    assert not list(places[0].iterdir())
    assert len(list(places[1].iterdir())) == 1


def test_no_link_is_followed(places, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    places[0].symlink_to(elsewhere)
    open_lock()
    assert not list(elsewhere.iterdir())
    lock = next(places[1].iterdir())
    lock.unlink()
    lock.symlink_to(tmp_path / "victim")
    with pytest.raises(OSError, match="symbolic links"):
        open_lock()
    assert not (tmp_path / "victim").exists()


def test_where_no_folder_can_be_made_nothing_is_locked_and_nothing_fails(monkeypatch):
    monkeypatch.setattr(terminal_lock, "PLACES", ["/dev/null"])
    with terminal_lock.terminal_question():
        assert not terminal_lock.is_terminal_asked()
    assert terminal_lock.DrawingTurn(is_last=False).is_ours()
