"""A device without room: the step begins anew in smaller passes, and nothing else changes."""

import json
from unittest import mock

import pytest
import torch
from accelerate import Accelerator

from real_cli.train.trainers.dpo import RealTrainer
from tests.train.training import train

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
WORDS = ["--batch-size", "4", "--gradient-accumulation", "2", "--batch-tokens", "80", "--epochs", "2"]


@pytest.fixture(autouse=True)
def no_cache_to_empty(monkeypatch):
    """There is no accelerator here."""
    monkeypatch.setattr(torch.accelerator, "empty_cache", lambda: None)


def same_run(policy, rows, folder, *words, **patches):
    """Train with a dump; returns the lines, what was said, the dumped lines and the weights."""
    with mock.patch.multiple(RealTrainer, **patches) if patches else mock.patch.object(train, "__doc__", ""):
        lines, messages = train(policy, folder, rows, *WORDS, *words, "--dump", folder.with_suffix(".dump"))
    dumped = [json.loads(line) for line in folder.with_suffix(".dump").read_text().splitlines()]
    from safetensors.torch import load_file

    return lines, messages, dumped, load_file(folder / "model.safetensors")


def assert_equal(ours, others):
    """The same numbers in every line, dumped pair and weight, in the same order but for that of a step's pairs."""
    names = {"loss", "step", "rewards/margins", "logps/chosen", "num_tokens", "grad_norm"}
    for line, other in zip(ours[0][:-1], others[0][:-1], strict=True):
        expected = {name: other[name] for name in names}
        assert {name: line[name] for name in names} == pytest.approx(expected, abs=1e-4, rel=1e-4)
    dumps = [sorted(run[2], key=lambda line: (line["step"], line["place"])) for run in (ours, others)]
    assert len(dumps[0]) == len(dumps[1]) == 16
    for line, other in zip(*dumps, strict=True):
        assert (line["step"], line["place"]) == (other["step"], other["place"])
        assert line["loss"] == pytest.approx(other["loss"], abs=1e-5)
    for name, weight in ours[3].items():
        assert torch.allclose(weight, others[3][name], atol=1e-5), name


@pytest.mark.parametrize("words", [[], ["--loss", "aot"], ["--loss", "spa"]])
def test_a_pass_without_room_is_halved_and_the_run_is_the_same(words, tiny_policy, pair_rows, tmp_path):
    """Room for forty tokens: told once, and from then on later batches are made of smaller passes at once."""
    gather = RealTrainer._gather

    def with_little_room(self, model, inputs, forward):
        if forward["batch"]["input_ids"].numel() > 40:
            raise torch.OutOfMemoryError
        return gather(self, model, inputs, forward)

    whole = same_run(tiny_policy, pair_rows, tmp_path / "whole", *words)
    halved = same_run(tiny_policy, pair_rows, tmp_path / "halved", *words, _gather=with_little_room)
    assert_equal(halved, whole)
    assert "out of device memory" not in whole[1]
    notes = [line for line in halved[1].splitlines() if "out of device memory" in line]
    assert notes
    assert len(set(notes)) == len(notes) <= 2
    assert "the step begins anew with --batch-tokens" in notes[0]


def test_gradients_that_a_broken_pass_left_are_thrown_away(tiny_policy, pair_rows, tmp_path, monkeypatch):
    """The second batch of the second step fails after its backward pass: its first batch is run again too."""
    whole = same_run(tiny_policy, pair_rows, tmp_path / "whole")
    calls = []
    backward = Accelerator.backward

    def failing(self, loss, **kwargs):
        backward(self, loss, **kwargs)
        calls.append(loss)
        if len(calls) == 4:
            raise torch.OutOfMemoryError

    monkeypatch.setattr(Accelerator, "backward", failing)
    halved = same_run(tiny_policy, pair_rows, tmp_path / "halved")
    assert_equal(halved, whole)
    assert halved[1].count("out of device memory") == 1
    assert len(calls) > 5


def test_one_pair_without_room_ends_the_run_in_a_line(tiny_policy, pair_rows, tmp_path):
    """There is nothing left to halve: it says what would help."""

    def without_room(self, model, inputs, forward):
        raise torch.OutOfMemoryError

    with mock.patch.object(RealTrainer, "_gather", without_room):
        _, messages = train(tiny_policy, tmp_path / "out", pair_rows, *WORDS, status=1)
    assert messages.splitlines()[-1].startswith("real: out of device memory; lower --batch-tokens")
