"""Every part of a trace of every shape as every JSON type: it is read, or refused in a line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from real_cli.app import app
from tests.attacks.layout_rows import variations

CASES = Path(__file__).parents[2] / "cases" / "relabel-feedback"
NAMES = (
    "a-mapping-with-regenerations",
    "a-history-with-thumbs-and-an-edit",
    "feedback-with-a-snapshot-is-of-its-message-alone",
    "messages-with-parents",
    "a-list-of-messages",
    "inputs-and-outputs",
)


@pytest.mark.parametrize("name", NAMES)
def test_no_field_of_another_type_ends_a_run(name, tmp_path):
    traces = [json.loads(line) for line in (CASES / name / "stdin").read_text().splitlines()]
    strange = [row for trace in traces for row in variations(trace)]
    words = ["--on-error", "skip", "--copies", "--rejects", str(tmp_path / "rejects")]
    data = "".join(f"{json.dumps(row)}\n" for row in strange)
    result = CliRunner().invoke(app, ["relabel", "feedback", *words], input=data, prog_name="real")
    assert result.exit_code == 3
    rejects = [json.loads(line) for line in (tmp_path / "rejects").read_text().splitlines()]
    assert 0 < len(rejects) < len(strange)
    assert [
        row["reason"] for row in rejects if not 0 < len(row["reason"]) < 400 or not row["reason"].isprintable()
    ] == []
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert rows
    sides = [row[name] for row in rows for name in ("prompt", "chosen", "rejected", "completion") if name in row]
    texts = [message["content"] for side in sides for message in side]
    assert {type(text) for text in texts} == {str}
