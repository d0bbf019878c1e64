"""`real relabel reward` and `real relabel implicit`, as a pipe sees them."""

import json
import math

import pytest
from typer.testing import CliRunner

from real_cli.app import app
from real_cli.errors import UsageError
from real_cli.io.word_files import read_words
from real_cli.models.reward.reward_models import RewardModel
from tests.reward_folders import TOKENS, save_reward_model

CANDIDATES = {
    "id": 1,
    "prompt": "the cat",
    "responses": [{"text": " sat on the mat", "score": 3}, {"text": " ran", "score": 2}, {"text": " no"}],
}
PAIR = {"id": 2, "prompt": "why", "chosen": " the dog ran", "rejected": " yes", "score_chosen": 9, "similarity": 0.5}
CONTRAST = ("--contrast", "big big", "no no")


def run(*words, records=(CANDIDATES, PAIR)):
    data = "".join(json.dumps(record) + "\n" for record in records)
    return CliRunner().invoke(app, list(map(str, words)), input=data.encode(), prog_name="real")


def lines(result):
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture(scope="module")
def policies(make_tiny_policy):
    return "--policy", make_tiny_policy(), "--reference", make_tiny_policy(seed=1)


@pytest.fixture(scope="module")
def ranker(tmp_path_factory):
    return save_reward_model(tmp_path_factory.mktemp("ranker"), "bert", pad_token_id=0)


def test_reward_scores_candidates_and_pairs_and_each_keeps_its_shape(tiny_reward):
    result = run("relabel", "reward", "--model", tiny_reward)
    candidates, pair = lines(result)
    scores = [response.pop("score") for response in candidates["responses"]]
    assert len(set(scores)) == 3
    assert candidates == CANDIDATES | {
        "responses": [{"text": response["text"]} for response in CANDIDATES["responses"]]
    }
    assert list(pair) == [*PAIR, "score_rejected"]
    against = int(pair["score_chosen"] < pair["score_rejected"])
    assert result.stderr == (
        f"real: 5 responses scored (5 distinct in their windows); {against} of 1 labels disagree; "
        "3 earlier scores replaced; 1 record with scores on a part of the responses\n"
    )


def test_reward_under_another_name_leaves_the_scores_that_are_there(tiny_reward):
    result = run("relabel", "reward", "--model", tiny_reward, "--field", "score_tiny")
    candidates, pair = lines(result)
    assert [response.get("score") for response in candidates["responses"]] == [3, 2, None]
    assert all("score_tiny" in response for response in candidates["responses"])
    assert (pair["score_chosen"], {"score_tiny_chosen", "score_tiny_rejected"} <= set(pair)) == (9, True)
    assert "replaced" not in result.stderr


def test_reward_twice_is_reward_once(tiny_reward):
    once = run("relabel", "reward", "--model", tiny_reward)
    assert lines(run("relabel", "reward", "--model", tiny_reward, records=lines(once))) == lines(once)


def test_a_pairwise_model_leaves_what_winprob_reads_and_a_margin_on_a_pair(ranker):
    result = run("relabel", "reward", "--model", ranker, "--pairwise")
    candidates, pair = lines(result)
    preferences = candidates["preferences"]
    assert all(preferences[i][j] + preferences[j][i] == 1 for i in range(3) for j in range(3))
    assert "preferences" not in pair
    swapped = PAIR | {"chosen": PAIR["rejected"], "rejected": PAIR["chosen"]}
    assert lines(run("relabel", "reward", "--model", ranker, "--pairwise", records=[swapped]))[0]["margin"] == (
        pytest.approx(-pair["margin"], abs=1e-6)
    )
    assert (
        f"8 ordered pairs scored (8 distinct in their windows); {int(pair['margin'] < 0)} of 1 labels" in result.stderr
    )
    (ranked,) = lines(run("relabel", "winprob", "--from", "preferences", records=[candidates]))
    assert [response["prob"] for response in ranked["responses"]] == pytest.approx(
        [sum(row) / 3 for row in preferences]
    )


def test_scores_orient_the_pairs_that_are_made_afterwards(tiny_reward):
    scored = lines(run("relabel", "reward", "--model", tiny_reward))[:1]
    (pair,) = lines(run("pair", "--strategy", "best-worst", records=scored))
    score_of = {response["text"]: response["score"] for response in scored[0]["responses"]}
    assert (pair["chosen"], pair["rejected"]) == (max(score_of, key=score_of.get), min(score_of, key=score_of.get))


@pytest.mark.parametrize("command", ["reward", "implicit"])
def test_what_is_no_number_is_one_rejected_record_and_never_null(command, tiny_reward, policies, monkeypatch, tmp_path):
    if command == "reward":
        yes = TOKENS.index("yes")
        monkeypatch.setattr(
            RewardModel, "logits", lambda self, rows: [math.nan if yes in row.ids else 0 for row in rows]
        )
        words = "--model", tiny_reward
    else:
        monkeypatch.setattr(
            "real_cli.relabel.implicit.measure.implicit_rewards", lambda logps, *_: [0.0, math.nan][: len(logps)]
        )
        words = policies
    single = {"prompt": "no", "responses": [{"text": " sat"}]}
    result = run("relabel", command, *words, records=[single, PAIR])
    assert (result.exit_code, result.stderr.startswith("real: <stdin>:2: response ")) == (1, True)
    assert "null" not in result.stdout
    rejects = tmp_path / "rejects.jsonl"
    result = run("relabel", command, *words, "--on-error", "skip", "--rejects", rejects, records=[single, PAIR])
    assert result.exit_code == 3
    assert len(result.stdout.splitlines()) == 1
    assert json.loads(rejects.read_text())["record"] == PAIR


