"""Prompts that mean nearly the same as one of another file."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from real_cli.app import app
from real_cli.errors import RecordError, UsageError
from real_cli.evaluate.pairs import near_prompts
from real_cli.evaluate.pairs.near_prompts import NearSearch, PromptVectors, check_near


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def drawn(seed, ours, others, dims=24):
    """Some of ours are an other prompt, shaken a little or more; the others are anywhere."""
    draws = np.random.default_rng(seed)
    theirs = draws.normal(size=(others, dims))
    mine = draws.normal(size=(ours, dims))
    for number in range(0, ours, 3):
        mine[number] = theirs[draws.integers(others)] + draws.normal(0, draws.choice([0.02, 0.1, 0.3]), dims)
    return mine, theirs


def record(vector, prompt="q"):
    return {"prompt": prompt, "embedding": np.asarray(vector, dtype=float).tolist()}


def search(mine, theirs, limit):
    index = PromptVectors()
    for number, vector in enumerate(theirs):
        index.add(f"other:{number}", record(vector, f"theirs {number}"))
    outcome = NearSearch(index, limit)
    for number, vector in enumerate(mine):
        row = record(vector, f"mine {number}")
        outcome.add(f"own:{number}", row["prompt"], outcome.read(row))
    return outcome


def brute_force(mine, theirs):
    """Every squared distance in float64, of the float32 numbers that both read."""
    left, right = (
        unit(np.float32(rows).astype(np.float64)).astype(np.float32).astype(float) for rows in (mine, theirs)
    )
    return ((left[:, None] - right[None]) ** 2).sum(axis=2)


@pytest.mark.parametrize("block", [7, 2048])
@pytest.mark.parametrize("limit", [0.001, 0.05, 0.5, 2.0, 4.0])
def test_what_is_near_is_what_brute_force_finds(limit, block, monkeypatch):
    monkeypatch.setattr(near_prompts, "BLOCK", block)
    mine, theirs = drawn(1, 100, 90)
    exact = brute_force(mine, theirs).min(axis=1)
    outcome = search(mine, theirs, limit)
    assert outcome.is_near().tolist() == (exact < limit).astype(int).tolist()
    assert outcome.summary(np.arange(100))["nearest_distance"]["median"] == pytest.approx(np.median(exact), abs=1e-6)


@pytest.mark.parametrize("above", [0.0, 1e-12])
def test_a_limit_that_is_a_distance_itself_is_not_decided_by_rounding(above):
    """Below is near, and what is as far as the limit is not: of float32 products some would fall on either side."""
    mine, theirs = drawn(2, 60, 80)
    exact = brute_force(mine, theirs).min(axis=1)
    for number in range(0, 60, 3):
        outcome = search(mine, theirs, float(exact[number]) + above)
        assert outcome.is_near().tolist() == (exact < exact[number] + above).astype(int).tolist()


def test_neighbors_that_float32_cannot_tell_apart_are_measured_again():
    """Four hundred others in one spot: their products are equal in float32, or in the wrong order."""
    draws = np.random.default_rng(5)
    spot = draws.normal(size=64)
    theirs = spot + draws.normal(0, 1e-7, (400, 64)) * np.abs(spot)
    mine = spot + draws.normal(0, 0.3, (20, 64))
    distances = brute_force(mine, theirs)
    exact = distances.min(axis=1)
    assert (np.sort(distances, axis=1)[:, 1] > exact).any()
    for number in range(20):
        limit = float(exact[number]) * (1 + 1e-12)
        assert search(mine[number : number + 1], theirs, limit).is_near().tolist() == [1]


def test_distinct_prompts_are_counted_once_and_the_nearest_are_shown():
    theirs = [[1, 0], [0, 1]]
    outcome = search([[1, 0], [1, 0], [1, 0.1], [-1, 0]], theirs, 0.05)
    summary = outcome.summary(np.array([0, 2, 3]))  # the second pair repeats the first prompt
    assert (summary["near_distance"], summary["num_near_leaked_prompts"]) == (0.05, 2)
    assert summary["share_near_leaked_prompts"] == pytest.approx(2 / 3)
    assert summary["nearest_distance"]["max"] == pytest.approx(2)
    rows = outcome.rows()
    assert [row.place for row in rows] == ["own:0", "own:1", "own:2"]
    assert (rows[2].prompt, rows[2].texts) == ("mine 2", (("prompt of the other file", "theirs 0"),))
    facts = dict(rows[2].facts)
    assert facts["in the other file"] == "other:0"
    assert float(facts["squared distance"]) == pytest.approx(2 - 2 / 1.01**0.5, abs=1e-6)


def test_an_empty_other_file_is_near_to_nothing():
    summary = search([[1, 0]], [], 4.0).summary(np.array([0]))
    assert (summary["num_near_leaked_prompts"], summary["nearest_distance"]) == (0, None)


def test_vectors_of_two_encoders_are_refused():
    index = PromptVectors()
    index.add("other:1", record([1, 0, 0]))
    with pytest.raises(RecordError, match="has 2 numbers, those of --against have 3; embed both with one model"):
        NearSearch(index, 0.1).read(record([1, 0]))
    with pytest.raises(RecordError, match="has 2 numbers, those before have 3"):
        index.add("other:2", record([1, 0]))


@pytest.mark.parametrize("limit", [0.0, -1.0, 4.1, float("inf"), float("nan")])
def test_a_distance_that_is_none_is_a_mistake(limit):
    with pytest.raises(UsageError, match="^--near .*: give a number above 0, at most 4, the distance of opposites$"):
        check_near(limit, has_other_file=True)


PAIRS = [
    {"prompt": "Name a bird", "chosen": "Jay", "rejected": "Fox", "embedding": [1, 0, 0]},
    {"prompt": "What is a bird?", "chosen": "Jay", "rejected": "Cod", "embedding": [1, 0.1, 0]},
    {"prompt": "Count to ten", "chosen": "1", "rejected": "2", "embedding": [0, 0, 1]},
]
HELD = [{"prompt": "name a bird", "embedding": [1, 0, 0]}, {"prompt": "Sing", "embedding": [0, 1, 0]}]


def run(folder, *words, pairs=PAIRS, held=HELD):
    (folder / "held.jsonl").write_text("".join(json.dumps(row) + "\n" for row in held))
    data = "".join(json.dumps(row) + "\n" for row in pairs)
    words = [*words[:1], str(folder / "held.jsonl"), *words[1:]] if words[:1] == ("--against",) else words
    return CliRunner().invoke(app, ["eval", "pairs", *map(str, words)], input=data, prog_name="real")


def test_a_paraphrase_is_found_by_meaning_and_left_out(tmp_path):
    """The words of the first are equal once normalized; of the second none but one are shared."""
    clean, rejects = tmp_path / "clean.jsonl", tmp_path / "rejects.jsonl"
    words = ("--against", "--near", 0.05, "--sound", clean, "--drop", "near-leaked-prompts", "--rejects", rejects)
    result = run(tmp_path, *words)
    assert result.exit_code == 0, result.stderr
    summary = json.loads(result.stdout)
    assert (summary["num_overlapping_prompts"], summary["num_near_leaked_prompts"]) == (1, 2)
    (verdict,) = [row for row in summary["verdicts"] if row["check"] == "near-leaked-prompts"]
    assert (verdict["level"], verdict["num_pairs"], verdict["places"]) == ("doubtful", 2, ["<stdin>:1", "<stdin>:2"])
    assert "--near 0.05" in summary["mend"]
    assert [json.loads(line) for line in clean.read_text().splitlines()] == PAIRS[2:]
    left_out = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert [(row["reason"], row["record"]["prompt"]) for row in left_out] == [
        ("near-leaked-prompts", row["prompt"]) for row in PAIRS[:2]
    ]
    assert "left out 2 (near-leaked-prompts 2)" in result.stderr


def test_the_report_shows_both_prompts_and_the_distance(tmp_path):
    result = run(tmp_path, "--against", "--near", 0.05, "--report", tmp_path / "r.html")
    assert result.exit_code == 0, result.stderr
    page = (tmp_path / "r.html").read_text()
    for words in ("Nearest to a prompt of the other file", "What is a bird?", "prompt of the other file", "0.009926"):
        assert words in page
    assert "By their embeddings 2 are nearer than 0.05 to one of it" in page


def test_without_near_nothing_is_compared(tmp_path):
    bare = [{name: value for name, value in row.items() if name != "embedding"} for row in PAIRS]
    summary = json.loads(run(tmp_path, "--against", pairs=bare).stdout)
    assert not [name for name in summary if "near_leaked" in name or name == "near_distance"]
    assert not [row for row in summary["verdicts"] if row["check"] == "near-leaked-prompts"]


@pytest.mark.parametrize(
    ("words", "change", "message", "status"),
    [
        (("--near", 0.1), {}, "--near: is a distance to the prompts of --against FILE; give that too", 2),
        (("--against", "--near", 5), {}, "--near 5: give a number above 0, at most 4, the distance of opposites", 2),
        (
            ("--against", "--drop", "near-leaked-prompts", "--sound", "x"),
            {},
            "--drop near-leaked-prompts: nothing was looked for; give --against FILE and --near D too",
            2,
        ),
        (
            ("--against", "--near", 0.1),
            {"pairs": [PAIRS[0] | {"embedding": None}]},
            "<stdin>:1: field 'embedding' is missing; run 'real embed --field prompt' first",
            1,
        ),
        (
            ("--against", "--near", 0.1),
            {"pairs": [PAIRS[0] | {"embedding": [0, 0, 0]}]},
            "<stdin>:1: field 'embedding' is all zeros; a zero vector has no direction",
            1,
        ),
        (
            ("--against", "--near", 0.1),
            {"pairs": [PAIRS[0] | {"embedding": [1, 2]}]},
            "<stdin>:1: field 'embedding' has 2 numbers, those of --against have 3; embed both with one model",
            1,
        ),
        (
            ("--against", "--near", 0.1),
            {"held": [{"prompt": "q"}]},
            "HELD:1: field 'embedding' is missing; run 'real embed --field prompt' first",
            1,
        ),
        (
            ("--against", "--near", 0.1),
            {"held": [HELD[0], {"prompt": "q", "embedding": [1]}]},
            "HELD:2: field 'embedding' has 1 numbers, those before have 3; all must agree",
            1,
        ),
    ],
)
def test_what_cannot_be_compared_is_said_in_a_line(tmp_path, words, change, message, status):
    result = run(tmp_path, *words, **change)
    assert result.stderr.replace(str(tmp_path / "held.jsonl"), "HELD") == f"real: {message}\n"
    assert result.exit_code == status


def test_a_pair_without_an_embedding_is_skipped_whole(tmp_path):
    """Nothing of it is counted: neither its label nor its prompt."""
    bare = [{"prompt": "q", "chosen": "a", "rejected": "b"}, *PAIRS]
    result = run(tmp_path, "--against", "--near", 0.05, "--on-error", "skip", pairs=bare)
    assert (result.exit_code, json.loads(result.stdout)["num_pairs"]) == (3, 3)


def test_a_limit_may_be_set_on_what_is_near(tmp_path):
    words = ("--against", "--near", 0.05, "--strict", "--limit", "num_near_leaked_prompts<=0")
    result = run(tmp_path, *words)
    assert (result.exit_code, "num_near_leaked_prompts is 2, not <=0" in result.stderr) == (3, True)
    assert "no number of the summary is called so" in run(tmp_path, "--limit", "num_near_leaked_prompts<=0").stderr
