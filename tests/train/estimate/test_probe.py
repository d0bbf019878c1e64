"""What a probe tells: seconds of a run, and whether the machine was its alone."""

import pytest
import torch

from real_cli.train.estimate.probe import Span, Speed, cpu_share


def test_a_range_holds_what_steps_alike_differ_by():
    """Two steps alike give no range of themselves."""
    low, high = Speed(((100, 2.0), (100, 2.0)), None).training(10, 1000)
    assert low == pytest.approx(18.0)
    assert high == pytest.approx(23.0)


def test_a_machine_that_others_use_widens_the_range():
    """At half the CPU an idle machine takes half as long, and one as busy again twice."""
    assert Speed(((100, 2.0), (100, 2.0)), None, 0.5).widened(Span(10.0, 10.0)) == Span(5.0, 20.0)
    assert Speed(((100, 2.0), (100, 2.0)), None, 0.9).widened(Span(10.0, 10.0)) == Span(10.0, 10.0)


def test_the_share_is_of_the_thread_and_of_no_device():
    """A device's CPU waits: it tells nothing."""
    assert cpu_share(3.0, 6.0, torch.device("cpu")) == pytest.approx(0.5)
    assert cpu_share(0.1, 6.0, torch.device("cuda")) == 1.0
