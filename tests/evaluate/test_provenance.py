"""The foot of a report: what it was made from, without secrets, and the same again where a date is given."""

import hashlib
import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from real_cli import __version__
from real_cli.app import app
from real_cli.text.secrets import mask_secrets

PAIR = {"prompt": "p", "chosen": "aa", "rejected": "b", "score_chosen": 2, "score_rejected": 1}


@pytest.fixture
def foot(monkeypatch):
    """Run a command in this process; returns the facts of its report."""
    reports = []
    monkeypatch.setattr("real_cli.report.html.write_report", lambda path, report: reports.append(report))

    def run(*words, input=None, status=0):
        result = CliRunner().invoke(app, ["eval", *map(str, words)], input=input, prog_name="real")
        assert result.exit_code == status, result.output
        return list(reports.pop().facts) if reports else result.stderr

    return run


def write(path, count):
    path.write_text("".join(json.dumps(PAIR | {"prompt": f"p{number}"}) + "\n" for number in range(count)))
    return path


def test_it_names_command_options_files_and_machine(foot, tmp_path):
    pairs, other = write(tmp_path / "pairs.jsonl", 3), write(tmp_path / "other.jsonl", 2)
    facts = foot("pairs", pairs, other, "--seed", "7", "--report", tmp_path / "r.html")
    named = dict(facts)
    assert named["command"] == f"real eval pairs --report {tmp_path / 'r.html'} --seed 7 {pairs} {other}"
    assert "--seed 7" in named["options"]
    assert "--on-error fail" in named["options"]
    assert f"real-cli {__version__}" in named["version"]
    assert "CPU" in named["machine"]
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (pairs, other)]
    assert [value for name, value in facts if name == "data"] == [
        f"{pairs}: 3 records, sha256 {digests[0]}",
        f"{other}: 2 records, sha256 {digests[1]}",
    ]


def test_a_pipe_is_hashed_as_it_is_read(tmp_path):
    """Three records through a pipe, and from a file: there the file's own hash, though nobody named it."""
    pairs = write(tmp_path / "pairs.jsonl", 3)
    real = [Path(sys.executable).parent / "real", "eval", "pairs", "-q", "--report", tmp_path / "r.html"]
    subprocess.run(real, input=pairs.read_bytes(), check=True, stdout=subprocess.DEVNULL)
    piped = (tmp_path / "r.html").read_text()
    assert "standard input: 3 records, sha256 of the records as read " in piped
    with pairs.open("rb") as stream:
        subprocess.run(real, stdin=stream, check=True, stdout=subprocess.DEVNULL)
    digest = hashlib.sha256(pairs.read_bytes()).hexdigest()
    assert f"standard input: 3 records, sha256 {digest}" in (tmp_path / "r.html").read_text()


def test_the_date_can_be_given_and_then_reports_are_the_same(tmp_path, monkeypatch):
    pairs, path = write(tmp_path / "pairs.jsonl", 3), tmp_path / "r.html"
    pages = []
    for epoch in ("86400", "86400", "0"):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
        CliRunner().invoke(app, ["eval", "pairs", "--report", str(path), str(pairs)], catch_exceptions=False)
        pages.append(path.read_text())
    assert pages[0] == pages[1] != pages[2]
    assert "1970-01-02 00:00:00 UTC" in pages[0]


def test_without_it_the_date_is_now(foot, tmp_path, monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    facts = dict(foot("pairs", write(tmp_path / "pairs.jsonl", 1), "--report", tmp_path / "r.html"))
    moment = datetime.strptime(facts["date"], "%Y-%m-%d %H:%M:%S UTC")
    assert moment.year >= 2024


def test_a_date_that_is_none_is_refused_before_the_work(foot, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    message = foot("pairs", write(tmp_path / "pairs.jsonl", 1), "--report", tmp_path / "r.html", status=2)
    assert message == ("real: SOURCE_DATE_EPOCH yesterday: give whole seconds since 1970, or leave it out\n")


def test_secrets_of_the_environment_do_not_stand_in_a_report(foot, tmp_path, monkeypatch):
    monkeypatch.setenv("REAL_API_KEY", "correct-horse-battery")
    folder = tmp_path / "correct-horse-battery"
    folder.mkdir()
    pairs = write(folder / "pairs.jsonl", 1)
    facts = foot("pairs", pairs, "--against", pairs, "--report", tmp_path / "r.html")
    assert len([value for _, value in facts if "***" in value]) >= 3
    assert not [value for _, value in facts if "correct-horse" in value]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["--api-key", "x", "a"], ["--api-key", "***", "a"]),
        (["--hub-token=x"], ["--hub-token=***"]),
        (["--key", "--seed", "1"], ["--key", "--seed", "1"]),
        (["--tokens", "128", "--keep", "35%"], ["--tokens", "128", "--keep", "35%"]),
        (["s3://id:secret@bucket/a.jsonl"], ["s3://***@bucket/a.jsonl"]),
        (["https://host/a?X-Sig=abc&b=c"], ["https://host/a?X-Sig=***&b=***"]),
        (["is it ok?a=b"], ["is it ok?a=b"]),
        (["pre-hf_abcdefghijklmnopqrst"], ["pre-***"]),
        (["sk-proj-abcdefghijklmnopqrst"], ["***"]),
        (["task-a_long_name_of_a_folder"], ["task-a_long_name_of_a_folder"]),
    ],
)
def test_what_is_secret_in_a_command_is_hidden(words, shown):
    assert mask_secrets(words) == shown


def test_models_are_named_with_the_hash_of_their_weights_and_manifest(tmp_path):
    from real_cli.evaluate.provenance import _describe_model

    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    weights = hashlib.sha256(b"weights").hexdigest()
    assert _describe_model(str(folder)) == f"weights sha256 {weights}"
    (folder / "real.json").write_bytes(b"{}")
    manifest = hashlib.sha256(b"{}").hexdigest()
    assert _describe_model(str(folder)) == f"real.json sha256 {manifest}, weights sha256 {weights}"
    (folder / "more.safetensors").write_bytes(b"more")
    assert "weights sha256 of 2 files' hashes " in _describe_model(str(folder))
    assert _describe_model("someone/something") == "from the hub"
