"""`eval judge` on a judge whose accuracy, favored place and taste for length are known.

Of each prompt two pairs are judged. On a share of the prompts the judge goes by the place alone and names A in both
orders, which is a tie of two flipped verdicts. Elsewhere it names the response that a person prefers with probability
sigmoid(SKILL + TASTE * tanh(x)), x being how much longer that response is, in standard deviations. The person prefers
the longer response with probability sigmoid(LIKING * tanh(|x|)), and says tie of some pairs, where the judge goes by
length. What is to be found follows by integration.
"""

import numpy as np
import pytest
from scipy.optimize import root
from scipy.special import expit

from real_cli.evaluate.judge.agreements import compare_halves, describe_agreement, describe_reach
from real_cli.evaluate.judge.biases import describe_lengths, describe_own, describe_repeats
from real_cli.evaluate.judge.rows import JudgedRows
from real_cli.stats.positions import describe_flips, describe_positions, verdict_code

NUM_PROMPTS, PAIRS_EACH = 150, 2
BY_PLACE, GOLD_TIES = 0.2, 0.1
SKILL, TASTE, LIKING = 1.0, 0.8, 0.5
NUM_REPEATS = 1000
LEAST_COVERAGE = 0.92

X = np.linspace(-8, 8, 16_001)
NORMAL = np.exp(-X * X / 2)
NORMAL /= NORMAL.sum()


def mean(density, values):
    return float((density * values).sum() / density.sum())


def equal_length_fit(density, right):
    """The logistic curve over tanh of standard deviations that is nearest to the judge's: its score equations."""
    center = mean(density, X)
    deviation = np.sqrt(mean(density, (X - center) ** 2))
    t = np.tanh(X / deviation)

    def scores(coefficients):
        residuals = right - expit(coefficients[0] + coefficients[1] * t)
        return [mean(density, residuals), mean(density, residuals * t)]

    return root(scores, [1.0, 1.0]).x


def truth():
    decided = 2 * NORMAL * expit(LIKING * np.tanh(X))  # of x, where the person prefers one of the two
    content = expit(SKILL + TASTE * np.tanh(X))
    right = (1 - BY_PLACE) * content + BY_PLACE / 2
    accuracy = mean(decided, right)
    agreement = (1 - GOLD_TIES) * (1 - BY_PLACE) * mean(decided, content) + GOLD_TIES * BY_PLACE
    by_habit = BY_PLACE * GOLD_TIES + (1 - BY_PLACE) * (1 - GOLD_TIES) / 2
    ties = (BY_PLACE + GOLD_TIES) / 2
    by_chance = (ties * (1 - ties) + (1 - ties) * (1 - (1 - ties) / 2)) / 2
    of_ties = (1 - BY_PLACE) * mean(NORMAL, expit(TASTE * np.tanh(np.abs(X)))) + BY_PLACE / 2
    judge_longer = (1 - GOLD_TIES) * mean(decided, np.where(X > 0, right, 1 - right)) + GOLD_TIES * of_ties
    gold_longer = (1 - GOLD_TIES) * mean(NORMAL, expit(LIKING * np.tanh(np.abs(X)))) + GOLD_TIES / 2
    odds, effect = equal_length_fit(decided, right)
    return {
        "agreement": agreement,
        "kappa": (agreement - by_habit) / (1 - by_habit),
        "ac1": (agreement - by_chance) / (1 - by_chance),
        "accuracy": accuracy,
        "agreement_gap": 0.0,
        "flip_rate": BY_PLACE,
        "share_first_place": (1 + BY_PLACE) / 2,
        "judge_prefers_longer": judge_longer,
        "gold_prefers_longer": gold_longer,
        "difference_prefers_longer": judge_longer - gold_longer,
        "accuracy_equal_length": float(expit(odds)),
        "length_effect": effect,
        "smallest_difference": 2.8015852 * np.sqrt((1 - BY_PLACE) / (4 * NUM_PROMPTS)) / (2 * accuracy - 1),
    }


