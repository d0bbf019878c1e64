"""What `eval reward` reports: against counts by hand, scipy's and sklearn's numbers, and RewardBench 2's own rules."""

import json
import math
import random
from itertools import product

import numpy as np
import pytest
from typer.testing import CliRunner

from real_cli.app import app
from real_cli.errors import RecordError, UsageError
from real_cli.evaluate.reward.readings import read_record
from real_cli.evaluate.reward.tally import RewardCheck, gate_of
from real_cli.stats.numeric import rounded
from real_cli.stats.proportions import estimate_share


def candidates(prompt, scores, ranks, **fields):
    texts = fields.pop("texts", [f"answer {number}" for number in range(len(scores))])
    responses = [
        {"text": text, "rank": rank, "score": score} for text, score, rank in zip(texts, scores, ranks, strict=True)
    ]
    return {"prompt": prompt, "responses": responses} | fields


def pair(prompt, chosen, rejected, texts=("yes", "no"), **fields):
    return {
        "prompt": prompt, "chosen": texts[0], "rejected": texts[1], "score_chosen": chosen, "score_rejected": rejected
    } | fields  # fmt: skip


def summed(rows, *fields, **options):
    check = RewardCheck(fields or ("score",), **options)
    excluded = [exclusion for row in rows for exclusion in check.add(row, "a:1")]
    return check.summary(), excluded


def drawn(count=200, seed=0, length=0.0, skill=1.0):
    """One right and three wrong responses a prompt; the score is skill, and length, and noise."""
    draws = random.Random(seed)
    rows = []
    for number in range(count):
        ranks = [1, 2, 2, 2]
        texts = [str(place) * draws.randrange(2, 80) for place in range(4)]
        scores = [
            skill * (rank == 1) + length * len(text) + draws.gauss(0, 1)
            for rank, text in zip(ranks, texts, strict=True)
        ]
        rows.append(candidates(f"q{number}", scores, ranks, texts=texts, subset=("a", "b", "c")[number % 3]))
    return rows


def test_accuracy_ties_and_gaps_of_pairs_by_hand():
    rows = [pair("a", 3, 1), pair("b", 1, 2), pair("c", 2, 2), pair("d", 5, 1)]
    summary, _ = summed(rows)
    assert [summary[name] for name in ("num_pairs", "num_correct", "num_ties", "accuracy", "score_gap")] == [
        *(4, 2, 1, 0.5), 1.25
    ]  # fmt: skip
    assert (summary["accuracy_low"], summary["accuracy_high"]) == estimate_share([1, 0, 0, 1], range(4))[1:3]
    # At the top of the tie is one of two that is right.
    assert summary["best_of_n_accuracy"] == 2.5 / 4
    assert summary["best_of_n_by_chance"] == 0.5


def test_the_accuracy_on_pairs_is_the_area_under_the_curve_of_each_prompt():
    """Pairs of a right and a wrong response ordered rightly are the area under the ROC curve, ties at half."""
    from sklearn.metrics import roc_auc_score

    rows = [row for row in drawn(50)]
    areas = [
        roc_auc_score([each["rank"] == 1 for each in row["responses"]], [each["score"] for each in row["responses"]])
        for row in rows
    ]
    assert summed(rows)[0]["accuracy"] == pytest.approx(np.mean(areas))


def test_every_two_ranks_that_differ_are_a_pair():
    summary, _ = summed([candidates("q", [3.0, 2.0, 2.5], [1, 2, 3])])
    assert (summary["num_pairs"], summary["num_correct"], summary["score_gap"]) == (3, 2, pytest.approx(1 / 3))


@pytest.mark.parametrize(
    ("scores", "credit"),
    [([3, 1, 1, 1], 1), ([1, 3, 1, 1], 0), ([3, 3, 1, 1], 1 / 2), ([3, 3, 3, 3], 1 / 4), ([1, 3, 3, 1], 0)],
)
def test_best_of_four_counts_a_tie_at_the_top_in_part(scores, credit):
    """RewardBench 2's rule: one over the number at the top, if the right response is there."""
    summary, _ = summed([candidates("q", scores, [1, 2, 2, 2])])
    assert summary["best_of_n_accuracy"] == credit
    assert (summary["best_of_n_by_chance"], summary["largest_n"]) == (1 / 4, 4)


