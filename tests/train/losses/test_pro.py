"""PRO, Methods 10."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from real_cli.train.losses.pro import pro_loss
from real_cli.train.losses.simpo import simpo_loss
from real_cli.train.objective import Responses
from tests.train.losses.made_logps import SEEDS, double, gradient, logps_of, random_logps, same


def ranking(averages: list[float], scores: list[float], **others):
    return logps_of(averages, marks=scores, **others)


def rankings(seed: int):
    return random_logps(seed, responses=Responses.ranking)


def test_pro_of_two_at_the_point_of_the_manual():
    """Methods 10(f), s (-1, -1.5), r (2, 0): ln(1 + e^(2 * -1.5 - 2 * -1)) = ln(1 + e^-1) = .313262."""
    assert pro_loss(ranking([-1, -1.5], [2, 0]), alpha=0).item() == pytest.approx(0.313262, abs=5e-7)


def test_pro_of_three_at_the_point_of_the_manual():
    """Methods 10(f), s (-1, -1.2, -1.5), r (2, 1, 0). L_1: T_12 = 1, T_13 = 2 = T_1: exponents -2, -1.2, -3, so
    ln(1 + e^.8 + e^-1) = 1.279205; L_2: T_23 = 1 = T_2: -1.2, -1.5, ln(1 + e^-.3) = .554355; in all 1.833460."""
    assert pro_loss(ranking([-1, -1.2, -1.5], [2, 1, 0]), alpha=0).item() == pytest.approx(1.833460, abs=1e-6)


def test_pro_of_equal_scores_moves_nothing():
    """Methods 10(f): ln 3 + ln 2 = 1.791759 and no gradient."""
    logps = ranking([-1, -1.2, -1.5], [1, 1, 1])
    assert pro_loss(logps, alpha=0).item() == pytest.approx(1.791759, abs=5e-7)
    assert gradient(pro_loss, logps, alpha=0).tolist() == [[0, 0, 0]]


def test_the_best_response_is_weighed_by_its_sum_and_by_the_number_beaten():
    """Methods 10(b) and (g), w .05: (3 - 1)^2 * 12 nats, not 12 / 4 tokens: .05 * 4 * 12 = 2.4 more."""
    logps = ranking([-12, -8, -6], [1, 1, 1], lengths=[4, 4, 4])
    assert pro_loss(logps, alpha=0.05).item() == pytest.approx(1.791759 + 2.4, abs=1e-6)


def test_responses_count_by_their_mean_token():
    """As the two of the manual, with 4 and 2 tokens."""
    assert pro_loss(ranking([-4, -3], [2, 0], lengths=[4, 2]), alpha=0).item() == pytest.approx(0.313262, abs=5e-7)


def in_numpy(averages: list[float], scores: list[float], best: float, weight: float) -> float:
    """Song et al., 2023, response by response."""
    total = 0.0
    for k in range(len(scores) - 1):
        gaps = [scores[k] - score for score in scores[k + 1 :]]
        ours = np.exp(averages[k] * max(gaps))
        below = sum(np.exp(average * gap) for average, gap in zip(averages[k + 1 :], gaps, strict=True))
        total -= np.log(ours / (ours + below))
    return total - weight * (len(scores) - 1) ** 2 * best


@given(seed=SEEDS, weight=st.floats(0, 1))
@settings(max_examples=30)
def test_pro_in_numpy(seed, weight):
    """Each ranking by itself, cut to the responses it has."""
    logps = rankings(seed)
    expected = []
    for row in range(6):
        size = int(logps.present[row].sum())
        averages = (logps.policy / logps.lengths)[row, :size].tolist()
        expected.append(in_numpy(averages, logps.marks[row, :size].tolist(), logps.policy[row, 0].item(), weight))
    same(pro_loss(logps, alpha=weight), expected)


@given(seed=SEEDS, better=st.floats(-3, 3), worse=st.floats(-3, 3))
@settings(max_examples=10)
def test_pro_of_two_is_simpo_with_the_scores_difference_as_beta(seed, better, worse):
    """Methods 10(f) and 23: no margin, no reference."""
    logps = replace(random_logps(seed), marks=double([[better, worse]] * 6))
    torch.testing.assert_close(pro_loss(logps, alpha=0), simpo_loss(logps, beta=better - worse, gamma=0))


@given(seed=SEEDS)
@settings(max_examples=10)
def test_only_differences_of_scores_count(seed):
    logps = rankings(seed)
    torch.testing.assert_close(pro_loss(replace(logps, marks=logps.marks + 7)), pro_loss(logps))


@pytest.mark.parametrize("junk", [1e6, float("nan"), float("inf")])
def test_missing_responses_count_for_nothing(junk):
    """A ranking of three in five columns, whatever stands in the other two, also in its gradient."""
    three, scores = [-1, -1.2, -1.5], [2, 1, 0]
    there = torch.tensor([[True] * 3 + [False] * 2])
    padded = ranking([*three, junk, junk], [*scores, junk, -junk], present=there, lengths=[1, 1, 1, 0, 3])
    assert pro_loss(padded).item() == pro_loss(ranking(three, scores)).item()
    result = gradient(pro_loss, padded)[0].tolist()
    assert result[:3] == pytest.approx(gradient(pro_loss, ranking(three, scores))[0].tolist())
    assert result[3:] == [0, 0]


@pytest.mark.parametrize("there", [1, 0])
def test_a_ranking_of_one_or_none_has_nothing_to_say(there):
    logps = ranking([-1, -2], [2, 0], present=torch.tensor([[there > 0, False]]))
    assert pro_loss(logps).item() == 0
    assert gradient(pro_loss, logps).tolist() == [[0, 0]]


def test_an_empty_response_does_no_harm():
    """Methods 10(g): a response cut to nothing gives 0 / 0 there; here its mean token is 0."""
    logps = ranking([-1, 0], [2, 0], lengths=[1, 0])
    assert pro_loss(logps, alpha=0).item() == pytest.approx(np.log1p(np.exp(2)))
    assert torch.isfinite(gradient(pro_loss, logps)).all()


def test_the_best_goes_up_and_the_worst_down():
    result = gradient(pro_loss, ranking([-2, -2, -2], [2, 1, 0]), alpha=0)[0]
    assert result[0] < 0 < result[2]
