"""`real train-dpo --estimate`: memory by its parts, what would fit, time, and nothing written."""

import json
from unittest import mock

import pytest
from transformers import AutoModelForCausalLM

from real_cli.train.estimate import fitting
from real_cli.train.estimate import run as estimate_run
from real_cli.train.estimate.simulation import simulate
from tests.train.training import FAST, run, train, write_rows

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def estimate(policy, rows, *words, status=0):
    """Estimate a fast run; returns its record and what was said."""
    lines, messages = run("train-dpo", "--policy", policy, "--estimate", *FAST, *words, rows=rows, status=status)
    return (lines[0] if lines else None), messages


@pytest.fixture
def no_room():
    """A machine on which nothing fits: no probe is made."""
    with mock.patch.object(estimate_run, "available_bytes", return_value=0):
        yield


@pytest.fixture
def no_alternatives():
    """Leave out what other options would take."""
    with mock.patch.object(estimate_run, "alternatives", return_value=iter(())):
        yield


@pytest.fixture(scope="module")
def heavy_policy(make_tiny_policy):
    """A model whose weights outweigh its activations."""
    return make_tiny_policy(hidden_size=128, intermediate_size=512, head_dim=64)


def test_weights_gradients_and_states_are_those_of_the_model(heavy_policy, pair_rows, no_room, no_alternatives):
    """All of them in float32: a gradient and two moments for each weight; the parts sum up to the peak."""
    model = AutoModelForCausalLM.from_pretrained(heavy_policy)
    num_bytes = sum(weight.numel() * 4 for weight in model.parameters())
    record, _ = estimate(heavy_policy, pair_rows)
    host = dict(record["memory"]["host"])
    assert record["memory"]["device"] is None
    assert record["memory"]["method"] == "simulated"
    # Rotary frequencies are a buffer of a few numbers.
    assert host["weights_bytes"] == pytest.approx(num_bytes, rel=0.05)
    # Most is taken in the second backward pass at the first layer, when all other gradients are there.
    late = [model.get_input_embeddings().weight, *model.model.layers[0].parameters()]
    assert num_bytes - sum(weight.numel() * 4 for weight in late) <= host["gradients_bytes"] <= num_bytes
    assert 2 * num_bytes <= host["optimizer_bytes"] <= 3 * num_bytes
    peak = host.pop("peak_bytes")
    assert sum(host.values()) == peak


def test_a_model_that_does_not_fit_is_not_probed(tiny_policy, pair_rows, no_room):
    """Its weights are never loaded, so there is no time; the table says so for each option."""
    with mock.patch("real_cli.models.load.adapter_folders.load_model", side_effect=AssertionError("loaded")):
        record, _ = estimate(tiny_policy, pair_rows)
    assert record["seconds"] is None
    assert [row["fits"] for row in record["would_fit"]] == [False] * 6
    assert {row["largest_batch_tokens"] for row in record["would_fit"]} == {None}
    assert {row["takes_whole_batches"] for row in record["would_fit"]} == {False}


def test_the_table_names_each_option_that_saves_memory(tiny_policy, pair_rows, no_room):
    """An adapter has next to no gradients; what is in use already is not offered."""
    names = ["--gradient-checkpointing", "--dtype bfloat16", "--lora", "--lora --gradient-checkpointing", "--qlora"]
    record, _ = estimate(tiny_policy, pair_rows)
    assert [row["options"] for row in record["would_fit"]] == ["as asked", *names]
    adapted, _ = estimate(tiny_policy, pair_rows, "--lora", "--gradient-checkpointing")
    assert [row["options"] for row in adapted["would_fit"]] == ["as asked", "--dtype bfloat16", "--qlora"]


def test_each_row_is_what_a_run_with_its_options_would_take(make_tiny_policy, pair_rows, no_room):
    """Ten layers: within 15% of following two whole steps of just that run."""
    policy = make_tiny_policy(hidden_size=64, intermediate_size=256, head_dim=32, num_hidden_layers=10)
    calls = []

    def keep(name, plan, setup, passes, **words):
        calls.append((name, plan, setup, passes, words))
        return fitting.alternatives(name, plan, setup, passes, **words)

    with mock.patch.object(estimate_run, "alternatives", keep):
        record, _ = estimate(policy, pair_rows)
    ((name, plan, setup, passes, words),) = calls
    room = words.pop("room")
    rows = record["would_fit"][1:]
    for row, (options, other) in zip(rows, fitting._others(setup), strict=True):
        usage = simulate(name, plan, other, passes, **words)
        assert row["options"] == options
        followed = row["peak_bytes"] - room.held - room.beside
        assert followed == pytest.approx(usage.peak, rel=0.15), options
    assert len(rows) == 5


