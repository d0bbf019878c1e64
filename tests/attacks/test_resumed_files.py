"""`--resume FILE` and `--journal FILE`: looked at before anything is cut, and written by one run at a time."""

import fcntl
import os
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from real_cli.app import app
from real_cli.embed import embed_filter, encoders
from tests.attacks.commands import lines, one_line, real
from tests.relabel.human.terminals import Session
from tests.servers import Server, says

RECORDS = [
    {"id": 0, "prompt": "q0", "responses": [{"text": "a"}, {"text": "bb"}]},
    {"id": 1, "prompt": "q1", "chosen": "ccc", "rejected": "a"},
    {"id": 2, "prompt": "q2", "responses": [{"text": "dddd"}]},
]
FOREIGN = {
    "text": b"notes of mine",
    "lines of text": b"notes of mine\nand more",
    "a whole record of something else": b'{"name":"x","value":1}',
    "a torn record of something else": b'{"name":"x","val',
    "a torn record of another prompt": b'{"id":0,"prompt":"q7","resp',
    "a torn record of another number": b'{"id":9,"prom',
    "JSON over several lines": b'{\n  "id": 0,\n  "prompt": "q0"\n}',
    "an array": b'[{"id":0,"prompt":"q0"',
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xabVJT\xb2R0\xac\x05\x00",
    "a zip archive": b"PK\x03\x04" + bytes(range(256)),
    "UTF-16": '{"id":0}'.encode("utf-16"),
    "zeros": bytes(64),
    "not UTF-8": b'{"id":0,"prompt":"\xff\xfe',
}


SOME = ["text", "a torn record of something else", "gzip", "UTF-16", "not UTF-8"]


class FakeEncoder:
    """A text's vector is its length and 1."""

    max_length = 512
    place = SimpleNamespace(device=SimpleNamespace(type="cpu"), dtype="torch.float32")

    def prepare(self, texts):
        return encoders.Prepared(texts, [max(1, len(text)) for text in texts], 0)

    def encode(self, texts):
        return np.array([[len(text), 1] for text in texts], dtype=np.float32)


@pytest.fixture
def embed(monkeypatch, tmp_path):
    """Run `real embed --resume out` in this folder with an encoder that needs no weights."""
    fake = SimpleNamespace(OutOfMemoryError=MemoryError, accelerator=SimpleNamespace(empty_cache=lambda: None))
    if "torch" not in sys.modules:
        monkeypatch.setitem(sys.modules, "torch", fake)
    monkeypatch.setattr(embed_filter, "load_encoder", lambda name, **options: FakeEncoder())
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").write_bytes(lines(*RECORDS))

    def run(data=None, *words):
        if data is not None:
            (tmp_path / "out").write_bytes(data)
        return CliRunner().invoke(app, ["embed", "in", "--resume", "out", *words], prog_name="real")

    return run


@pytest.fixture
def whole(embed, tmp_path):
    assert embed().exit_code == 0
    return (tmp_path / "out").read_bytes()


@pytest.fixture(scope="module")
def talker(make_tiny_policy):
    return make_tiny_policy(chat_template="{% for m in messages %}<end>{{ m['role'] }} {{ m['content'] }}{% endfor %}")


# What is not ours stays as it is


@pytest.mark.parametrize("name", FOREIGN)
def test_embed_leaves_a_file_that_is_not_its_own_as_it_is(embed, tmp_path, name):
    result = embed(FOREIGN[name])
    assert (tmp_path / "out").read_bytes() == FOREIGN[name]
    assert result.exit_code == 1
    assert one_line(result.stderr.encode()).startswith("real: out:")


@pytest.mark.parametrize("tail", [b"notes of mine", b"\x00\x00\x00", b"[1,2", b'{"name"', b"\xff"])
def test_embed_cuts_nothing_that_is_no_start_of_a_record(embed, whole, tmp_path, tail):
    begun = whole.splitlines(keepends=True)[0] + tail
    result = embed(begun)
    assert (tmp_path / "out").read_bytes() == begun
    assert result.exit_code == 1
    assert one_line(result.stderr.encode()).startswith("real: out:2: ")


def test_embed_without_input_cuts_nothing(embed, tmp_path):
    (tmp_path / "in").write_bytes(b"")
    result = embed(b"notes of mine")
    assert (tmp_path / "out").read_bytes() == b"notes of mine"
    assert result.exit_code == 1


def test_what_stands_behind_the_last_record_of_a_finished_output_is_not_cut(embed, whole, tmp_path):
    result = embed(whole + b'{"id":3,"prom')
    assert (tmp_path / "out").read_bytes() == whole + b'{"id":3,"prom'
    assert result.exit_code == 1


@pytest.mark.parametrize("name", SOME)
def test_sample_leaves_a_file_that_is_not_its_own_as_it_is(tmp_path, name):
    (tmp_path / "out").write_bytes(FOREIGN[name])
    (tmp_path / "in").write_bytes(lines(*({"id": row["id"], "prompt": row["prompt"]} for row in RECORDS)))
    with Server(lambda request: says("fine")) as server:
        words = ["-p", "m", "--endpoint", server.url, "--no-cache", "--resume", tmp_path / "out", tmp_path / "in"]
        result = CliRunner().invoke(app, ["sample", *map(str, words)], prog_name="real")
    assert (tmp_path / "out").read_bytes() == FOREIGN[name]
    assert result.exit_code == 1
    one_line(result.stderr.encode())


