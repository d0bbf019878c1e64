"""What the options of `pair` mean together, and the labels saved."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from real_cli.errors import UsageError
from real_cli.pair.choices import Emit, Strategy
from real_cli.pair.choose import PromptOutcome, Settings
from real_cli.pair.options import KeepOrder, check_settings, default_strategy, plan_keep
from real_cli.pair.savings import Savings
from real_cli.pair.strategies import STRATEGIES
from real_cli.stats.quota import Keep

HALF = Keep(Fraction(1, 2), None)
OWN_ORDER = {
    Strategy.easy: ("similarity", True),
    Strategy.hard: ("similarity", False),
    Strategy.random: ("random", True),
    Strategy.best_worst: ("score-gap", False),
    Strategy.best_random: ("score-gap", False),
    Strategy.best_vs_rest: ("score-gap", False),
    Strategy.best_two_sigma: ("score-gap", False),
    Strategy.best_worst_of_5: ("score-gap", False),
}
ACTIVE = [Strategy(name) for name, rule in STRATEGIES.items() if rule.needs_deviations]
NO_ORDER = [Strategy.centroid, Strategy.aepo, Strategy.all, Strategy.information, *ACTIVE]


def tally(*prompts: tuple[int, int, int]) -> Savings:
    """Add prompts of (responses as read, possible pairs, chosen pairs)."""
    savings = Savings()
    for num_responses, possible, chosen in prompts:
        savings.add(
            {"prompt": "q", "responses": [{"text": str(i)} for i in range(num_responses)]}, PromptOutcome([], possible)
        )
        savings.num_chosen += chosen
    return savings


# What stays


def test_every_strategy_is_in_one_of_the_two_lists():
    assert {*OWN_ORDER, *NO_ORDER} == set(Strategy)
    assert {strategy for strategy, rule in STRATEGIES.items() if rule.keep} == set(OWN_ORDER)


@pytest.mark.parametrize("strategy", OWN_ORDER)
def test_keep_follows_the_strategy(strategy):
    assert plan_keep("50%", None, None, Settings(strategy, seed=5)) == KeepOrder(HALF, *OWN_ORDER[strategy], 5)


@pytest.mark.parametrize("strategy", NO_ORDER)
def test_a_strategy_without_an_order_asks_for_one(strategy):
    with pytest.raises(UsageError, match=f"--keep with --strategy {strategy.value}: say which pairs with --by NAME"):
        plan_keep("50%", None, None, Settings(strategy))
    assert plan_keep("50%", "margin", True, Settings(strategy)) == KeepOrder(HALF, "margin", True, 0)


def test_the_other_end_can_be_asked_for():
    assert plan_keep("50%", None, False, Settings(Strategy.easy)) == KeepOrder(HALF, "similarity", False, 0)
    assert plan_keep("50%", "similarity", None, Settings(Strategy.hard)) == KeepOrder(HALF, "similarity", False, 0)


def test_another_number_needs_its_end():
    with pytest.raises(UsageError, match="--lowest, --highest or --nearest X"):
        plan_keep("50%", "score-gap", None, Settings(Strategy.easy))
    assert plan_keep("50%", "score-gap", False, Settings(Strategy.easy)) == KeepOrder(HALF, "score-gap", False, 0)


def test_a_random_share_has_no_end():
    assert plan_keep("50%", "random", None, Settings(Strategy.aepo)) == KeepOrder(HALF, "random", False, 0)


def test_without_keep_all_stay():
    assert plan_keep(None, None, None, Settings()) is None


@pytest.mark.parametrize(("by", "lowest"), [("similarity", None), (None, True), (None, False)])
def test_an_order_without_keep_would_be_ignored(by, lowest):
    with pytest.raises(UsageError, match="give --keep too"):
        plan_keep(None, by, lowest, Settings())


def test_the_nearest_pairs_are_those_with_the_lowest_distance():
    """|4 - 2.5| = 1.5 and |1 - 2.5| = 1.5, whatever the strategy's own end is."""
    order = plan_keep("50%", None, None, Settings(Strategy.best_worst), 2.5)
    assert order == KeepOrder(HALF, "score-gap", True, 0, 2.5)
    gaps = [{"score_chosen": score, "score_rejected": 1} for score in (5, 2, 3.5)]
    assert [order.value(record) for record in gaps] == [1.5, 1.5, 0]
    assert plan_keep("50%", "margin", None, Settings(Strategy.all), 0.0) == KeepOrder(HALF, "margin", True, 0, 0.0)


@pytest.mark.parametrize(
    ("keep", "by", "lowest", "nearest", "message"),
    [
        (None, None, None, 1.0, "--by, --lowest, --highest and --nearest say what --keep keeps; give --keep too"),
        ("1", "margin", False, 1.0, "--nearest: keeps neither the lowest nor the highest; leave out"),
        ("1", "margin", True, 1.0, "--nearest: keeps neither the lowest nor the highest; leave out"),
        ("1", "margin", None, math.nan, "--nearest nan: give a finite number"),
        ("1", "margin", None, -math.inf, "--nearest -inf: give a finite number"),
        ("1", "random", None, 0.5, "--nearest: --by random is no measure"),
        ("1", None, None, 1.0, "--keep with --strategy all: say which pairs with --by NAME"),
    ],
)
def test_a_nearest_that_means_nothing_is_refused(keep, by, lowest, nearest, message):
    with pytest.raises(UsageError, match=message):
        plan_keep(keep, by, lowest, Settings(Strategy.all), nearest)


