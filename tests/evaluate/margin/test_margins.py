"""What `eval margin` reports."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, bootstrap

from real_cli.evaluate.margin.margins import NUM_BARS, MarginTally, PairMargin, compare, signed_histogram
from real_cli.records.messages import text_key
from real_cli.stats.bootstrap import cell_of
from real_cli.stats.proportions import wilson_interval

logratios = st.floats(-50, 50)
pairs_of_logratios = st.lists(st.tuples(logratios, logratios), min_size=1, max_size=20)


def make_margins(*pairs, beta=0.1, prompts=None):
    """Tally of pairs (chosen log-ratio, rejected log-ratio, likelihood margin, similarity, tokens of both)."""
    tally = MarginTally(beta)
    for number, (chosen, rejected, *others) in enumerate(pairs):
        prompt = f"prompt {number}" if prompts is None else prompts[number]
        tally.add(PairMargin(chosen, rejected, *(others or [0.0])), text_key(prompt))
    return tally


def summed(*pairs, **options):
    return make_margins(*pairs, **options).summary()


def drawn(count, seed=0, shift=0.3):
    """Random pairs with everything."""
    draws = np.random.default_rng(seed)
    return [
        (*draws.normal((shift, 0)), draws.normal(), draws.uniform(-1, 1), *map(int, draws.integers(1, 30, 2)))
        for _ in range(count)
    ]


def numbers_in(value):
    if isinstance(value, dict):
        return [item for inner in value.values() for item in numbers_in(inner)]
    if isinstance(value, list):
        return [item for inner in value for item in numbers_in(inner)]
    return [value] if isinstance(value, float) else []


# By hand


def test_wilson_of_eight_out_of_ten():
    """z 2, z^2 4: scale 1 + .4 = 1.4; center (.8 + .2) / 1.4 = .7142857;
    half 2 / 1.4 * sqrt(.8 * .2 / 10 + 4 / 400) = 1.4285714 * sqrt(.026) = .2303501."""
    assert wilson_interval(8, 10, z=2) == pytest.approx((0.7142857 - 0.2303501, 0.7142857 + 0.2303501), abs=1e-6)


def test_margin_and_accuracy_of_three_pairs():
    """Margins 3 - 1 = 2, 0 - 2 = -2, 4 - 1 = 3: mean 1, two of three are right; times beta .1 is .1.
    Rewards: (3 + 0 + 4) / 3 * .1 = .2333, (1 + 2 + 1) / 3 * .1 = .1333."""
    summary = summed((3, 1), (0, 2), (4, 1))
    assert summary["margin"] == pytest.approx(1)
    assert summary["margin_beta"] == pytest.approx(0.1)
    assert summary["accuracy"] == pytest.approx(2 / 3)
    assert (summary["rewards_chosen"], summary["rewards_rejected"]) == pytest.approx((0.7 / 3, 0.4 / 3))
    assert (summary["num_pairs"], summary["num_correct"], summary["num_ties"]) == (3, 2, 0)


def test_the_margin_of_the_paper_is_ten_times_that_of_trl():
    """Methods 1(d): REAL's code leaves out beta .1."""
    summary = summed((3, 1), (5, 1))
    assert summary["margin"] == pytest.approx(10 * summary["margin_beta"])


def test_a_policy_equal_to_its_reference_is_all_ties_and_accuracy_zero():
    """Methods 0(b): rewards/accuracies is a strict >, so 0.0 and not 0.5. A margin without spread has no interval."""
    summary = summed(*[(0, 0)] * 12)
    assert (summary["accuracy"], summary["num_ties"], summary["margin"]) == (0, 12, 0)
    assert (summary["margin_low"], summary["margin_high"]) == (None, None)
    assert summary["accuracy_high"] == pytest.approx(wilson_interval(0, 12).high)
    assert (summary["ece"], summary["num_calibrated"]) == (None, 0)
    assert summary["notes"] == [
        "the same number for every pair, so no interval: margin, margin_beta, rewards_chosen, rewards_rejected, "
        "likelihood_margin, margin_per_token"
    ]


