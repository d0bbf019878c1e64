"""Summary and report of an evaluation appear together or not at all."""

import pytest
from typer.testing import CliRunner

from real_cli.app import app
from real_cli.errors import RealError

PAIR = (
    '{"prompt": "p", "chosen": "a", "rejected": "b", "score_chosen": 2, "score_rejected": 1, '
    '"model_chosen": "new", "model_rejected": "old"}\n'
)


@pytest.mark.parametrize("name", ["labels", "pairs", "winrate"])
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
