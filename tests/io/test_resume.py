"""Going on after a run that was killed: the result is that of a run that was not."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from real_cli.app import app
from real_cli.embed import embed_filter, encoders
from real_cli.errors import RealError
from real_cli.io.job import Located
from real_cli.io.resume import remaining

RECORDS = [
    {"id": 0, "prompt": "q0", "responses": [{"text": "a"}, {"text": "bb"}]},
    {"id": 1, "prompt": "q1", "chosen": "ccc", "rejected": "a", "score_chosen": 2, "score_rejected": 1},
    {"id": 2, "prompt": "q2", "responses": [{"text": "dddd"}]},
    {"id": 3, "prompt": "q3", "responses": []},
    {"id": 4, "prompt": "q4", "responses": [{"text": "é"}, {"text": ""}]},
]


def lines(records):
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


# What remains


LOCATED = [Located(f"in:{number}", record) for number, record in enumerate(RECORDS, 1)]


def left(path):
    return [record["id"] for record in remaining(LOCATED, path)]


def test_without_an_earlier_output_everything_remains(tmp_path):
    assert left(None) == left(tmp_path / "none") == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("done", range(6))
def test_what_the_earlier_output_holds_is_not_done_again(tmp_path, done):
    path = tmp_path / "out"
    path.write_bytes(lines(RECORDS[:done]))
    assert left(path) == [0, 1, 2, 3, 4][done:]


@pytest.mark.parametrize(
    ("earlier", "place"),
    [
        ([RECORDS[1]], "out:1: does not belong to in:1"),
        ([RECORDS[0], RECORDS[2]], "out:2: does not belong to in:2"),
        ([*RECORDS, RECORDS[0]], "out:6: does not belong to the end of the input"),
        ([{"no": "record"}], "out:1: does not belong to in:1"),
        ([{"prompt": "q0", "responses": None}], "out:1: does not belong to in:1"),
    ],
)
def test_an_output_of_other_input_is_refused(tmp_path, earlier, place):
    path = tmp_path / "out"
    path.write_bytes(lines(earlier))
    with pytest.raises(RealError) as caught:
        left(path)
    assert str(caught.value) == f"{tmp_path}/{place}; resume with the same input and options"


@pytest.mark.parametrize("changed", [{"prompt": "other"}, {"responses": [{"text": "a"}, {"text": "other"}]}])
def test_an_output_of_the_same_record_with_other_texts_is_told_as_such(tmp_path, changed):
    path = tmp_path / "out"
    path.write_bytes(lines([RECORDS[0] | changed]))
    with pytest.raises(RealError) as caught:
        left(path)
    assert str(caught.value) == (
        f"{tmp_path}/out:1: is of in:1, whose prompt or responses are others now: the input has changed, or an earlier "
        "version read it otherwise; begin a new output"
    )


def test_an_output_that_is_no_json_is_refused(tmp_path):
    path = tmp_path / "out"
    path.write_bytes(b"hello\n")
    with pytest.raises(RealError, match=r"out:1: does not belong to in:1; "):
        left(path)


# The command


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
    """Run `real embed` in this folder with an encoder that needs no weights, nor torch."""
    fake = SimpleNamespace(OutOfMemoryError=MemoryError, accelerator=SimpleNamespace(empty_cache=lambda: None))
    if "torch" not in sys.modules:
        monkeypatch.setitem(sys.modules, "torch", fake)
    monkeypatch.setattr(embed_filter, "load_encoder", lambda name, **options: FakeEncoder())
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.jsonl").write_bytes(lines(RECORDS))

    def run(*arguments):
        return CliRunner().invoke(app, ["embed", *arguments], prog_name="real")

    return run


def test_a_resumed_output_is_byte_for_byte_that_of_a_whole_run_wherever_it_was_cut(embed, tmp_path):
    assert embed("in.jsonl", "-o", "whole.jsonl").exit_code == 0
    whole = (tmp_path / "whole.jsonl").read_bytes()
    assert whole.count(b"\n") == 5
    assert json.loads(whole.splitlines()[0])["responses"][1] == {"text": "bb", "embedding": [2.0, 1.0]}
    path = tmp_path / "part.jsonl"
    for cut in range(0, len(whole) + 1, 7):
        path.write_bytes(whole[:cut])
        result = embed("in.jsonl", "--resume", "part.jsonl")
        assert (result.exit_code, result.stdout) == (0, "")
        assert path.read_bytes() == whole, f"cut after {cut} bytes"


def test_resuming_what_is_not_there_is_a_whole_run(embed, tmp_path):
    embed("in.jsonl", "-o", "whole.jsonl")
    assert embed("in.jsonl", "--resume", "new.jsonl").exit_code == 0
    assert (tmp_path / "new.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_resuming_a_finished_run_changes_nothing_and_embeds_nothing(embed, tmp_path):
    embed("in.jsonl", "-o", "whole.jsonl")
    before = (tmp_path / "whole.jsonl").read_bytes()
    result = embed("in.jsonl", "--resume", "whole.jsonl")
    assert (tmp_path / "whole.jsonl").read_bytes() == before
    assert result.stderr == "real: 0 texts embedded (0 distinct in their windows)\n"


def test_resuming_with_other_input_is_refused_and_the_output_kept(embed, tmp_path):
    embed("in.jsonl", "-o", "whole.jsonl")
    before = (tmp_path / "whole.jsonl").read_bytes()
    (tmp_path / "in.jsonl").write_bytes(lines(RECORDS[1:]))
    result = embed("in.jsonl", "--resume", "whole.jsonl")
    assert result.exit_code == 1
    assert result.stderr == (
        "real: whole.jsonl:1: does not belong to in.jsonl:1; resume with the same input and options\n"
    )
    assert (tmp_path / "whole.jsonl").read_bytes() == before


def test_numbered_shards_merge_into_one_run_resumed_or_not(embed, tmp_path):
    embed("in.jsonl", "-o", "whole.jsonl")
    for part in (1, 2):
        embed("in.jsonl", "--shard", f"{part}/2", "--numbered", "-o", f"part.{part}")
        path = tmp_path / f"part.{part}"
        path.write_bytes(path.read_bytes()[:-30])
        embed("in.jsonl", "--shard", f"{part}/2", "--numbered", "--resume", f"part.{part}")
    merged = CliRunner().invoke(app, ["merge", "part.1", "part.2"], prog_name="real")
    assert merged.stdout_bytes == (tmp_path / "whole.jsonl").read_bytes()


def test_the_shards_of_a_resumed_run_are_those_of_a_whole_one(embed, tmp_path):
    for shard in ("1/2", "2/2"):
        embed("in.jsonl", "--shard", shard, "-o", "whole.jsonl")
        whole = (tmp_path / "whole.jsonl").read_bytes()
        (tmp_path / "part.jsonl").write_bytes(whole[: len(whole) // 2])
        embed("in.jsonl", "--shard", shard, "--resume", "part.jsonl")
        assert (tmp_path / "part.jsonl").read_bytes() == whole


def test_resuming_for_prompts_works_like_for_responses(embed, tmp_path):
    (tmp_path / "in.jsonl").write_bytes(lines([{"prompt": "q"}, {"prompt": "rr", "responses": [{"text": "a"}]}]))
    embed("in.jsonl", "--field", "prompt", "-o", "whole.jsonl")
    whole = (tmp_path / "whole.jsonl").read_bytes()
    assert whole.splitlines()[0] == b'{"prompt":"q","embedding":[1.0,1.0]}'
    (tmp_path / "part.jsonl").write_bytes(whole[:-1])
    embed("in.jsonl", "--field", "prompt", "--resume", "part.jsonl")
    assert (tmp_path / "part.jsonl").read_bytes() == whole


def test_resume_and_output_together_are_a_mistake(embed):
    result = embed("in.jsonl", "--resume", "a", "-o", "b")
    assert (result.exit_code, result.stderr) == (2, "real: --resume FILE appends to FILE; leave out --output\n")


def test_resuming_into_the_input_is_a_mistake(embed, tmp_path):
    """The input would grow while it is read."""
    before = (tmp_path / "in.jsonl").read_bytes()
    result = embed("in.jsonl", "--resume", "in.jsonl")
    assert result.exit_code == 2
    assert (tmp_path / "in.jsonl").read_bytes() == before
