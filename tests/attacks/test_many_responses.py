"""`real pair` on a prompt with thousands of responses: memory does not grow with the pairs."""

import json
import random
import resource
import subprocess

import pytest

from tests.attacks.commands import REAL, lines, one_line, real


def scored(number):
    draw = random.Random(number)
    return [{"text": f"t{index}", "score": draw.randrange(number)} for index in range(number)]


def peak(tmp_path, *words):
    """Run a command on the file `in`; returns its peak memory in MB."""
    program = (
        "import os, resource, runpy, sys\n"
        "sys.argv = ['real', *sys.argv[1:]]\n"
        "try: runpy.run_module('real_cli', run_name='__main__')\n"
        "finally: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)"
    )
    done = subprocess.run(
        [REAL[0], "-c", program, *words, "-q", "in", "-o", "out"], cwd=tmp_path, stderr=subprocess.PIPE, check=True
    )
    return int(done.stderr.split()[-1])


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """What a run takes that has nothing to hold."""
    folder = tmp_path_factory.mktemp("base")
    (folder / "in").write_bytes(lines({"prompt": "q", "responses": scored(10)}))
    return peak(folder, "pair", "-s", "all")


@pytest.mark.parametrize(
    "words",
    [["-s", "all"], ["-s", "all", "--curriculum"], ["-s", "all", "--orient", "none"],
     ["-s", "all", "--keep", "10", "--by", "score-gap", "--highest"]],
    ids=" ".join,
)  # fmt: skip
def test_all_pairs_of_hundreds_of_responses_are_not_held(base, tmp_path, words):
    """100,000 pairs: some 50 MB, were they held."""
    (tmp_path / "in").write_bytes(lines({"prompt": "q", "responses": scored(450)}))
    used = peak(tmp_path, "pair", *words)
    assert used - base < 30


def test_more_responses_than_can_be_compared_are_refused_with_the_number_to_raise(tmp_path):
    responses = [{"text": f"t{index}", "embedding": [1.0, index]} for index in range(300)]
    data = lines({"prompt": "q", "responses": responses}, {"prompt": "r", "responses": responses[:3]})
    done = real("pair", "--max-responses", "200", cwd=tmp_path, data=data, status=1)
    assert "has 300 responses" in (line := one_line(done.stderr))
    assert "--max-responses" in line
    done = real("pair", "--max-responses", "200", "--on-error", "skip", cwd=tmp_path, data=data, status=3)
    assert [json.loads(row)["prompt"] for row in done.stdout.splitlines()] == ["r"]
    assert real("pair", "--max-responses", "300", cwd=tmp_path, data=data, status=0).stdout.count(b"\n") == 2


def test_the_default_bounds_memory(tmp_path):
    responses = [{"text": f"t{index}", "embedding": [1.0, index]} for index in range(12_000)]

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))

    done = real("pair", cwd=tmp_path, data=lines({"prompt": "q", "responses": responses}), preexec_fn=limit)
    assert done.returncode == 1
    assert "--max-responses" in one_line(done.stderr)


def test_win_probabilities_of_thousands_of_responses_hold_no_matrix(base, tmp_path):
    """4,000 by 4,000 float64 are 128 MB, and to work them out takes three of them."""
    (tmp_path / "in").write_bytes(lines({"prompt": "q", "responses": scored(4000)}))
    used = peak(tmp_path, "relabel", "winprob")
    assert used - base < 60


def test_a_matrix_of_too_many_is_refused_with_the_number_to_raise(tmp_path):
    data = lines({"prompt": "q", "responses": scored(30)})
    words = ["relabel", "winprob", "--matrix", "--max-responses"]
    line = one_line(real(*words, "29", cwd=tmp_path, data=data, status=1).stderr)
    assert "has 30 responses, and 29 are compared at most; raise --max-responses" in line
    (row,) = map(json.loads, real(*words, "30", cwd=tmp_path, data=data, status=0).stdout.splitlines())
    assert len(row["preferences"]) == 30
    line = one_line(real("relabel", "winprob", "--max-responses", "9", cwd=tmp_path, data=data, status=2).stderr)
    assert "--matrix" in line


def test_eval_labels_holds_no_pairs_and_has_the_option_that_it_names(base, tmp_path):
    """100,000 pairs: 5 MB as six numbers, some 50 MB as records."""
    responses = [{"text": f"t{index}", "score": index, "embedding": [1.0, index]} for index in range(450)]
    (tmp_path / "in").write_bytes(lines({"prompt": "q", "responses": responses}))
    assert peak(tmp_path, "eval", "labels") - base < 60
    words = ["eval", "labels", "-q", "in", "--max-responses"]
    assert "raise --max-responses" in one_line(real(*words, "449", cwd=tmp_path, status=1).stderr)
    assert json.loads(real(*words, "450", cwd=tmp_path, status=0).stdout)["num_pairs"] == 450 * 449 // 2


@pytest.mark.parametrize("emit", ["pairs", "triples"])
def test_a_pair_that_cannot_be_oriented_refuses_its_record_before_any_is_written(tmp_path, emit):
    responses = [*scored(40), {"text": "no score", "rank": 1}]
    data = lines({"prompt": "q", "responses": responses}, {"prompt": "r", "responses": scored(5)})
    words = ["pair", "-s", "all", "--orient", "score", "--emit", emit, "--on-error", "skip"]
    done = real(*words, cwd=tmp_path, data=data, status=3)
    assert {json.loads(line)["prompt"] for line in done.stdout.splitlines()} == {"r"}
