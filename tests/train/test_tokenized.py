"""Reference log-probabilities: each (prompt, response) is computed once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from real_cli.models.score.tokens import TokenizedExample
from real_cli.train.examples import Example
from real_cli.train.tokenized import fill_scores, forget_scores, tokenize_to_disk, trainable_rows
from real_cli.train.world import World
from tests.train.training import located

PROMPTS = [[3, 4], [5], [6, 7]]


class Recorder:
    """A scorer without a model: the sums of ids; it keeps what it was asked in each window."""

    def __init__(self):
        self.windows = []

    def tokens(self, examples):
        self.windows.append(examples)
        return [[np.array([sum(ours.prompt), sum(ids)], np.float32) for ids in ours.responses] for ours in examples]


def make_pairs(folder, records):
    return tokenize_to_disk(
        located(records),
        lambda line: None if line.record.get("skip") else example_of(line.record),
        folder / "a.arrow",
        ["weight"],
    )


def example_of(record):
    tokens = TokenizedExample(PROMPTS[record["p"]], [[record["c"]], [record["r"]]])
    return Example("", ["", ""], [0.0, 0.0], {"weight": float(record["c"])}), tokens


def test_pairs_of_a_prompt_meet_in_one_window_wherever_they_stand(tmp_path, monkeypatch):
    """Windows of two pairs: the prompts of 0 and 3, of 1, 4 and 5, and of 6 stay whole; 2 brings its own numbers."""
    monkeypatch.setattr("real_cli.train.tokenized.WINDOW_EXAMPLES", 2)
    given = {"ref_chosen_logps": -1.0, "ref_rejected_logps": -2.5}
    order = [0, 1, 2, 0, 1, 1, 2]
    records = [{"p": p, "c": 8 + n, "r": 20 + n} for n, p in enumerate(order)]
    records[2] |= given
    records.insert(1, {"skip": True})
    pairs = make_pairs(tmp_path, records)
    scorer = Recorder()
    assert sum(fill_scores(pairs, scorer)) == 6
    assert [[pair.prompt for pair in window] for window in scorer.windows] == [[[3, 4]] * 2, [[5]] * 3, [[6, 7]]]
    assert pairs.rows["number"][:] == [1, 3, 4, 5, 6, 7, 8]
    assert [pairs.place(row) for row in (0, 1, 6)] == ["pairs.jsonl:1", "pairs.jsonl:3", "pairs.jsonl:8"]
    assert pairs.scores[2] == [-1.0, -2.5]
    for number in (0, 1, 3, 4, 5, 6):
        assert pairs.scores[number] == [sum(PROMPTS[order[number]]) + start + number for start in (8, 20)]


def test_a_new_reference_scores_the_examples_of_its_stage_and_no_others(tmp_path):
    """The first and the third are forgotten and scored anew, token by token; the second keeps what it had."""
    examples = make_pairs(tmp_path, [{"p": p, "c": 8 + p, "r": 20 + p} for p in range(3)])
    assert sum(fill_scores(examples, Recorder())) == 3
    forget_scores(examples, [0, 2])
    assert [scores is None for scores in examples.scores] == [True, False, True]
    scorer = Recorder()
    assert sum(fill_scores(examples, scorer, tokens=True, indices=[2])) == 1
    assert [ours.prompt for ours in scorer.windows[0]] == [[6, 7]]
    assert [scores is None for scores in examples.scores] == [True, False, False]
    assert list(examples.token_scores) == [2]


def test_rows_carry_their_number_and_their_columns_in_the_order_that_is_asked_for(tmp_path):
    """Row 2 before row 0, with the scores and the weight of each."""
    examples = make_pairs(tmp_path, [{"p": p, "c": 8 + p, "r": 20 + p} for p in range(3)])
    list(fill_scores(examples, Recorder(), tokens=True))
    rows = trainable_rows(examples, [2, 0])
    assert rows["row"][:] == [2, 0]
    assert rows["weight"][:] == [10.0, 8.0]
    assert rows["ref_logps"][:] == [[13 + 10, 13 + 22], [7 + 8, 7 + 20]]
    assert rows["ref_token_logps"][:] == [[[13, 10], [13, 22]], [[7, 8], [7, 20]]]


class Threaded(World):
    """A process of a world that is threads of one."""

    parts, barrier = {}, threading.Barrier(2, timeout=30)

    def gather(self, value):
        self.parts[self.rank] = value
        self.barrier.wait()
        return [self.parts[rank] for rank in range(self.size)]


@pytest.mark.parametrize("tokens", [False, True])
def test_processes_score_each_window_once_and_all_have_all_scores(tokens, tmp_path, monkeypatch):
    """Five windows of one prompt: three for the first, two for the second."""
    monkeypatch.setattr("real_cli.train.tokenized.WINDOW_EXAMPLES", 2)
    monkeypatch.setitem(globals(), "PROMPTS", [[number] for number in range(5)])
    records = [{"p": p, "c": 8 + n, "r": 20 + n} for n, p in enumerate([0, 1, 2, 3, 4] * 2)]
    example_sets = [make_pairs(make_folder(tmp_path / str(rank)), records) for rank in range(3)]
    scorers = [Recorder() for _ in example_sets]
    worlds = [Threaded(0, 0, 2, 2), Threaded(1, 1, 2, 2), World()]

    def fill(rank):
        return list(fill_scores(example_sets[rank], scorers[rank], tokens=tokens, world=worlds[rank]))

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(fill, range(2))) == [[2] * 5] * 2
    fill(2)
    windows = [[window[0].prompt for window in scorer.windows] for scorer in scorers]
    assert windows == [[[0], [2], [4]], [[1], [3]], [[0], [1], [2], [3], [4]]]
    for examples in example_sets[:2]:
        assert examples.scores == example_sets[2].scores
        assert None not in examples.scores
        assert sorted(examples.token_scores) == (list(range(10)) if tokens else [])


def make_folder(path):
    path.mkdir()
    return path