def test_nearest_is_refused_too_where_random_is_the_strategys_own():
    with pytest.raises(UsageError, match="--nearest: --by random is no measure"):
        plan_keep("1", None, None, Settings(Strategy.random), 0.5)


# Options that contradict each other


@pytest.mark.parametrize(
    ("strategy_given", "keep", "curriculum"), [(True, None, False), (False, "50%", False), (False, None, True)]
)
def test_a_ranking_takes_no_choice(strategy_given, keep, curriculum):
    wanted = Settings(default_strategy(curriculum), emit=Emit.ranking, curriculum=curriculum)
    with pytest.raises(UsageError, match="--emit ranking writes all responses"):
        check_settings(wanted, strategy_given=strategy_given, keep=keep)


def test_a_ranking_alone_is_fine():
    check_settings(Settings(emit=Emit.ranking), strategy_given=False, keep=None)


@pytest.mark.parametrize("strategy", list(Strategy))
def test_a_curriculum_needs_several_pairs_of_a_prompt(strategy):
    wanted = Settings(strategy, curriculum=True)
    if strategy in (Strategy.best_vs_rest, Strategy.all):
        check_settings(wanted, strategy_given=True, keep="50%")
    else:
        with pytest.raises(UsageError, match=f"--strategy {strategy.value} makes one; use best-vs-rest or all"):
            check_settings(wanted, strategy_given=True, keep=None)


def test_the_default_is_easy_and_for_stages_best_vs_rest():
    assert (default_strategy(False), default_strategy(True)) == (Strategy.easy, Strategy.best_vs_rest)


# Labels saved


@pytest.mark.parametrize(("num_responses", "possible", "saved"), [(2, 1, 0), (3, 3, 2 / 3), (4, 6, 5 / 6)])
def test_one_pair_a_prompt_saves_what_the_manual_says(num_responses, possible, saved):
    """Methods 1(e): K=2 -> 0 %, K=3 -> 1 - 1/3 = 66.7 %, K=4 -> 1 - 1/6 = 83.3 %."""
    assert tally(*[(num_responses, possible, 1)] * 5).share_of_possible() == pytest.approx(saved)


def test_twenty_possible_pairs_of_seven_prompts_save_sixty_five_percent():
    """Methods 1(e): a mean of 2.857 = 20/7 possible pairs gives 1 - 7/20 = 65 %. 6 * 3 + 2 = 20."""
    savings = tally(*[(3, 3, 1)] * 6, (3, 2, 1))
    assert savings.share_of_possible() == pytest.approx(0.65)


def test_halving_pairs_saves_half_of_both():
    """4 pairs in, 2 stay: 1 - 2/4."""
    savings = tally((2, 1, 1), (2, 1, 0), (2, 1, 1), (2, 1, 0))
    assert (savings.share_of_possible(), savings.share_of_given()) == (0.5, 0.5)
    assert savings.sentence() == "2 pairs from 4 prompts; labels saved: 50.0% of the input's 4 pairs"


def test_pairs_without_a_label_are_counted_among_those_before_keep():
    """Three candidates each: 4 pairs of 4 prompts, 3 without a label."""
    unlabeled, labeled = {"responses": []}, {"chosen": "a"}
    savings = tally(*[(3, 3, 1)] * 4)
    for pair in (unlabeled, unlabeled, unlabeled, labeled):
        savings.add_pair(pair)
    savings.num_chosen = 4
    assert "from 4 prompts (3 chosen without a label);" in savings.sentence()
    savings.num_chosen = 2
    assert "2 pairs from 4 prompts (3 of the 4 before --keep chosen without a label);" in savings.sentence()
    whole = Savings(num_prompts=30, num_possible=90, num_given=None, num_chosen=10, num_paired=30, num_unlabeled=30)
    assert whole.sentence() == "10 pairs from 30 prompts; labels saved: 88.9% of the 90 possible pairs"


@pytest.mark.parametrize("order", [[2, 3, 2], [3, 2, 2], [2, 2, 3]])
def test_one_prompt_with_three_responses_and_the_input_was_not_pairs(order):
    savings = tally(*((n, n * (n - 1) // 2, 1) for n in order))
    assert savings.num_given is None
    assert savings.share_of_given() is None
    assert savings.sentence() == "3 pairs from 3 prompts; labels saved: 40.0% of the 5 possible pairs"


def test_a_labeled_pair_counts_as_a_pair():
    savings = Savings()
    savings.add({"prompt": "q", "chosen": "a", "rejected": "b"}, PromptOutcome([], 1))
    assert (savings.num_given, savings.num_possible) == (1, 1)


def test_nothing_read_saves_nothing():
    savings = Savings()
    assert (savings.share_of_possible(), savings.share_of_given()) == (None, None)
    assert savings.sentence() == "0 pairs from 0 prompts"


@given(st.lists(st.integers(2, 8), min_size=1, max_size=10))
def test_a_pair_a_prompt_saves_a_share_between_none_and_all(sizes):
    savings = tally(*((n, n * (n - 1) // 2, 1) for n in sizes))
    assert 0 <= savings.share_of_possible() < 1
