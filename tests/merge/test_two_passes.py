"""`pair --keep` over shards: keys, then the pairs; what is merged is what one run on the whole input keeps."""

import json
import os
import random
import shutil

import pytest

from tests.merge.test_merge import candidates, lines_of, run

CHOICES = {
    "the least similar third": "--keep 33%",
    "the most similar 7": "-s hard --keep 7",
    "score gaps, which tie": "-s all --keep 40% --by score-gap --highest",
    "score gaps, the lowest": "-s all --keep 21 --by score-gap --lowest",
    "score gaps near two": "-s all --keep 30% --by score-gap --nearest 2",
    "the variance of a prompt": "-s best-worst --keep 40% --by score-variance --lowest",
    "a draw": "-s random --orient none --keep 50% --by random",
    "a field, the same on all": "-s all --keep 19 --by x --highest",
    "a field, the lowest": "-s all --keep 19 --by x --lowest",
    "none": "--keep 0",
    "all": "--keep 100%",
    "unlabeled": "--orient none --keep 25%",
}


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text(lines_of(candidates(random.Random(8), 60)))
    return path


def shards(source, count, words, folder, *more):
    """Run both passes on each shard; returns the parts."""
    (folder / "keys").mkdir(exist_ok=True)
    parts = [folder / f"kept.{part}" for part in range(1, count + 1)]
    for part in range(1, count + 1):
        shard = ["--shard", f"{part}/{count}", "--numbered"]
        out, _ = run("pair", *words, *shard, "--keys-to", folder / "keys" / str(part), *more, source)
        assert out == ""
    for part, path in enumerate(parts, 1):
        shard = ["--shard", f"{part}/{count}", "--numbered"]
        run("pair", *words, *shard, "--keys-from", folder / "keys", "-o", path, *more, source)
    return parts


@pytest.mark.parametrize("words", CHOICES.values(), ids=CHOICES)
@pytest.mark.parametrize("count", [1, 4])
def test_two_passes_keep_what_one_run_keeps(words, count, source, tmp_path):
    """Byte for byte; equal numbers go by position in the whole input."""
    whole, _ = run("pair", *words.split(), source)
    merged, _ = run("merge", *shards(source, count, words.split(), tmp_path))
    assert merged == whole
    assert bool(whole) is (words != "--keep 0")


def test_marks_of_an_earlier_command_are_enough(source, tmp_path):
    """Each part was cut by the command before."""
    whole, _ = run("pair", "--keep", "35%", source)
    (tmp_path / "keys").mkdir()
    for part in (1, 2, 3):
        words = ["relabel", "winprob", "--from", "scores", "--shard", f"{part}/3", "--numbered"]
        run(*words, source, "-o", tmp_path / f"part.{part}")
        run("pair", "--keep", "35%", "--keys-to", tmp_path / "keys" / f"{part}", tmp_path / f"part.{part}")
    for part in (1, 2, 3):
        words = ["--keys-from", tmp_path / "keys", tmp_path / f"part.{part}", "-o", tmp_path / f"kept.{part}"]
        run("pair", "--keep", "35%", *words)
    merged, _ = run("merge", *(tmp_path / f"kept.{part}" for part in (1, 2, 3)))
    kept = [
        {name: row[name] for name in json.loads(whole.splitlines()[0])}
        for row in map(json.loads, merged.split("\n")[:-1])
    ]
    assert kept == [json.loads(line) for line in whole.splitlines()]


def test_a_shard_without_pairs_has_a_file_of_keys_too(tmp_path):
    """Two prompts in five shards."""
    path = tmp_path / "in.jsonl"
    path.write_text(lines_of(candidates(random.Random(2), 4)))
    whole, _ = run("pair", "-s", "all", "--keep", "50%", "--by", "score-gap", "--highest", path)
    parts = shards(path, 5, ["-s", "all", "--keep", "50%", "--by", "score-gap", "--highest"], tmp_path)
    assert sum(part.stat().st_size == 0 for part in parts) > 1
    assert run("merge", *parts)[0] == whole != ""


