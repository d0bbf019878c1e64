"""A longer training life: measuring, stopping early, schedules, adapters, and what a run says of itself."""

import json

import pytest

from tests.train.training import run, train, write_rows

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def test_held_out_pairs_are_measured_every_so_many_steps(tiny_policy, pair_rows, tmp_path):
    """Eight steps, every third measured, and the last."""
    held_out = write_rows(tmp_path / "held.jsonl", pair_rows[:3])
    words = ["--eval-file", held_out, "--eval-steps", "3", "--epochs", "2"]
    lines, _ = train(tiny_policy, tmp_path / "out", pair_rows, *words)
    assert [line["step"] for line in lines if "eval_loss" in line] == [3, 6, 8]


def test_a_run_that_learns_nothing_new_stops_and_keeps_its_best_weights(tiny_policy, pair_rows, tmp_path):
    """The held-out labels are flipped: the loss there only rises, so after two measurements the first is the best."""
    flipped = [row | {"chosen": row["rejected"], "rejected": row["chosen"]} for row in pair_rows]
    held_out = write_rows(tmp_path / "held.jsonl", flipped)
    words = ["--eval-file", held_out, "--eval-steps", "2", "--patience", "2", "--epochs", "20"]
    lines, _ = train(tiny_policy, tmp_path / "out", pair_rows, *words, "--learning-rate", "1e-2")
    measured = {line["step"]: line["eval_loss"] for line in lines if "eval_loss" in line}
    assert list(measured) == [2, 4, 6]
    assert (lines[-1]["step"], lines[-1]["best_step"]) == (6, 2)
    manifest = json.loads((tmp_path / "out" / "real.json").read_text())
    assert manifest["eval_data"]["num_records"] == 8
    assert manifest["eval_data"]["source"] == str(held_out)
    assert min(measured, key=measured.get) == 2
    measure = ["eval", "margin", "--policy", tmp_path / "out", "--reference", tiny_policy, "--max-length", "12"]
    (kept,), _ = run(*measure, rows=pair_rows)
    last = next(line for line in lines if line["step"] == 6 and "eval_rewards/margins" in line)
    # On flipped labels the margin has the other sign; the kept policy has moved less than the last one.
    assert 0 < kept["margin_beta"] < -last["eval_rewards/margins"]
    assert not list((tmp_path / "out").glob("checkpoint-*"))


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [("constant", [1, 1, 1, 1]), ("linear", [1, 0.75, 0.5, 0.25]), ("cosine", [1, 0.853553, 0.5, 0.146447])],
)
def test_the_learning_rate_goes_by_its_schedule(schedule, rates, tiny_policy, pair_rows, tmp_path):
    """Four steps: cosine is (1 + cos(pi t / 4)) / 2 at t = 0, 1, 2, 3."""
    lines, _ = train(tiny_policy, tmp_path / "out", pair_rows, "--schedule", schedule, "--max-steps", "4")
    assert [line["learning_rate"] for line in lines[:4]] == pytest.approx([rate * 1e-3 for rate in rates], rel=1e-4)


@pytest.mark.parametrize("optimizer", ["rmsprop", "sgd", "adafactor"])
def test_another_optimizer_takes_other_steps(optimizer, tiny_policy, pair_rows, tmp_path):
    """The first loss is the same, the next ones are not."""
    words = ["--max-steps", "3", "--batch-size", "8", "--epochs", "3"]
    adamw, _ = train(tiny_policy, tmp_path / "a", pair_rows, *words)
    other, _ = train(tiny_policy, tmp_path / "b", pair_rows, *words, "--optimizer", optimizer)
    assert other[0]["loss"] == pytest.approx(adamw[0]["loss"], abs=1e-6)
    assert abs(other[2]["loss"] - adamw[2]["loss"]) > 1e-6


def test_warm_up_weight_decay_and_clipping_reach_the_optimizer(tiny_policy, pair_rows, tmp_path):
    """Half of four steps up to the peak; gradients cut to nothing move nothing but what decay pulls."""
    words = ["--max-steps", "4", "--warmup", "0.5", "--schedule", "constant"]
    lines, _ = train(tiny_policy, tmp_path / "a", pair_rows, *words)
    assert lines[1]["learning_rate"] == pytest.approx(5e-4)
    still, _ = train(tiny_policy, tmp_path / "b", pair_rows, "--optimizer", "sgd", "--max-grad-norm", "1e-12")
    assert [line["rewards/margins"] for line in still[:-1]] == pytest.approx([0] * 4, abs=1e-6)
    decayed, _ = train(
        tiny_policy, tmp_path / "c", pair_rows, "--optimizer", "sgd", "--max-grad-norm", "1e-12",
        "--weight-decay", "100",
    )  # fmt: skip
    assert abs(decayed[3]["rewards/margins"]) > 1e-4


