"""What a run cost."""

import time

from real_cli.train.diagnosis.cost import RunCost


def test_seconds_of_the_steps_are_apart_from_those_of_the_run():
    cost = RunCost()
    time.sleep(0.05)
    with cost.training():
        time.sleep(0.02)
    fields = cost.fields(is_resumed=False)
    assert 0.02 <= fields["train_seconds"] <= cost.seconds - 0.05


def test_the_time_of_a_resumed_run_is_not_known():
    """What it took before it was stopped is in no record."""
    cost = RunCost()
    with cost.training():
        pass
    fields = cost.fields(is_resumed=True)
    assert fields["train_seconds"] is None
    assert fields["peak_memory_bytes"] > 2**20


def test_memory_is_counted_in_bytes():
    """A block of 100 MB that was written to is in the peak."""
    before = RunCost().fields(is_resumed=False)["peak_memory_bytes"]
    block = bytearray(b"x") * max(100 * 2**20, before)
    after = RunCost().fields(is_resumed=False)["peak_memory_bytes"]
    assert len(block) <= after
