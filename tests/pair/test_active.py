"""ActiveUltraFeedback's rules: which pair to ask about, given scores and how sure they are. Methods 22(a)."""

import math
import random
from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from real_cli.errors import RecordError, UsageError
from real_cli.pair.choices import Orient, Strategy
from real_cli.pair.choose import Settings
from real_cli.pair.options import check_settings
from real_cli.pair.strategies import STRATEGIES, Pool
from real_cli.pair.strategies.active import (
    choose_delta_quantile,
    choose_delta_ucb,
    choose_drts,
    choose_dts,
    choose_infomax,
    choose_maxmin_lcb,
    interval_widths,
    lower_bounds,
    optimistic_gaps,
)
from tests.pair.choosing import choose_pairs

ACTIVE = [Strategy(name) for name, rule in STRATEGIES.items() if rule.needs_deviations]
NUMBERS = st.floats(-5, 5)
ESTIMATES = st.lists(st.tuples(NUMBERS, st.floats(0, 3)), min_size=2, max_size=6)


def pool_of(r, s, *, seed=0, **knobs):
    return Pool(len(r), quality=np.array(r, float), deviations=np.array(s, float), seed=bytes([seed]), **knobs)


# The example of the manual, r = (1, .5, -.5), s = (.1, .6, .2): responses 1, 2, 3, here from 0
WORKED = pool_of((1, 0.5, -0.5), (0.1, 0.6, 0.2))


def test_delta_ucb_of_the_manual():
    """U = (1.1, 1.1, -.3), L = (.9, -.1, -.7): the widest is 1.1 - -.7 = 1.8, of 1 against 3 and of 2 against 3."""
    assert choose_delta_ucb(WORKED) == [(0, 2)]
    assert optimistic_gaps(WORKED).max() == pytest.approx(1.8)


def test_infomax_of_the_manual():
    """1 and 2: sigmoid(1.1 + .1) - sigmoid(.9 - 1.1) = .768525 - .450166 = .318359."""
    assert choose_infomax(WORKED) == [(0, 1)]
    assert interval_widths(WORKED)[0, 1] == pytest.approx(0.318359, abs=5e-7)


def test_maxmin_lcb_of_the_manual():
    """Row minima -.2, -1.2, -1.8: 1 against 2 is .5 - .7 = -.2. 3 is beaten by 1 in any case."""
    assert choose_maxmin_lcb(WORKED) == [(0, 1)]
    assert lower_bounds(WORKED).min(axis=1) == pytest.approx([-0.2, -1.2, -1.8])


def test_delta_quantile_of_the_manual():
    """Gaps from above: 1-3 1.8, 2-3 1.8, 1-2 1.2, 2-1 .2, 3-2 -.2, 3-1 -1.2; six pairs, .2 of them is the one at 1."""
    pool = pool_of(WORKED.quality, WORKED.deviations)
    result = [
        choose_delta_quantile(pool_of(pool.quality, pool.deviations, quantile=q))[0] for q in (0, 0.05, 0.4, 0.5, 1)
    ]
    assert result == [(0, 2), (0, 2), (0, 1), (1, 0), (2, 0)]
    at_one = choose_delta_quantile(pool_of(pool.quality, pool.deviations, quantile=0.2))
    assert at_one in ([(1, 2)], [(0, 2)])  # 1.8 twice, to the last digit


def test_the_default_quantile_is_the_widest_up_to_four_responses():
    """.05 * 12 = .6 -> 0, .05 * 20 = 1."""
    four, five = pool_of((4, 3, 2, 0), [0] * 4), pool_of((8, 4, 2, 1, 0), [0] * 5)
    assert choose_delta_quantile(four) == [(0, 3)]
    assert choose_delta_quantile(five) == [(0, 3)]


def test_maxmin_lcb_pairs_a_response_that_beats_all_others_with_the_hardest_of_them():
    """1 has L = 9, above U = 2 and 3: the only candidate left, which the published code pairs with itself."""
    assert choose_maxmin_lcb(pool_of((10, 1, 2), (1, 1, 1))) == [(0, 2)]


def test_without_deviations_thompson_sampling_is_the_best_two_and_reversed_the_best_and_the_worst():
    r = (2.0, 5.0, 1.0, 4.0)
    assert choose_dts(pool_of(r, [0] * 4)) == [(1, 3)]
    assert choose_drts(pool_of(r, [0] * 4)) == [(1, 2)]


def test_dts_draws_the_first_as_often_as_a_uniform_draw_wins():
    """r = (0, .5), s = (1, 0): z > .5 has probability 1/4."""
    firsts = Counter(
        choose_dts(Pool(2, quality=np.array([0, 0.5]), deviations=np.array([1.0, 0]), seed=n.to_bytes(4, "big")))[0][0]
        for n in range(2000)
    )
    assert firsts[0] / 2000 == pytest.approx(0.25, abs=0.03)