def test_the_likelihood_of_the_policy_alone_is_told_apart():
    """Margins 2 and -6: mean -2, one of two positive. A margin of 0 is not positive."""
    summary = summed((1, 0, 2.0), (1, 0, -6.0))
    assert (summary["likelihood_margin"], summary["likelihood_accuracy"]) == (-2, 0.5)
    assert summed((1, 0, 0.0))["likelihood_accuracy"] == 0


def test_a_long_response_earns_no_more_a_token():
    """Log-ratio 6 over 3 tokens is 2, 5 over 1 is 5: margin 1, a token -3. 1 over 2 minus -1 over 2: margin 2, a
    token 1. Means 1.5 and -1; right 2 of 2, and 1 of 2."""
    summary = summed((6, 5, 0.0, None, 3, 1), (1, -1, 0.0, None, 2, 2))
    assert (summary["margin"], summary["margin_per_token"]) == (1.5, -1)
    assert (summary["accuracy"], summary["accuracy_per_token"], summary["num_per_token"]) == (1, 0.5, 2)


def test_a_response_without_tokens_has_no_margin_a_token():
    summary = summed((1, 0, 0.0, None, 4, 2), (9, 0, 0.0, None, 3, 0))
    assert (summary["margin_per_token"], summary["num_per_token"], summary["num_pairs"]) == (0.25, 1, 2)
    assert PairMargin(9, 0, 0.0, None, 3, 0).row(0.1)["margin_per_token"] is None


def test_pairs_are_split_in_four_by_similarity():
    """Similarities .8 .1 .5 .3 in that order, margins 1 -1 0 3: sorted .1 -> -1, .3 -> 3, .5 -> 0, .8 -> 1.
    The gap is that of the first from the last: 0 - 1."""
    summary = summed((1, 0, 0.0, 0.8), (0, 1, 0.0, 0.1), (2, 2, 0.0, 0.5), (3, 0, 0.0, 0.3))
    buckets = summary["by_similarity"]
    assert [(item["similarity_low"], item["margin"], item["accuracy"], item["num_ties"]) for item in buckets] == [
        (0.1, -1, 0, 0),
        (0.3, 3, 1, 0),
        (0.5, 0, 0, 1),
        (0.8, 1, 1, 0),
    ]
    assert (summary["accuracy_gap"], summary["num_least_similar"], summary["num_most_similar"]) == (-1, 1, 1)
    assert summary["accuracy_gap_low"] == -1
    assert summary["accuracy_gap_high"] > 0


def test_pairs_without_similarity_are_in_no_bucket():
    summary = summed((1, 0, 0.0, 0.5), (9, 0, 0.0, None))
    assert [item["num_pairs"] for item in summary["by_similarity"]] == [1]
    assert summary["num_pairs"] == 2
    assert "accuracy_gap" not in summary
    assert "by_similarity" not in summed((9, 0, 0.0, None))


def test_the_row_of_a_pair_has_its_numbers():
    """6 - 5 = 1 nat, times .5; a token 6 / 3 - 5 / 1."""
    assert PairMargin(6.0, 5.0, -2.0, 0.25, 3, 1).row(0.5) == {
        "is_correct": True, "margin": 1, "margin_beta": 0.5, "rewards_chosen": 3, "rewards_rejected": 2.5,
        "likelihood_margin": -2, "margin_per_token": -3, "similarity": 0.25, "num_tokens_chosen": 3,
        "num_tokens_rejected": 1,
    }  # fmt: skip
    assert PairMargin(1.0, 1.0, 0.0).row(0.5)["is_correct"] is False


def test_the_difference_of_two_policies_is_the_second_minus_the_first():
    """Margins 1 and -1 under the one, 2 and 3 under the other: 1.5 nats more and half the accuracy more. Likelihood
    margins 1 1 and -1 1: half of the accuracy less."""
    first, other = make_margins((1, 0, 1.0), (0, 1, 1.0)), make_margins((2, 0, -1.0), (3, 0, 1.0))
    (result,) = compare([first, other], ["a", "b"])
    assert (result["policy"], result["minus"], result["num_pairs"]) == ("b", "a", 2)
    assert (result["margin"], result["accuracy"], result["likelihood_accuracy"]) == (2.5, 0.5, -0.5)
    assert result["notes"] == ["2 prompts: means, and shares over several pairs of a prompt, need 10 for an interval"]


