"""`--batch-tokens auto`: the largest pass that fits, told in a line, kept in the manifest and by `--resume`."""

import json
from collections import Counter
from unittest import mock

import pytest
import torch
from transformers import trainer
from typer.testing import CliRunner

from real_cli.app import app
from real_cli.models.score.sequences import Group
from real_cli.records.choices import TokenLayout
from real_cli.train.estimate import automatic
from real_cli.train.estimate import run as estimate_run
from real_cli.train.estimate.automatic import fit_tokens, say_fitted
from real_cli.train.estimate.fitting import Room, largest_budget
from real_cli.train.estimate.live_memory import MemoryPart
from real_cli.train.estimate.simulation import Passes, Usage
from tests.gpu.training_runs import StopAfter
from tests.train.training import FAST, run, train

PAIR = Group((1,) * 4, [(2,)], [])
AUTO = ["--batch-tokens", "auto"]


def following(bytes_of, available, whole_batch, tried):
    """Follow passes of pairs of five tokens, of which a number of tokens takes so many bytes."""

    def follow(tokens):
        tried.append(tokens)
        count = max(1, min(tokens, whole_batch) // 5)
        usage = Usage(Counter({MemoryPart.activations: bytes_of(count * 5)}), 10.0, 0, "simulated")
        return usage, Passes(TokenLayout.shared, [PAIR] * count), Room(available, 0, 0, whole_batch)

    return follow


def test_a_budget_is_returned_only_if_it_was_followed_and_fits():
    """Bytes that grow with the square of tokens: a line from below promises too much, and is not believed."""
    tried = []
    follow = following(lambda tokens: tokens * tokens, 1_000_000, 1200, tried)
    largest = largest_budget(follow, 640, None)
    assert 640 < largest <= 1000
    assert largest in tried
    assert max(tried) > 1000


def test_the_largest_batch_is_the_most_that_is_of_use():
    """Memory for 100,000 tokens, and batches of 5,000."""
    assert largest_budget(following(lambda tokens: 10 * tokens, 1_000_000, 5000, []), 4096, None) == 5000


def test_where_not_even_one_pair_fits_nothing_is_found():
    """Five tokens take 50 bytes."""
    assert largest_budget(following(lambda tokens: 10 * tokens, 49, 5000, []), 512, None) is None


@pytest.mark.parametrize(("device", "tokens"), [("cpu", 512), ("cuda", 8448)])
def test_a_cpu_takes_no_more_than_its_default_and_a_seventh_of_memory_stays_free(device, tokens):
    """100,000 bytes at ten a token: 8,500 tokens are 85% of them; budgets go by 64."""
    follow = following(lambda tokens: 10 * tokens, 100_000, 10**6, [])
    assert fit_tokens(follow, 512, torch.device(device)) == tokens


def test_it_is_said_in_one_line():
    """With the memory that was there."""
    assert say_fitted(16384, 71 << 30) == "--batch-tokens 16384 fits in 71 GiB free"
    assert say_fitted(512, 5 << 29) == "--batch-tokens 512 fits in 2.5 GiB free"
    assert "the longest pair may not fit in 1.0 GiB free; each pair is a pass of its own" in say_fitted(None, 1 << 30)


def test_several_processes_are_refused(tiny_policy, tmp_path):
    """What is followed is one process."""
    words = [
        "train-dpo",
        "--device",
        "cpu",
        "--devices",
        "2",
        "--policy",
        tiny_policy,
        "--output",
        tmp_path / "out",
        *AUTO,
    ]
    result = CliRunner().invoke(app, [str(word) for word in words], input=b"")
    assert result.exit_code == 2
    assert result.stderr.startswith("real: --batch-tokens auto: follows one process, and there are several; give")
    assert not (tmp_path / "out").exists()


class TestRuns:
    """Whole runs on a tiny policy."""

    pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # noqa: RUF012

    @pytest.fixture
    def with_room(self):
        """Give the machine so many bytes beyond what a pass of one pair takes."""

        def patch(num_bytes):
            for module in (automatic, estimate_run):
                stack.append(mock.patch.object(module, "available_bytes", return_value=num_bytes))
                stack[-1].start()

        stack = []
        yield patch
        for each in stack:
            each.stop()

    def test_a_run_with_room_takes_what_a_cpu_takes_by_default(self, tiny_policy, pair_rows, tmp_path):
        """512 tokens, told and kept; the same losses as without the option."""
        lines, messages = train(tiny_policy, tmp_path / "auto", pair_rows, *AUTO)
        plain, _ = train(tiny_policy, tmp_path / "plain", pair_rows)
        assert "shared layout, the most tokens a pass that fit" in messages
        assert "real: --batch-tokens 512 fits in " in messages
        assert json.loads((tmp_path / "auto" / "real.json").read_text())["batch_tokens"] == 512
        assert [line.get("loss") for line in lines] == [line.get("loss") for line in plain]

    def test_without_memory_each_pair_is_a_pass_and_the_estimate_says_the_same(
        self, tiny_policy, pair_rows, tmp_path, with_room
    ):
        """The run is not refused: what is free is known by a guess, and a pass that fails says so itself."""
        words = ["--batch-size", "8", *AUTO]
        with_room(0)
        _, messages = train(tiny_policy, tmp_path / "none", pair_rows, *words)
        assert "the longest pair may not fit in 0.0 GiB free" in messages
        assert json.loads((tmp_path / "none" / "real.json").read_text())["batch_tokens"] == 1
        (record,), _ = run("train-dpo", "--policy", tiny_policy, "--estimate", *FAST, *words, rows=pair_rows)
        assert record["batch_tokens"] == 1

    def test_a_number_below_the_default_is_what_the_run_takes(self, tiny_policy, pair_rows, tmp_path, with_room):
        """Room for a part of a batch: fewer tokens than the batch has, and the losses are those of any other passes."""
        words = ["--batch-size", "8", *AUTO]
        seen = []

        def follow(tokens):
            seen.append(tokens)
            return following(lambda count: 10 * count, 1000, 10**6, [])(tokens)

        with mock.patch.object(automatic.LoadedRun, "_follower", return_value=follow):
            lines, messages = train(tiny_policy, tmp_path / "out", pair_rows, *words)
        assert seen
        assert "real: --batch-tokens 64 fits in" in messages
        assert json.loads((tmp_path / "out" / "real.json").read_text())["batch_tokens"] == 64
        plain, _ = train(tiny_policy, tmp_path / "plain", pair_rows, "--batch-size", "8")
        assert lines[0]["loss"] == pytest.approx(plain[0]["loss"], abs=1e-5)

    def test_a_resumed_run_keeps_what_was_found(self, tiny_policy, pair_rows, tmp_path, monkeypatch, with_room):
        """Stopped in its second step; then the memory is full, and the number is that of before."""
        with monkeypatch.context() as pressed:
            pressed.setattr(trainer, "DEFAULT_CALLBACKS", [*trainer.DEFAULT_CALLBACKS, StopAfter])
            train(tiny_policy, tmp_path / "out", pair_rows, *AUTO, status=130)
        with_room(0)
        _, messages = train(tiny_policy, tmp_path / "out", [], *AUTO, "--resume")
        assert "real: --batch-tokens 512, as found when the run began" in messages
        assert json.loads((tmp_path / "out" / "real.json").read_text())["batch_tokens"] == 512
