"""A run in two processes is the run of one: losses, metrics, dumped pairs, memory and weights."""

import math
import shutil

import pytest
import torch

from tests.train.ranks import many_pairs, run_case, run_world

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
NUM_PAIRS = 61
# Batches of 20 leave one pair for the last: one of two processes has none of it.
SMALL = {"batch_size": 20, "max_length": 24, "epochs": 1.0, "learning_rate": 1e-3}
SPLIT = SMALL | {"batch_size": 10, "gradient_accumulation": 2}
CASES = {
    f"{loss} {layout}": {"loss": loss.split(","), "layout": layout, "settings": SMALL}
    for loss in ("dpo", "ipo", "simpo", "sppo", "spo", "pro")
    for layout in ("shared", "plain")
}
CASES |= {loss: {"loss": loss.split(","), "settings": SPLIT} for loss in ("aot", "aot-unpaired,sft", "cpo", "tpo")}
# Adam makes a whole step of a gradient that is rounding alone: in one process too, other passes move such a weight.
PLAIN = {"optimizer": "sgd", "learning_rate": 1e-2}
CASES["bmc"] = {"loss": ["bmc"], "settings": SPLIT | PLAIN}
CASES["spa"] = {"loss": ["spa"], "settings": SMALL | {"batch_size": 4, "knobs": {"warm_share": 0.1}}}
CASES["held out"] = {"loss": ["dpo", "sft"], "settings": SMALL | {"eval_steps": 2}, "held_out": 23}
CASES["kto"] = {"loss": ["kto"], "settings": SPLIT, "held_out": 23}
CASES["held out, sorted"] = {"loss": ["aot"], "settings": SMALL, "held_out": 23}
CASES["stages"] = {
    "loss": ["dpo"],
    "settings": SMALL | PLAIN | {"batch_size": 8, "stages": True, "weight_field": "prob_chosen", "order": "-gap"},
}
CASES["in long passes"] = {
    "loss": ["dpo"],
    "settings": SMALL,
    "batch_tokens": 4096,
    "routine": {"logging_steps": 3, "gradient_checkpointing": True},
}
CASES["split weights"] = {"loss": ["spo"], "settings": SMALL, "held_out": 23, "split": True}
CASES["split weights, sorted"] = {"loss": ["aot"], "settings": SPLIT, "split": True}
CASES["cramped"] = {"loss": ["aot"], "settings": SPLIT, "cramped": 1, "batch_tokens": 200}
CASES["cramped in the only pass"] = {"loss": ["spa"], "settings": SMALL, "cramped": 0, "batch_tokens": 4096}
WHOLE = {"loss": ["dpo"], "settings": SMALL | {"batch_size": 8, "epochs": 2.0}, "routine": {"save_steps": 5}}


@pytest.fixture(scope="module")
def both(tiny_policy, tmp_path_factory):
    """Each case in one process and in two; the run with checkpoints is gone on with in the other world."""
    folder = tmp_path_factory.mktemp("ranks")
    rows, ones = many_pairs(NUM_PAIRS), {}
    for name, case in (CASES | {"whole": WHOLE}).items():
        ones[name] = run_case(tiny_policy, rows, {**case, "cramped": None, "split": False}, folder / "one" / name)
    world = folder / "world"
    take_up(folder / "one" / "whole", world / "taken up")
    cases = CASES | {"whole": WHOLE, "taken up": WHOLE | {"resumed": True}}
    worlds = run_world(tiny_policy, rows, cases, world)
    take_up(world / "whole", folder / "one" / "taken up")
    ones["taken up"] = run_case(tiny_policy, rows, WHOLE | {"resumed": True}, folder / "one" / "taken up")
    return ones, worlds


def take_up(done, folder):
    """Leave of a run what it had after step 5."""
    shutil.copytree(done, folder)
    for step in (10, 15, 16):
        shutil.rmtree(folder / f"checkpoint-{step}")


def steps(run):
    """The numbers of a run's lines that do not depend on the machine."""
    return [
        {name: value for name, value in line.items() if not name.endswith(("time", "per_second"))}
        for line in run["lines"]
    ]


