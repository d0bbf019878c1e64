"""relabel winprob, weight, shape and degrade as commands, and what reads their numbers."""

import json

import pytest

from tests.train.training import run, train, write_rows

SCORED = [
    {
        "prompt": f"the cat {word}",
        "responses": [
            {"text": f" {text}", "score": score}
            for text, score in zip(["sat", "ran", "saw", "on", "no"], row, strict=True)
        ],
        "reference_scores": [0, 1],
    }
    for word, row in (("on", (1, 0, -1, 0.5, -0.5)), ("under", (3, 1, 4, 1.5, 9)))
]
PAIRS = [
    {"prompt": "the cat", "chosen": " sat on the mat", "rejected": " ran", "score_chosen": 9, "score_rejected": 4},
    {"prompt": "a dog", "chosen": " saw the red log", "rejected": " ran", "score_chosen": 2, "score_rejected": 5},
    {"prompt": "he", "chosen": " heard a big dog", "rejected": " sat", "score_chosen": 3, "score_rejected": 2},
]
COMMANDS = {
    "winprob": ([], ["--matrix"]),
    "shape": ([], ["--method", "standardize"], ["--method", "clip"], ["--method", "ceiling", "--ceiling", "2"]),
    "weight": ([], ["--normalize", "mean"], ["--normalize", "min-max", "--negative", "keep"]),
    "degrade": ([], ["--levels", "3", "--seed", "5"]),
}
TRAINS = pytest.mark.filterwarnings("ignore")  # of the trainer's libraries
TAKES_PAIRS = ("weight", "degrade")


def relabel(name, *words, rows):
    return run("relabel", name, *words, rows=rows)


@pytest.mark.parametrize(
    ("name", "words"), [(name, words) for name, all_words in COMMANDS.items() for words in all_words]
)
def test_twice_is_once(name, words):
    once, _ = relabel(name, *words, rows=PAIRS if name in TAKES_PAIRS else SCORED)
    assert relabel(name, *words, rows=once)[0] == once != []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("winprob", []),
        ("shape", ["--method", "centered"]),
        ("weight", []),
        ("weight", ["--expression", "score_chosen"]),
        ("degrade", []),
    ],
)
def test_what_streams_does_the_same_to_each_part_of_the_input(name, words):
    rows = PAIRS if name in TAKES_PAIRS else SCORED
    parts = [relabel(name, *words, rows=[row])[0] for row in rows]
    assert [row for part in parts for row in part] == relabel(name, *words, rows=rows)[0]


@TRAINS
def test_sppo_reads_the_win_probabilities_that_pair_carried(tiny_policy, tmp_path):
    """Methods 12: winprob | pair --strategy best-worst | train-dpo --loss sppo."""
    judged, stderr = relabel("winprob", rows=SCORED)
    assert stderr == "real: 10 responses of 2 prompts\n"
    pairs, _ = run("pair", "--strategy", "best-worst", rows=judged)
    assert [pair["prob_chosen"] for pair in pairs][:1] == pytest.approx([0.710378], abs=5e-7)
    assert [pair["prob_rejected"] for pair in pairs][:1] == pytest.approx([0.289622], abs=5e-7)
    (*_, last), _ = train(tiny_policy, tmp_path / "out", pairs, "--loss", "sppo", "--max-steps", "1")
    assert last["num_pairs"] == 2


@TRAINS
def test_spo_reads_the_degraded_copies(tiny_policy, tmp_path):
    pairs, stderr = relabel("degrade", rows=PAIRS)
    assert stderr.startswith("real: 3 pairs, ")
    (*_, last), _ = train(tiny_policy, tmp_path / "out", pairs, "--loss", "spo", "--levels", "4", "--max-steps", "1")
    assert last["num_pairs"] == 3


@TRAINS
def test_training_reads_the_weights(tiny_policy, tmp_path):
    pairs, stderr = relabel("weight", rows=PAIRS)
    assert stderr == "real: 3 pairs weighed; 1 label disagrees with the scores; 1 negative weight set to 0\n"
    (*_, last), _ = train(tiny_policy, tmp_path / "out", pairs, "--weight-field", "weight", "--max-steps", "1")
    assert last["num_pairs"] == 3


