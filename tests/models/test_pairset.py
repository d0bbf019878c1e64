"""Reference log-probabilities: each (prompt, response) is computed once."""

from real_cli.models.pairset import fill_scores, tokenize_to_disk
from real_cli.models.scoring import PairScore
from real_cli.models.tokens import TokenizedPair

PROMPTS = [[3, 4], [5], [6, 7]]


class Recorder:
    """A scorer without a model: the sums of ids; it keeps what it was asked in each window."""

    def __init__(self):
        self.windows = []

    def __call__(self, pairs):
        self.windows.append(pairs)
        return [PairScore(sum(pair.prompt + pair.chosen), -sum(pair.rejected)) for pair in pairs]


def make_pairs(folder, records):
    return tokenize_to_disk(
        records,
        lambda r: None if r.get("skip") else TokenizedPair(PROMPTS[r["p"]], [r["c"]], [r["r"]]),
        folder / "a.arrow",
    )


def test_pairs_of_a_prompt_meet_in_one_window_wherever_they_stand(tmp_path, monkeypatch):
    """Windows of two pairs: the prompts of 0 and 3, of 1, 4 and 5, and of 6 stay whole; 2 brings its own numbers."""
    monkeypatch.setattr("real_cli.models.pairset.WINDOW_PAIRS", 2)
    given = {"ref_chosen_logps": -1.0, "ref_rejected_logps": -2.5}
    order = [0, 1, 2, 0, 1, 1, 2]
    records = [{"p": p, "c": 8 + n, "r": 20 + n} for n, p in enumerate(order)]
    records[2] |= given
    records.insert(1, {"skip": True})
    pairs = make_pairs(tmp_path, records)
    scorer = Recorder()
    assert sum(fill_scores(pairs, scorer)) == 6
    assert [[pair.prompt for pair in window] for window in scorer.windows] == [[[3, 4]] * 2, [[5]] * 3, [[6, 7]]]
    assert pairs.kept == [True, False] + [True] * 6
    assert pairs.scores[2] == (-1.0, -2.5)
    for number in (0, 1, 3, 4, 5, 6):
        assert pairs.scores[number] == (sum(PROMPTS[order[number]]) + 8 + number, -(20 + number))