@pytest.mark.parametrize(("number", "excludes"), [(4, False), (5, False), (6, True)])
def test_a_difference_of_accuracy_agrees_with_mcnemar(number, excludes):
    """120 prompts, so many of which the second policy alone has right: exact p of 1/8, 1/16, 1/32."""
    first, other = ([(1, 0) if place >= 4 * number - add else (0, 1) for place in range(120)] for add in (0, number))
    (result,) = compare([make_margins(*first), make_margins(*other)], ["a", "b"])
    assert result["accuracy"] == pytest.approx(number / 120)
    assert (result["accuracy_low"] > 0) is excludes


def test_bars_have_an_edge_at_zero_and_hold_every_number():
    """-1 to 2 in thirty bars of .1: 0 starts one of them, and 2 is in the last."""
    bars = signed_histogram(np.array([-1.0, -0.01, 0.0, 2.0]), np.array([-1.0, 2.0]))
    assert len(bars["counts"]) == NUM_BARS
    assert bars["edges"][10] == 0
    assert [place for place, count in enumerate(bars["counts"]) if count] == [0, 9, 10, 29]
    assert signed_histogram(np.zeros(3), np.zeros(3)) == {"edges": [0, 1], "counts": [3]}
    assert signed_histogram(np.array([]), np.array([])) == {"edges": [], "counts": []}


# Degenerate input


def test_no_pairs_have_no_mean():
    summary = MarginTally(0.1).summary()
    assert summary["num_pairs"] == 0
    assert {summary[name] for name in ("accuracy", "accuracy_low", "margin", "margin_beta", "rewards_chosen")} == {None}
    assert summary["notes"] == ["no pair was measured"]
    assert wilson_interval(0, 0) is None


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        [(1, 0)],
        [(0, 0)] * 30,
        [(1, 0, 1.0, 0.5)] * 30,
        [(800, -800, 5.0, 0.1), (-800, 800, 5.0, 0.2)] * 20,
        [(1e-300, 0, 0.0, 0.0)] * 12,
    ],
    ids=["none", "one", "ties", "all right and constant", "far apart", "next to nothing"],
)
@pytest.mark.parametrize("repeats", [1, 4])
def test_numbers_are_finite_and_nothing_warns(pairs, repeats):
    prompts = [f"prompt {number // repeats}" for number in range(len(pairs))]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        summary = summed(*pairs, prompts=prompts)
        differences = compare([make_margins(*pairs, prompts=prompts)] * 2, ["a", "b"])
    assert all(map(math.isfinite, numbers_in([summary, differences])))
    assert summary["notes"] or len(set(pairs)) > 1
    assert sum(summary["margin_histogram"]["counts"]) == len(pairs)


def test_what_the_policy_could_not_say_is_not_finite():
    assert PairMargin(1.0, 0.0, 0.0).is_finite
    assert not PairMargin(math.nan, 0.0, 0.0).is_finite
    assert not PairMargin(math.inf, 0.0, math.inf).is_finite


# Prompts that repeat


