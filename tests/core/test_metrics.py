"""What `eval margin` reports."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from real_cli.core.intervals import wilson_interval
from real_cli.core.metrics import MarginTally

logratios = st.floats(-50, 50)
pairs_of_logratios = st.lists(st.tuples(logratios, logratios), min_size=1, max_size=20)


def tally(*pairs: tuple[float, ...], beta: float = 0.1) -> dict:
    """Summary of pairs (chosen log-ratio, rejected log-ratio, likelihood margin, similarity)."""
    made = MarginTally(beta)
    for chosen, rejected, *others in pairs:
        made.add(chosen, rejected, *(others or [0.0]))
    return made.summary()


# By hand


def test_wilson_of_eight_out_of_ten():
    """z 2, z^2 4: scale 1 + .4 = 1.4; center (.8 + .2) / 1.4 = .7142857;
    half 2 / 1.4 * sqrt(.8 * .2 / 10 + 4 / 400) = 1.4285714 * sqrt(.026) = .2303501."""
    assert wilson_interval(8, 10, z=2) == pytest.approx((0.7142857 - 0.2303501, 0.7142857 + 0.2303501), abs=1e-6)


def test_margin_and_accuracy_of_three_pairs():
    """Margins 3 - 1 = 2, 0 - 2 = -2, 4 - 1 = 3: mean 1, two of three are right; times beta .1 is .1.
    Rewards: (3 + 0 + 4) / 3 * .1 = .2333, (1 + 2 + 1) / 3 * .1 = .1333."""
    summary = tally((3, 1), (0, 2), (4, 1))
    assert summary["margin"] == pytest.approx(1)
    assert summary["margin_beta"] == pytest.approx(0.1)
    assert summary["accuracy"] == pytest.approx(2 / 3)
    assert (summary["rewards_chosen"], summary["rewards_rejected"]) == pytest.approx((0.7 / 3, 0.4 / 3))
    assert (summary["num_pairs"], summary["num_correct"], summary["num_ties"]) == (3, 2, 0)


def test_the_margin_of_the_paper_is_ten_times_that_of_trl():
    """METHODS 1.6: REAL's code leaves out beta .1."""
    summary = tally((3, 1), (5, 1))
    assert summary["margin"] == pytest.approx(10 * summary["margin_beta"])


def test_a_policy_equal_to_its_reference_is_all_ties_and_accuracy_zero():
    """METHODS 0.3: rewards/accuracies is a strict >, so 0.0 and not 0.5."""
    summary = tally((0, 0), (0, 0))
    assert (summary["accuracy"], summary["num_ties"], summary["margin"]) == (0, 2, 0)


def test_the_likelihood_of_the_policy_alone_is_told_apart():
    """Margins 2 and -6: mean -2, one of two positive. A margin of 0 is not positive."""
    summary = tally((1, 0, 2.0), (1, 0, -6.0))
    assert (summary["likelihood_margin"], summary["likelihood_accuracy"]) == (-2, 0.5)
    assert tally((1, 0, 0.0))["likelihood_accuracy"] == 0


def test_pairs_are_split_in_four_by_similarity():
    """Similarities .8 .1 .5 .3 in that order, margins 1 -1 0 3: sorted .1 -> -1, .3 -> 3, .5 -> 0, .8 -> 1."""
    summary = tally((1, 0, 0.0, 0.8), (0, 1, 0.0, 0.1), (2, 2, 0.0, 0.5), (3, 0, 0.0, 0.3))
    buckets = summary["by_similarity"]
    assert [(one["similarity_low"], one["margin"], one["accuracy"], one["num_ties"]) for one in buckets] == [
        (0.1, -1, 0, 0),
        (0.3, 3, 1, 0),
        (0.5, 0, 0, 1),
        (0.8, 1, 1, 0),
    ]


def test_pairs_without_similarity_are_in_no_bucket():
    summary = tally((1, 0, 0.0, 0.5), (9, 0, 0.0, None))
    assert [one["num_pairs"] for one in summary["by_similarity"]] == [1]
    assert summary["num_pairs"] == 2
    assert "by_similarity" not in tally((9, 0, 0.0, None))


def test_no_pairs_have_no_mean():
    summary = MarginTally(0.1).summary()
    assert summary["num_pairs"] == 0
    assert {summary[name] for name in ("accuracy", "accuracy_low", "margin", "margin_beta", "rewards_chosen")} == {None}
    assert wilson_interval(0, 0) is None


# Against scipy


@given(st.integers(1, 400).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))))
@settings(max_examples=100)
def test_wilson_is_that_of_scipy(counts):
    successes, trials = counts
    expected = binomtest(successes, trials).proportion_ci(method="wilson")  # scipy 1.17.1
    assert wilson_interval(successes, trials) == pytest.approx((expected.low, expected.high), abs=1e-12)


# Properties


@given(st.integers(1, 1000).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))))
@settings(max_examples=50)
def test_wilson_holds_the_share_stays_in_bounds_and_mirrors(counts):
    successes, trials = counts
    low, high = wilson_interval(successes, trials)
    assert 0 <= low <= successes / trials + 1e-12
    assert successes / trials - 1e-12 <= high <= 1
    assert wilson_interval(trials - successes, trials) == pytest.approx((1 - high, 1 - low))


@given(pairs_of_logratios)
@settings(max_examples=50)
def test_swapping_chosen_and_rejected_negates_the_margin(pairs):
    there, back = tally(*pairs), tally(*((rejected, chosen) for chosen, rejected in pairs))
    assert back["margin"] == pytest.approx(-there["margin"], abs=1e-9)
    assert back["margin_beta"] == pytest.approx(-there["margin_beta"], abs=1e-9)
    assert back["num_ties"] == there["num_ties"]
    assert back["num_correct"] == len(pairs) - there["num_correct"] - there["num_ties"]


@given(pairs_of_logratios, st.floats(0.01, 2))
@settings(max_examples=50)
def test_beta_scales_the_rewards_and_leaves_the_accuracy(pairs, beta):
    one, other = tally(*pairs, beta=1.0), tally(*pairs, beta=beta)
    assert other["accuracy"] == one["accuracy"]
    assert other["margin"] == one["margin"]
    for name in ("margin_beta", "rewards_chosen", "rewards_rejected"):
        assert other[name] == pytest.approx(beta * one[name], abs=1e-9)
    assert other["rewards_chosen"] - other["rewards_rejected"] == pytest.approx(other["margin_beta"], abs=1e-9)


@given(st.lists(st.tuples(logratios, logratios, st.just(0.0), st.floats(-1, 1)), min_size=1, max_size=30))
@settings(max_examples=50)
def test_buckets_are_of_equal_number_ascending_and_hold_every_pair(pairs):
    summary = tally(*pairs)
    buckets = summary["by_similarity"]
    sizes = [one["num_pairs"] for one in buckets]
    assert sum(sizes) == len(pairs)
    assert max(sizes) - min(sizes) <= 1
    assert len(buckets) == min(4, len(pairs))
    edges = [edge for one in buckets for edge in (one["similarity_low"], one["similarity_high"])]
    assert edges == sorted(edges)
    assert sum(one["num_correct"] for one in buckets) == summary["num_correct"]