def dumped(run):
    """The dumped lines, the pairs of a step in the order of their places."""
    return sorted(run["dump"], key=lambda line: (line["step"], line["place"]))


@pytest.mark.parametrize("name", [*CASES, "whole"])
def test_two_processes_train_as_one_does(name, both):
    alone, (lead, other) = both[0][name], [world[name] for world in both[1]]
    assert len(alone["lines"]) >= 2
    for line, expected in zip(steps(lead), steps(alone), strict=True):
        if abs(expected["rewards/margins" if "loss" in expected else "eval_rewards/margins"]) < 1e-5:
            line["rewards/accuracies"] = expected["rewards/accuracies"] = 0  # policy and reference are one model: ties
        if "cramped" in name:  # smaller passes may divide the pairs of a prompt
            line["num_tokens"] = expected["num_tokens"]
        assert line == pytest.approx(expected, abs=1e-5, rel=1e-5)
    assert other["lines"] == []
    for run in (lead, other):
        assert run["result"] == pytest.approx(alone["result"], abs=1e-5, rel=1e-6)
        assert_same_weights(run["weights"], alone["weights"])
        assert (run["recent"] is None) == (alone["recent"] is None)
        if alone["recent"] is not None:
            assert run["recent"] == pytest.approx(alone["recent"], abs=1e-5)


def assert_same_weights(weights, others):
    assert set(weights) == set(others)
    for name, values in others.items():
        assert torch.allclose(torch.tensor(weights[name]), torch.tensor(values), atol=1e-5), name


@pytest.mark.parametrize("name", [*CASES, "whole"])
def test_every_pair_of_every_step_is_dumped_once(name, both):
    alone, lead = both[0][name], both[1][0][name]
    num_rows = 2 * NUM_PAIRS if name == "kto" else NUM_PAIRS  # a row for each response
    assert len(lead["dump"]) == num_rows * math.ceil(CASES.get(name, WHOLE)["settings"]["epochs"])
    for line, expected in zip(dumped(lead), dumped(alone), strict=True):
        assert (line["step"], line["place"]) == (expected["step"], expected["place"])
        numbers = {name: value for name, value in line.items() if name != "place"}
        assert numbers == pytest.approx({name: expected[name] for name in numbers}, abs=1e-4, rel=1e-5)


@pytest.mark.parametrize("name", ["spo shared", "split weights", "split weights, sorted"])
def test_the_lead_saves_a_whole_model(name, both):
    assert_same_weights(both[1][0][name]["saved"], both[0][name]["saved"])
    assert "saved" not in both[1][1][name]
    assert len(both[0][name]["saved"]) > 10


def test_weights_move(both, tiny_policy):
    """Else equal weights would say nothing."""
    from safetensors.torch import load_file

    before = load_file(tiny_policy / "model.safetensors")
    after = both[1][0]["dpo shared"]["weights"]
    assert max(float((torch.tensor(after[name]) - value).abs().max()) for name, value in before.items()) > 1e-3


def test_a_run_goes_on_in_another_number_of_processes(both):
    """In the middle of an epoch: from one process to two, and from two to one."""
    ones, worlds = both
    for run in (ones["taken up"], worlds[0]["taken up"], worlds[1]["taken up"]):
        assert_same_weights(run["weights"], ones["whole"]["weights"])
    for run in (ones["taken up"], worlds[0]["taken up"]):
        assert [line["step"] for line in run["lines"]] == list(range(6, 17))
        assert [(line["step"], line["place"]) for line in dumped(run)] == [
            (line["step"], line["place"]) for line in dumped(ones["whole"])
        ]


@pytest.mark.parametrize("name", ["cramped", "cramped in the only pass"])
def test_where_one_device_has_no_room_all_begin_the_step_anew(name, both):
    notes = [world[name]["notes"] for world in both[1]]
    assert notes[0] == notes[1]
    assert "out of device memory: the step begins anew with --batch-tokens" in notes[0][0]
    assert both[0][name]["notes"] == []
