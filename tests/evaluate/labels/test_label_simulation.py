"""`eval labels --compare` on data whose truth is known in closed form.

Each of four responses of a prompt has gold g, uniform on [0, SPREAD], and an embedding at the angle g / SPREAD * 90
degrees: the similarity of two responses falls as their gap grows. easy therefore takes the range of four uniforms, hard
the least of their three inner spacings, random any two. The judge's score is gold plus Gumbel noise of scale 1; the
difference of two such is logistic, so that the judge is a Bradley-Terry annotator of temperature 1.
"""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit

from real_cli.evaluate.labels.budgets import parse_budgets
from real_cli.evaluate.labels.gold import Truth, read_marks
from real_cli.evaluate.labels.strategies import StrategyTrials, with_positions
from real_cli.pair.choices import Strategy
from real_cli.pair.similarity_batch import SimilarityBatch
from real_cli.records.messages import text_key
from real_cli.stats.bootstrap import Bootstrap

SPREAD = 3.0
NUM_RESPONSES = 4
NUM_PROMPTS = 120
NUM_REPEATS = 300
TRUTH = Truth("gold", "score", temperature=1.0)
NAMES = [Strategy.easy, Strategy.random, Strategy.hard]

# Densities of the gap in units of SPREAD. Range of four uniforms: 12 x^2 (1 - x). Two uniforms: 2 (1 - x). Each inner
# spacing of four uniforms is above x with probability (1 - x)^4, all three are with (1 - 3x)^4: density 12 (1 - 3x)^3.
DENSITIES = {
    "easy": (lambda x: 12 * x * x * (1 - x), 1.0),
    "random": (lambda x: 2 * (1 - x), 1.0),
    "hard": (lambda x: 12 * (1 - 3 * x) ** 3, 1 / 3),
}


def expectation(name, value):
    density, end = DENSITIES[name]
    return quad(lambda x: value(SPREAD * x) * density(x), 0, end)[0]


def ambiguous_share(name):
    density, end = DENSITIES[name]
    return quad(density, 0, min(end, math.log(3) / SPREAD))[0]


GAPS = {name: expectation(name, lambda gap: gap) for name in DENSITIES}
FLIPS = {name: expectation(name, lambda gap: expit(-gap)) for name in DENSITIES}


def bought(name, share, value):
    """Mean of the widest (easy) or narrowest (hard) share of the gaps: the strategy's own order of similarity."""
    density, end = DENSITIES[name]
    places = np.linspace(0, end, 200_001)
    weights = density(places) / density(places).sum()
    weights = weights[::-1] if name == "easy" else weights
    gaps = SPREAD * (places[::-1] if name == "easy" else places)
    kept = np.cumsum(weights) <= share
    return float((weights * value(gaps))[kept].sum() / weights[kept].sum())


AMBIGUOUS = {name: ambiguous_share(name) for name in DENSITIES}
BOUGHT = {name: bought(name, 0.35, lambda gap: expit(-gap)) for name in ("easy", "hard")} | {"random": FLIPS["random"]}


def records_of(repeat, num_prompts):
    """Candidates with gold, a judge's score and an embedding."""
    draws = np.random.default_rng([repeat, 7])
    gold = draws.uniform(0, SPREAD, (num_prompts, NUM_RESPONSES))
    judged = gold + draws.gumbel(size=gold.shape)
    angles = gold / SPREAD * np.pi / 2
    return [
        {
            "prompt": f"{repeat} {number}",
            "responses": [
                {"text": str(place), "gold": item, "score": score, "embedding": [math.cos(angle), math.sin(angle)]}
                for place, (item, score, angle) in enumerate(zip(*columns, strict=True))
            ],
        }
        for number, columns in enumerate(zip(gold.tolist(), judged.tolist(), angles.tolist(), strict=True))
    ]


def tables_of(repeat, num_prompts=NUM_PROMPTS):
    """What --compare and --budget 35% say of one data set, without the tables of all pairs."""
    trials, comparisons = StrategyTrials(NAMES, parse_budgets("35%")), SimilarityBatch()
    records = records_of(repeat, num_prompts)
    for record in records:
        comparisons.add(record)
    for record in records:
        light = with_positions(record)
        choices = trials.choose(light, comparisons.take(record))
        trials.add(text_key(record["prompt"]), choices, read_marks(record, TRUTH))
    rows = trials.rows()
    bootstrap = Bootstrap(rows[Strategy.easy].cells)
    return trials.compare(bootstrap, rows, TRUTH), trials.spend(bootstrap, rows, TRUTH)


def holds(row, name, truth):
    return row[f"{name}_low"] <= truth <= row[f"{name}_high"]


def test_the_truth_of_the_simulation_is_what_a_large_sample_says():
    gold = np.sort(np.random.default_rng(0).uniform(0, SPREAD, (400_000, NUM_RESPONSES)), axis=1)
    gaps = {"easy": gold[:, 3] - gold[:, 0], "hard": np.diff(gold, axis=1).min(axis=1)}
    for name, sample in gaps.items():
        assert expit(-sample).mean() == pytest.approx(FLIPS[name], abs=1e-3)
        assert (sample < math.log(3)).mean() == pytest.approx(ambiguous_share(name), abs=3e-3)
        ordered = np.sort(sample)[:: -1 if name == "easy" else 1]
        assert expit(-ordered[: len(ordered) * 35 // 100]).mean() == pytest.approx(
            bought(name, 0.35, lambda gap: expit(-gap)), abs=1e-3
        )


@pytest.mark.slow
def test_intervals_cover_the_truth_in_93_of_100_repeats_and_strategies_rank_as_built():
    """An interval that covers in 95 of 100 falls below 93 % of 300 repeats once in 16 times, and 20 are asked about:
    so each kind of number is held to 93 %, over its strategies, and each single one to 91 % (3.2 standard errors)."""
    covered = {}

    def count(kind, name, hit):
        covered.setdefault(kind, {}).setdefault(name, []).append(hit)

    for repeat in range(NUM_REPEATS):
        compared, budgets = tables_of(repeat)
        rows = {row["strategy"]: row for row in compared}
        assert sorted(rows, key=lambda name: rows[name]["expected_flips"]) == NAMES
        for name, row in rows.items():
            count("flips", name, holds(row, "expected_flips", FLIPS[name]))
            count("wrong", name, holds(row, "share_wrong", FLIPS[name]))
            count("gap", name, holds(row, "mean_gap", GAPS[name]))
            if name == "random":
                continue
            for what in ("expected_flips", "share_wrong"):
                count(f"{what}, paired", name, holds(row, f"difference_{what}", FLIPS[name] - FLIPS["random"]))
        # No gap of hard reaches ln 3, so there is nothing to cover.
        for name in ("easy", "random"):
            count("ambiguous", name, holds(rows[name], "share_ambiguous", AMBIGUOUS[name]))
        for row in budgets:
            count("flips of 35 %", row["strategy"], holds(row, "expected_flips", BOUGHT[row["strategy"]]))
            count("wrong of 35 %", row["strategy"], holds(row, "share_wrong", BOUGHT[row["strategy"]]))
    shares = {kind: {name: np.mean(hits) for name, hits in each.items()} for kind, each in covered.items()}
    print(*shares.items(), sep="\n")
    for kind, each in shares.items():
        # One that always holds says nothing.
        assert 0.93 <= np.mean(list(each.values())) <= 0.98, kind
        assert min(each.values()) >= 0.91, kind