@pytest.mark.parametrize("name", ["text", "a torn record of something else"])
def test_sample_of_instructions_leaves_a_file_that_is_not_its_own_as_it_is(talker, tmp_path, name):
    (tmp_path / "out").write_bytes(FOREIGN[name])
    words = ["-p", str(talker), "--device", "cpu", "--pre-query", "-n", "2", "--resume", str(tmp_path / "out")]
    result = CliRunner().invoke(app, ["sample", *words], prog_name="real")
    assert (tmp_path / "out").read_bytes() == FOREIGN[name]
    assert result.exit_code == 1
    one_line(result.stderr.encode())


@pytest.mark.parametrize("name", SOME)
def test_human_leaves_a_journal_that_is_none_as_it_is(tmp_path, name):
    (tmp_path / "j").write_bytes(FOREIGN[name])
    done = real("relabel", "human", "--journal", "j", cwd=tmp_path, data=lines(RECORDS[0]), start_new_session=True)
    assert (tmp_path / "j").read_bytes() == FOREIGN[name]
    assert done.returncode == 1
    assert one_line(done.stderr).startswith("real: j:")


def test_embed_does_not_go_on_with_what_has_no_embeddings(embed, tmp_path):
    """A copy of the input holds the records of the input."""
    result = embed((tmp_path / "in").read_bytes())
    assert (tmp_path / "out").read_bytes() == (tmp_path / "in").read_bytes()
    assert result.exit_code == 1
    assert one_line(result.stderr.encode()).startswith("real: out:1: has no embedding")


@pytest.mark.parametrize("encoding", ["base64", "base64-float16"])
def test_embed_does_not_mix_encodings(embed, whole, tmp_path, encoding):
    begun = whole.splitlines(keepends=True)[0]
    result = embed(begun, "--encoding", encoding)
    assert (tmp_path / "out").read_bytes() == begun
    assert "--encoding" in one_line(result.stderr.encode())
    (tmp_path / "out").unlink()
    assert embed(None, "--encoding", encoding).exit_code == 0
    other = (tmp_path / "out").read_bytes()
    assert embed(other.splitlines(keepends=True)[0], "--encoding", encoding).exit_code == 0
    assert (tmp_path / "out").read_bytes() == other
    assert embed(other).exit_code == 1


@pytest.mark.parametrize("vector", [[-2.0, 1.0], [1.0, 1.0, 0.0]], ids=["other direction", "other size"])
def test_embed_does_not_mix_vectors_of_two_models(embed, whole, tmp_path, vector, monkeypatch):
    begun = whole.splitlines(keepends=True)[0]
    monkeypatch.setattr(FakeEncoder, "encode", lambda self, texts: np.array([vector] * len(texts), dtype=np.float32))
    result = embed(begun)
    assert (tmp_path / "out").read_bytes() == begun
    assert result.exit_code == 1
    assert "vectors of another model" in one_line(result.stderr.encode())


# What is ours and whole stays


def test_a_last_record_that_lacks_only_its_newline_is_kept_and_not_embedded_again(embed, whole, tmp_path):
    kept = whole.splitlines(keepends=True)
    for number in range(1, 4):
        result = embed(b"".join(kept[:number])[:-1])
        assert (tmp_path / "out").read_bytes() == whole
        num_texts = (2, 2, 1)[number:]
        assert f" {sum(num_texts)} texts" in result.stderr or "1 text " in result.stderr, result.stderr


def test_a_torn_record_is_cut_wherever_it_is_torn(embed, whole, tmp_path):
    for cut in range(0, len(whole), 9):
        assert embed(whole[:cut]).exit_code == 0, whole[:cut]
        assert (tmp_path / "out").read_bytes() == whole


def test_an_answer_in_the_journal_that_lacks_only_its_newline_is_kept(tmp_path):
    record = {"prompt": "q", "responses": [{"text": "a"}, {"text": "b"}]}
    session = Session("--journal", "j", cwd=tmp_path, data=lines(record))
    try:
        session.wait_for("tie")
        session.type("a")
        assert session.end()[2] == 0
    finally:
        session.close()
    answered = (tmp_path / "j").read_bytes()
    (tmp_path / "j").write_bytes(answered[:-1])
    done = real("relabel", "human", "--journal", "j", cwd=tmp_path, data=lines(record), start_new_session=True)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    assert (tmp_path / "j").read_bytes() == answered


# One run at a time


def test_a_second_run_on_one_resumed_file_is_refused(embed, whole, tmp_path):
    first = whole.splitlines(keepends=True)[0]
    (tmp_path / "out").write_bytes(first)
    with (tmp_path / "out").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        result = embed()
        assert result.exit_code == 1
        assert "out: another run is writing it; " in one_line(result.stderr.encode())
        assert (tmp_path / "out").read_bytes() == first
    assert embed().exit_code == 0
    assert (tmp_path / "out").read_bytes() == whole


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/null", "folder", "fifo"])
def test_what_cannot_be_read_again_is_no_file_to_resume(embed, tmp_path, name):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    result = CliRunner().invoke(app, ["embed", "in", "--resume", name], prog_name="real")
    assert result.exit_code == 2
    one_line(result.stderr.encode())
