"""Every part of every layout as every JSON type: a record that cannot be used costs itself, and never the run."""

import json

import pytest

from tests.attacks.commands import invoke, lines
from tests.attacks.layout_rows import ROWS, variations

COMMANDS = [
    "pair",
    "pair -s best-worst",
    "pair -s all --orient none",
    "pair -s best-vs-rest --curriculum",
    "pair -s dts",
    "pair -s delta-ucb",
    "pair -s best-worst --keep 50% --by margin --lowest",
    "pair -s best-worst --emit triples",
    "pair --emit ranking",
    "pair --dedup-distance 0.1 --emit prompts",
    "relabel winprob --matrix",
    "relabel winprob --from preferences",
    "relabel weight",
    "relabel weight --expression score_chosen/weight --negative clip",
    "relabel shape --method par --references reference",
    "relabel shape --method sgfc --length-penalty 0.1",
    "relabel goal",
    "relabel goal --strip",
    "relabel degrade",
    "relabel dsat --lexical",
    "relabel feedback",
    "relabel human --export csv",
    "relabel human --export argilla",
    "relabel judge -m m --no-cache --emit-requests ASKED",
    "relabel judge -m m --no-cache --rubric ultrafeedback --emit-requests ASKED",
    "relabel bridge --from reference",
    "relabel bridge -m m --no-cache --emit-requests ASKED",
    "sample -p m --no-cache --emit-requests ASKED",
    "sample -p m --no-cache --improve --emit-requests ASKED",
    "sample -p m --no-cache --lowest-score 50% --emit-requests ASKED",
    "eval budget --report REPORT",
    "eval pairs --report REPORT",
    "eval labels --gold score --report REPORT",
    "eval labels --compare easy,random --budget 50%",
    "eval reward --by category --report REPORT",
    "eval winrate --by category --report REPORT",
    "eval compare --report REPORT",
    "eval judge --label score --report REPORT",
    "eval judge --gold score --report REPORT",
]
WITH_MODELS = [
    "embed --model POLICY",
    "relabel implicit --policy POLICY",
    "relabel reward --model REWARD",
    "eval margin --policy POLICY --reference POLICY",
    "train-dpo --policy POLICY --max-steps 1 --loss tpo -o TRAINED",
]
STRANGE = {name: list(variations(row)) for name, row in ROWS.items()}


def skipping(words, rows, folder):
    """Run a command over all rows; those it refuses are set aside with a reason each."""
    places = {"ASKED": folder / "asked", "REPORT": folder / "report.html", "TRAINED": folder / "trained"}
    words = [str(places.get(word, word)) for word in words]
    rejects = ["--on-error", "skip", "--rejects", folder / "rejects"]
    result = invoke(*words, *rejects, data=lines(*rows))
    assert result.exit_code in (0, 3), result.stderr
    reasons = [json.loads(line)["reason"] for line in (folder / "rejects").read_bytes().splitlines()]
    assert (result.exit_code == 3) == bool(reasons)
    assert not [reason for reason in reasons if not 0 < len(reason) < 500]
    return result


@pytest.mark.filterwarnings("ignore")  # of numpy, about numbers that are too large
@pytest.mark.parametrize("command", COMMANDS)
def test_no_field_of_another_type_ends_a_run(command, tmp_path):
    step = 1 if command == "pair" else 4  # every layout has all of its places with some of the types
    skipping(command.split(), [row for rows in STRANGE.values() for row in rows[::step]], tmp_path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("command", WITH_MODELS)
def test_no_field_of_another_type_ends_a_run_of_a_model(command, tmp_path, tiny_policy, tiny_reward):
    models = {"POLICY": str(tiny_policy), "REWARD": str(tiny_reward)}
    words = [models.get(word, word) for word in command.split()]
    # Of the others the tiny policy knows no word: to it their responses are the same tokens.
    known = {"prompt": "the cat", "reference": " sat", "chosen": " sat on the mat", "rejected": " ran"}
    skipping(words, [known, *(row for rows in STRANGE.values() for row in rows[::9])], tmp_path)


KEY = f"{'0' * 32}-ab"
ANSWERS = [
    {
        "id": 1,
        "data": {"key": KEY},
        "annotations": [
            {
                "completed_by": {"id": 1},
                "was_cancelled": False,
                "result": [
                    {"type": "choices", "value": {"choices": ["a"]}},
                    {"type": "textarea", "value": {"text": ["n"]}},
                    {"type": "pairwise", "value": {"selected": "left"}},
                ],
            }
        ],
    },
    {"id": KEY, "fields": {}, "responses": {"verdict": [{"value": "a", "user_id": "u"}], "note": [{"value": "n"}]}},
    {"key": KEY, "verdict": "a", "annotator": "x", "note": "n"},
]


@pytest.mark.parametrize("answer", ANSWERS, ids=["Label Studio", "Argilla", "flat"])
def test_answers_of_another_type_are_told_in_a_line(answer, tmp_path):
    for number, strange in enumerate([*variations(answer)][::9]):
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps([strange]))
        result = invoke("relabel", "human", "--import", path, data=b"")
        assert result.exit_code in (0, 1)
        assert result.stderr.count("\n") == 1
