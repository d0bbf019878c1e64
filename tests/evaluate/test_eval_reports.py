"""Summary and report of an evaluation appear together or not at all."""

import os
import pty
import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from real_cli.app import app
from real_cli.errors import RealError

PAIR = (
    '{"prompt": "p", "chosen": "a", "rejected": "b", "score_chosen": 2, "score_rejected": 1, '
    '"model_chosen": "new", "model_rejected": "old"}\n'
)


@pytest.mark.parametrize("name", ["labels", "pairs", "judge", "reward", "winrate"])
def test_a_report_that_fails_leaves_no_summary(tmp_path, monkeypatch, name):
    """The disk was full: -o was written already, and make would have taken the step for done."""

    def fail(path, report):
        raise RealError(f"{path}: no space left")

    monkeypatch.setattr("real_cli.report.html.write_report", fail)
    output = tmp_path / "summary.json"
    words = ["eval", name, "-o", str(output), "--report", str(tmp_path / "r.html")]
    result = CliRunner().invoke(app, words, input=PAIR, prog_name="real")
    assert (result.exit_code, result.stderr) == (1, f"real: {tmp_path / 'r.html'}: no space left\n")
    assert not output.exists()


@pytest.mark.parametrize("name", ["labels", "pairs", "judge", "reward", "winrate"])
@pytest.mark.parametrize("words", [["-o", "summary.json"], ["--json"], []])
def test_tables_stand_on_standard_output_alone(tmp_path, name, words):
    """Standard error is a terminal, standard output a file: there is a line on the one, JSON on the other."""
    main, end = pty.openpty()
    with open(tmp_path / "out", "wb") as out:
        command = [sys.executable, "-m", "real_cli", "eval", name, *words]
        source = PAIR.replace('"a"', '"aa", "gold_chosen": 1, "gold_rejected": 0')
        done = subprocess.run(command, input=source.encode(), stdout=out, stderr=end, cwd=tmp_path, check=False)
    os.close(end)
    shown = b""
    while True:
        try:
            part = os.read(main, 65536)
        except OSError:  # Linux: the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(main)
    assert done.returncode == 0, shown
    written = (tmp_path / ("summary.json" if "-o" in words else "out")).read_text()
    assert written.startswith("{")
    lines = [line for line in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode()).splitlines() if line.strip()]
    assert [line for line in lines if not line.startswith(("real: ", f"eval {name} "))] == []
    assert any(line.startswith("real: ") for line in lines)
