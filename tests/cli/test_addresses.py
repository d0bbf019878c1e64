"""Names that are addresses of an object store: each command says what to do, before it opens anything."""

import os

import pytest
from typer.testing import CliRunner

from real_cli.app import app
from real_cli.errors import UsageError
from real_cli.io.job import RecordReader

READ = "is an address, and files are read; "
WRITTEN = "is an address, and files are written; "
HERE = "name a file here, and copy it once it is whole: aws s3 cp FILE s3://b/x"
FOLDER = "name a folder here, and copy it once it is whole"
MODEL = "copy the model's folder here first, and name that"
LINES = {
    "pair s3://b/x.jsonl.gz": f"s3://b/x.jsonl.gz: {READ}pipe it in: aws s3 cp s3://b/x.jsonl.gz - | real ...",
    "pair gs://b/x.csv": f"gs://b/x.csv: {READ}pipe it in: gsutil cat gs://b/x.csv | real ... --format csv",
    "pair http://h/x.jsonl": f"http://h/x.jsonl: {READ}pipe it in: curl -fsSL http://h/x.jsonl | real ...",
    "pair https://h/x.parquet": f"https://h/x.parquet: {READ}copy it here first: curl -fL -o x.parquet https://h/x.parquet",
    "pair s3://b/d/x.parquet": f"s3://b/d/x.parquet: {READ}copy it here first: aws s3 cp s3://b/d/x.parquet x.parquet",
    "pair hf://datasets/a/b/x.parquet": f"hf://datasets/a/b/x.parquet: {READ}a data set of the hub is named hf:a/b",
    "pair https://huggingface.co/datasets/a/b": f"https://huggingface.co/datasets/a/b: {READ}a data set of the hub is "
    "named hf:a/b",
    "pair file:///d/x.jsonl": f"file:///d/x.jsonl: {READ}give its path: /d/x.jsonl",
    "pair az://b/x.jsonl": f"az://b/x.jsonl: {READ}copy it to a file here first",
    "pair https://h/x?a=1&b=2": f"https://h/x?a=1&b=2: {READ}pipe it in: curl -fsSL 'https://h/x?a=1&b=2' | real ...",
    "pair -o s3://b/x": f"--output s3://b/x: {WRITTEN}{HERE}",
    "pair -o az://b/x": f"--output az://b/x: {WRITTEN}name a file here, and copy it once it is whole, with its own "
    "client",
    "pair -o hf://datasets/a/b/x": f"--output hf://datasets/a/b/x: {WRITTEN}name a file here, and copy it once it is "
    "whole, with its own client",
    "split --heldout hf://datasets/a/b/x": f"--heldout hf://datasets/a/b/x: {READ}copy it to a file here first",
    "embed -m az://b/x": f"--model az://b/x: {READ}{MODEL}",
    "train-dpo -p a -o az://b/x": f"--output az://b/x: {WRITTEN}{FOLDER}, with its own client",
    "pair --rejects s3://b/x": f"--rejects s3://b/x: {WRITTEN}{HERE}",
    "pair --keep 1 --keys-to s3://b/x": f"--keys-to s3://b/x: {WRITTEN}{HERE}",
    "pair --keep 1 --keys-from s3://b/x": f"--keys-from s3://b/x: {READ}copy it here first: aws s3 cp s3://b/x x",
    "merge s3://b/x": f"s3://b/x: {READ}pipe it in: aws s3 cp s3://b/x - | real ...",
    "split --heldout s3://b/x": f"--heldout s3://b/x: {READ}copy it here first: aws s3 cp s3://b/x x",
    "eval pairs --against s3://b/x": f"--against s3://b/x: {READ}copy it here first: aws s3 cp s3://b/x x",
    "eval pairs --report s3://b/x": f"--report s3://b/x: {WRITTEN}{HERE}",
    "eval margin -p s3://b/x": f"--policy s3://b/x: {READ}{MODEL}",
    "eval margin -p a --rows s3://b/x": f"--rows s3://b/x: {WRITTEN}{HERE}",
    "embed -m s3://b/x": f"--model s3://b/x: {READ}{MODEL}",
    "embed -m https://huggingface.co/a/b": f"--model https://huggingface.co/a/b: {READ}a model of the hub is named a/b",
    "embed --resume s3://b/x": f"--resume s3://b/x: {WRITTEN}{HERE}",
    "sample -p s3://b/x": f"--policy s3://b/x: {READ}{MODEL}",
    "sample -p a --system @s3://b/x": f"--system s3://b/x: {READ}copy it here first: aws s3 cp s3://b/x x",
    "sample -p a --principles s3://b/x": f"--principles s3://b/x: {READ}copy it here first: aws s3 cp s3://b/x x",
    "relabel human --import s3://b/x": f"--import s3://b/x: {READ}copy it here first: aws s3 cp s3://b/x x",
    "relabel human --journal s3://b/x": f"--journal s3://b/x: {WRITTEN}{HERE}",
    "relabel judge -m a --rubric s3://b/x": f"--rubric s3://b/x: {READ}copy it here first: aws s3 cp s3://b/x x",
    "relabel judge -m a --emit-requests s3://b/x": f"--emit-requests s3://b/x: {WRITTEN}{HERE}",
    "relabel reward -m s3://b/x": f"--model s3://b/x: {READ}{MODEL}",
    "train-dpo -p a -o s3://b/x": f"--output s3://b/x: {WRITTEN}{FOLDER}",
    "train-dpo -p a -o d --eval-file s3://b/x": f"--eval-file s3://b/x: {READ}copy it here first: aws s3 cp s3://b/x x",
    "soup s3://b/x b -o d": f"s3://b/x: {READ}{MODEL}",
    "soup a b -o s3://b/x": f"--output s3://b/x: {WRITTEN}{FOLDER}",
    "init s3://b/x": f"s3://b/x: {WRITTEN}{FOLDER}",
}