def test_shares_of_prompts_that_repeat_count_them_for_what_they_are_worth():
    """Sixty pairs, alike within each of twenty prompts: as twenty pairs, and not as sixty."""
    pairs = [(1, 0) if number // 3 % 2 else (0, 1) for number in range(60)]
    prompts = [f"prompt {number // 3}" for number in range(60)]
    summary = summed(*pairs, prompts=prompts)
    low, high = wilson_interval(10, 20)
    assert (summary["accuracy"], summary["num_prompts"]) == (0.5, 20)
    assert summary["accuracy_low"] == pytest.approx(low, abs=0.05)
    assert summary["accuracy_high"] == pytest.approx(high, abs=0.05)
    assert "60 pairs have 20 prompts and are not independent" in summary["notes"][0]
    every = summed(*[(1, 0, 1.0)] * 60, prompts=prompts)
    assert (every["accuracy_low"], every["accuracy_high"]) == pytest.approx(wilson_interval(20, 20))


def test_the_interval_of_repeated_prompts_is_never_narrower_than_that_of_as_many_pairs():
    """Within each prompt one right and one wrong: prompts do not differ, and yet pairs are worth no more than pairs."""
    pairs = [(1, 0) if number % 2 else (0, 1) for number in range(40)]
    summary = summed(*pairs, prompts=[f"prompt {number // 2}" for number in range(40)])
    assert (summary["accuracy_low"], summary["accuracy_high"]) == pytest.approx(wilson_interval(20, 40))


def test_prompts_that_differ_less_than_pairs_would_leave_wilsons_interval():
    """One right and one wrong of 38 prompts, both right of two: 42 of 80 pairs, and prompts hardly differ."""
    pairs = [(1, 0) if number % 2 or number < 4 else (0, 1) for number in range(80)]
    summary = summed(*pairs, prompts=[f"prompt {number // 2}" for number in range(80)])
    assert (summary["accuracy_low"], summary["accuracy_high"]) == pytest.approx(wilson_interval(42, 80))


def test_few_prompts_of_many_pairs_have_no_interval():
    summary = summed(*drawn(40), prompts=[f"prompt {number % 9}" for number in range(40)])
    assert summary["accuracy_low"] is None
    assert summary["margin_low"] is None
    assert "9 prompts: " in summary["notes"][0]


# Against scipy


@given(st.integers(1, 400).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))))
@settings(max_examples=100)
def test_wilson_is_that_of_scipy(counts):
    successes, trials = counts
    expected = binomtest(successes, trials).proportion_ci(method="wilson")  # scipy 1.17.1
    assert wilson_interval(successes, trials) == pytest.approx((expected.low, expected.high), abs=1e-12)


def bootstrapped(statistic, *samples, **options):
    """A 95 % interval, and what its ends may differ by between draws."""
    draws = np.random.default_rng(1)
    result = bootstrap(samples, statistic, n_resamples=2000, method="percentile", rng=draws, **options)
    return result.confidence_interval, 0.15 * result.standard_error + 0.02 * np.ptp(result.confidence_interval)


def near(fields, name, expected, tolerance):
    low, high = fields[f"{name}_low"], fields[f"{name}_high"]
    return low == pytest.approx(expected.low, abs=tolerance) and high == pytest.approx(expected.high, abs=tolerance)


def test_the_interval_of_a_mean_is_that_of_scipy():
    pairs = drawn(300)
    summary = summed(*pairs, beta=0.5)
    columns = np.array(pairs)
    margins = columns[:, 0] - columns[:, 1]
    expected = {
        "margin": margins,
        "margin_beta": 0.5 * margins,
        "likelihood_margin": columns[:, 2],
        "margin_per_token": columns[:, 0] / columns[:, 4] - columns[:, 1] / columns[:, 5],
        "rewards_rejected": 0.5 * columns[:, 1],
    }
    for name, values in expected.items():
        assert summary[name] == pytest.approx(values.mean())
        assert near(summary, name, *bootstrapped(np.mean, values)), name


def test_the_difference_of_policies_is_scipys_paired_bootstrap():
    """Margins of the two go together, so the paired interval is far narrower than the unpaired one."""
    base = drawn(400)
    noise = np.random.default_rng(5).normal(0.1, 0.2, 400)
    other = [(chosen + extra, *rest) for (chosen, *rest), extra in zip(base, noise, strict=True)]
    (result,) = compare([make_margins(*base), make_margins(*other)], ["a", "b"])
    first, second = (np.array([pair[0] - pair[1] for pair in pairs]) for pairs in (base, other))

    def minus(single, two, axis):
        return two.mean(axis=axis) - single.mean(axis=axis)

    expected, tolerance = bootstrapped(minus, first, second, paired=True)
    assert near(result, "margin", expected, tolerance)
    loose, _ = bootstrapped(minus, first, second)
    assert np.ptp(loose) > 3 * (result["margin_high"] - result["margin_low"])
    right = (first > 0).astype(float), (second > 0).astype(float)
    assert result["accuracy"] == pytest.approx(right[1].mean() - right[0].mean())
    assert near(result, "accuracy", *bootstrapped(minus, *right, paired=True))