def judged_pairs(draws):
    prompts = np.repeat(np.arange(NUM_PROMPTS, dtype=np.uint64), PAIRS_EACH)
    count = prompts.size
    lengths = np.round(1000 * draws.normal(size=count))
    longer = np.where(lengths > 0, 1.0, -1.0)
    t = np.tanh(np.abs(lengths) / 1000)
    gold = np.where(draws.random(count) < expit(LIKING * t), longer, -longer)
    gold[draws.random(count) < GOLD_TIES] = 0
    content = np.where(
        gold == 0,
        np.where(draws.random(count) < expit(TASTE * t), longer, -longer),
        np.where(draws.random(count) < expit(SKILL + TASTE * t * longer * gold), gold, -gold),
    )
    by_place = np.repeat(draws.random(NUM_PROMPTS) < BY_PLACE, PAIRS_EACH)
    codes = np.where(content > 0, verdict_code(("A", "B")), verdict_code(("B", "A")))
    return JudgedRows(
        prompt=prompts,
        pair=np.arange(count, dtype=np.uint64),
        label=np.where(by_place, 0.0, content),
        gold=gold,
        length_difference=lengths,
        similarity=draws.random(count),
        score_gap=np.full(count, np.nan),
        verdicts=np.where(by_place, verdict_code(("A", "A")), codes),
        by_judge=np.zeros(count),
        judge=np.zeros(count, dtype=np.int64),
    )


def measured(rows):
    agreement = describe_agreement(rows)
    return (
        agreement
        | compare_halves(rows)
        | describe_flips(rows.verdicts, rows.prompt)
        | describe_positions(rows.verdicts, rows.prompt)
        | describe_lengths(rows)
        | describe_reach(rows, agreement, 0.05)
    )


def covered(summary, name, value):
    low, high = summary[f"{name}_low"], summary[f"{name}_high"]
    return low is not None and low <= value and (high is None or value <= high)


@pytest.fixture(scope="module")
def repeats():
    draws = np.random.default_rng(0)
    return [measured(judged_pairs(draws)) for _ in range(NUM_REPEATS)]


@pytest.mark.parametrize("name", truth())
def test_what_is_known_of_a_judge_is_within_its_interval(repeats, name):
    value = truth()[name]
    assert np.mean([covered(summary, name, value) for summary in repeats]) >= LEAST_COVERAGE


@pytest.mark.parametrize("name", truth())
def test_intervals_are_no_wider_than_they_need_to_be(repeats, name):
    """Twice the spread of the estimates to each side, and not half as much again: an interval of everything covers.

    A smallest difference whose upper end is beyond every win rate has none.
    """
    spread = np.std([summary[name] for summary in repeats])
    ends = [(summary[f"{name}_low"], summary[f"{name}_high"]) for summary in repeats]
    widths = [high - low for low, high in ends if high is not None]
    assert len(widths) > 0.85 * NUM_REPEATS
    assert np.median(widths) < 1.5 * 2 * 1.96 * spread


OWN, OTHERS, STEADY = 0.65, 0.5, 0.85


def judged_twice(draws):
    """Each pair is of the judge's model and another, and judged twice; the judge says what it thinks in 85%."""
    rows = judged_pairs(draws)
    by_judge = np.where(draws.random(rows.label.size) < 0.5, 1.0, -1.0)
    thinks, gold = (np.where(draws.random(by_judge.size) < chance, by_judge, -by_judge) for chance in (OWN, OTHERS))
    runs = [np.where(draws.random(thinks.size) < STEADY, thinks, -thinks) for _ in range(2)]
    columns = {name: np.tile(column, 2) for name, column in rows._asdict().items()}
    columns |= {"label": np.concatenate(runs), "gold": np.tile(gold, 2), "by_judge": np.tile(by_judge, 2)}
    return JudgedRows(**columns)


def test_a_taste_for_its_own_model_and_what_it_repeats_are_within_their_intervals():
    draws = np.random.default_rng(0)
    prefers = OWN * STEADY + (1 - OWN) * (1 - STEADY)
    known = {
        "judge_prefers_own": prefers,
        "gold_prefers_own": OTHERS,
        "difference_prefers_own": prefers - OTHERS,
        "self_consistency": STEADY**2 + (1 - STEADY) ** 2,
    }
    repeats = [
        describe_own(rows) | describe_repeats(rows) for rows in (judged_twice(draws) for _ in range(NUM_REPEATS))
    ]
    for name, value in known.items():
        assert np.mean([covered(summary, name, value) for summary in repeats]) >= LEAST_COVERAGE, name
        spread = np.std([summary[name] for summary in repeats])
        assert np.median([summary[f"{name}_high"] - summary[f"{name}_low"] for summary in repeats]) < 6 * spread, name


def test_of_pairs_that_are_judged_alike_few_are_called_better_or_worse(repeats):
    """Similarity is drawn apart from all else here: a claim about easy pairs is one of chance."""
    claims = [not summary["agreement_gap_low"] <= 0 <= summary["agreement_gap_high"] for summary in repeats]
    assert np.mean(claims) <= 0.065
