"""train-dpo: its losses against float32 on the CPU, against each other, and against TRL's own trainer."""

import json
import math

import pytest

from tests.gpu.training_runs import LN_2, formats, losses, train, trl_losses
from tests.train.training import run

pytestmark = [pytest.mark.gpu, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

NUM_STEPS = 4
# How far the loss of a step may lie from float32 on the CPU; `auto` is float32 weights that compute in bfloat16. Most
# steps of weights that are bfloat16 themselves are lost to rounding: of those runs the first two losses are compared.
BOUNDS = {"float32": 2e-3, "auto": 0.06, "bfloat16": 0.12}


@pytest.fixture(scope="module")
def eight(pairs):
    """Pairs for four steps: two epochs of two."""
    return pairs[:8]


@pytest.fixture(scope="module")
def known_losses(policy, eight, tmp_path_factory):
    """The losses by float32 on the CPU in the plain layout."""
    words = ["--device", "cpu", "--dtype", "float32", "--layout", "plain"]
    return losses(policy, tmp_path_factory.mktemp("known"), eight, *words)


@formats("float32", "auto", "bfloat16")
def test_all_layouts_have_the_losses_of_a_cpu(case, policy, eight, known_losses, tmp_path):
    """Four steps; the run says where and how it computes, and so does its manifest."""
    assert len(known_losses) == NUM_STEPS
    assert known_losses[0] == pytest.approx(LN_2, abs=1e-5)
    assert known_losses[-1] < LN_2 - 0.05  # it does learn
    result = {}
    for layout in ("shared", "plain", "packed"):
        lines, messages = train(policy, tmp_path / layout, eight, *case.words, "--layout", layout)
        result[layout] = [line["loss"] for line in lines]
        dtype = "bfloat16" if case.dtype == "auto" else case.dtype
        assert f"real: {policy}: {case.device}, {dtype}, sdpa attention, {layout} layout, " in messages
        manifest = json.loads((tmp_path / layout / "real.json").read_text())
        assert (manifest["device"], manifest["dtype"], manifest["layout"]) == (case.device, dtype, layout)
        compared = NUM_STEPS // 2 if case.dtype == "bfloat16" else NUM_STEPS
        assert all(map(math.isfinite, result[layout]))
        assert result[layout][:compared] == pytest.approx(known_losses[:compared], abs=BOUNDS[case.dtype])
    for layout in ("shared", "packed"):
        assert result[layout] == pytest.approx(result["plain"], abs=BOUNDS[case.dtype])


@formats("float32", "auto")
def test_every_step_has_the_loss_of_trl(case, policy, eight, known_losses, tmp_path):
    """TRL's DPOTrainer on the same device in the same number format."""
    trls = trl_losses(policy, eight, tmp_path / "trl", case)
    assert trls == pytest.approx(known_losses, abs=BOUNDS[case.dtype])
    ours = losses(policy, tmp_path / "ours", eight, *case.words)
    assert ours == pytest.approx(trls, abs=1e-3 if case.is_exact else BOUNDS["auto"])


@formats("float32", "auto")
@pytest.mark.parametrize(
    "words",
    [
        ["--attention", "eager"],
        ["--gradient-checkpointing"],
        ["--batch-tokens", "64", "--batch-size", "2", "--gradient-accumulation", "2"],
    ],
    ids=["eager", "checkpointing", "passes"],
)
def test_how_a_step_is_computed_does_not_change_it(words, case, policy, eight, known_losses, tmp_path):
    """Eager attention, activations made again, small passes of batches in two parts."""
    result = losses(policy, tmp_path / "out", eight, *case.words, *words)
    assert result == pytest.approx(known_losses, abs=BOUNDS[case.dtype])


@formats("float32", "auto")
def test_an_adapter_learns_the_same_in_both_layouts(case, policy, eight, tmp_path):
    """Its first loss is ln 2; it loads on the device, and has raised the margin; so does the merged model."""
    pytest.importorskip("peft")
    words = [*case.words, "--lora", "--learning-rate", "5e-4"]
    shared = losses(policy, tmp_path / "shared", eight, *words, "--layout", "shared")
    plain = losses(policy, tmp_path / "plain", eight, *words, "--layout", "plain", "--merge")
    assert shared[0] == pytest.approx(LN_2, abs=BOUNDS[case.dtype])
    assert shared[-1] < LN_2 - 0.01
    assert shared == pytest.approx(plain, abs=2 * BOUNDS[case.dtype])
    for name in ("shared", "plain"):
        measure = ["eval", "margin", "--policy", tmp_path / name, "--reference", policy, "--device", case.device]
        (summary,), _ = run(*measure, rows=eight)
        assert summary["margin"] > 0.5


@formats("float32", "auto")
def test_another_reference_is_asked_once_and_held_out_pairs_are_measured(
    case, policy, reference, eight, known_losses, tmp_path
):
    """The first loss is that of the exported log-probabilities; held-out lines are numbers."""
    held_out = tmp_path / "held.jsonl"
    held_out.write_text("".join(json.dumps(row) + "\n" for row in eight[:4]))
    words = ["--reference", reference, "--export-logps", tmp_path / "logps.jsonl", "--eval-file", held_out]
    lines, _ = train(policy, tmp_path / "a", eight, *case.words, *words)
    measured = [line["eval_loss"] for line in lines if "eval_loss" in line]
    assert len(measured) == 2
    assert all(map(math.isfinite, measured))
    rows = [json.loads(line) for line in (tmp_path / "logps.jsonl").read_text().splitlines()]
    first = [line["loss"] for line in lines if "loss" in line]
    again = losses(policy, tmp_path / "b", rows, *case.words)
    assert again == pytest.approx(first, abs=BOUNDS[case.dtype])
    assert abs(first[0] - known_losses[0]) > 0.05
