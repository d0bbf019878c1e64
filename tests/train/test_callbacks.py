"""What the policy gives no probability to is told once, whatever the objective, with or without a reference."""

import time
from collections import defaultdict
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from real_cli.io.progress import Counter
from real_cli.train.callbacks import IMPOSSIBLE, Reporter
from real_cli.train.logps import Logps
from real_cli.train.mixture import Mixture

STATE = SimpleNamespace(global_step=3, is_world_process_zero=True)
TOLD = "step 3: 25.0% of the responses have no probability under the policy: each counts as -1e+07 nats"


def logps(*policy):
    values = torch.tensor(policy)
    ones = torch.ones_like(values)
    return Logps(values, -ones, ones, ones.bool(), ones)


@pytest.mark.parametrize("loss", ["dpo", "simpo", "cpo", "orpo", "asft", "sft"])
def test_the_share_of_responses_without_probability_is_noted(loss):
    from real_cli.train.batches.metrics import metric_names
    from real_cli.train.trainers.dpo import RealTrainer

    mixture = Mixture([loss])
    noted = SimpleNamespace(
        model=SimpleNamespace(training=True), _mixture=mixture, _metrics=defaultdict(lambda: {"sums": []})
    )
    given = logps([float("-inf"), -2.0], [-1.0, -3.0])
    RealTrainer._note(noted, given, mixture.values(given))
    shares = dict(zip(metric_names(mixture), noted._metrics["train"]["sums"][0].tolist(), strict=False))
    assert shares[IMPOSSIBLE] == 0.5
    RealTrainer._note(noted, replace(given, policy=-torch.ones(2, 2)), mixture.values(given))
    assert noted._metrics["train"]["sums"][1][metric_names(mixture).index(IMPOSSIBLE)] == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_responses_without_probability_are_known_in_every_precision(dtype):
    given = logps([float("-inf"), -2.0], [float("-inf"), float("-inf")], [-1.0, -2000.0])
    given = replace(
        given, policy=torch.tensor([[float("-inf"), -2.0], [float("-inf")] * 2, [-1.0, -2000.0]], dtype=dtype)
    )
    assert given.impossible.tolist() == [0.5, 1.0, 0.0]
    absent = torch.tensor([[False, True], [True, False], [True, True]])
    assert replace(given, present=absent).impossible.tolist() == [0.0, 1.0, 0.0]


@pytest.mark.parametrize("prefix", ["", "eval_"])
def test_it_is_told_once_and_stands_in_no_line(prefix):
    notes, lines = [], []
    reporter = Reporter(lines.append, lambda: False, notes.append)
    for share in (0.0, 0.25, 0.5):
        reporter.on_log(None, STATE, None, {"loss": 1.0, f"{prefix}{IMPOSSIBLE}": share})
    assert notes == [TOLD]
    assert lines == [{"step": 3, "loss": 1.0}] * 3


def arguments(warmup, accumulation=2):
    return SimpleNamespace(
        train_batch_size=4,
        gradient_accumulation_steps=accumulation,
        world_size=1,
        save_strategy="no",
        learning_rate=1e-5,
        get_warmup_steps=lambda num_steps: warmup,
    )


def test_steps_are_shown_with_their_loss_pairs_a_second_and_time_left(monkeypatch):
    """Eight of ten steps are those of the run that this one goes on with; two more take a second each."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    args = arguments(warmup=0)
    state = SimpleNamespace(global_step=8, max_steps=12, is_world_process_zero=True, epoch=0.5)
    reporter = Reporter(lambda line: None, lambda: False, lambda message: None)
    with Counter("pairs read", quiet=True) as counter:
        reporter.on_train_begin(args, state, None)
        counter.state()
        for loss in (0.7, 0.6561):
            now[0] += 1
            reporter.on_log(args, state, None, {"loss": loss})
            reporter.on_step_end(args, state, SimpleNamespace(should_training_stop=False))
        shown = counter.state()
    assert (shown.what, shown.num_done, shown.total, shown.is_estimate) == ("steps", 10, 12, False)
    assert (shown.note, shown.rate, shown.unit, shown.seconds_left) == ("loss 0.656", 8.0, "pairs", 2.0)


@pytest.mark.parametrize(
    ("accumulation", "notes"),
    [
        (1, ["pass 1 of 3", "pass 3 of 3", "pass 1 of 3, loss 0.700"]),
        (2, ["batch 1 of 2, pass 1 of 3", "batch 2 of 2, pass 3 of 3", "batch 1 of 2, pass 1 of 3, loss 0.700"]),
    ],
)
def test_a_step_of_several_passes_shows_which_it_is_at(accumulation, notes):
    """A step can take most of a minute on a CPU, and stood still until it was done."""
    state = SimpleNamespace(global_step=0, max_steps=2, is_world_process_zero=True, epoch=0.5)
    args, reporter = arguments(0, accumulation), Reporter(lambda line: None, lambda: False, lambda message: None)
    with Counter("pairs read", quiet=True) as counter:
        reporter.on_train_begin(args, state, None)
        reporter.begin_pass(1, 3)
        shown = [counter.state().note]
        for _ in range(accumulation - 1):
            reporter.on_substep_end(args, state, None)
        reporter.begin_pass(3, 3)
        shown.append(counter.state().note)
        reporter.on_log(args, state, None, {"loss": 0.7})
        reporter.on_step_end(args, state, SimpleNamespace(should_training_stop=False))
        reporter.begin_pass(1, 3)
        shown.append(counter.state().note)
    assert shown == notes


@pytest.mark.parametrize(
    ("warmup", "steps", "stage", "expected"),
    [
        (50, 4, None, "warm-up takes 50 steps and there are 4: the learning rate rises to 6e-07 of 1e-05 alone; lower"),
        (1, 1, None, "warm-up takes 1 step and there is 1: the learning rate stays 0 of 1e-05, and no weight moves"),
        (4, 4, 2.0, "stage 2: warm-up takes 4 steps and there are 4: the learning rate rises to 7.5e-06 of 1e-05"),
        (3, 4, None, None),
        (0, 4, None, None),
    ],
)
def test_a_warm_up_that_outlasts_the_run_is_told_before_it(warmup, steps, stage, expected):
    notes = []
    reporter = Reporter(lambda line: None, lambda: False, notes.append)
    reporter.begin(stage, 0, saves_last=False)
    state = SimpleNamespace(global_step=0, max_steps=steps, is_world_process_zero=True, epoch=0)
    reporter.on_train_begin(arguments(warmup), state, None)
    assert [note[: len(expected)] for note in notes] == [expected] if expected else notes == []