def test_keys_that_lack_are_named(source, tmp_path):
    words = ["pair", "--keep", "33%", "--shard", "1/4", "--numbered", source, "--keys-from", tmp_path / "keys"]
    shards(source, 4, ["--keep", "33%"], tmp_path)
    (tmp_path / "keys" / "2").unlink()
    out, err = run(*words, status=2)
    assert (out, err) == ("", "real: 1 file of keys of 4 is not there: shard 2; run what failed again\n")
    (tmp_path / "keys" / ".2.part").write_text("half of one that is being written")
    assert "is not there: shard 2" in run(*words, status=2)[1]
    shutil.copy(tmp_path / "keys" / "3", tmp_path / "keys" / "2")
    assert "3: holds shard 3, as " in run(*words, status=2)[1]


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_among_the_keys_is_refused_and_not_waited_for(make, source, tmp_path):
    shards(source, 2, ["--keep", "33%"], tmp_path)
    make(tmp_path / "keys" / "old")
    words = ["--shard", "1/2", "--numbered", "--keys-from", tmp_path / "keys", source]
    _, err = run("pair", "--keep", "33%", *words, status=2)
    assert err.endswith("keys/old: is no file; give a folder with what --keys-to wrote, and nothing else\n")


def test_keys_of_another_choice_or_input_are_refused(source, tmp_path):
    shards(source, 2, ["--keep", "33%"], tmp_path)
    keys = ["--shard", "1/2", "--numbered", "--keys-from", tmp_path / "keys"]
    _, err = run("pair", "-s", "hard", "--keep", "33%", *keys, source, status=2)
    assert "keys/1: holds keys by strategy easy, and this run has hard; give both passes the same options" in err
    _, err = run("pair", "--keep", "33%", *keys, source, "-o", tmp_path / "keys" / "2", status=2)
    assert "keys/2: is what --keys-from reads; name another file" in err
    _, err = run("pair", "--keep", "33%", "--highest", *keys, source, status=2)
    assert "holds keys by lowest True, and this run has False" in err
    _, err = run("pair", "--keep", "33%", "--nearest", "0.5", *keys, source, status=2)
    assert "holds keys by nearest none, and this run has 0.5" in err
    less = tmp_path / "less.jsonl"
    less.write_text("".join(source.read_text().splitlines(keepends=True)[:30]))
    _, err = run("pair", "--keep", "33%", *keys, less, "-o", tmp_path / "out", status=1)
    assert "keys of shard 1, which has " in err
    assert not (tmp_path / "out").exists()


def test_passes_without_what_they_are_about_are_refused(source, tmp_path):
    (tmp_path / "keys").mkdir()
    faults = {
        ("--keys-to", "k"): "--keys-to: is about what --keep keeps of several shards; give --keep too",
        ("--keep", "1", "--keys-to", "k", "--keys-from", "f"): "--keys-to, --keys-from: each is a pass",
        ("--keep", "1", "--keys-to", "k", "--dedup-distance", "0.1"): "--dedup-distance compares all prompts",
        ("--keep", "1", "--keys-to", "k", "-o", "x"): "--keys-to: no pairs are written; leave out --output",
        (
            "--keep",
            "1",
            "--keys-from",
            tmp_path / "keys",
        ): "is empty; write the keys of each shard with --keys-to first",
        ("--keep", "1", "--keys-from", tmp_path / "none"): "none: No such file or directory; give a folder",
        ("--keep", "1", "--keys-from", source): "is a file; give the folder with the keys of all shards",
        ("--keep", "1", "--shard", "1/2"): "--keep is of all pairs; write the keys of each shard with --keys-to",
    }
    for words, fault in faults.items():
        out, err = run("pair", *words, source, status=2)
        assert out == ""
        assert fault in err
    _, err = run("pair", "--keep", "1", "--keys-to", tmp_path / "k", source, status=1)
    assert "in.jsonl:1: field 'shard' is missing; make the parts with --shard I/N --numbered" in err
    assert not (tmp_path / "k").exists()
    (tmp_path / "keys" / "a").write_text('{"prompt": "q"}\n')
    _, err = run("pair", "--keep", "1", "--keys-from", tmp_path / "keys", source, status=1)
    assert "keys/a: holds no keys; give a folder with what --keys-to wrote" in err