@pytest.mark.parametrize("kind", ["--lora", "--qlora"])
def test_a_merged_adapter_is_a_whole_model_that_has_learned_the_same(kind, make_tiny_policy, pair_rows, tmp_path):
    """The folder has no adapter, loads with transformers alone, and its margin is the adapter's."""
    from transformers import AutoModelForCausalLM

    pytest.importorskip("peft")
    tiny_policy = make_tiny_policy()
    if kind == "--qlora":
        pytest.importorskip("bitsandbytes")
        # Its kernel for processors with AVX-512 and bfloat16 takes layers of 32 outputs, or a multiple.
        tiny_policy = make_tiny_policy(hidden_size=64, intermediate_size=64, head_dim=32)
    words = [kind, "--epochs", "4", "--learning-rate", "1e-2", "--lora-rank", "4", "--lora-alpha", "16"]
    lines, _ = train(tiny_policy, tmp_path / "adapter", pair_rows, *words)
    assert lines[0]["loss"] == pytest.approx(0.693147, abs=1e-5)
    adapter = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    assert (adapter["r"], adapter["lora_alpha"]) == (4, 16)
    train(tiny_policy, tmp_path / "merged", pair_rows, *words, "--merge")
    assert not (tmp_path / "merged" / "adapter_config.json").exists()
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    assert not getattr(model, "is_quantized", False)
    margins = []
    for name in ("adapter", "merged"):
        measure = ["eval", "margin", "--policy", tmp_path / name, "--reference", tiny_policy]
        (summary,), _ = run(*measure, rows=pair_rows)
        margins.append(summary["margin"])
    assert min(margins) > 0.5
    # The 4-bit weights that a merged QLoRA was trained on are not those that the adapter alone is put on later, and
    # rounding random weights to 4 bits moves a margin by as much as training does.
    if kind == "--lora":
        assert margins[0] == pytest.approx(margins[1], rel=1e-4)


def test_the_run_says_in_words_how_the_margin_moved(tiny_policy, pair_rows, tmp_path):
    """The sentences stand on standard error and in the manifest; so does what was cut."""
    _, messages = train(tiny_policy, tmp_path / "out", pair_rows, "--epochs", "6", "--max-length", "6")
    manifest = json.loads((tmp_path / "out" / "real.json").read_text())
    assert len(manifest["readings"]) == 3
    for sentence in manifest["readings"]:
        assert f"real: {sentence}\n" in messages
    assert manifest["readings"][0].startswith("margin +")
    assert manifest["readings"][2] == "75% of the pairs were cut to 6 tokens"
    _, messages = train(tiny_policy, tmp_path / "quiet", pair_rows, "--max-steps", "2", "--quiet")
    assert messages == ""


def test_a_tracker_that_is_not_installed_is_named(tiny_policy, pair_rows, tmp_path):
    """Not a traceback; TensorBoard where it is installed gets its files."""
    words = ["--report-to", "trackio", "--max-steps", "1"]
    try:
        import trackio  # noqa: F401
    except ImportError:
        _, messages = train(tiny_policy, tmp_path / "out", pair_rows, *words, status=2)
        assert "--report-to trackio: " in messages


def test_a_policy_is_named_and_so_is_its_folder(tiny_policy, pair_rows):
    """--show-config needs neither, training both."""
    _, messages = run("train-dpo", "--loss", "ipo", rows=pair_rows, status=2)
    assert "--policy and --output are needed" in messages


def test_the_help_lists_every_option_once_in_its_group():
    """An option that is in no group would end the list under a title of its own."""
    import inspect

    from typer.testing import CliRunner

    from real_cli.app import app
    from real_cli.train.command import train_dpo
    from real_cli.train.options import TrainOptions

    grouped = [name for names in TrainOptions.GROUPS.values() for name in names]
    assert sorted(grouped) == sorted(set(inspect.signature(train_dpo).parameters) - {"context", "files"})
    shown = CliRunner().invoke(app, ["train-dpo", "--help"]).output
    titles = [line.removesuffix(":") for line in shown.splitlines() if line.endswith(":") and line[0] != " "]
    assert titles == ["Required", "Arguments", *TrainOptions.GROUPS]
