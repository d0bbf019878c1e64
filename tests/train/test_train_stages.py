"""Curricula: stages one after another, and pairs in an order."""

import json
import math
import signal

import pytest

from real_cli.records.record import swap_labels
from tests.train.training import train, with_everything, write_rows

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
LN_2 = math.log(2)


def first_of_each(lines, stages=(1, 2)):
    """The first logged loss of each stage."""
    return [next(line["loss"] for line in lines if line.get("stage") == stage) for stage in stages]


@pytest.mark.parametrize("adapter", [[], ["--lora"]])
def test_each_stage_starts_at_log_two_against_the_previous_one(adapter, tiny_policy, pair_rows, tmp_path):
    """Methods 19(f): with the previous stage as the reference the loss is ln 2 again, whatever has been learned."""
    words = ["--stages", "--epochs", "3", "--learning-rate", "1e-2", *adapter]
    lines, messages = train(tiny_policy, tmp_path / "out", with_everything(pair_rows), *words)
    assert [line["step"] for line in lines] == [*range(1, 13), 12]
    assert [line.get("stage") for line in lines] == [1] * 6 + [2] * 6 + [None]
    assert first_of_each(lines) == pytest.approx([LN_2, LN_2], abs=1e-5)
    assert min(line["loss"] for line in lines[:6]) < LN_2 - 0.05
    assert "reference: the policy at the start of each stage" in messages
    assert "stage 1: 4 pairs" in messages
    assert {path.name for path in (tmp_path / "out").glob("stage-*")} == set()


def test_the_initial_reference_stays_the_same_in_every_stage(tiny_policy, pair_rows, tmp_path):
    """The second stage begins where the first has taken the policy: not at ln 2; the schedule begins again."""
    words = ["--stages", "--stage-reference", "initial", "--epochs", "3", "--learning-rate", "1e-2"]
    lines, messages = train(tiny_policy, tmp_path / "out", with_everything(pair_rows), *words)
    first, second = first_of_each(lines)
    assert first == pytest.approx(LN_2, abs=1e-5)
    assert abs(second - LN_2) > 1e-2
    assert f"reference: {tiny_policy} before training" in messages
    assert lines[6]["learning_rate"] == lines[0]["learning_rate"] == 1e-2


def test_one_stage_is_no_stage(tiny_policy, pair_rows, tmp_path):
    """Methods 19(f), K = 2: the trajectory of plain DPO."""
    rows = [row | {"stage": 3} for row in pair_rows]
    staged, _ = train(tiny_policy, tmp_path / "a", rows, "--stages", "--epochs", "2")
    plain, _ = train(tiny_policy, tmp_path / "b", rows, "--epochs", "2")
    assert [line["loss"] for line in staged] == pytest.approx([line["loss"] for line in plain], abs=1e-6)


def test_each_stage_has_its_own_patience_and_held_out_pairs_need_no_stage(tiny_policy, pair_rows, tmp_path):
    """Flipped labels rise from the first measurement on: two bad ones end each stage, not two in all."""
    held_out = tmp_path / "held.jsonl"
    flipped = [{"prompt": row["prompt"], "chosen": row["rejected"], "rejected": row["chosen"]} for row in pair_rows]
    write_rows(held_out, flipped)
    words = ["--stages", "--epochs", "20", "--learning-rate", "1e-2", "--eval-file", held_out, "--patience", "2"]
    lines, _ = train(tiny_policy, tmp_path / "out", with_everything(pair_rows), *words, "--eval-steps", "1")
    measured = [line["stage"] for line in lines if "eval_loss" in line]
    assert measured == [1, 1, 1, 2, 2, 2]


def places(folder):
    return [json.loads(line)["place"].rpartition(":")[2] for line in (folder / "pairs").read_text().splitlines()]


@pytest.mark.parametrize(
    ("order", "expected"),
    [("given", "12345678"), ("gap", "14725836"), ("-gap", "63852741")],
)
def test_pairs_come_in_the_order_that_is_asked_for(order, expected, tiny_policy, pair_rows, tmp_path):
    """The gaps are 0 3 6 1 4 7 2 5: row 1, row 4, row 7, ... from the lowest up, and backwards from the highest."""
    rows = with_everything(pair_rows)
    train(tiny_policy, tmp_path / "out", rows, "--order", order, "--batch-size", "1", "--dump", tmp_path / "pairs")
    assert "".join(places(tmp_path)) == expected


def test_equal_fields_keep_their_order_and_stages_are_sorted_inside(tiny_policy, pair_rows, tmp_path):
    """Stage 1 has rows 1 3 5 7, stage 2 the others; all gaps alike."""
    rows = [row | {"gap": 1} for row in with_everything(pair_rows)]
    words = ["--stages", "--order", "-gap", "--batch-size", "1", "--dump", tmp_path / "pairs"]
    train(tiny_policy, tmp_path / "out", rows, *words)
    assert "".join(places(tmp_path)) == "13572468"


@pytest.mark.parametrize(
    ("stop_at", "words"),
    [
        (3, ["--stages", "--epochs", "3"]),
        (6, ["--stages", "--epochs", "3"]),
        (7, ["--stages", "--epochs", "3", "--stage-reference", "initial"]),
        (7, ["--stages", "--epochs", "3", "--lora"]),
        (7, ["--epochs", "3", "--loss", "spa", "--warm-share", "0.1", "--flip-quantile", "0.9"]),
        (7, ["--epochs", "3", "--loss", "spo"]),
        (4, ["--stages", "--epochs", "6", "--patience", "2", "--eval-steps", "1", "--eval-file"]),
    ],
)
def test_a_run_stopped_anywhere_goes_on_to_the_same_end(stop_at, words, tiny_policy, pair_rows, tmp_path, monkeypatch):
    """In the first stage, at its end, in the second; with what spa remembers, with spo's head, with an adapter."""
    rows = with_everything(pair_rows)
    held_out = write_rows(tmp_path / "held.jsonl", [swap_labels(row) for row in rows[:3]])
    words = [*words, *([held_out] if words[-1] == "--eval-file" else []), "--learning-rate", "1e-2"]
    whole, _ = train(tiny_policy, tmp_path / "whole", rows, *words)
    seen = train_until(stop_at, tiny_policy, tmp_path / "part", rows, words, monkeypatch)
    assert seen[-1]["step"] in (stop_at, stop_at + 1)
    rest, _ = train(tiny_policy, tmp_path / "part", [], *words, "--resume")
    together, expected = (
        [line["loss"] for line in lines if "loss" in line] for lines in (seen + rest[:-1], whole[:-1])
    )
    assert together == pytest.approx(expected, abs=1e-5)
    assert rest[-1]["step"] == whole[-1]["step"]


def train_until(step, policy, folder, rows, words, monkeypatch):
    """Train in this process, which gets SIGTERM after a step; return the lines that were written."""
    from real_cli.train.callbacks import Reporter

    log = Reporter.on_log

    def on_log(self, args, state, control, logs=None, **kwargs):
        log(self, args, state, control, logs, **kwargs)
        if self._steps_before + state.global_step == step and "loss" in logs:
            signal.raise_signal(signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(Reporter, "on_log", on_log)
        lines, messages = train(policy, folder, rows, *words, status=128 + signal.SIGTERM)
    assert "go on with --resume" in messages
    return lines