@pytest.mark.parametrize("words", LINES)
def test_an_address_gets_a_line_that_says_what_to_do(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, words.split(), input="", prog_name="real")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f"real: {LINES[words]}\n"
    assert os.listdir(tmp_path) == []


def test_an_address_may_have_a_space(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["pair", "s3://b/my x.jsonl"], input="", prog_name="real")
    assert done.stderr == f"real: s3://b/my x.jsonl: {READ}pipe it in: aws s3 cp 's3://b/my x.jsonl' - | real ...\n"


def test_a_data_set_in_a_folder_is_no_address(tmp_path):
    (tmp_path / "x.jsonl").write_text("")
    done = CliRunner().invoke(app, ["split", "--heldout", f"hf:{tmp_path}"], input="", prog_name="real")
    assert "address" not in done.stderr


def test_a_file_or_folder_with_such_a_name_is_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s3:").mkdir()
    (tmp_path / "s3:" / "x.jsonl").write_text('{"prompt": "q", "chosen": "a", "rejected": "b", "score": 1}\n')
    done = CliRunner().invoke(app, ["relabel", "degrade", "s3://x.jsonl"], prog_name="real")
    assert "address" not in done.stderr


@pytest.mark.parametrize("words", ["sample -p s3://m --endpoint http://localhost:9/v1", "eval winrate --model s3://m"])
def test_names_that_a_server_or_the_data_give_are_theirs(words):
    """And an endpoint is an address by right."""
    done = CliRunner().invoke(app, words.split(), input="", prog_name="real")
    assert "is an address" not in done.stderr


def test_a_reader_of_the_library_says_so_too():
    with pytest.raises(UsageError, match=r"^s3://b/x: is an address, and files are read; pipe it in: "):
        RecordReader(["s3://b/x"])


@pytest.mark.parametrize(
    "words",
    [
        "pair https://me:hunter2@h/x.jsonl",
        "embed -m https://me:hunter2@h/model",
        "pair -o s3://me:hunter2@b/x",
        "pair https://h/x.jsonl?X-Amz-Signature=hunter2&part=1",
        "split --heldout https://h/x?token=hunter2",
        "pair https://h/sk-hunter2hunter2hunter2",
    ],
)
def test_a_secret_in_an_address_is_not_shown(words, tmp_path, monkeypatch):
    """Standard error ends in logs that others read."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, words.split(), input="", prog_name="real")
    assert done.exit_code == 2
    assert "***" in done.stderr
    assert "hunter2" not in done.stderr