def test_the_gap_between_buckets_is_near_scipys_unpaired_bootstrap():
    pairs = drawn(800)
    summary = summed(*pairs)
    ranked = sorted(pairs, key=lambda pair: pair[3])
    least, most = (np.array([float(pair[0] > pair[1]) for pair in part]) for part in (ranked[:200], ranked[-200:]))
    assert summary["accuracy_gap"] == pytest.approx(least.mean() - most.mean())
    expected, tolerance = bootstrapped(lambda low, high, axis: low.mean(axis=axis) - high.mean(axis=axis), least, most)
    assert near(summary, "accuracy_gap", expected, tolerance)


# Properties


@given(st.integers(1, 1000).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))))
@settings(max_examples=50)
def test_wilson_holds_the_share_stays_in_bounds_and_mirrors(counts):
    successes, trials = counts
    low, high = wilson_interval(successes, trials)
    assert 0 <= low <= successes / trials + 1e-12
    assert successes / trials - 1e-12 <= high <= 1
    assert wilson_interval(trials - successes, trials) == pytest.approx((1 - high, 1 - low))


def test_the_order_of_the_input_moves_nothing():
    pairs, prompts = drawn(50), [f"prompt {number % 20}" for number in range(50)]
    pairs = [(*pair[:3], round(pair[3]), *pair[4:]) for pair in pairs]  # many are equally similar
    order = np.random.default_rng(3).permutation(50)
    shuffled, moved = [pairs[place] for place in order], [prompts[place] for place in order]
    assert summed(*pairs, prompts=prompts) == summed(*shuffled, prompts=moved)
    others = [(pair[1], pair[0] * 2, pair[2]) for pair in pairs]
    there = compare([make_margins(*pairs, prompts=prompts), make_margins(*others, prompts=prompts)], ["a", "b"])
    back = compare(
        [make_margins(*shuffled, prompts=moved), make_margins(*(others[i] for i in order), prompts=moved)], ["a", "b"]
    )
    assert there == back


def test_the_cell_of_a_prompt_is_that_of_its_digest():
    """The tally keeps eight bytes of it."""
    key = text_key("the cat")
    assert (int.from_bytes(key[:8], "big") >> 48) % 4096 == cell_of(key)


@given(pairs_of_logratios)
@settings(max_examples=30)
def test_swapping_chosen_and_rejected_negates_the_margin(pairs):
    there, back = summed(*pairs), summed(*((rejected, chosen) for chosen, rejected in pairs))
    assert back["margin"] == pytest.approx(-there["margin"], abs=1e-9)
    assert back["margin_beta"] == pytest.approx(-there["margin_beta"], abs=1e-9)
    assert back["num_ties"] == there["num_ties"]
    assert back["num_correct"] == len(pairs) - there["num_correct"] - there["num_ties"]


@given(pairs_of_logratios, st.floats(0.01, 2))
@settings(max_examples=30)
def test_beta_scales_the_rewards_and_leaves_the_accuracy(pairs, beta):
    first, other = summed(*pairs, beta=1.0), summed(*pairs, beta=beta)
    assert other["accuracy"] == first["accuracy"]
    assert other["margin"] == first["margin"]
    for name in ("margin_beta", "rewards_chosen", "rewards_rejected"):
        assert other[name] == pytest.approx(beta * first[name], abs=1e-9)
    assert other["rewards_chosen"] - other["rewards_rejected"] == pytest.approx(other["margin_beta"], abs=1e-9)


@given(st.lists(st.tuples(logratios, logratios, st.just(0.0), st.floats(-1, 1)), min_size=1, max_size=30))
@settings(max_examples=30)
def test_buckets_are_of_equal_number_ascending_and_hold_every_pair(pairs):
    summary = summed(*pairs)
    buckets = summary["by_similarity"]
    sizes = [item["num_pairs"] for item in buckets]
    assert sum(sizes) == len(pairs)
    assert max(sizes) - min(sizes) <= 1
    assert len(buckets) == min(4, len(pairs))
    edges = [edge for item in buckets for edge in (item["similarity_low"], item["similarity_high"])]
    assert edges == sorted(edges)
    assert sum(item["num_correct"] for item in buckets) == summary["num_correct"]
