"""One place loads models; signals end a run whatever it is doing; nothing asks on standard input."""

import ast
import contextlib
import importlib.util
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest

from tests.attacks.model_folders import ROWS, copied, with_code

PACKAGE = Path(importlib.util.find_spec("real_cli").origin).parent
# Names under which a library loads a model, or a part of one.
LOADING = {"from_pretrained", "SentenceTransformer", "CrossEncoder", "SparseEncoder", "pipeline"}


def calls(path):
    """Name what a file calls, and with which keywords."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            yield name, {word.arg for word in node.keywords}


def test_one_file_loads_models():
    """Whatever its folder is called: `from_pretrained` stands in `loading.py`, always with code refused."""
    files = [path for path in PACKAGE.rglob("*.py") if LOADING & {name for name, _ in calls(path)}]
    assert {path.name for path in files} == {"loading.py"}
    loaders = [words for path in files if path.name == "loading.py" for name, words in calls(path) if name in LOADING]
    # `load_gguf` hands its settings on in one dictionary, and peft's call takes a model that is loaded.
    assert sum("trust_remote_code" in words for words in loaders) == len(loaders) - 3 >= 5


def test_what_a_library_asks_on_standard_input_is_refused(monkeypatch):
    """`input()` and `sys.stdin` show nothing of the records, and the records are still there for us."""
    from real_cli.cli.guard import run_guarded
    from real_cli.io.standard_input import standard_input

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"y\ny\n")))
    seen = []

    def command():
        with pytest.raises(EOFError):
            input("may I? ")
        seen.extend([sys.stdin.read(), standard_input().read()])

    run_guarded(command)
    assert seen == ["", "y\ny\n"]
    assert sys.stdin.read() == ""


@pytest.mark.slow
def test_yes_is_no_consent(launched_real, tiny_policy, tmp_path):
    """A real pipe, from a program that says yes for ever."""
    folder = with_code(copied(tiny_policy, tmp_path / "model"), "config", tmp_path / "ran")
    (tmp_path / "rows.jsonl").write_bytes(orjson.dumps(ROWS[0] | {"chosen": "a"}))
    with subprocess.Popen(["yes"], stdout=subprocess.PIPE) as yes:
        words = ["eval", "margin", "--policy", folder, "-r", tiny_policy, tmp_path / "rows.jsonl"]
        done = subprocess.run([*launched_real, *words], stdin=yes.stdout, capture_output=True, text=True)
        yes.kill()
    assert done.returncode == 1
    assert "wants code of its own to be run" in done.stderr
    assert not (tmp_path / "ran").exists()


# Signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_no_except_takes_a_stop(number, monkeypatch, capsys):
    """A signal inside of what catches `Exception`, as libraries do, and inside a finalizer, ends the run."""
    import typer

    from real_cli.cli.guard import run_guarded

    class Finalized:
        def __del__(self):
            signal.raise_signal(number)

    def swallow():
        with contextlib.suppress(Exception):
            signal.raise_signal(number)

    def forget():
        Finalized()
        time.sleep(5)

    for fault in (swallow, forget):
        with pytest.raises(typer.Exit) as left:
            run_guarded(lambda fault=fault: fault())
        stderr = capsys.readouterr().err
        assert left.value.exit_code == (130 if number == signal.SIGINT else 143)
        assert stderr == ("real: interrupted\n" if number == signal.SIGINT else "real: terminated\n")


def test_a_stop_while_layouts_are_probed_is_no_refused_mask(tiny_policy, monkeypatch):
    """SIGTERM in the middle of the two layouts' comparison."""
    from tests.train.training import run

    module = sys.modules.get("real_cli.models.score.probe") or importlib.import_module("real_cli.models.score.probe")
    monkeypatch.setattr(module, "group_logps", lambda *_: signal.raise_signal(signal.SIGTERM))
    _, messages = run("eval", "margin", "--policy", tiny_policy, "-r", tiny_policy, rows=ROWS, status=143)
    assert messages == "real: terminated\n"


def test_nohup_is_obeyed(capsys):
    """What whoever started the run has it ignore stays ignored."""
    from real_cli.cli.guard import run_guarded

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        run_guarded(lambda: signal.raise_signal(signal.SIGHUP))
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)])
def test_a_signal_while_exiting_shows_no_traceback(number, status):
    """After the command is done, while the interpreter ends."""
    code = (
        "import atexit, os, signal, sys\n"
        f"atexit.register(lambda: os.kill(os.getpid(), {int(number)}))\n"
        "sys.argv = ['real', '--version']\n"
        "from real_cli.app import main\n"
        "main()\n"
    )
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == status
    assert done.stdout.startswith("real ")
    assert "Traceback" not in done.stderr
