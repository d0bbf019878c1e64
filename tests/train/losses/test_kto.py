"""KTO by hand: real-methods(7), section 22(l)."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given

from real_cli.train.batches.completions import completion_metrics, completion_sums
from real_cli.train.logps import Logps, join_logps
from real_cli.train.losses.kto import kto_loss, reference_point
from real_cli.train.objective import Responses
from tests.train.losses.made_logps import BETAS, SEEDS, double, gradient, logps_of, random_logps, same, shifted


def two(mismatched: tuple[float, float]) -> Logps:
    """A desirable completion with log-ratio 2, and an undesirable one with -1."""
    rows = [(2.0, mismatched[0], 1.0), (-1.0, mismatched[1], 0.0)]
    return join_logps([logps_of([ratio, other], marks=[mark, 0.0]) for ratio, other, mark in rows])


def test_worked_numbers():
    assert kto_loss(two((0.5, 1.5))).tolist() == pytest.approx([0.475021, 0.450166], abs=5e-7)
    assert kto_loss(two((-1.0, 0.0))).tolist() == pytest.approx([0.450166, 0.475021], abs=5e-7)
    assert kto_loss(two((0.5, 1.5)), desirable_weight=2.0, undesirable_weight=0.0).tolist() == pytest.approx(
        [0.950042, 0.0], abs=1e-6
    )


def test_the_reference_point_is_of_the_whole_batch_and_never_below_0():
    assert reference_point(two((0.5, 1.5))).tolist() == [1.0, 1.0]
    assert reference_point(two((-3.0, 1.0))).tolist() == [0.0, 0.0]


def test_mismatched_completions_get_no_gradient():
    grads = gradient(kto_loss, two((0.5, 1.5)))
    assert grads[:, 1].tolist() == [0.0, 0.0]
    assert grads[0, 0] < 0 < grads[1, 0]


@given(SEEDS, BETAS)
def test_it_is_the_formula_of_the_paper(seed, beta):
    logps = random_logps(seed, responses=Responses.unpaired)
    logps = replace(logps, marks=(logps.marks > 0).double())
    ratios = (logps.policy - logps.reference).numpy()
    point = max(0.0, float(ratios[:, 1].mean()))
    good = logps.marks[:, 0].numpy() > 0
    value = 1 / (1 + np.exp(-beta * np.where(good, ratios[:, 0] - point, point - ratios[:, 0])))
    same(
        kto_loss(logps, beta=beta, desirable_weight=1.5, undesirable_weight=0.5), np.where(good, 1.5, 0.5) * (1 - value)
    )


def test_what_is_likelier_everywhere_is_no_gain():
    """Where all ratios rise together the reference point rises with them."""
    logps = two((0.5, 1.5))
    torch.testing.assert_close(kto_loss(shifted(logps, 3.0)), kto_loss(logps))


def test_metrics_are_means_over_each_label():
    logps = two((0.5, 1.5))
    sums = completion_sums(0.1 * logps.logratios, logps, reference_point(logps), beta=0.1)
    metrics = completion_metrics([float(value.sum()) for value in sums], 2)
    assert metrics["rewards/chosen"] == pytest.approx(0.2)
    assert metrics["rewards/rejected"] == pytest.approx(-0.1)
    assert metrics["rewards/margins"] == pytest.approx(0.3)
    assert metrics["rewards/accuracies"] == 1.0
    assert metrics["kl"] == pytest.approx(1.0)
    assert metrics["logps/rejected"] == -1.0
    wrong = replace(logps, marks=1 - double([[1.0, 1.0], [0.0, 1.0]]))
    flipped = completion_sums(0.1 * wrong.logratios, wrong, reference_point(wrong), beta=0.1)
    assert completion_metrics([float(value.sum()) for value in flipped], 2)["rewards/accuracies"] == 0.0


def test_a_label_that_did_not_come_has_no_metrics():
    logps = logps_of([1.0, 0.0], marks=[1.0, 0.0])
    sums = completion_sums(logps.logratios, logps, reference_point(logps), beta=1.0)
    metrics = completion_metrics([float(value.sum()) for value in sums], 1)
    assert "rewards/chosen" in metrics
    assert not {"rewards/rejected", "rewards/margins", "logps/rejected"} & metrics.keys()
