"""Batches by a token budget, and a device that runs out of memory."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from real_cli.models.score.batching import TokenBudget, token_batches


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 50), max_size=30), st.integers(1, 120))
def test_every_sequence_is_in_one_batch_and_a_padded_batch_fits(lengths, budget):
    """Only a sequence that is alone may exceed the budget."""
    batches = list(token_batches(lengths, budget))
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert all(len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= budget for batch in batches)


def test_out_of_memory_halves_the_budget_and_loses_nothing(monkeypatch):
    """A device with room for two sequences of four tokens: eight of them are computed all the same, told each time."""
    monkeypatch.setattr(torch.accelerator, "empty_cache", lambda: None)
    notes = []

    def compute(batch):
        if len(batch) > 2:
            raise torch.OutOfMemoryError
        return [index * 10 for index in batch]

    budget = TokenBudget(32, notes.append)
    assert budget.run([4] * 8, compute) == [0, 10, 20, 30, 40, 50, 60, 70]
    assert budget.num_tokens == 8
    assert notes == [f"out of device memory: going on with --batch-tokens {tokens}" for tokens in (16, 8)]


def test_a_single_sequence_without_room_is_an_error():
    """Nothing smaller can be tried."""

    def compute(batch):
        raise torch.OutOfMemoryError

    with pytest.raises(torch.OutOfMemoryError):
        TokenBudget(32, lambda line: None).run([4], compute)