def test_drts_draws_the_second_as_often_as_a_uniform_draw_loses():
    """r = (9, 0, .5), s = (0, 1, 0): the second is the lowest of 0 + z and .5, that is 1 unless z > .5."""
    seconds = Counter(
        choose_drts(
            Pool(3, quality=np.array([9, 0, 0.5]), deviations=np.array([0, 1.0, 0]), seed=n.to_bytes(4, "big"))
        )[0][1]
        for n in range(2000)
    )
    assert seconds[1] / 2000 == pytest.approx(0.75, abs=0.03)


# Independent: each rule again, in loops


def by_the_book(strategy, r, s, width, seed):
    draw = random.Random(seed)
    n = len(r)
    up, low = [a + width * b for a, b in zip(r, s, strict=True)], [a - width * b for a, b in zip(r, s, strict=True)]
    ordered = list(permutations(range(n), 2))

    def sigmoid(x):
        return 1 / (1 + math.exp(-x))

    def sample(sign):
        return [sign * a + width * draw.uniform(-1, 1) * b for a, b in zip(r, s, strict=True)]

    if strategy in (Strategy.dts, Strategy.drts):
        sign, tries = {Strategy.dts: (1, 10), Strategy.drts: (-1, 30)}[strategy]
        values = sample(1)
        first = values.index(max(values))
        for _ in range(tries):
            values = sample(sign)
            if values.index(max(values)) != first:
                return first, values.index(max(values))
        return first, max((i for i in range(n) if i != first), key=lambda i: values[i])
    if strategy is Strategy.delta_ucb:
        return max(up[i] - low[j] for i, j in ordered)
    if strategy is Strategy.delta_quantile:
        return sorted((up[i] - low[j] for i, j in ordered), reverse=True)[int(0.05 * len(ordered))]
    if strategy is Strategy.infomax:
        return max(sigmoid(up[i] - low[j]) - sigmoid(low[i] - up[j]) for i, j in ordered)
    arms = [i for i in range(n) if all(up[i] >= low[j] for j in range(n) if j != i)]  # not surely beaten
    arms = arms if len(arms) > 1 else list(range(n))
    return max(min(r[i] - r[j] - width * (s[i] + s[j]) for j in arms if j != i) for i in arms)


@pytest.mark.parametrize("strategy", [Strategy.dts, Strategy.drts])
@given(ESTIMATES, st.floats(0, 3), st.integers(0, 255))
def test_thompson_sampling_is_that_of_a_loop(strategy, estimates, width, seed):
    r, s = zip(*estimates, strict=True)
    assert STRATEGIES[strategy].choose(pool_of(r, s, width=width, seed=seed)) == [
        by_the_book(strategy, r, s, width, bytes([seed]))
    ]


@pytest.mark.parametrize("strategy", [strategy for strategy in ACTIVE if not STRATEGIES[strategy].needs_draw])
@given(st.lists(st.tuples(st.integers(-40, 40), st.integers(0, 24)), min_size=2, max_size=6), st.integers(0, 3))
def test_every_other_rule_reaches_the_optimum_of_a_loop(strategy, estimates, width):
    """Eighths: sums are exact, so that a tie is a tie in both."""
    r, s = ([number / 8 for number in numbers] for numbers in zip(*estimates, strict=True))
    pool = pool_of(r, s, width=width)
    ((i, j),) = STRATEGIES[strategy].choose(pool)
    values = {
        Strategy.delta_ucb: lambda: optimistic_gaps(pool)[i, j],
        Strategy.delta_quantile: lambda: optimistic_gaps(pool)[i, j],
        Strategy.infomax: lambda: interval_widths(pool)[i, j],
        Strategy.maxmin_lcb: lambda: lower_bounds(pool)[i, j],
    }
    assert values[strategy]() == pytest.approx(by_the_book(strategy, r, s, width, b""), abs=1e-9)


# Never the same response twice


@pytest.mark.parametrize("strategy", ACTIVE)
@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0, 1e9]), st.sampled_from([0.0, 1.0, 1e9])), min_size=2, max_size=6))
def test_the_two_responses_differ_where_all_are_equal_or_one_dominates(strategy, estimates):
    r, s = zip(*estimates, strict=True)
    ((i, j),) = STRATEGIES[strategy].choose(pool_of(r, s, quantile=1.0))
    assert i != j
    assert {i, j} <= set(range(len(r)))