def test_a_row_that_cannot_be_followed_says_so(tiny_policy, pair_rows, no_room):
    """The formula knows nothing of what the options save."""
    with mock.patch("real_cli.train.estimate.simulation._simulate", side_effect=RuntimeError("no meta kernel")):
        record, _ = estimate(tiny_policy, pair_rows)
    first, *others = record["would_fit"]
    assert first["peak_bytes"] > 0
    assert len(others) == 5
    for row in others:
        assert [row["peak_bytes"], row["fits"], row["largest_batch_tokens"]] == [None, None, None]


def test_where_any_pass_fits_the_row_says_that_the_data_need_no_larger(tiny_policy, pair_rows, no_alternatives):
    """The number is that of the largest batch, not of the memory."""
    with mock.patch.object(estimate_run, "available_bytes", return_value=1 << 40):
        record, _ = estimate(tiny_policy, pair_rows)
    assert record["would_fit"][0]["takes_whole_batches"] is True


def test_other_processes_are_told_and_widen_the_range(tiny_policy, pair_rows, no_alternatives):
    """A probe that had the CPU a third of its time says little."""
    with mock.patch("real_cli.train.estimate.probe.cpu_share", return_value=0.33):
        record, messages = estimate(tiny_policy, pair_rows)
    assert record["cpu_share"] == 0.33
    assert record["seconds"]["training_high"] > 2 * record["seconds"]["training_low"]
    assert "the probe had it 33% of its time" in messages


def test_a_probe_gives_a_range_of_seconds(tiny_policy, pair_rows, tmp_path, no_alternatives):
    """Parts and whole; the range is in order, and held-out pairs and saving are in it."""
    held_out = write_rows(tmp_path / "held.jsonl", pair_rows[:3])
    record, _ = estimate(tiny_policy, pair_rows, "--eval-file", held_out, "--save-steps", "1")
    seconds = record["seconds"]
    parts = ["reading", "loading", "reference", "training", "evaluation", "saving"]
    assert list(seconds) == [f"{part}_{end}" for part in parts for end in ("low", "high")]
    assert 0 < record["seconds_low"] <= record["seconds_high"]
    ends = [sum(seconds[f"{part}_{end}"] for part in parts) for end in ("low", "high")]
    assert [record["seconds_low"], record["seconds_high"]] == pytest.approx(ends, abs=0.4)
    assert record["would_fit"][0]["fits"]
    assert record["would_fit"][0]["largest_batch_tokens"] >= 1
    assert record["would_fit"][0]["takes_whole_batches"]


def test_steps_and_pairs_are_those_of_the_run(tiny_policy, pair_rows, tmp_path, no_room, no_alternatives):
    """Batches of 2, two in a step, two epochs and a half of 8 pairs: what the run's last line says too."""
    words = ["--gradient-accumulation", "2", "--epochs", "2.5"]
    record, _ = estimate(tiny_policy, pair_rows, *words)
    lines, _ = train(tiny_policy, tmp_path / "out", pair_rows, *words)
    assert record["num_steps"] == lines[-1]["step"] == 5
    assert record["num_pairs_trained"] == 20
    stages = [row | {"stage": number % 2} for number, row in enumerate(pair_rows)]
    staged, _ = estimate(tiny_policy, stages, "--stages", "--max-steps", "3")
    assert staged["num_steps"] == 6


def test_batches_come_in_the_order_of_the_run(tiny_policy, pair_rows, tmp_path):
    """The batches that are looked at are those that --dump shows of the first epoch."""
    seen = []

    def keep(examples, settings, *others):
        work = plan_work(examples, settings, *others)
        seen.extend([examples.place(row) for row in batch.rows] for batch in work.batches)
        return work

    plan_work = estimate_run.plan_work
    with (
        mock.patch.object(estimate_run, "plan_work", keep),
        mock.patch.object(estimate_run, "available_bytes", return_value=0),
        mock.patch.object(estimate_run, "alternatives", return_value=iter(())),
    ):
        estimate(tiny_policy, pair_rows)
    train(tiny_policy, tmp_path / "out", pair_rows, "--dump", tmp_path / "dump.jsonl")
    shown = [json.loads(line) for line in (tmp_path / "dump.jsonl").read_text().splitlines()]
    steps = [sorted(line["place"] for line in shown if line["step"] == step) for step in range(1, 5)]
    assert [sorted(places) for places in seen] == steps


def test_nothing_is_written_into_the_folder(tiny_policy, pair_rows, tmp_path, no_room, no_alternatives):
    """Neither the folder, nor the files that other options name."""
    words = [word for name in ("dump", "export-logps", "rejects") for word in (f"--{name}", tmp_path / name)]
    record, _ = estimate(tiny_policy, pair_rows, "--output", tmp_path / "out", *words)
    assert record["num_pairs"] == 8
    assert list(tmp_path.iterdir()) == []


