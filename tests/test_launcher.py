"""The launcher: a command that it forks is like one that is started, to whoever starts it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.launcher import warm_real

pytestmark = pytest.mark.slow
REAL = str(Path(sys.executable).parent / "real")
LINE = b'{"prompt": "p", "chosen": "c", "rejected": "r", "score_chosen": 2, "score_rejected": 1}\n'


def both(launched, words, **how):
    """Run a command as a process of its own and through the launcher."""
    return [subprocess.run([*start, *words], capture_output=True, **how) for start in ([REAL], launched)]


@pytest.mark.parametrize(
    "words", [["--version"], ["pair", "--help"], ["nope"], ["pair", "not-there.jsonl"], ["pair"], ["pair", "-s", "all"]]
)
def test_streams_and_status_are_those_of_a_process(launched_real, words):
    """Help, a wrong word, a missing file, records on standard input."""
    started, launched = both(launched_real, words, input=LINE)
    assert (launched.returncode, launched.stdout, launched.stderr) == (
        started.returncode,
        started.stdout,
        started.stderr,
    )


def test_it_runs_in_the_folder_and_environment_of_its_client(launched_real, tmp_path):
    """A relative path, and a variable that only this client has."""
    (tmp_path / "a.jsonl").write_bytes(LINE)
    started, launched = both(
        launched_real, ["pair", "--help"], cwd=tmp_path, env=os.environ | {"COLUMNS": "60", "TERMINAL_WIDTH": "60"}
    )
    assert launched.stdout == started.stdout
    subprocess.run([*launched_real, "pair", "-s", "all", "a.jsonl", "-o", "b.jsonl", "-q"], cwd=tmp_path, check=True)
    assert (tmp_path / "b.jsonl").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_client_ends_the_command(launched_real, number):
    """With the status that the command has for it; standard input stays open all the while."""
    statuses = []
    for start in ([REAL], launched_real):
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        process = subprocess.Popen([*start, "pair", "-s", "all"], **pipes)
        process.stdin.write(LINE)
        process.stdin.flush()
        process.stdout.readline()  # it runs
        process.send_signal(number)
        statuses.append((process.wait(30), process.stderr.read()))
        process.stdin.close()
        process.stdout.close()
        process.stderr.close()
    assert statuses[0] == statuses[1]
    assert statuses[0][0] in (130, 143)


def test_a_killed_client_takes_its_command_with_it(launched_real, tmp_path):
    """Nothing is left that waits for input."""
    read, write = os.pipe()
    process = subprocess.Popen([*launched_real, "pair"], stdin=read, stdout=subprocess.DEVNULL)
    os.close(read)
    time.sleep(1)
    process.kill()
    process.wait()
    deadline = time.monotonic() + 30
    with pytest.raises(BrokenPipeError):  # the command was the last to hold the other end
        while time.monotonic() < deadline:
            os.write(write, b"\n")
            time.sleep(0.05)
    os.close(write)


def test_commands_run_side_by_side(launched_real):
    """A pipe of two: the first is not done before the second has begun."""
    first = subprocess.Popen([*launched_real, "pair", "-s", "all", "-q"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    second = subprocess.Popen([*launched_real, "pair", "-s", "all", "-q"], stdin=first.stdout, stdout=subprocess.PIPE)
    first.stdout.close()
    first.stdin.write(LINE)
    first.stdin.close()
    result = second.communicate(timeout=60)[0]
    assert (first.wait(), second.wait()) == (0, 0)
    assert b'"chosen":"c"' in result


def test_the_server_ends_with_the_context():
    """And what asks it then is told."""
    with warm_real() as words:
        pass
    done = subprocess.run([*words, "--version"], capture_output=True, text=True)
    assert done.returncode != 0
    assert not Path(words[-1]).exists()
