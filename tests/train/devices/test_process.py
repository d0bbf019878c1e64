"""How processes of a run begin and end: what the environment says, and what a stop makes of them."""

import signal
import subprocess
import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch  # noqa: F401 - a module that is half imported takes the place of a part of it
import typer

from real_cli.errors import RealError, Status, Terminated, UsageError
from real_cli.train.devices import process
from real_cli.train.devices.launch import _catches_stops, _status
from real_cli.train.world import ALONE, World, this_world

RUN = {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}


@pytest.fixture
def launched(monkeypatch):
    """Set what a launcher would."""

    def launch(**environment):
        for name, value in (RUN | environment).items():
            monkeypatch.setenv(name, value)

    return launch


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        ({"RANK": "x"}, "RANK is 'x'; a number is needed"),
        ({"WORLD_SIZE": "-2"}, "WORLD_SIZE is '-2'; a number is needed"),
        ({"LOCAL_RANK": ""}, "LOCAL_RANK is ''; a number is needed"),
        ({"RANK": "2"}, "RANK is 2 of a WORLD_SIZE of 2; ranks begin at 0"),
    ],
)
def test_an_environment_of_no_launcher_is_named(environment, problem, launched):
    launched(**environment)
    with pytest.raises(UsageError, match=problem):
        this_world()


def test_a_rank_that_was_left_behind_is_no_launcher(launched, monkeypatch):
    launched()
    assert this_world() == World(1, 1, 2, 2)
    monkeypatch.delenv("WORLD_SIZE")
    assert this_world() == ALONE


@pytest.mark.parametrize("port", ["x", "0", "65536", ""])
def test_a_port_that_is_none_is_named(port, launched):
    launched(MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
    with pytest.raises(UsageError, match=f"MASTER_PORT is '{port}'; a port from 1 to 65535 is needed"):
        process.run_process(lambda: pytest.fail("runs"), World(1, 1, 2, 2))


def test_a_stop_while_torch_is_imported_ends_a_process_at_once(launched, monkeypatch):
    """An exception would leave torch half imported, which crashes; the handlers of a run come after."""
    launched(TORCHELASTIC_RUN_ID="real-1-a", MASTER_ADDR="127.0.0.1", MASTER_PORT="1")
    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    seen = []
    monkeypatch.setattr(process, "object_group", lambda: seen.append(signal.getsignal(signal.SIGINT)))
    process._join()
    assert seen == [signal.SIG_DFL]
    assert {number: signal.getsignal(number) for number in usual} == usual


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), Terminated()])
def test_a_stop_needs_nothing_of_a_torch_that_is_half_imported(stop, launched, monkeypatch):
    launched()
    monkeypatch.setitem(sys.modules, "torch.distributed", ModuleType("torch.distributed"))
    monkeypatch.setattr("torch.distributed", ModuleType("torch.distributed"), raising=False)
    assert process._last_word(stop, None) is stop
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "real-1-a")
    quiet = process._last_word(stop, None)
    assert isinstance(quiet, typer.Exit)
    assert quiet.exit_code == process.LOST


def test_a_process_whose_starter_is_dead_already_stops(launched, monkeypatch):
    def is_gone(number, signum):
        raise ProcessLookupError

    launched(TORCHELASTIC_RUN_ID="real-4242-a")
    monkeypatch.setattr(process.ctypes, "CDLL", lambda name: SimpleNamespace(prctl=lambda *words: 0))
    monkeypatch.setattr(process.os, "kill", is_gone)
    with pytest.raises(typer.Exit) as left:
        process._stop_with_parent()
    assert left.value.exit_code == Status.terminated


def test_a_process_that_starts_catches_no_stop_yet():
    """Python itself catches SIGINT from its start on, and would show a traceback."""
    starting = "import sys; print(1, flush=True); sys.stdin.read()"
    handling = f"import signal; signal.signal(signal.SIGTERM, lambda *_: None); {starting}"
    for program, catches in ((starting, False), (handling, True)):
        with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert child.stdout.readline() == b"1\n"
            assert _catches_stops(child.pid) == catches
            child.stdin.close()


@pytest.mark.parametrize(("signum", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)])
def test_a_process_that_was_killed_for_a_stop_is_told_as_the_stop(signum, error):
    failures = {0: SimpleNamespace(exitcode=-signal.SIGKILL)}
    with pytest.raises(error):
        _status(failures, 2, [signum])
    with pytest.raises(error):
        _status({1: SimpleNamespace(exitcode=process.LOST)}, 2, [signum])
    with pytest.raises(RealError, match="process 1 of 2 was ended by SIGKILL"):
        _status(failures, 2)