def test_wrong_data_and_a_wrong_folder_are_refused_as_by_the_run(tiny_policy, pair_rows, tmp_path):
    """The same sentences, and the same status."""
    bad = [*pair_rows, {"prompt": "x", "chosen": "y"}]
    messages = [
        estimate(tiny_policy, bad, status=1)[1],
        train(tiny_policy, tmp_path / "out", bad, status=1)[1],
    ]
    assert messages[0] == messages[1]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    _, messages = estimate(tiny_policy, pair_rows, "--output", tmp_path / "mine", status=2)
    assert "is not empty" in messages
    _, messages = run("train-dpo", "--estimate", rows=pair_rows, status=2)
    assert messages == "real: --policy is needed: the model to train\n"
    _, messages = estimate(tiny_policy, pair_rows, "--show-config", status=2)
    assert messages == "real: --estimate, --show-config: choose one of them\n"


@pytest.mark.parametrize(
    ("kind", "changes", "method"),
    [
        ("gemma2", {}, "simulated"),
        ("mixtral", {"num_local_experts": 4}, "simulated in bfloat16"),
        ("bloom", {"n_head": 2, "n_layer": 2}, "simulated"),
    ],
)
def test_other_architectures_are_followed_too(
    kind, changes, method, make_tiny_policy, pair_rows, no_room, no_alternatives
):
    """Logits that are capped, experts, and a model that takes no shared layout."""
    policy = make_tiny_policy(kind, **changes)
    record, _ = estimate(policy, pair_rows)
    num_bytes = sum(weight.numel() * 4 for weight in AutoModelForCausalLM.from_pretrained(policy).parameters())
    assert record["memory"]["method"] == method
    assert record["memory"]["host"]["weights_bytes"] == pytest.approx(num_bytes, rel=0.05)
    assert record["memory"]["host"]["gradients_bytes"] > 0


def test_a_packed_run_is_followed_packed(tiny_policy, pair_rows, no_room, no_alternatives):
    """Not in a layout that it could fall back to; and no token is padding."""
    words = ["--batch-size", "8", "--batch-tokens", "64"]
    shared, _ = estimate(tiny_policy, pair_rows, *words)
    tries = "real_cli.train.estimate.simulation._tries"
    with mock.patch(tries, lambda setup, passes: [(setup, 1, passes, "simulated")]):
        record, _ = estimate(tiny_policy, pair_rows, "--layout", "packed", *words)
    assert (record["layout"], record["attention"], record["memory"]["method"]) == ("packed", "sdpa", "simulated")
    assert record["num_tokens"] < shared["num_tokens"]
    assert record["memory"]["host"]["activations_bytes"] > 0


def test_layers_that_cannot_be_followed_are_counted_by_the_formula(tiny_policy, pair_rows, no_room, no_alternatives):
    """It says so, and knows weights, gradients and states all the same."""
    with mock.patch("real_cli.train.estimate.simulation._simulate", side_effect=RuntimeError("numbers are needed")):
        record, _ = estimate(tiny_policy, pair_rows)
    host = record["memory"]["host"]
    assert record["memory"]["method"] == "by formula"
    assert host["optimizer_bytes"] == 2 * host["gradients_bytes"]
    # 24 tokens a pass at most, 2 layers, hidden 16, inner 32, twice the bytes of bfloat16.
    tokens, rest = divmod(host["activations_bytes"], 2 * (30 * 16 + 10 * 32) * 2)
    assert tokens > 0
    assert rest == 0


def test_a_reference_takes_its_part(heavy_policy, make_tiny_policy, pair_rows, no_room, no_alternatives):
    """One that each step asks stays; one that scores once is freed before; a name that leads nowhere is refused."""
    spa = ["--loss", "spa", "--extrapolate", "0.5"]
    record, _ = estimate(heavy_policy, pair_rows, *spa)
    host = record["memory"]["host"]
    assert host["reference_bytes"] == pytest.approx(host["weights_bytes"], rel=0.05)
    other = make_tiny_policy(hidden_size=256, intermediate_size=2048, head_dim=128)
    record, _ = estimate(heavy_policy, pair_rows, "--lora", "--lora-rank", "1", "--reference", other)
    assert record["memory"]["host"]["reference_bytes"] > 4 * host["weights_bytes"]
    _, messages = estimate(heavy_policy, pair_rows, "--reference", "./nowhere", status=1)
    assert "model './nowhere': no such folder" in messages


def test_records_come_through_a_pipe_or_from_files(heavy_policy, pair_rows, tmp_path, no_room, no_alternatives):
    """The same record either way; what cannot be used is counted, and leaves its status."""
    path = write_rows(tmp_path / "pairs.jsonl", pair_rows)
    piped, _ = estimate(heavy_policy, pair_rows)
    read, _ = estimate(heavy_policy, None, path)
    for name in ("available_bytes", "memory"):
        del piped[name], read[name]
    would_fit = [record.pop("would_fit")[0]["options"] for record in (piped, read)]
    assert would_fit == ["as asked"] * 2
    assert piped == read
    bad = [*pair_rows, {"prompt": "x", "chosen": "y"}]
    record, _ = estimate(heavy_policy, bad, "--on-error", "skip", status=3)
    assert (record["num_pairs"], record["num_rejected"]) == (8, 1)
