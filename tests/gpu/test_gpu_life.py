"""A training life on a device: every kind of objective, stages, a stop and going on; flex attention at the end."""

import json
import math

import pytest

from real_cli.train.loss_names import LOSSES
from tests.gpu.models import on_cuda
from tests.gpu.training_runs import LN_2, StopAfter, formats, losses, train
from tests.train.training import run, with_everything

pytestmark = [pytest.mark.gpu, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

# On a CPU one of each kind: tests/train has them all there.
KINDS = ["aot", "spa", "bmc", "spo"]


@formats("auto")
@pytest.mark.parametrize("loss", LOSSES if on_cuda() else KINDS)
def test_every_objective_finds_its_numbers_on_one_device(loss, case, small_policy, pairs, tmp_path):
    """Two steps and what --dump writes: finite, so nothing was left on another device."""
    words = ["--loss", loss, "--dump", tmp_path / "dump", "--max-steps", "2", *case.words]
    lines, _ = train(small_policy, tmp_path / "out", with_everything(pairs[:8]), *words)
    assert len(lines) == 2
    for line in [*lines, *map(json.loads, (tmp_path / "dump").read_text().splitlines())]:
        assert math.isfinite(line["loss"])
    assert lines[0]["grad_norm"] > 0


@formats("float32", "auto")
def test_each_stage_begins_at_log_two_against_the_one_before(case, small_policy, pairs, tmp_path):
    """The policy under training is its own next reference, in the format it trains in."""
    rows = [row | {"stage": 1 + number % 2} for number, row in enumerate(pairs[:8])]
    lines, _ = train(small_policy, tmp_path / "out", rows, "--stages", "--batch-size", "2", *case.words)
    firsts = [next(line["loss"] for line in lines if line["stage"] == stage) for stage in (1, 2)]
    assert firsts == pytest.approx([LN_2, LN_2], abs=1e-4 if case.is_exact else 0.05)


@formats("float32", "auto")
def test_a_stopped_run_goes_on_as_if_nothing_had_been(case, small_policy, pairs, tmp_path, monkeypatch):
    """Ctrl-C in the second step: a checkpoint, which --resume reads back to the same device."""
    from transformers import trainer

    words = ["--order", "shuffle", *case.words]
    whole = losses(small_policy, tmp_path / "whole", pairs[:8], *words)
    with monkeypatch.context() as pressed:
        pressed.setattr(trainer, "DEFAULT_CALLBACKS", [*trainer.DEFAULT_CALLBACKS, StopAfter])
        words = ["--policy", small_policy, *words]
        lines, messages = run_training(tmp_path / "part", pairs[:8], words, status=130)
    assert "go on with --resume" in messages
    assert [line["step"] for line in lines] == [1, 2]
    rest, _ = run_training(tmp_path / "part", [], [*words, "--resume"])
    together = [line["loss"] for line in lines + rest[:-1]]
    assert together == pytest.approx(whole, abs=1e-4 if case.is_exact else 0.02)


def run_training(folder, rows, words, status=0):
    """Train as `train` does, and return every line."""
    from tests.gpu.training_runs import ROUTINE, learning_rate

    words = ["train-dpo", "--output", folder, *ROUTINE, "--learning-rate", learning_rate(), *words]
    return run(*words, rows=rows, status=status)


@pytest.mark.cuda
@formats("auto")
@pytest.mark.parametrize("layout", ["shared", "packed"])
def test_flex_attention_has_the_losses_of_sdpa(layout, case, policy, pairs, tmp_path):
    """It skips blocks where nothing is seen, all those of other groups in a packed row; compiling takes the time."""
    sdpa = losses(policy, tmp_path / "sdpa", pairs[:8], *case.words, "--layout", "plain")
    words = ["--attention", "flex_attention", "--layout", layout]
    lines, messages = train(policy, tmp_path / "flex", pairs[:8], *case.words, *words)
    assert f"flex_attention attention, {layout} layout" in messages
    assert [line["loss"] for line in lines] == pytest.approx(sdpa, abs=0.06)


@pytest.mark.cuda
@formats("auto")
def test_flex_attention_takes_the_plain_layout_and_checkpointing(case, policy, pairs, tmp_path):
    """There transformers makes the mask."""
    sdpa = losses(policy, tmp_path / "sdpa", pairs[:8], *case.words, "--layout", "plain")
    words = ["--attention", "flex_attention", "--layout", "plain", "--gradient-checkpointing"]
    flex = losses(policy, tmp_path / "flex", pairs[:8], *case.words, *words)
    assert flex == pytest.approx(sdpa, abs=0.06)
