"""`train-dpo --loss kto`: single completions with a label, against TRL's trainer, and from end to end."""

import shutil

import orjson
import pytest

from tests.train.ranks import many_pairs, run_case
from tests.train.training import run, train, write_rows
from tests.train.trajectories import our_losses, run_trl, settings_for, trl_arguments

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
LABELS = [True, False, False, True, True, False, True, False]


@pytest.fixture
def labeled_rows(pair_rows):
    """Eight completions of eight prompts."""
    return [
        {"prompt": row["prompt"], "completion": row["chosen" if label else "rejected"], "label": label}
        for row, label in zip(pair_rows, LABELS, strict=True)
    ]


def as_candidates(rows):
    return [
        {"prompt": row["prompt"], "responses": [{"text": row["completion"], "label": row["label"]}]} for row in rows
    ]


@pytest.mark.parametrize("batch_tokens", [30, 4096])
def test_losses_are_those_of_trl(batch_tokens, tiny_policy, labeled_rows, tmp_path):
    """Eight steps within 1e-4, in several passes and in one; so are the metrics that both have."""
    from trl import KTOConfig, KTOTrainer

    knobs = {"beta": 0.3, "desirable_weight": 1.2, "undesirable_weight": 0.7}
    settings = settings_for("kto", knobs=knobs, batch_size=4, epochs=4.0, max_length=64, order="given")
    args = KTOConfig(**trl_arguments(tmp_path / "trl", settings), **knobs)
    theirs = run_trl(KTOTrainer, args, tiny_policy, labeled_rows, whole_lines=True)
    lines = our_losses(
        tiny_policy,
        as_candidates(labeled_rows),
        tmp_path / "ours",
        settings,
        batch_tokens=batch_tokens,
        whole_lines=True,
    )
    ours = [line["loss"] for line in lines]
    assert len(ours) == 8
    assert ours == pytest.approx([line["loss"] for line in theirs], abs=1e-4)
    assert max(ours) - min(ours) > 1e-2
    names = ["kl", "rewards/chosen", "rewards/rejected", "rewards/margins", "logps/chosen", "logps/rejected"]
    for name in names:
        assert [line[name] for line in lines] == pytest.approx([line[name] for line in theirs], abs=1e-3), name
    assert max(line["kl"] for line in lines) > 0


def test_labels_alone_train(tiny_policy, labeled_rows, tmp_path):
    """Rows of one prompt are rows, a pair is two; lines, dump and the last sentence speak of completions."""
    rows = [*labeled_rows, labeled_rows[0] | {"completion": " yes", "label": False}]
    rows.append({"prompt": "he ran", "chosen": " on the mat", "rejected": " no"})
    held = write_rows(tmp_path / "held.jsonl", [*labeled_rows[:3], rows[-1]])
    out, dump = tmp_path / "out", tmp_path / "dump"
    words = ["--loss", "kto", "--eval-file", held, "--dump", dump, "--epochs", "2", "--batch-size", "4"]
    lines, notes = train(tiny_policy, out, rows, *words)
    assert lines[-1]["num_pairs"] == 11
    assert lines[-1]["step"] == 6
    measured = [line for line in lines if "eval_loss" in line]
    assert len(measured) == 2
    assert {"eval_rewards/chosen", "eval_rewards/rejected", "eval_kl"} <= measured[0].keys()
    shown = [orjson.loads(line) for line in dump.read_bytes().splitlines()]
    assert len(shown) == 22
    assert {"step", "place", "loss", "desirable", "logratio"} == shown[0].keys()
    assert {line["place"] for line in shown} == {f"<stdin>:{number}" for number in range(1, 11)}
    # The same batches in each epoch.
    of_step = [sorted(line["place"] for line in shown if line["step"] == step) for step in range(1, 7)]
    assert of_step[:3] == of_step[3:]
    assert "1 record of --eval-file with a pair, split into a completion labeled true" in notes
    assert "1 record with a pair, split into a completion labeled true and one labeled false" in notes
    assert "trained on 11 completions in 6 steps" in notes


def test_a_run_that_was_stopped_goes_on_the_same_way(tiny_policy, tmp_path):
    """From the middle of an epoch: each completion has the partner that it had."""
    settings = {"batch_size": 8, "epochs": 2.0, "max_length": 24}
    case = {"loss": ["kto"], "settings": settings, "routine": {"save_steps": 3}}
    rows = many_pairs(13)
    whole = run_case(tiny_policy, rows, case, tmp_path / "whole")
    shutil.copytree(tmp_path / "whole", tmp_path / "taken up")
    for checkpoint in (tmp_path / "taken up").glob("checkpoint-[4-9]"):
        shutil.rmtree(checkpoint)
    taken_up = run_case(tiny_policy, rows, case | {"resumed": True}, tmp_path / "taken up")
    losses = [line["loss"] for line in whole["lines"]]
    assert len(losses) == 8
    assert [line["step"] for line in taken_up["lines"]] == [4, 5, 6, 7, 8]
    assert [line["loss"] for line in taken_up["lines"]] == pytest.approx(losses[3:], abs=1e-6)
    assert len({line["loss"] for line in taken_up["lines"]}) == 5


