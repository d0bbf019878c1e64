"""What `eval labels` reports: sums by hand, other libraries, and what must not change it."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from statsmodels.stats.proportion import proportion_confint

from real_cli.errors import RecordError, UsageError
from real_cli.evaluate.labels.budgets import parse_budgets, spend
from real_cli.evaluate.labels.error_rates import by_similarity, measure
from real_cli.evaluate.labels.gold import Truth, read_marks
from real_cli.evaluate.labels.rows import PairTally
from real_cli.evaluate.labels.strategies import StrategyTrials, parse_strategies
from real_cli.evaluate.labels.survey import LabelSurvey
from real_cli.pair.choices import Orient, Strategy
from real_cli.pair.choose import Settings
from real_cli.pair.keep import keep_mask, keep_value
from real_cli.pair.strategies import STRATEGIES
from real_cli.records.messages import text_key
from real_cli.stats.bootstrap import Bootstrap
from real_cli.stats.numeric import rounded
from tests.pair.choosing import choose_pairs


def pair(prompt, chosen, rejected, **fields):
    return {
        "prompt": prompt,
        "chosen": "a",
        "rejected": "b",
        "score_chosen": chosen,
        "score_rejected": rejected,
        **fields,
    }


def candidates(prompt, gold, judged=None, angles=None):
    responses = [{"text": str(place), "gold": value} for place, value in enumerate(gold)]
    for place, response in enumerate(responses):
        if judged is not None:
            response["score"] = judged[place]
        if angles is not None:
            response["embedding"] = [math.cos(angles[place]), math.sin(angles[place])]
    return {"prompt": prompt, "responses": responses}


def summary_of(records, truth=None, trials=None):
    survey = LabelSurvey(truth or Truth(), trials)
    for record in records:
        survey.add(record)
    return rounded(survey.summary())


def random_candidates(count, seed=0):
    draws = np.random.default_rng(seed)
    return [
        candidates(f"q{number}", *(draws.integers(0, 5, 4).tolist() for _ in range(2)), draws.uniform(0, 1.5, 4))
        for number in range(count)
    ]


# Those that need no more of a response than its embedding and a score.
EVERY_ONE_WITHOUT_SPREADS = (
    "easy,hard,centroid,random,aepo,information,best-worst,best-random,best-vs-rest,best-two-sigma,best-worst-of-5,all"
)


# By hand


def test_the_numbers_of_four_pairs():
    """Gaps 2 right, 1 wrong, 0 tie, ln 3 right. Wrong: 1 of 3. Flips: s(-2), s(-1), 1/2, s(-ln 3) = 1/4. Above 1/4:
    the pairs of gap 1 and 0."""
    summary = summary_of([pair("p", 4, 2), pair("q", 1, 2), pair("r", 3, 3), pair("s", math.log(3), 0)])
    counts = [summary[name] for name in ("num_pairs", "num_prompts", "num_gold_ties", "num_labeled", "num_judged")]
    assert counts == [4, 4, 1, 4, 3]
    assert (summary["num_wrong"], summary["share_wrong"]) == (1, pytest.approx(1 / 3))
    flips = [1 / (1 + math.e**2), 1 / (1 + math.e), 1 / 2, 1 / 4]
    assert summary["expected_flips"] == pytest.approx(sum(flips) / 4)
    assert summary["share_ambiguous"] == 0.5
    assert summary["mean_gap"] == pytest.approx((2 + 1 + 0 + math.log(3)) / 4)


def test_a_hotter_annotator_flips_more():
    """Gap 2 at temperature 4: s(-1/2)."""
    assert summary_of([pair("p", 4, 2)], Truth(temperature=4))["expected_flips"] == pytest.approx(expit(-0.5))


def test_a_judge_is_wrong_where_its_order_is_not_golds():
    """Gold 1 < 2 < 5, judge 1 < 3 > 2: of three pairs the last is wrong, by a gap of 3."""
    records = [candidates("q", [1, 2, 5], [1, 3, 2])]
    summary = summary_of(records, Truth("gold", "score"))
    assert (summary["num_pairs"], summary["num_labeled"], summary["num_wrong"]) == (3, 3, 1)
    assert any("independent" in note for note in summary["notes"])


def test_a_rank_is_a_label_and_one_is_best():
    record = candidates("q", [1, 2])
    for response, rank in zip(record["responses"], (1, 2), strict=True):
        response["rank"] = rank
    assert summary_of([record], Truth("gold"))["share_wrong"] == 1


def test_another_label_overrules_the_order_of_a_pair():
    """Chosen has the higher score; the judge prefers rejected."""
    record = pair("q", 5, 3, judge_chosen=1, judge_rejected=2)
    assert summary_of([record])["share_wrong"] == 0
    assert summary_of([record], Truth(label="judge"))["share_wrong"] == 1


def test_equal_labels_say_nothing():
    summary = summary_of([candidates("q", [1, 2], [3, 3])], Truth("gold", "score"))
    assert [summary[name] for name in ("num_labeled", "num_label_ties", "share_wrong")] == [0, 1, None]
    assert any("no pair has a label in 'score'" in note for note in summary["notes"])


def test_strategies_are_told_apart():
    records = [
        pair(str(number), 2, 1 + 2 * (number % 2), strategy="hard" if number % 2 else "easy") for number in range(9)
    ]
    rows = {row["strategy"]: row for row in summary_of(records)["by_strategy"]}
    assert list(rows) == ["easy", "hard"]
    assert (rows["easy"]["num_pairs"], rows["easy"]["share_wrong"]) == (5, 0)
    assert (rows["hard"]["num_pairs"], rows["hard"]["share_wrong"]) == (4, 1)


def test_deciles_go_from_least_to_most_similar_and_keep_equal_similarities_together():
    """Twenty pairs of similarity 0.00 to 0.19, gap the same number; then twenty of similarity 0.5 and gap 9."""
    tally = PairTally()
    for number in range(40):
        near = number / 100 if number < 20 else 0.5
        tally.add(text_key(str(number)), number / 100 if number < 20 else 9.0, 1.0, near)
    rows = tally.rows()
    deciles = by_similarity(Bootstrap(rows.cells), rows, Truth())
    assert [row["num_pairs"] for row in deciles] == [4, 4, 4, 4, 4, 20]
    assert [row["decile"] for row in deciles] == [1, 2, 3, 4, 5, 6]
    assert deciles[0]["mean_gap"] == pytest.approx((0 + 1 + 2 + 3) / 400)
    assert deciles[-1]["mean_gap"] == 9


def test_gold_that_is_missing_is_named():
    with pytest.raises(RecordError, match="field 'score' is missing on response 2; --gold names"):
        read_marks({"prompt": "q", "responses": [{"text": "a", "score": 1}, {"text": "b"}]}, Truth())
    with pytest.raises(RecordError, match="field 'score_rejected' is missing; --gold names"):
        read_marks({"prompt": "q", "chosen": "a", "rejected": "b", "score_chosen": 1}, Truth())
    with pytest.raises(RecordError, match="field 'score' is '7' on response 1; a number"):
        read_marks({"prompt": "q", "responses": [{"text": "a", "score": "7"}]}, Truth())
    with pytest.raises(RecordError, match="a number from"):
        read_marks(pair("q", 1e300, 0), Truth())


@pytest.mark.parametrize(
    ("truth", "message"),
    [
        (Truth(gold="rank"), "--gold rank"),
        (Truth(label="score"), "is --gold too"),
        (Truth(temperature=0), "--temperature"),
        (Truth(temperature=math.nan), "--temperature"),
        (Truth(temperature=math.inf), "--temperature"),
        (Truth(ambiguous=0.5), "--ambiguous"),
        (Truth(ambiguous=0), "--ambiguous"),
    ],
)
def test_options_without_meaning_are_refused(truth, message):
    with pytest.raises(UsageError, match=message):
        truth.check()


@pytest.mark.parametrize(
    ("parse", "text"), [(parse_strategies, "easy,esay"), (parse_budgets, "5%,x"), (parse_budgets, "")]
)
def test_lists_of_names_and_budgets_are_checked(parse, text):
    with pytest.raises(UsageError, match="--(compare:|budget) '"):
        parse(text)


# Against others


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 200), st.data())
def test_wilson_is_that_of_statsmodels(num_judged, data):
    num_wrong = data.draw(st.integers(0, num_judged))
    tally = PairTally()
    for number in range(num_judged):
        tally.add(text_key(str(number)), 1.0, -1.0 if number < num_wrong else 1.0)
    rows = tally.rows()
    result = measure(Bootstrap(rows.cells, num_resamples=10), rows, Truth())
    wanted = proportion_confint(num_wrong, num_judged, method="wilson")
    assert (result["share_wrong_low"], result["share_wrong_high"]) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("strategy", parse_strategies(EVERY_ONE_WITHOUT_SPREADS))
def test_a_strategy_chooses_here_what_pair_chooses(strategy):
    """The same pairs as `real pair --orient none`, and the same ones within a budget as --keep keeps."""
    records = random_candidates(30)
    chosen = [
        result for record in records for result in choose_pairs(record, Settings(strategy, orient=Orient.none)).records
    ]
    trials = StrategyTrials([strategy], parse_budgets("12"))
    summary = summary_of(records, Truth("gold"), trials)
    (row,) = summary["compare"]
    gaps = np.array([abs(result["responses"][0]["gold"] - result["responses"][1]["gold"]) for result in chosen])
    assert row["num_pairs"] == len(chosen)
    assert row["mean_gap"] == pytest.approx(gaps.mean())
    assert row["expected_flips"] == pytest.approx(expit(-gaps).mean())
    rule = STRATEGIES[strategy].keep
    by = rule.by if rule else "random"
    values = np.array([keep_value(result, by, 0) for result in chosen])
    if len(set(values)) == len(values):
        kept = keep_mask(values, 12, lowest=rule.lowest if rule else True)
        assert summary["budgets"][0]["mean_gap"] == pytest.approx(gaps[kept].mean())


def test_pairs_of_one_prompt_that_are_wrong_together_are_one():
    """Twenty prompts of 8 responses, 5 labeled backwards: 140 of 560 pairs are wrong, as 5 of 20 prompts; in the
    headline and side by side."""
    records = [candidates(str(n), range(8), range(8) if n > 4 else range(8)[::-1]) for n in range(20)]
    summary = summary_of(records, Truth("gold", "score"), StrategyTrials([Strategy.all], []))
    expected = proportion_confint(5, 20, method="wilson")
    for row in (summary, summary["compare"][0]):
        assert (row["share_wrong"], row["num_judged"]) == (0.25, 560)
        assert (row["share_wrong_low"], row["share_wrong_high"]) == pytest.approx(expected, abs=1e-9)
    assert any("560 pairs" in note and "not independent" in note for note in summary["notes"])
    few = summary_of(records[:9], Truth("gold", "score"))
    assert (few["share_wrong_low"], few["share_ambiguous_high"]) == (None, None)


def test_four_of_four_that_differ_do_not_exclude_zero():
    """120 prompts, the judge is wrong on the far pair of 4 where it is right on the near one: McNemar 1/8."""
    records = [candidates(str(n), [0, 1, 3], [0, 1, -1 if n < 4 else 3], [0, 0.1, 1.5]) for n in range(120)]
    summary = summary_of(records, Truth("gold", "score"), StrategyTrials(parse_strategies("hard,easy"), []))
    easy = summary["compare"][1]
    assert easy["difference_share_wrong"] == pytest.approx(4 / 120)
    assert easy["difference_share_wrong_low"] <= 0 < easy["difference_share_wrong_high"]


# Comparisons and budgets


def test_differences_are_to_random_and_paired():
    records = [candidates(str(n), [0, n % 3, 4], [n % 2, 1 - n % 2, 3], [0, 0.1, 1.5]) for n in range(60)]
    for names, base in (("easy,random,hard", "random"), ("hard,easy", "hard")):
        trials = StrategyTrials(parse_strategies(names), [])
        summary = summary_of(records, Truth("gold", "score"), trials)
        rows = {row["strategy"]: row for row in summary["compare"]}
        assert summary["compared_with"] == base
        assert rows[base]["difference_expected_flips"] is None
        easy = rows["easy"]
        assert easy["difference_expected_flips"] == pytest.approx(easy["expected_flips"] - rows[base]["expected_flips"])
        assert easy["difference_share_wrong"] == pytest.approx(easy["share_wrong"] - rows[base]["share_wrong"])
        assert easy["difference_expected_flips_low"] < easy["difference_expected_flips"] < 0
        assert easy["difference_expected_flips_high"] < 0


def test_a_budget_takes_the_first_of_the_strategys_order():
    """Order 0, 1, 2, 3 with gaps 0, 10, 20, 30: the lowest half is 0 and 10, the highest 20 and 30; a budget beyond all
    pairs buys all."""
    tally = PairTally()
    for number in range(4):
        tally.add(text_key(str(number)), 10.0 * number, 1.0, order=number)
    rows, budgets = tally.rows(), parse_budgets("50%,0%,100%,99")
    for lowest, mean in ((True, 5), (False, 25)):
        bought = spend(Bootstrap(rows.cells), rows, budgets, 4, Truth(), lowest=lowest)
        assert [row["num_labels"] for row in bought] == [2, 0, 4, 4]
        assert [row["mean_gap"] for row in bought] == [mean, None, 15, 15]


def test_a_full_budget_is_one_label_for_each_record():
    """Two records with one prompt are two: a pair is chosen of each."""
    records = random_candidates(12)
    trials = StrategyTrials([Strategy.easy], parse_budgets("100%,50%"))
    summary = summary_of([*records, *records], Truth("gold", "score"), trials)
    assert [row["num_labels"] for row in summary["budgets"]] == [24, 12]


@pytest.mark.parametrize("option", ["--gold", "--label"])
def test_a_field_without_a_name_is_not_taken_for_none(option):
    with pytest.raises(UsageError, match=f"{option} '': name a field"):
        Truth(**{option.removeprefix("--"): ""}).check()


def test_a_full_budget_is_the_whole_with_nearly_its_interval():
    records = random_candidates(80)
    trials = StrategyTrials([Strategy.easy], parse_budgets("100%"))
    summary = summary_of(records, Truth("gold", "score"), trials)
    (whole,), (bought,) = summary["compare"], summary["budgets"]
    for name in ("expected_flips", "expected_flips_low", "expected_flips_high", "mean_gap_low", "share_wrong"):
        assert bought[name] == pytest.approx(whole[name])
    assert bought["share_wrong_low"] == pytest.approx(whole["share_wrong_low"])


def test_notes_say_which_rows_have_no_interval_and_why():
    """Twelve prompts: two of one strategy, and ten of another whose gaps are all alike."""
    records = [
        {"prompt": str(number), "chosen": "a", "rejected": "b", "strategy": "few" if number < 2 else "alike"}
        | {"score_chosen": 3 + number if number < 2 else 2, "score_rejected": 1}
        for number in range(12)
    ]
    notes = summary_of(records)["notes"]
    assert "1 row without drawn intervals: fewer than 10 prompts" in notes
    assert "1 row without an interval of expected_flips: every pair has the same" in notes
    notes = summary_of([record | {"strategy": "alike"} for record in records[2:]])["notes"]
    assert "2 rows without an interval of expected_flips: every pair has the same" in notes
    assert not any("fewer than" in note for note in notes)


def test_a_budget_widens_its_share_by_what_the_line_moves():
    """100 pairs of 100 prompts, the first 50 bought; 10 of them wrong and all 10 on either side of the line: p = .2,
    and the value at the line is .8 above it. p (1 - p) / 50 plus .8^2 (1 / .5 - 1) / 100 is .0032 + .0064: a third of
    the trials."""
    tally = PairTally()
    for number in range(100):
        tally.add(text_key(str(number)), 1.0, -1.0 if 40 <= number < 60 else 1.0, order=number)
    rows = tally.rows()
    (half,) = spend(Bootstrap(rows.cells), rows, parse_budgets("50%"), 100, Truth(), lowest=True)
    assert (half["share_wrong"], half["num_judged"]) == (0.2, 50)
    expected = proportion_confint(10 / 3, 50 / 3, method="wilson")
    assert (half["share_wrong_low"], half["share_wrong_high"]) == pytest.approx(expected, abs=1e-9)


def test_notes_say_where_a_strategy_reads_what_nobody_has():
    records = random_candidates(12)
    names = [Strategy.best_worst, Strategy.centroid]
    notes = summary_of(records, Truth("gold", "score"), StrategyTrials(names, parse_budgets("5")))["notes"]
    assert any(note.startswith("best-worst chose by 'score', which is the label") for note in notes)
    assert any(note.startswith("centroid spent budgets in random order") for note in notes)
    oracle = [
        record | {"responses": [item | {"score": item["gold"]} for item in record["responses"]]} for record in records
    ]
    notes = summary_of(oracle, Truth(), StrategyTrials(names, []))["notes"]
    assert any("oracle that nobody has before labeling" in note for note in notes)


def test_a_record_that_one_strategy_refuses_is_counted_by_none():
    trials = StrategyTrials([Strategy.random, Strategy.easy], [])
    survey = LabelSurvey(Truth("gold"), trials)
    with pytest.raises(RecordError, match="no 'embedding'"):
        survey.add(candidates("q", [1, 2]))
    assert survey.summary()["num_pairs"] == 0
    assert trials.num_records == 0


# What must hold


@settings(max_examples=8, deadline=None)
@given(st.randoms(use_true_random=False))
def test_another_order_of_the_input_gives_the_same_bytes(shuffler):
    records = random_candidates(25)
    shuffled = records.copy()
    shuffler.shuffle(shuffled)
    names = parse_strategies("easy,random,best-worst")
    result = [
        json.dumps(summary_of(given, Truth("gold", "score"), StrategyTrials(names, parse_budgets("30%"))))
        for given in (records, shuffled)
    ]
    assert result[0] == result[1]


def test_swapping_every_label_turns_right_into_wrong():
    records = [pair(str(n), n % 5, (n * 7) % 4) for n in range(50)]
    swapped = [pair(str(n), (n * 7) % 4, n % 5) for n in range(50)]
    first, other = summary_of(records), summary_of(swapped)
    assert first["share_wrong"] + other["share_wrong"] == pytest.approx(1)
    assert first["share_wrong_low"] + other["share_wrong_high"] == pytest.approx(1)
    assert first["expected_flips"] == other["expected_flips"]


DEGENERATE = {
    "nothing": [],
    "one pair": [pair("q", 1, 2)],
    "all ties": [pair(str(n), 3, 3, similarity=0.5) for n in range(30)],
    "one gap": [pair(str(n), 3, 1, similarity=0.5) for n in range(30)],
    "one prompt": [pair("q", n, 1) for n in range(30)],
    "tiny gaps": [pair(str(n), 5e-324, 0) for n in range(30)],
    "wide gaps": [pair(str(n), 1e100, -1e100 + n) for n in range(30)],
    "no label": [candidates(str(n), [n, 1]) for n in range(30)],
}


@pytest.mark.parametrize("records", DEGENERATE.values(), ids=DEGENERATE)
@pytest.mark.parametrize("compares", [False, True])
def test_degenerate_data_gives_none_with_a_note_and_never_nan(records, compares):
    trials = StrategyTrials([Strategy.random, Strategy.all], parse_budgets("0%,50%,100%")) if compares else None
    summary = summary_of(records, Truth("gold" if records is DEGENERATE["no label"] else "score"), trials)
    text = json.dumps(summary, allow_nan=False)
    assert "NaN" not in text
    if not records:
        assert summary["notes"][0] == "no pairs, so there is nothing to say"
    if summary["expected_flips_low"] is None:
        assert any("interval" in note or "no pairs" in note for note in summary["notes"])


def test_an_interval_of_equal_values_is_not_a_point():
    """Thirty right labels of one gap: Wilson's bound of no error in thirty, no interval of a gap that never varied."""
    summary = summary_of(DEGENERATE["one gap"])
    assert (summary["share_wrong"], summary["share_wrong_low"]) == (0, 0)
    assert summary["share_wrong_high"] == pytest.approx(proportion_confint(0, 30, method="wilson")[1])
    assert summary["mean_gap_low"] is None
