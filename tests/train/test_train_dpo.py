"""`real train-dpo` and `real eval margin` as a user runs them, on a tiny random policy."""

import json
import signal
import subprocess
import sys

import orjson
import pytest

from tests.train.training import FAST, located, run, train

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def test_every_line_is_a_number_for_jq_and_the_folder_loads(tiny_policy, pair_rows, tmp_path):
    """Four steps and a result; metrics in TRL's names; transformers loads what was saved; the margin has risen."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    lines, messages = train(tiny_policy, tmp_path / "out", pair_rows, "--epochs", "4")
    assert [line["step"] for line in lines] == [*range(1, 17), 16]
    assert all(isinstance(line["loss"], float) for line in lines)
    assert {"rewards/chosen", "rewards/margins", "logps/rejected", "num_tokens", "grad_norm"} <= set(lines[0])
    assert lines[0]["loss"] == pytest.approx(0.693147, abs=1e-5)
    assert "trained on 8 pairs in 16 steps" in messages
    AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    AutoTokenizer.from_pretrained(tmp_path / "out")
    (summary,), _ = run(
        "eval", "margin", "--policy", tmp_path / "out", "--reference", tiny_policy, "--max-length", "12", rows=pair_rows
    )
    assert summary["num_pairs"] == 8
    assert summary["margin"] > 1
    assert summary["accuracy"] > 0.9
    assert summary["margin_beta"] == pytest.approx(summary["margin"] * 0.1)


def test_the_layout_changes_speed_and_not_the_result(tiny_policy, make_tiny_policy, pair_rows, tmp_path):
    """Shared and plain: the same losses, and the same margin; each run says what it took."""
    shared, messages = train(tiny_policy, tmp_path / "a", pair_rows)
    assert "shared layout, 512 tokens a pass" in messages
    plain, messages = train(tiny_policy, tmp_path / "b", pair_rows, "--layout", "plain", "--batch-tokens", "20")
    assert "plain layout, 20 tokens a pass" in messages
    assert [line["loss"] for line in plain] == pytest.approx([line["loss"] for line in shared], abs=1e-5)
    manifest = json.loads((tmp_path / "b" / "real.json").read_text())
    assert (manifest["layout"], manifest["batch_tokens"]) == ("plain", 20)
    measure = ["eval", "margin", "--policy", tmp_path / "a", "--reference", tiny_policy]
    (item,), _ = run(*measure, "--attention", "eager", rows=pair_rows)
    (other,), _ = run(*measure, "--layout", "plain", rows=pair_rows)
    assert item["margin"] == pytest.approx(other["margin"], abs=1e-5)
    _, messages = train(make_tiny_policy("bloom"), tmp_path / "c", pair_rows, "--max-steps", "1")
    assert "plain layout, each prompt is run once for each response: " in messages
    bloom = make_tiny_policy("bloom")
    _, messages = run("eval", "margin", "--policy", bloom, "--reference", bloom, rows=pair_rows)
    assert "plain layout" in messages
    _, messages = run("eval", "margin", "--policy", bloom, "--reference", bloom, "--quiet", rows=pair_rows)
    assert messages == ""


def test_the_manifest_says_what_was_done_and_no_pickle_is_left(tiny_policy, pair_rows, tmp_path):
    """Settings, versions, the hash of the data, counts of what was cut; and no file that has to be unpickled."""
    train(tiny_policy, tmp_path / "out", pair_rows, "--loss", "ipo", "--max-steps", "1", "--max-length", "6")
    manifest = json.loads((tmp_path / "out" / "real.json").read_text())
    assert manifest["settings"]["loss"] == ["ipo"]
    assert manifest["result"]["num_pairs"] == 8
    assert len(manifest["data"]["sha256"]) == 64
    assert manifest["counts"]["train"]["num_truncated"] == 6
    assert manifest["versions"]["trl"].startswith("1.16")
    assert manifest["reference"] == f"{tiny_policy} before training"
    assert 0 < manifest["cost"]["train_seconds"] <= manifest["result"]["seconds"]
    assert manifest["cost"]["peak_memory_bytes"] > 50 * 2**20  # Python with torch has more
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert "model.safetensors" in names
    assert not {
        name for name in names if name.endswith((".bin", ".pt", ".pth")) or name.startswith(("checkpoint", ".work"))
    }


def test_exported_log_probabilities_replace_the_reference(tiny_policy, make_tiny_policy, pair_rows, tmp_path):
    """The second run reads them: no reference model, the same losses."""
    reference = make_tiny_policy(seed=3)
    first, _ = train(
        tiny_policy, tmp_path / "a", pair_rows, "--reference", reference, "--export-logps", tmp_path / "logps.jsonl"
    )
    rows = [json.loads(line) for line in (tmp_path / "logps.jsonl").read_text().splitlines()]
    assert [row["chosen"] for row in rows] == [row["chosen"] for row in pair_rows]
    second, messages = train(tiny_policy, tmp_path / "b", rows)
    assert "log-probabilities that 8 of 8 records carry" in messages
    assert [line["loss"] for line in second] == pytest.approx([line["loss"] for line in first], abs=1e-5)
    ours, _ = train(tiny_policy, tmp_path / "c", pair_rows)
    assert abs(ours[0]["loss"] - first[0]["loss"]) > 1e-2


def test_a_prompt_that_fills_the_limit_is_left_out_counted_and_kept(tiny_policy, pair_rows, tmp_path):
    """Nothing is dropped in silence: TRL drops such a row without a word."""
    long = {"prompt": "the cat " * 9, "chosen": " ran", "rejected": " sat", "id": 7}
    _, messages = train(
        tiny_policy, tmp_path / "out", [*pair_rows, long], "--max-steps", "1", "--rejects", tmp_path / "rejects"
    )
    assert "1 left out: the prompt alone fills 12 tokens" in messages
    (reject,) = [json.loads(line) for line in (tmp_path / "rejects").read_text().splitlines()]
    assert (reject["record"], reject["place"]) == (long, "<stdin>:9")
    assert json.loads((tmp_path / "out" / "real.json").read_text())["left_out"] == {"train prompts too long": 1}


def test_lora_trains_an_adapter_that_eval_reads(tiny_policy, pair_rows, tmp_path):
    """The first loss is ln 2, the folder holds an adapter, and it has moved the policy."""
    pytest.importorskip("peft")
    lines, _ = train(tiny_policy, tmp_path / "out", pair_rows, "--lora", "--epochs", "4", "--learning-rate", "1e-2")
    assert lines[0]["loss"] == pytest.approx(0.693147, abs=1e-5)
    assert (tmp_path / "out" / "adapter_config.json").exists()
    (summary,), _ = run("eval", "margin", "--policy", tmp_path / "out", "--reference", tiny_policy, rows=pair_rows)
    assert summary["margin"] > 0.5


def test_a_held_out_file_is_measured_after_each_epoch(tiny_policy, pair_rows, tmp_path):
    """Its lines carry eval_loss, and its pairs are never trained on."""
    held_out = tmp_path / "held.jsonl"
    held_out.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in pair_rows[:3]))
    lines, _ = train(tiny_policy, tmp_path / "out", pair_rows[3:], "--epochs", "2", "--eval-file", held_out)
    measured = [line for line in lines if "eval_loss" in line]
    assert len(measured) == 2
    assert {"eval_rewards/accuracies", "eval_rewards/margins"} <= set(measured[0])
    assert json.loads((tmp_path / "out" / "real.json").read_text())["result"]["num_pairs"] == 5


def test_settings_that_an_objective_would_ignore_are_refused_together(tiny_policy, pair_rows, tmp_path):
    """One message for all complaints, status 2, and nothing is written."""
    _, messages = train(
        tiny_policy, tmp_path / "out", pair_rows, "--loss", "ipo", "--beta", "0", "--label-smoothing", "0.2", status=2
    )
    assert "--beta 0.0: must be greater than 0" in messages
    assert "--loss ipo does not read --label-smoothing" in messages
    assert not (tmp_path / "out").exists()


def test_a_folder_of_somebody_else_is_not_written_into(tiny_policy, pair_rows, tmp_path):
    """An output folder with other files in it is refused, and left as it is."""
    (tmp_path / "thesis.tex").write_text("precious")
    _, messages = train(tiny_policy, tmp_path, pair_rows, status=2)
    assert "is not empty" in messages
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_stopped_run_goes_on_to_the_same_end(tiny_policy, pair_rows, tmp_path):
    """Stop after some steps, resume without the input: the remaining losses are those of a run that was not stopped."""
    words = ["--epochs", "30", "--learning-rate", "1e-4"]
    whole, _ = train(tiny_policy, tmp_path / "whole", pair_rows, *words)
    command = [
        sys.executable,
        "-m",
        "real_cli",
        "train-dpo",
        "--policy",
        tiny_policy,
        "--output",
        tmp_path / "part",
        *FAST,
        *words,
    ]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdin.write(b"".join(orjson.dumps(row) + b"\n" for row in pair_rows))
    process.stdin.close()
    seen = [json.loads(process.stdout.readline()) for _ in range(5)]
    process.send_signal(signal.SIGINT)
    seen += [json.loads(line) for line in process.stdout]
    messages = process.stderr.read().decode()
    assert process.wait() == 130, messages
    assert "go on with --resume" in messages
    assert len(seen) < 120
    assert not (tmp_path / "part" / "real.json").exists()
    rest, _ = train(tiny_policy, tmp_path / "part", [], *words, "--resume")
    together = [line["loss"] for line in seen + rest[:-1]]
    assert together == pytest.approx([line["loss"] for line in whole[:-1]], abs=1e-5)
    assert (tmp_path / "part" / "real.json").exists()


def test_resuming_with_other_settings_or_other_data_is_refused(tiny_policy, pair_rows, tmp_path):
    """The workspace of a stopped run remembers what it was."""
    from real_cli.train.folder import Workspace

    workspace = Workspace(tmp_path / "out", resume=False)
    workspace.open()
    workspace.begin(workspace.spool("train", located(pair_rows)), {"learning_rate": 0.5})
    _, messages = train(tiny_policy, tmp_path / "out", pair_rows, "--resume", status=2)
    assert "learning_rate was 0.5" in messages
    (tmp_path / "out" / ".work" / "settings.json").unlink()
    _, messages = train(tiny_policy, tmp_path / "out", pair_rows[1:], "--resume", status=1)
    assert "are not those" in messages


def test_a_run_resumed_without_its_input_tells_each_pair_by_the_file_and_line_it_had(tiny_policy, pair_rows, tmp_path):
    """In --dump, in the rejects, and of held-out pairs too; what is left out moves no place, and no score on export."""
    from real_cli.train.folder import Workspace

    workspace = Workspace(tmp_path / "out", resume=False)
    workspace.open()
    long = {"prompt": "the cat " * 9, "chosen": " ran", "rejected": " sat"}
    workspace.spool("train", located([pair_rows[0], long, *pair_rows[1:3]], "mine.jsonl"))
    files = {name: tmp_path / name for name in ("dump", "rejects", "export-logps")}
    words = [word for name, path in files.items() for word in (f"--{name}", path)]
    train(tiny_policy, tmp_path / "out", [], "--resume", "--epochs", "1", *words)
    dumped, rejected, exported = ([json.loads(line) for line in path.open()] for path in files.values())
    assert {line["place"] for line in dumped} == {"mine.jsonl:1", "mine.jsonl:3", "mine.jsonl:4"}
    assert [(line["place"], line["record"]) for line in rejected] == [("mine.jsonl:2", long)]
    assert [row["prompt"] for row in exported] == [row["prompt"] for row in (pair_rows[0], long, *pair_rows[1:3])]
    assert ["ref_chosen_logps" in row for row in exported] == [True, False, True, True]


def test_a_conversation_that_cannot_be_rendered_is_one_rejected_record(tiny_policy, pair_rows, tmp_path):
    """The policy has no chat template: with skip the others are trained on, with fail the message names the line."""
    turns = {
        name: [{"role": "user" if name == "prompt" else "assistant", "content": text}]
        for name, text in pair_rows[0].items()
    }
    _, messages = train(
        tiny_policy, tmp_path / "a", [*pair_rows, turns], "--max-steps", "1", "--on-error", "skip", status=3
    )
    assert "1 rejected" in messages
    for words in (["train-dpo", "--output", tmp_path / "b"], ["eval", "margin", "--reference", tiny_policy]):
        _, messages = run(*words, "--policy", tiny_policy, rows=[pair_rows[0], turns], status=1)
        assert "<stdin>:2: the model has no chat template" in messages


def test_a_finished_run_is_not_resumed_over(tiny_policy, pair_rows, tmp_path):
    """Its spool is gone: nothing could tell other data or settings."""
    train(tiny_policy, tmp_path / "out", pair_rows, "--max-steps", "1")
    before = (tmp_path / "out" / "model.safetensors").read_bytes()
    _, messages = train(tiny_policy, tmp_path / "out", pair_rows, "--max-steps", "2", "--resume", status=2)
    assert "is finished" in messages
    assert (tmp_path / "out" / "model.safetensors").read_bytes() == before