@pytest.mark.parametrize(
    ("rows", "words", "reason"),
    [
        ([{"prompt": "the cat", "completion": " sat"}], [], "the completion has no 'label'; true"),
        ([{"prompt": "the cat", "completion": " sat", "score": 4}], [], ".label = (.score > 0)"),
        (
            [{"prompt": "the cat", "completion": f" {word}", "label": True} for word in ("sat", "ran")],
            [],
            "all completions answer one prompt; kto compares",
        ),
    ],
)
def test_rows_that_kto_cannot_read(rows, words, reason, tiny_policy, tmp_path):
    _, notes = train(tiny_policy, tmp_path / "out", rows, "--loss", "kto", *words, status=1)
    assert reason in notes
    assert "Traceback" not in notes


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--loss", "kto", "--batch-size", "1"], "--batch-size 1: kto compares with others of the batch"),
        (["--loss", "kto,sft"], "kto reads single completions and no pairs; it stands alone"),
        (["--loss", "kto", "--export-logps", "x.jsonl"], "--export-logps: kto has none"),
        (["--loss", "kto", "--offset-field", "o"], "--offset-field: kto does not read it"),
        (["--loss", "kto", "--reference", "none"], "--reference none: kto needs a reference"),
        (["--loss", "dpo", "--desirable-weight", "2"], "--loss dpo does not read --desirable-weight; kto does"),
        (["--loss", "kto", "--undesirable-weight", "-1"], "--undesirable-weight -1.0: must be at least 0"),
        (["--loss", "kto", "--desirable-weight", "0", "--undesirable-weight", "0"], "both are 0; there is nothing"),
        (["--loss", "kto_pair"], "did you mean kto?"),
    ],
)
def test_options_that_do_not_go_with_kto(words, reason, tiny_policy, tmp_path):
    _, notes = train(tiny_policy, tmp_path / "out", [], *words, status=2)
    assert reason in notes


def test_other_losses_send_labels_to_kto(tiny_policy, labeled_rows, tmp_path):
    _, notes = train(tiny_policy, tmp_path / "out", labeled_rows, status=1)
    assert "a 'label' on each completion, and no pair; 'real train-dpo --loss kto' trains on labels" in notes


def test_weights_and_stages_go_with_labels(tiny_policy, labeled_rows, tmp_path):
    """A weight of 0 leaves a completion out of the loss, stages have batches of their own."""
    rows = [row | {"weight": float(row["label"]), "stage": number % 2} for number, row in enumerate(labeled_rows)]
    words = ["--loss", "kto", "--weight-field", "weight", "--stages", "--dump", tmp_path / "dump", "--order", "given"]
    lines, _ = train(tiny_policy, tmp_path / "out", rows, *words)
    shown = [orjson.loads(line) for line in (tmp_path / "dump").read_bytes().splitlines()]
    assert next((line["stage"], line["place"]) for line in shown if line["stage"] == 1) == (1, "<stdin>:2")
    assert sorted(line["place"] for line in shown) == sorted(f"<stdin>:{number}" for number in range(1, 9))
    assert lines[-1]["step"] == 4


def test_labels_come_through_relabel(tiny_policy, tiny_reward, labeled_rows, tmp_path):
    """A reward takes the label's place as the score, and the label still trains."""
    scored, _ = run("relabel", "reward", "--model", tiny_reward, "--device", "cpu", rows=labeled_rows)
    responses = [record["responses"] for record in scored]
    assert [[response["label"] for response in part] for part in responses] == [[label] for label in LABELS]
    assert isinstance(responses[0][0]["score"], float)
    lines, _ = train(tiny_policy, tmp_path / "scored", scored, "--loss", "kto", "--batch-size", "4")
    plain, _ = train(tiny_policy, tmp_path / "plain", labeled_rows, "--loss", "kto", "--batch-size", "4")
    assert [line["loss"] for line in lines] == [line["loss"] for line in plain]
    assert len(plain) == 3


def test_a_run_on_labels_is_estimated(tiny_policy, labeled_rows):
    words = ["--policy", tiny_policy, "--estimate", "--loss", "kto", "--device", "cpu", "--batch-size", "4"]
    (record,), _ = run("train-dpo", *words, rows=labeled_rows)
    assert record["num_pairs"] == 8
    assert record["num_steps"] == 2