@pytest.mark.parametrize("strategy", ACTIVE)
@given(ESTIMATES, NUMBERS, st.integers(0, 255))
def test_the_same_amount_on_every_score_changes_nothing(strategy, estimates, shift, seed):
    """In eighths, where no sum is rounded."""
    r, s = ([round(number * 8) / 8 for number in numbers] for numbers in zip(*estimates, strict=True))
    moved = [number + round(shift * 8) / 8 for number in r]
    if STRATEGIES[strategy].needs_draw:  # whose draws are no eighths: only responses far apart
        r, moved = ([number + 100 * place for place, number in enumerate(numbers)] for numbers in (r, moved))
    choose = STRATEGIES[strategy].choose
    assert choose(pool_of(r, s, seed=seed)) == choose(pool_of(moved, s, seed=seed))


@pytest.mark.parametrize("strategy", [Strategy.dts, Strategy.drts])
def test_draws_depend_on_prompt_and_seed_and_not_on_the_position(strategy):
    """The same pair whenever the prompt comes; another prompt, or seed, draws anew."""
    responses = [{"text": text, "score": 0.0 if text != "a" else 0.1, "score_std": 1.0} for text in "abcdef"]

    def choose(prompt, seed):
        record = {"prompt": prompt, "responses": responses}
        (result,) = choose_pairs(record, Settings(strategy, Orient.none, seed=seed)).records
        return tuple(response["text"] for response in result["responses"])

    assert choose("q", 1) == choose("q", 1)
    assert len({choose(prompt, 0) for prompt in "abcdefgh"}) > 1
    assert len({choose("q", seed) for seed in range(8)}) > 1


# Records


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"score": 1}, "response 2: field 'score_std' is missing; a number, 0 or more, is needed"),
        ({"score": 1, "score_std": None}, "response 2: field 'score_std' is None; a number, 0 or more, is needed"),
        ({"score": 1, "score_std": -0.1}, "response 2: field 'score_std' is -0.1; a number, 0 or more, is needed"),
        ({"score": 1, "score_std": "x"}, "response 2: field 'score_std' is 'x'; a number, 0 or more, is needed"),
        ({"score_std": 1}, "response 2: field 'score' is missing; a number is needed"),
    ],
)
def test_a_missing_score_std_is_named_with_its_response(fields, complaint):
    record = {"prompt": "q", "responses": [{"text": "a", "score": 1, "score_std": 0}, {"text": "b", **fields}]}
    for strategy in ACTIVE:
        with pytest.raises(RecordError) as caught:
            choose_pairs(record, Settings(strategy))
        assert str(caught.value) == complaint


def test_scores_are_read_where_there_are_ranks_too():
    """A rank has no deviation; the pair is labeled by it nevertheless."""
    estimates = [(1, 0.1, 2), (0.5, 0.6, 1), (-0.5, 0.2, 3)]
    responses = [
        {"text": text, "score": r, "score_std": s, "rank": rank}
        for text, (r, s, rank) in zip("abc", estimates, strict=True)
    ]
    (result,) = choose_pairs({"prompt": "q", "responses": responses}, Settings(Strategy.infomax)).records
    assert (result["chosen"], result["rejected"], result["score_std_chosen"]) == ("b", "a", 0.6)


def test_the_width_of_the_bounds_reaches_the_rule():
    """With width 0 delta-ucb is best-worst; with 3, a against b is 3 - -1 = 4, b against c 5 - 0 = 5."""
    responses = [{"text": t, "score": r, "score_std": s} for t, r, s in (("a", 3, 0), ("b", 2, 1), ("c", 0, 0))]
    record = {"prompt": "q", "responses": responses}

    def choose(width):
        (result,) = choose_pairs(record, Settings(Strategy.delta_ucb, Orient.none, width=width)).records
        return [response["text"] for response in result["responses"]]

    assert choose(0.0) == ["a", "c"]
    assert choose(3.0) == ["b", "c"]


@pytest.mark.parametrize(
    ("strategy", "option", "readers"),
    [
        (Strategy.easy, "--deviations", "dts, drts, delta-ucb, delta-quantile, infomax, maxmin-lcb"),
        (Strategy.delta_ucb, "--quantile", "delta-quantile"),
        (Strategy.dts, "--aepo-lambda", "aepo"),
    ],
)
def test_an_option_that_the_strategy_does_not_read_is_refused(strategy, option, readers):
    with pytest.raises(UsageError) as caught:
        check_settings(Settings(strategy), strategy_given=True, keep=None, given=[option])
    assert str(caught.value) == f"{option} is read by --strategy {readers}, not by {strategy}; leave it out"


def test_the_options_pass_where_they_are_read():
    for strategy in ACTIVE:
        check_settings(Settings(strategy), strategy_given=True, keep=None, given=["--deviations"])
    check_settings(Settings(Strategy.delta_quantile), strategy_given=True, keep=None, given=["--quantile"])