@TRAINS
def test_training_refuses_a_negative_weight_that_was_kept(tiny_policy, tmp_path):
    pairs, _ = relabel("weight", "--negative", "keep", rows=PAIRS)
    _, stderr = train(tiny_policy, tmp_path / "out", pairs, "--weight-field", "weight", status=1)
    assert "field 'weight' is -3.0" in stderr


def test_a_matrix_that_winprob_wrote_gives_the_same_probabilities():
    written, _ = relabel("winprob", "--matrix", rows=SCORED)
    again, _ = relabel("winprob", "--from", "preferences", rows=written)
    assert again == written


def test_weights_of_all_pairs_have_mean_one_in_the_order_of_the_input():
    """5, 0, 1 over their mean 2."""
    weighed, _ = relabel("weight", "--normalize", "mean", rows=PAIRS)
    assert [row["weight"] for row in weighed] == [2.5, 0, 0.5]
    assert [row["prompt"] for row in weighed] == [row["prompt"] for row in PAIRS]


def test_statistics_are_of_the_whole_input_and_not_of_what_came_before():
    """All scores of both prompts: from -1 to 9."""
    shaped, _ = relabel("shape", "--method", "min-max", rows=SCORED)
    assert [response["score"] for response in shaped[0]["responses"]] == pytest.approx([0.2, 0.1, 0, 0.15, 0.05])
    backwards, _ = relabel("shape", "--method", "min-max", rows=SCORED[::-1])
    assert backwards == shaped[::-1]


def test_a_pair_without_scores_is_skipped_and_not_in_the_statistics(tmp_path):
    rows = [{"prompt": "q", "responses": [{"text": "a"}]}, *SCORED]
    words = ["--on-error", "skip", "--rejects", tmp_path / "rejects"]
    shaped, stderr = run("relabel", "shape", "--method", "min-max", *words, rows=rows, status=3)
    assert shaped == relabel("shape", "--method", "min-max", rows=SCORED)[0]
    assert "1 rejected" in stderr
    assert "'score' is missing" in json.loads((tmp_path / "rejects").read_bytes())["reason"]


def test_shaped_scores_choose_the_same_pairs():
    """Methods 16(f): per-prompt best and worst never change."""
    pairs = [
        run("pair", "--strategy", "best-worst", rows=rows)[0] for rows in (SCORED, relabel("shape", rows=SCORED)[0])
    ]
    assert [(pair["chosen"], pair["rejected"]) for pair in pairs[0]] == [
        (pair["chosen"], pair["rejected"]) for pair in pairs[1]
    ]
    assert pairs[1][0]["raw_score_chosen"] == 1


def test_a_pair_that_cannot_be_degraded_goes_to_the_rejects(tmp_path):
    rows = [PAIRS[0] | {"chosen": "Yes."}, PAIRS[0]]
    path = tmp_path / "rejects"
    degraded, stderr = relabel("degrade", "--rejects", path, rows=rows)
    assert len(degraded) == 1
    short = "fewer than 3 copies of 1 short response"
    assert stderr == f"real: 1 pair, 2 copies; {short}; left out: 1 too short for a degraded copy\n"
    assert json.loads(path.read_bytes())["record"]["chosen"] == "Yes."


def test_other_layouts_are_read(tmp_path):
    """Parallel arrays become candidates."""
    path = write_rows(tmp_path / "in.jsonl", [{"prompt": "q", "responses": ["a", "b"], "scores": [1, 1]}])
    ranked, _ = run("relabel", "winprob", path)
    assert ranked == [
        {"prompt": "q", "responses": [{"text": "a", "score": 1, "prob": 0.5}, {"text": "b", "score": 1, "prob": 0.5}]}
    ]


@pytest.mark.parametrize("rows", [[], [{"prompt": "q", "responses": []}]])
def test_nothing_to_measure_is_no_error(rows):
    assert relabel("shape", "--method", "standardize", rows=rows)[0] == []
    assert relabel("weight", "--normalize", "mean", rows=[])[0] == []
