"""`eval budget` against known learning curves: 1,000 repeats each, at a seed that was fixed beforehand."""

import math
from collections import Counter

import numpy as np
import pytest

from real_cli.evaluate.budget.curves import LearningCurves
from real_cli.evaluate.decisions import BETTER
from real_cli.stats.learning_curves import area_weights
from tests.evaluate.budget.curves import simulate, table_of

REPEATS, SEED = 1000, 0
BUDGETS, POOL = (40, 160, 400), 800
# Of 1,000 repeats at 95%, all but 3 in 1,000 lie between these; an interval that is always right is too wide.
LEAST, MOST = 0.92, 0.99


def right_answers(num_labels, rate=1.0):
    """A power law, as learning curves are: a strategy at rate 2 needs half the labels."""
    return 0.66 - 0.6 * (rate * num_labels) ** -0.45


def grid(rates, pool_rate=1.0):
    """Accuracies of strategies that learn at these rates, and of the whole pool, which is everybody's."""
    cells = {(name, budget): right_answers(budget, rate) for name, rate in rates.items() for budget in BUDGETS}
    return cells | {("all", POOL): right_answers(POOL, pool_rate)}


def holds(row, name, truth):
    """Whether an interval has the truth in it; an open end is open."""
    low, high = (row[f"{name}_{end}"] for end in ("low", "high"))
    return (-math.inf if low is None else low) <= truth <= (math.inf if high is None else high)


def repeat(accuracies, look, *, kept_seeds=None, repeats=REPEATS, **options):
    """Count what `look` reports of each of 1,000 simulated studies, as shares of them."""
    draws, counts = np.random.default_rng(SEED), Counter()
    for _ in range(repeats):
        curves = LearningCurves(table_of(simulate(draws, accuracies, **options), kept_seeds), "random", "all")
        counts.update(look(curves))
    return {name: count / repeats for name, count in counts.items()}


def by_cell(rows):
    return {(row["strategy"], row["budget"]): row for row in rows}


def look_without_saving(curves):
    """Two strategies that are as random is."""
    areas, differences, savings = curves.areas(), by_cell(curves.differences()), by_cell(curves.savings())
    yield from ["area"] * holds(areas[0], "area", 0)
    yield from ["difference"] * holds(differences["easy", 160], "accuracy", 0)
    yield from ["winner"] * any(row["verdict"] == BETTER for row in areas)
    yield from ["budget winner"] * any(row["verdict"] == BETTER for row in differences.values())
    for budget in BUDGETS:
        yield from [f"saving at {budget}"] * holds(savings["easy", budget], "saving", 0)


def test_a_strategy_that_saves_nothing_is_rarely_called_a_winner():
    shares = repeat(grid({"random": 1.0, "easy": 1.0, "hard": 1.0}), look_without_saving)
    assert shares["winner"] <= 0.05
    assert shares["budget winner"] <= 0.05
    covered = ["area", "difference", *(f"saving at {budget}" for budget in BUDGETS)]
    assert [name for name in covered if not shares[name] >= LEAST] == []
    assert shares["area"] <= MOST


def look_at_half(curves):
    """A strategy that needs half the labels of random."""
    cells, areas = by_cell(curves.cells()), curves.areas()
    differences, savings = by_cell(curves.differences()), by_cell(curves.savings())
    truths = {budget: right_answers(budget, 2.0) - right_answers(budget) for budget in BUDGETS}
    area = float(area_weights([*BUDGETS, POOL])[:-1] @ list(truths.values()))
    yield from ["accuracy"] * holds(cells["easy", 160], "accuracy", right_answers(160, 2.0))
    yield from ["accuracy of all"] * holds(cells["all", POOL], "accuracy", right_answers(POOL))
    yield from ["area"] * holds(areas[0], "area", area)
    for budget in BUDGETS:
        yield from [f"difference at {budget}"] * holds(differences["easy", budget], "accuracy", truths[budget])
        yield from [f"saving at {budget}"] * holds(savings["easy", budget], "saving", 0.5)
        yield from [f"known at {budget}"] * (savings["easy", budget]["saving_low"] is not None)


AT_HALF = ["accuracy", "accuracy of all", "area"]
AT_HALF += [f"{name} at {budget}" for name in ("difference", "saving") for budget in BUDGETS]


def test_a_saving_of_half_the_labels_is_within_its_interval():
    shares = repeat(grid({"random": 1.0, "easy": 2.0}), look_at_half)
    assert [name for name in AT_HALF if not shares[name] >= LEAST] == []
    assert shares["accuracy"] <= MOST
    assert shares["area"] <= MOST


@pytest.mark.parametrize(
    "options",
    [{"points": 0.03, "num_seeds": 5, "kept_seeds": {"easy": 2}}, {"num_prompts": 60, "points": 0.01}],
    ids=["runs that stray by 3 points, of one strategy 2 and of the other 5", "60 prompts, runs that stray by 1"],
)
def test_intervals_hold_where_seeds_matter_more_or_less(options):
    shares = repeat(grid({"random": 1.0, "easy": 2.0}), look_at_half, **options)
    assert [name for name in AT_HALF if not shares[name] >= LEAST] == []


def test_a_difference_is_shown_by_as_many_prompts_as_are_said_to_show_it():
    """A strategy that needs a sixth of the labels; the variances are those of a large study."""
    accuracies = grid({"random": 1.0, "easy": 6.0})
    large = table_of(simulate(np.random.default_rng(SEED), accuracies, num_prompts=4000, num_seeds=40)).accuracy
    weights = np.append(0.0, np.outer([1, -1], area_weights([*BUDGETS, POOL])[:-1]))
    contrast = large.contrast(weights)
    truth = weights @ [accuracies[key] for key in sorted(accuracies)]
    sizes = range(20, 2000, 10)
    enough = [size for size in sizes if contrast.smallest_shown(more_prompts=size / 4000, more_seeds=6 / 40) <= truth]
    shares = repeat(
        accuracies, lambda curves: [curves.areas()[0]["verdict"]], num_prompts=enough[0], num_seeds=6, repeats=400
    )
    assert 50 < enough[0] < 1000
    assert 0.72 <= shares[BETTER] <= 0.9


def test_outcomes_of_two_policies_go_together_as_those_of_real_ones():
    """Of the simulation itself: accuracies as asked for, outcomes that correlate at 0.7, runs that stray by 1.5."""
    draws = np.random.default_rng(SEED)
    outcomes = simulate(draws, {("easy", 40): 0.6, ("random", 40): 0.6}, num_prompts=200_000, num_seeds=40)
    easy, random = outcomes.values()
    assert easy.mean() == pytest.approx(0.6, abs=0.01)
    assert easy.mean(axis=1).std() == pytest.approx(0.015, abs=0.004)
    assert np.corrcoef(easy[0], easy[1])[0, 1] == pytest.approx(0.70, abs=0.03)
    assert np.corrcoef(easy[0], random[0])[0, 1] == pytest.approx(0.55, abs=0.05)
