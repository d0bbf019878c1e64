"""Out of device memory: scoring, embedding and sampling go on with half the tokens; training says what to do."""

import json
import re

import numpy as np
import pytest

from tests.gpu.training_runs import little_memory, out_of_memory_above, train  # noqa: F401 - a fixture
from tests.train.training import run

pytestmark = [pytest.mark.gpu, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

HALVED = "real: out of device memory: going on with --batch-tokens "
MIB = 1 << 20
# With the weights: 300 MiB of the policy, 90 of the encoder.
ROOM = {"embed": 300, "implicit": 700, "sample": 450}
WORDS = {
    "embed": lambda policy, encoder: ["embed", "--model", encoder],
    "implicit": lambda policy, encoder: ["relabel", "implicit", "-p", policy, "--contrast", "Be kind.", "Be rude."],
    "sample": lambda policy, encoder: ["sample", "-p", policy, "-n", "2", "--max-tokens", "8", "--temperature", "0.5"],
}


def numbers(records):
    """What a command added to records: vectors, offsets or texts."""
    result = []
    for record in records:
        if "offset" in record:
            result.append(record["offset"])
        result += [response.get("embedding", response["text"]) for response in record.get("responses", ())]
    return result


def assert_alike(ours, others):
    """Compare two sets of numbers, or of texts."""
    if isinstance(ours[0], str):
        assert ours == others
    else:
        assert np.abs(np.array(ours) - np.array(others)).max() < 1e-2


@pytest.mark.parametrize("command", WORDS)
def test_nothing_is_lost_where_a_pass_has_no_room(command, policy, encoder, device, pairs, monkeypatch):
    """Room for some tokens a pass: told each time, the numbers are those of small passes."""
    words = [*WORDS[command](policy, encoder), "--device", device, "--dtype", "float32"]
    rows = [{"prompt": row["prompt"]} for row in pairs[:8]] if command == "sample" else pairs
    known, messages = run(*words, "--batch-tokens", "128", rows=rows)
    assert HALVED not in messages
    out_of_memory_above(monkeypatch, 128 if command == "sample" else 256)  # sampling reads a prompt once
    result, messages = run(*words, "--batch-tokens", "4096", rows=rows)
    assert 1 <= messages.count(HALVED) <= 5
    assert_alike(numbers(result), numbers(known))


@pytest.mark.cuda
@pytest.mark.parametrize("command", WORDS)
def test_a_gpu_that_is_nearly_full_is_used_all_the_same(command, policy, encoder, pairs, little_memory):  # noqa: F811
    """The real thing: some hundred MiB, and passes that want more."""
    import torch

    many = 40 if command == "sample" else 60
    rows = [row | {"prompt": f"{row['prompt']} {number}"} for number in range(many) for row in pairs]
    rows = [{"prompt": row["prompt"]} for row in rows] if command == "sample" else rows
    rows = [row | {"chosen": f"{row['chosen']} {row['prompt']}"} if "chosen" in row else row for row in rows]
    words = [*WORDS[command](policy, encoder), "--device", "cuda:0", "--dtype", "float32"]
    known, messages = run(*words, "--batch-tokens", "2048", rows=rows)
    assert HALVED not in messages
    little_memory(ROOM[command] * MIB)
    result, messages = run(*words, "--batch-tokens", "400000", rows=rows)
    assert HALVED in messages
    if command == "sample":
        differing = sum(first != other for first, other in zip(numbers(result), numbers(known), strict=True))
        assert differing <= len(rows) // 50
    else:
        assert_alike(numbers(result), numbers(known))
    assert torch.cuda.max_memory_allocated() > 100 * MIB


def test_the_largest_pass_that_fits_is_found_and_fits(small_policy, device, pairs, tmp_path):
    """One line says which and in how much memory; nothing is halved, and the losses are those of other passes."""
    lines, messages = train(small_policy, tmp_path / "auto", pairs[:8], "--device", device, "--batch-tokens", "auto")
    plain, _ = train(small_policy, tmp_path / "plain", pairs[:8], "--device", device)
    assert re.search(r"--batch-tokens \d+ fits in [\d.]+ GiB free", messages)
    assert HALVED not in messages
    ours, others = ([line["loss"] for line in each if "loss" in line] for each in (lines, plain))
    assert len(ours) == 4
    assert ours == pytest.approx(others, abs=0.02)


def test_training_that_has_no_room_ends_in_one_line(policy, device, pairs, tmp_path, monkeypatch):
    """It names the options that help; the folder is no finished one."""
    out_of_memory_above(monkeypatch, 100)
    words = ["--device", device, "--layout", "plain", "--batch-tokens", "1000", "--loss", "sft"]
    _, messages = train(policy, tmp_path / "out", pairs[:8], *words, status=1)
    last = messages.strip().splitlines()[-1]
    assert last.startswith("real: out of device memory; lower --batch-tokens")
    assert not (tmp_path / "out" / "real.json").exists()


def test_a_named_reference_is_gone_when_training_begins(small_policy, device, pairs, tmp_path, monkeypatch):
    """Its weights would take room that the activations need."""
    import gc
    import weakref

    import transformers
    from transformers import LlamaForCausalLM

    seen = []
    whole = LlamaForCausalLM.__init__

    def noted(self, *args, **kwargs):
        whole(self, *args, **kwargs)
        seen.append(weakref.ref(self))

    class Count(transformers.TrainerCallback):
        def on_step_begin(self, args, state, control, **kwargs):
            alive.append(sum(item() is not None for item in seen))

    alive = []
    other = tmp_path / "other"
    other.symlink_to(small_policy)
    monkeypatch.setattr(LlamaForCausalLM, "__init__", noted)
    monkeypatch.setattr("transformers.trainer.DEFAULT_CALLBACKS", [*transformers.trainer.DEFAULT_CALLBACKS, Count])
    gc.collect()
    gc.disable()
    try:
        train(small_policy, tmp_path / "out", pairs[:8], "--reference", other, "--device", device)
    finally:
        gc.enable()
    assert len(seen) == 2
    assert alive[0] == 1
    manifest = json.loads((tmp_path / "out" / "real.json").read_text())
    assert manifest["reference"] == str(other)