def test_implicit_writes_scores_a_probability_of_two_and_the_margin_of_a_pair(policies):
    result = run("relabel", "implicit", *policies, "--beta", "0.5")
    candidates, pair = lines(result)
    assert all(set(response) == {"text", "score"} for response in candidates["responses"])
    margin = pair["score_chosen"] - pair["score_rejected"]
    assert pair["implicit_margin"] == pytest.approx(margin)
    assert pair["prob_chosen"] == pytest.approx(1 / (1 + math.exp(-margin)))
    assert pair["prob_chosen"] + pair["prob_rejected"] == pytest.approx(1)
    (tenth,) = lines(run("relabel", "implicit", *policies, records=[PAIR]))
    assert tenth["implicit_margin"] == pytest.approx(margin / 5)
    assert result.stderr.startswith("real: 5 responses scored; ")
    assert f"{int(margin < 0)} of 1 labels disagree; 3 earlier scores replaced; " in result.stderr


def test_the_smallest_margin_is_what_pair_keeps(policies):
    """Methods 22(b): the signed gap, so what is probably mislabeled comes first."""
    swapped = PAIR | {"id": 3, "chosen": PAIR["rejected"], "rejected": PAIR["chosen"]}
    judged = lines(run("relabel", "implicit", *policies, "--field", "implicit", records=[PAIR, swapped]))
    (kept,) = lines(
        run("pair", "--strategy", "all", "--orient", "rank", "--keep", "50%", "--by", "implicit_margin", "--lowest",
            records=judged)
    )  # fmt: skip
    assert kept["implicit_margin"] == min(row["implicit_margin"] for row in judged) < 0


def test_implicit_and_eval_margin_agree(policies):
    """Both say beta times the difference of log-ratios."""
    summary = json.loads(run("eval", "margin", *policies, records=[PAIR]).stdout)
    (scored,) = lines(run("relabel", "implicit", *policies, records=[PAIR]))
    assert scored["implicit_margin"] == pytest.approx(summary["margin_beta"], abs=1e-5)


def test_contrast_writes_scores_and_the_offset_of_a_pair(policies, tmp_path):
    (tmp_path / "kind").write_text("big big\n")
    candidates, pair = lines(run("relabel", "implicit", *policies[:2], *CONTRAST))
    assert pair["offset"] == pytest.approx(pair["score_chosen"] - pair["score_rejected"])
    assert not {"prob_chosen", "implicit_margin"} & set(pair)
    assert all(set(response) == {"text", "score"} for response in candidates["responses"])
    from_file = run("relabel", "implicit", *policies[:2], "--contrast", f"@{tmp_path / 'kind'}", "no no")
    assert lines(from_file) == [candidates, pair]


def test_words_of_a_file_are_read_without_its_last_line_end(tmp_path):
    (tmp_path / "words").write_text("Be kind.\n\nAlways.\n")
    assert read_words(f"@{tmp_path / 'words'}") == "Be kind.\n\nAlways."
    assert read_words("Be kind.\n") == "Be kind.\n"
    (tmp_path / "bytes").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="bytes: is no text; give words, or @FILE$"):
        read_words(f"@{tmp_path / 'bytes'}")


def test_a_prompt_that_fills_the_limit_leaves_its_record_out_and_that_is_told(policies, tmp_path):
    long = CANDIDATES | {"prompt": "the " * 20}
    rejects = tmp_path / "rejects.jsonl"
    result = run("relabel", "implicit", *policies, "--max-length", "8", "--rejects", rejects, records=[long, PAIR])
    assert [record["id"] for record in lines(result)] == [2]
    assert "; left out: 1 the prompt alone fills --max-length; " in result.stderr
    assert json.loads(rejects.read_text())["reason"] == "the prompt alone fills --max-length"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ((*CONTRAST, "--reference", "b"), "--contrast: compares two prompts under the policy alone; leave out --refer"),
        ((*CONTRAST, "--beta", "1"), "--contrast: the score is in nats, without beta; leave out --beta"),
        (("--contrast", "@none", "no"), "@none: No such file or directory; give words, or @FILE"),
        (("--contrast", "big", ""), "--contrast: one side is empty"),
        (("--field", "rank"), "--field 'rank': is not a name for a score"),
    ],
)
def test_options_of_implicit_that_do_not_fit(words, problem):
    result = run("relabel", "implicit", "--policy", "a", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"real: {problem}")
    assert result.stderr.count("\n") == 1


def test_what_was_best_survives_the_scoring_and_eval_reward_reads_both(tiny_reward):
    """RewardBench 2's lists become ranks, a pair stays one; the accuracy is that of the scores on the lines."""
    listed = {"prompt": "the cat", "chosen": [" ran"], "rejected": [" no", " yes", " sat"], "subset": "Math"}
    scored = lines(run("relabel", "reward", "--model", tiny_reward, records=[listed, PAIR]))
    (summary,) = lines(run("eval", "reward", "--by", "subset", records=scored))
    best, *others = (response["score"] for response in scored[0]["responses"])
    wins = [best > other for other in others] + [scored[1]["score_chosen"] > scored[1]["score_rejected"]]
    assert (summary["num_pairs"], summary["num_correct"]) == (4, sum(wins))
    math_row, none = summary["by_category"]
    assert (math_row["category"], none["category"]) == ("Math", None)
    assert math_row["score"] == float(best > max(others))
    assert (math_row["num_pairs"], none["num_pairs"]) == (3, 1)