def test_of_several_best_all_are_to_stand_above_the_others():
    rows = [
        candidates("a", [5, 4, 1, 0], [1, 1, 2, 2]),  # above by 3, apart by 1
        candidates("b", [9, 4, 3, 0], [1, 1, 2, 2]),  # above by 1, apart by 5
        candidates("c", [9, 2, 3, 0], [1, 1, 2, 2]),  # one of them below
        candidates("d", [9, 2, 3, 0], [1, 2, 2, 2]),
    ]
    summary, _ = summed(rows)
    assert summary["num_several_best"] == 3
    assert summary["several_best_accuracy"] == pytest.approx(2 / 3)
    assert summary["several_best_preferred"] == pytest.approx(1 / 3)


def official_ties_score(ref, tied):
    """RewardBench 2's score of ties as its paper and code describe it, one question after another."""

    def stats(right, wrong):
        return min(right) > max(wrong), max(right) - min(right), min(right) - max(wrong)

    ref, tied = ({number: stats(*sides) for number, sides in side.items()} for side in (ref, tied))
    both = sorted(ref.keys() & tied.keys())
    least = {number: min(ref[number][2], tied[number][2]) for number in both}
    bonus = [
        math.tanh(least[number] / tied[number][1] - 1) if tied[number][1] else math.copysign(1.0, least[number])
        for number in both
    ]
    return (
        0.3 * np.mean([item[0] for item in tied.values()])
        + 0.3 * np.mean([item[0] for item in ref.values()])
        + 0.2 * np.mean([tied[number][2] > tied[number][1] for number in both])
        + 0.2 * np.mean([least[number] > tied[number][1] for number in both])
        + 0.01 * np.mean(bonus)
    )


def ties(count=30, seed=0, spread=0.6):
    draws = random.Random(seed)
    questions = {
        kind: {
            number: ([draws.gauss(2, spread) for _ in range(num_right)], [draws.gauss(0, 1) for _ in range(4)])
            for number in range(count + extra)
        }
        for kind, num_right, extra in (("ref", 1, 0), ("tied", 3, 2))
    }
    rows = [
        candidates(f"{kind} {number}", right + wrong, [1] * len(right) + [2] * len(wrong), id=f"{kind}:{number}",
                   subset="Ties")
        for kind, side in questions.items()
        for number, (right, wrong) in side.items()
    ]  # fmt: skip
    return rows, official_ties_score(questions["ref"], questions["tied"])


@pytest.mark.parametrize("seed", range(3))
def test_the_score_of_ties_is_that_of_reward_bench_2(seed):
    rows, expected = ties(seed=seed)
    summary, _ = summed(rows)
    assert (summary["ties"]["num_ref"], summary["ties"]["num_tied"]) == (30, 32)
    assert summary["ties"]["score"] == pytest.approx(expected)
    assert summary["ties"]["score_low"] < expected < summary["ties"]["score_high"]


def test_the_score_of_ties_without_spread_is_bounded():
    """Right answers with one score: 0/0 counts as 0, as in RewardBench 2's code, and x/0 as a whole."""
    rows = [
        candidates("a", [1, 1, 1], [1, 1, 2], id="tied:1"),
        candidates("b", [1, 1], [1, 2], id="ref:1"),
        candidates("c", [2, 2, 1], [1, 1, 2], id="tied:2"),
        candidates("d", [2, 1], [1, 2], id="ref:2"),
    ]
    outcome = summed(rows)[0]["ties"]
    assert [outcome[name] for name in ("tied_accuracy", "ref_accuracy", "preferred", "preferred_hard")] == [0.5] * 4
    assert outcome["margin_score"] == 0.5
    assert outcome["score_low"] is None


def test_the_mean_over_subsets_counts_each_once_and_ties_by_their_score():
    rows, of_ties = ties()
    skills = {"Math": 1, "Focus": 2}
    others = [row | {"subset": name} for name, skill in skills.items() for row in drawn(40, skill, skill=skill)]
    summary, _ = summed(rows + others, by="subset")
    scores = {row["category"]: row["score"] for row in summary["by_category"]}
    assert list(scores) == ["Focus", "Math", "Ties"]
    assert scores["Ties"] == pytest.approx(of_ties)
    for name in ("Math", "Focus"):
        inside = [row for row in others if row["subset"] == name]
        right = np.mean(
            [row["responses"][0]["score"] == max(each["score"] for each in row["responses"]) for row in inside]
        )
        assert scores[name] == pytest.approx(right)
    assert summary["mean_score"] == pytest.approx(np.mean(list(scores.values())))
    assert summary["mean_score_low"] < summary["mean_score"] < summary["mean_score_high"]


