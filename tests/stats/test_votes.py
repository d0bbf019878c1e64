"""Votes of several judges: each rule by hand, and a panel's accuracy by theory."""

import itertools
import math

import numpy as np
import pytest

from real_cli.records.verdicts import Judgment
from real_cli.stats.votes import RULES, Ballot, majority, mean, side_of, unanimous

A, B, TIE = Ballot("A", 1.0), Ballot("B", 0.0), Ballot("tie", 0.5)
SWAPPED = {"A": B, "B": A, "tie": TIE}


@pytest.mark.parametrize(
    ("votes", "by_majority", "by_mean", "by_all"),
    [
        ([A], ("A", 1), ("A", 1), ("A", 1)),
        ([TIE], ("tie", 1), ("tie", 1), ("tie", 1)),
        ([A, B], ("tie", 0), ("tie", 0), ("tie", 0)),
        ([A, TIE], ("tie", 1 / 2), ("A", 1 / 2), ("tie", 1 / 2)),
        ([A, A, B], ("A", 2 / 3), ("A", 2 / 3), ("tie", 0)),
        ([A, B, TIE], ("tie", 1 / 3), ("tie", 1 / 3), ("tie", 1 / 3)),
        ([A, TIE, TIE], ("tie", 2 / 3), ("A", 1 / 3), ("tie", 2 / 3)),
        ([B, B, TIE, A], ("tie", 1 / 4), ("B", 1 / 2), ("tie", 1 / 4)),
        ([B, B, B], ("B", 1), ("B", 1), ("B", 1)),
    ],
)
def test_each_rule_by_hand(votes, by_majority, by_mean, by_all):
    assert [rule(votes) for rule in (majority, mean, unanimous)] == [
        (winner, pytest.approx(share)) for winner, share in (by_majority, by_mean, by_all)
    ]


@pytest.mark.parametrize("rule", RULES)
def test_no_rule_favors_a_place_or_an_order(rule):
    turned = {"A": "B", "B": "A", "tie": "tie"}
    for votes in itertools.product([A, B, TIE], repeat=4):
        winner, agreement = RULES[rule](votes)
        assert RULES[rule]([SWAPPED[vote.verdict] for vote in votes]) == (turned[winner], agreement)
        assert RULES[rule](votes[::-1]) == (winner, agreement)


def test_a_judge_who_is_sure_outweighs_two_who_are_not():
    votes = [Ballot("A", 0.95), Ballot("B", 0.4), Ballot("B", 0.4)]
    assert (majority(votes).winner, mean(votes).winner) == ("B", "A")


def test_probabilities_that_sum_to_a_half_are_a_tie():
    """0.1 + 0.2 + 1.2 is not 1.5 to a computer."""
    assert mean([Ballot("B", 0.1), Ballot("B", 0.2), Ballot("A", 1.2)]).winner == "tie"
    assert side_of(0.1 + 0.4) == "tie"


@pytest.mark.parametrize(
    ("verdicts", "chances", "expected"),
    [
        (("A", "B"), (None, None), 1.0),
        (("A", "A"), (None, None), 0.5),
        (("A", "tie"), (None, None), 0.75),
        (("B", "A"), (0.2, 0.9), 0.15),
        (("A", "B"), (0.8, None), 0.9),
    ],
)
def test_a_judges_probability_is_the_mean_of_both_orders(verdicts, chances, expected):
    judgment = Judgment(verdicts, ("", ""), chances)
    assert judgment.probability == pytest.approx(expected)
    assert judgment.swapped().probability == pytest.approx(1 - expected)


def test_a_panel_of_three_is_as_right_as_theory_says_in_1000_repeats():
    """Condorcet: p^3 + 3 p^2 (1 - p), in the 95% interval of 100 pairs in 92% of the repeats or more."""
    p, pairs, repeats = 0.7, 100, 1000
    theory = p**3 + 3 * p**2 * (1 - p)
    is_right = np.random.default_rng(0).random((repeats, pairs, 3)) < p
    outcomes = {
        votes: majority([A if vote else B for vote in votes]).winner for votes in itertools.product([0, 1], repeat=3)
    }
    together = np.array(
        [[outcomes[tuple(votes)] == "A" for votes in repeat] for repeat in is_right.astype(int).tolist()]
    )
    shares = together.mean(axis=1)
    half_width = 1.96 * math.sqrt(theory * (1 - theory) / pairs)
    assert np.mean(np.abs(shares - theory) <= half_width) >= 0.92
    assert abs(shares.mean() - theory) < 1.96 * math.sqrt(theory * (1 - theory) / pairs / repeats) * 1.5
    # Better than each of the three, by 0.084.
    assert np.all(shares.mean() - is_right.mean(axis=(0, 1)) > 0.07)
