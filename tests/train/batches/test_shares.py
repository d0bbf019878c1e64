"""Every process gets its share of every batch, and the batches are those of one process."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import SequentialSampler

from real_cli.errors import UsageError
from real_cli.models.score.tokens import TokenizedExample
from real_cli.records.choices import TokenLayout
from real_cli.train.arguments import check_split_weights
from real_cli.train.batches.collate import Collator
from real_cli.train.batches.halving import HalvingPasses, NoRoomError
from real_cli.train.batches.shares import BatchShares, share_out
from real_cli.train.batches.steps import stack_rows
from real_cli.train.logps import join_logps, made_up_logps
from real_cli.train.options import TrainOptions
from real_cli.train.settings import TrainingSettings, check_settings
from real_cli.train.world import World


@given(st.lists(st.integers(0, 9), max_size=30), st.integers(1, 8))
def test_every_example_is_shared_out_once(prompts, size):
    shares = share_out(prompts, size)
    assert len(shares) == size
    assert sorted(place for share in shares for place in share) == list(range(len(prompts)))


@given(st.integers(0, 30), st.integers(1, 8))
def test_prompts_of_their_own_are_shared_out_evenly(count, size):
    sizes = [len(share) for share in share_out(range(count), size)]
    assert max(sizes) - min(sizes) <= 1


def test_examples_of_a_prompt_stay_together_unless_others_would_wait():
    assert share_out([1, 2, 1, 2], 2) == [[0, 2], [1, 3]]
    assert [len(share) for share in share_out([1, 1, 1, 1], 2)] == [2, 2]


def test_fewer_examples_than_processes_leave_some_without():
    assert share_out([7], 3) == [[0], [], []]


@pytest.mark.parametrize("size", [1, 2, 4])
def test_the_processes_together_have_the_batches_of_one(size):
    prompts = list(range(10))
    worlds = [BatchShares(SequentialSampler(prompts), 4, prompts, World(rank, rank, size)) for rank in range(size)]
    steps = list(zip(*worlds, strict=True))
    assert [sorted(row for share in step for row in share) for step in steps] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9],
    ]
    assert {len(world) for world in worlds} == {3}


@pytest.mark.parametrize("layout", list(TokenLayout))
def test_a_batch_without_examples_and_a_pass_without_examples(layout):
    collate = Collator(layout, 64, 0, ["weight"], frozenset())
    batch = collate([])
    assert batch["passes"] == []
    assert batch["lengths"].shape[0] == batch["columns"]["weight"].shape[0] == 0
    empty = collate.empty_pass()
    assert empty["examples"].tolist() == []
    assert empty["batch"]["input_ids"].numel() <= 4
    assert empty["batch"]["num_responses"] == 2
    assert collate.passes([TokenizedExample([5], [[6], [7]])])


def test_rows_of_all_processes_are_filled_up_to_the_widest():
    assert stack_rows([torch.ones(1, 3), torch.zeros(0, 1), torch.ones(1, 2)]).tolist() == [[1, 1, 1], [1, 1, 0]]


def test_joined_examples_know_the_lengths_of_the_whole_step():
    """Of aot,sft over accumulated batches: the mean over tokens is that of the step, not of each batch."""
    whole = torch.full((4, 2), 6.0)
    joined = join_logps([replace(made_up_logps([1.0, 2.0], length=3), batch_lengths=whole)] * 2)
    assert torch.equal(joined.batch_lengths, whole)
    assert joined.token_mean(0).tolist() == pytest.approx([-1 / 6, -2 / 6] * 2)


class Talkative:
    """A world of two in which nobody answers."""

    size = 2

    def largest(self, number):
        raise AssertionError("the others are in their last pass")


def test_a_last_pass_without_room_is_an_error_of_all_and_asks_nobody():
    passes = HalvingPasses()
    passes.world = Talkative()
    assert not passes._can_halve([], torch.OutOfMemoryError())
    with pytest.raises(AssertionError, match="last pass"):
        passes._can_halve([], NoRoomError())


@pytest.mark.parametrize(
    ("batch_size", "size", "able"), [(5, 2, "4 or 6 does"), (2, 4, "4 does"), (6, 2, None), (8, 8, None)]
)
def test_a_batch_that_does_not_divide_is_refused(batch_size, size, able):
    settings = TrainingSettings(batch_size=batch_size)
    if able is None:
        check_settings(settings, TrainOptions(), size)
        return
    with pytest.raises(UsageError, match=f"--batch-size {batch_size}: does not divide among {size} devices; {able}"):
        check_settings(settings, TrainOptions(), size)


@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        (TrainingSettings(loss=("spa",)), "--extrapolate 0"),
        (TrainingSettings(stages=True), "--stage-reference initial"),
    ],
)
def test_what_runs_the_whole_policy_apart_is_refused_where_its_weights_are_split(settings, advice):
    with pytest.raises(UsageError, match=f"FSDP and DeepSpeed cannot; add {advice}$"):
        check_split_weights(settings)
    check_split_weights(TrainingSettings(loss=("spa",), knobs={"extrapolate": 0.0}))