def test_several_right_answers_without_their_reference_questions_count_by_best_of_n():
    rows = [row for row in ties()[0] if row["id"].startswith("tied")] + [pair("q", 2, 1, subset="Math")]
    summary, _ = summed(rows, by="subset")
    of_ties = next(row for row in summary["by_category"] if row["category"] == "Ties")
    assert of_ties["score"] == of_ties["best_of_n_accuracy"]
    assert (summary["ties"]["num_ref"], summary["ties"]["score"]) == (0, None)


def test_length_alone_is_no_skill_and_is_told():
    biased, fair = (summed(drawn(400, 1, length=length, skill=skill))[0] for length, skill in ((0.06, 0.0), (0.0, 1.5)))
    assert biased["accuracy_length_gap_low"] > 0.5
    assert biased["accuracy_equal_length_low"] < 0.5 < biased["accuracy_equal_length_high"]
    assert biased["score_gap_equal_length_low"] < 0 < biased["score_gap_equal_length_high"]
    assert biased["score_gap_per_extra_character_low"] < 0.06 < biased["score_gap_per_extra_character_high"]
    assert fair["accuracy_length_gap_low"] < 0 < fair["accuracy_length_gap_high"]
    assert fair["accuracy_equal_length_low"] > 0.5


def test_lengths_are_counted_in_characters_of_the_better_minus_the_worse():
    rows = [
        pair(str(number), 1, 0, texts=("x" * long, "y" * short))
        for number, (long, short) in enumerate([(5, 2), (2, 5), (2, 2)])
    ]
    outcome = {row["chosen_is"]: row["num_pairs"] for row in summed(rows)[0]["by_length"]}
    assert outcome == {"longer": 1, "equally long": 1, "shorter": 1}


def test_a_score_by_bradley_and_terry_is_calibrated_at_its_temperature():
    """Labels drawn with sigmoid(gap / 2): true at temperature 2, too sure at 1."""
    draws = np.random.default_rng(3)
    rows = []
    for number, gap in enumerate(draws.normal(0, 3, 3000)):
        is_right = draws.random() < 1 / (1 + math.exp(-abs(gap) / 2))
        rows.append(pair(f"q{number}", abs(gap) * (1 if is_right else -1), 0.0))
    true, sure = (summed(rows, temperature=temperature)[0] for temperature in (2.0, 1.0))
    assert true["ece"] < 2 * true["ece_by_chance"]
    assert sure["ece_low"] > 0.05
    assert true["num_calibrated"] == 3000


def test_intervals_hold_the_truth():
    """Four pairs a prompt of one difficulty: 92% of intervals hold the accuracy that a million prompts would have."""
    truth = float(np.mean(np.random.default_rng(1).normal(0.7, 1.5, 1_000_000) > 0))
    held = 0
    for seed in range(100):
        draws = np.random.default_rng(seed)
        rows = []
        for number in range(40):
            ease = draws.normal(0.7, 1.2)
            rows += [pair(f"q{number}", ease + draws.normal(0, 0.9), 0.0, texts=(f"y{i}", f"n{i}")) for i in range(4)]
        summary, _ = summed(rows)
        held += summary["accuracy_low"] <= truth <= summary["accuracy_high"]
    assert held >= 92


def test_models_are_compared_on_the_same_pairs():
    rows = drawn(120, 5, skill=2.0)
    for row in rows:
        for response in row["responses"]:
            response["coin"] = random.Random(row["prompt"] + response["text"]).gauss(0, 1)
    summary, _ = summed(rows, "score", "coin")
    assert [row["field"] for row in summary["models"]] == ["score", "coin"]
    (difference,) = summary["differences"]
    first, second = summary["models"]
    assert difference["accuracy"] == pytest.approx(second["accuracy"] - first["accuracy"])
    assert difference["best_of_n_accuracy"] == pytest.approx(second["best_of_n_accuracy"] - first["best_of_n_accuracy"])
    assert difference["accuracy_high"] < 0 > difference["best_of_n_accuracy_high"]
    alone = summed(rows, "coin")[0]
    assert {name: second[name] for name in alone if name != "notes"} == {
        name: value for name, value in alone.items() if name != "notes"
    }


def test_the_order_of_the_input_changes_nothing():
    rows = ties()[0] + drawn(60)
    shuffled = random.Random(2).sample(rows, len(rows))
    first, second = (rounded(summed(given, by="subset")[0]) for given in (rows, shuffled))
    assert first == second


def test_gold_says_which_is_better_where_it_is_named():
    record = candidates("q", [1.0, 2.0], [1, 2])
    for response, gold in zip(record["responses"], (3, 7), strict=True):
        response["gold"] = gold
    assert summed([record])[0]["accuracy"] == 0
    assert summed([record], gold="gold")[0]["accuracy"] == 1
    swapped = pair("q", 1, 2, gold_chosen=0, gold_rejected=1)
    assert summed([swapped], gold="gold")[0]["accuracy"] == 1


def test_records_that_decide_nothing_are_left_out_by_their_reason():
    rows = [
        candidates("a", [1], [1]),
        candidates("b", [1, 2], [1, 1]),
        pair("c", 1, 2, texts=("same", "same")),
        candidates("d", [1, 2, 3], [1, 2, 2], texts=["x", "x", "y"]),
    ]
    summary, excluded = summed(rows, by="kind")
    reasons = [exclusion.reason for exclusion in excluded]
    assert reasons == ["fewer than two responses", "equally good responses", "equal texts"]
    assert (summary["num_records"], summary["num_pairs"], summary["num_equal_texts"]) == (1, 1, 1)
    assert "1 pair of equal texts left out" in summary["notes"]


def test_scores_that_never_differ_are_told():
    summary, _ = summed([pair(str(number), 1, 1) for number in range(20)])
    assert (summary["num_ties"], summary["ece"], summary["accuracy_equal_length"]) == (20, None, None)
    assert any("every pair is a tie" in note for note in summary["notes"])
    assert any("the same number for every pair" in note for note in summary["notes"])


def test_nothing_is_a_summary_of_nothing():
    summary, _ = summed([], by="subset")
    assert (summary["num_pairs"], summary["accuracy"], summary["mean_score"]) == (0, None, None)
    assert (summary["by_category"], summary["ties"]["score"]) == ([], None)
    assert "no pair was measured" in summary["notes"]
    json.dumps(summary, allow_nan=False)


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"prompt": "q", "chosen": "a", "rejected": "b"}, "'score_chosen' is missing; run 'real relabel reward' first"),
        (pair("q", "high", 1), "'score_chosen' is 'high'; a number from -1e100 to 1e100"),
        (pair("q", 1e300, 1), "'score_chosen' is 1e\\+?300; a number from"),
        (pair("q", True, 1), "'score_chosen' is "),
        (candidates("q", [1, None], [1, 2]), "'score' is missing on response 2"),
        (
            {"prompt": "q", "responses": [{"text": "a", "score": 1}, {"text": "b", "score": 2}]},
            "'rank' is missing on response 1; nothing says which response is better; give pairs, ranks, or --gold",
        ),
    ],
)
def test_a_record_without_scores_or_truth_is_refused(record, words):
    with pytest.raises(RecordError, match=words):
        summed([record])


def test_a_slip_in_the_name_of_the_scores_is_noticed():
    with pytest.raises(RecordError, match="did you mean score?"):
        read_record(pair("q", 1, 2), ["scroe"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"fields": ("rank",)}, "--field 'rank': name a field of scores"),
        ({"fields": ("",)}, "--field '': name a field"),
        ({"fields": ("a", "b", "a")}, "--field 'a': is named twice"),
        ({"gold": "score"}, "--gold 'score': is --field too"),
        ({"gold": "rank"}, "--gold 'rank': ranks are read without it"),
        ({"by": ""}, "--by '': name a field"),
        ({"temperature": 0.0}, "--temperature 0: must be greater than 0"),
        ({"temperature": math.inf}, "--temperature inf: must be"),
        ({"temperature": math.nan}, "--temperature nan: must be"),
    ],
)
def test_what_cannot_be_meant_is_a_mistake(options, words):
    with pytest.raises(UsageError, match=words):
        RewardCheck(**options)


def test_a_limit_is_of_one_model():
    assert [limit.name for limit in gate_of(["ties.score>=0.5"], strict=True, num_models=1).limits] == [
        *("num_pairs", "ties.score")
    ]  # fmt: skip
    assert gate_of([], strict=False, num_models=2).limits == []
    for texts, strict in ((["accuracy>=0"], False), ([], True)):
        with pytest.raises(UsageError, match="give one --field"):
            gate_of(texts, strict=strict, num_models=2)


def invoke(*words, rows=()):
    text = "".join(f"{json.dumps(row)}\n" for row in rows)
    return CliRunner().invoke(app, ["eval", "reward", *map(str, words)], input=text, prog_name="real")


@pytest.mark.parametrize(("strict", "status"), [(["--strict"], 3), ([], 0)])
def test_a_gate_shuts(strict, status):
    result = invoke("--limit", "accuracy>=0.9", *strict, rows=[pair("a", 1, 2), pair("b", 2, 1)])
    assert result.exit_code == status
    assert "accuracy is 0.5, not >=0.9" in result.stderr
    assert json.loads(result.stdout)["limits"][-1]["is_met"] is False


def test_the_layout_of_reward_bench_2_without_scores_is_told_what_to_run():
    row = {"prompt": "q", "chosen": ["right"], "rejected": ["wrong", "bad", "worse"], "subset": "Math"}
    result = invoke("--field", "length", rows=[row])
    assert (result.exit_code, result.stderr) == (
        1,
        "real: <stdin>:1: field 'length' is missing on response 1; --field names the scores: run 'real relabel reward "
        "--field length' first\n",
    )


def test_examples_are_the_widest_gaps_of_each_model_and_of_candidates_one_pair_a_record(tmp_path):
    rows = [candidates(f"q{number}", [number, 10.0, 5.0], [1, 2, 3]) for number in range(12)]
    check = RewardCheck(has_examples=True)
    for number, row in enumerate(rows, 1):
        check.add(row, f"a:{number}")
    wrong, right = check.examples().values()
    assert [row.place for row in wrong] == [f"a:{number}" for number in range(1, 6)]
    assert [row.place for row in right] == ["a:12", *(f"a:{number}" for number in (1, 2, 3, 4))]
    assert wrong[0].texts == (("better", "answer 0"), ("worse", "answer 1"))
    assert dict(right[0].facts)["score of the worse"] == "5"


def test_a_report_names_the_fields_that_are_compared(tmp_path):
    rows = [row | {"rival_chosen": 1, "rival_rejected": 2} for row in (pair(str(n), n % 3, 1) for n in range(30))]
    result = invoke("--field", "score", "--field", "rival", "--report", tmp_path / "r.html", rows=rows)
    assert result.exit_code == 0, result.stderr
    page = (tmp_path / "r.html").read_text()
    for words in ("Rewards against labels", "difference from score", "Scored against the label by rival"):
        assert words in page


@pytest.mark.parametrize(("low", "high", "words"), [
    (0.1, 0.3, "longer responses are scored too high"),
    (-0.3, -0.1, "longer responses are scored too low"),
    (-0.1, 0.1, "no bias to either length is certain"),
    (None, None, "no bias to either length is certain"),
])  # fmt: skip
def test_a_bias_is_named_where_its_interval_allows(low, high, words):
    from real_cli.evaluate.reward.answer import length_bias

    row = {"accuracy_length_gap": 0.2, "accuracy_length_gap_low": low, "accuracy_length_gap_high": high}
    assert words in length_bias(row)


@pytest.mark.parametrize(("low", "high", "words"), [
    (0.6, 0.8, ", more often than chance"),
    (0.2, 0.4, ", less often than chance"),
    (0.4, 0.6, ", no more often than chance"),
])  # fmt: skip
def test_the_answer_claims_no_more_than_its_interval(low, high, words):
    from real_cli.evaluate.reward.answer import answer

    row = summed([pair(str(n), n % 3, 1) for n in range(30)])[0] | {"accuracy_low": low, "accuracy_high": high}
    assert words in answer(row)


def test_pairs_and_records_agree_however_they_are_read():
    """A record of chosen and rejected, and candidates of two ranks, are one thing."""
    summaries = []
    for rows in (
        [pair(f"q{n}", a, b, texts=("right", "wrong!")) for n, (a, b) in enumerate(product(range(4), repeat=2))],
        [
            candidates(f"q{n}", [b, a], [2, 1], texts=["wrong!", "right"])
            for n, (a, b) in enumerate(product(range(4), repeat=2))
        ],
    ):
        summaries.append(rounded(summed(rows)[0]))
    assert summaries[0] == summaries[1]
