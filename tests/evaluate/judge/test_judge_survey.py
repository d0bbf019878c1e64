"""What `eval judge` reads, reports and refuses."""

import json
import random

import pytest
from statsmodels.stats.proportion import proportion_confint
from typer.testing import CliRunner

from real_cli.app import app


def pair(prompt, chosen="yes", rejected="no", **fields):
    return {"prompt": prompt, "chosen": chosen, "rejected": rejected, **fields}


def tie(prompt, texts=("yes", "no"), by="judge", **fields):
    return {"prompt": prompt, "responses": [{"text": text} for text in texts], by: {"verdict": "tie"}, **fields}


@pytest.fixture
def run(tmp_path):
    """Run the evaluation over the judge's records; `gold` is written to a file of its own."""

    def of(judged, *words, gold=None, status=0):
        (tmp_path / "judged.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in judged))
        if gold is not None:
            (tmp_path / "gold.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in gold))
            words = ("--against", str(tmp_path / "gold.jsonl"), *words)
        command = ["eval", "judge", *words, str(tmp_path / "judged.jsonl")]
        result = CliRunner().invoke(app, command, prog_name="real", catch_exceptions=False)
        assert result.exit_code == status, result.stderr
        assert "Traceback" not in result.stderr
        return json.loads(result.stdout) if result.stdout else None, result.stderr

    return of


def many(count, right, **fields):
    """A judge that is right in the first `right` of so many prompts, and the person's labels."""
    judged = [pair(f"q{n}", **fields) if n < right else pair(f"q{n}", "no", "yes", **fields) for n in range(count)]
    return judged, [pair(f"q{n}") for n in range(count)]


# Where labels come from


def test_two_files_are_matched_by_prompt_and_texts(run):
    judged, gold = many(50, 40)
    random.Random(0).shuffle(gold)
    summary, _ = run(judged, gold=[*gold, pair("elsewhere"), pair("q1", "other", "texts")])
    assert (summary["num_compared"], summary["agreement"]) == (50, 0.8)
    low, high = proportion_confint(40, 50, method="wilson")
    assert (summary["agreement_low"], summary["agreement_high"]) == pytest.approx((low, high), abs=1e-8)
    assert (summary["kappa"], summary["ac1"]) == pytest.approx((0.6, 0.6))
    assert "2 of 52 pairs of --against are not judged here" in summary["notes"]


def test_the_same_labels_in_any_form_are_the_same(run):
    """chosen over rejected; ranks; a matrix; a conversation's message and its words."""
    forms = [
        pair("q"),
        {"prompt": "q", "responses": [{"text": "no", "rank": 2}, {"text": "yes", "rank": 1}]},
        {"prompt": "q", "responses": [{"text": "no"}, {"text": "yes"}], "preferences": [[0.5, 0.2], [0.8, 0.5]]},
    ]
    for form in forms:
        summary, _ = run([form], gold=[pair("q")])
        assert (summary["num_compared"], summary["agreement"]) == (1, 1.0), form
    chat = [{"role": "user", "content": "q"}]
    replies = [{"role": "assistant", "content": "yes"}], [{"role": "assistant", "content": "no"}]
    summary, _ = run([tie(chat)], gold=[pair(chat, *replies)])
    assert (summary["num_compared"], summary["num_judge_ties"], summary["agreement"]) == (1, 1, 0.0)


def test_a_matrix_gives_every_pair_of_a_prompt(run):
    texts = [{"text": text} for text in ("a", "b", "c")]
    judged = {"prompt": "q", "responses": texts, "preferences": [[0.5, 1, 1], [0, 0.5, 0.5], [0, 0.5, 0.5]]}
    ranked = {"prompt": "q", "responses": [text | {"rank": rank} for text, rank in zip(texts, (1, 2, 3), strict=True)]}
    summary, _ = run([judged], gold=[ranked])
    assert (summary["num_pairs"], summary["num_judge_ties"], summary["agreement"]) == (3, 1, pytest.approx(2 / 3))
    assert summary["agreement_low"] is None
    assert any(note.startswith("1 prompt: a share over several pairs") for note in summary["notes"])


def test_a_judge_s_score_is_compared_with_the_record_s_own_label(run):
    judged = [pair(f"q{n}", score_chosen=5, score_rejected=5 if n < 2 else 1 if n < 8 else 9) for n in range(10)]
    summary, _ = run(judged, "--label", "score")
    assert (summary["num_compared"], summary["num_judge_ties"], summary["agreement"]) == (10, 2, 0.6)
    assert summary["accuracy"] == 0.7


def test_a_record_s_own_label_is_compared_with_a_number(run):
    judged = [pair("a", gold_chosen=3, gold_rejected=1), pair("b", gold_chosen=1, gold_rejected=1), pair("c")]
    summary, line = run(judged, "--gold", "gold", "--on-error", "skip")
    assert (summary["num_compared"], summary["num_gold_ties"], summary["num_without_gold"]) == (2, 1, 1)
    assert "1 of 3 pairs has no label to compare with" in line
    assert [row["score_gap_high"] for row in summary["by_score_gap"]] == [0, 2]


def test_gold_of_another_file_may_be_a_number(run):
    gold = [{"prompt": "q", "responses": [{"text": "yes", "mark": 1}, {"text": "no", "mark": 4}]}]
    summary, _ = run([pair("q")], "--gold", "mark", gold=gold)
    assert (summary["num_compared"], summary["agreement"]) == (1, 0.0)


def test_of_several_people_the_most_frequent_label_counts_and_they_are_compared_among_themselves(run):
    gold = [pair("a"), pair("a"), pair("a", "no", "yes"), pair("b"), pair("b", "no", "yes")]
    summary, _ = run([pair("a"), pair("b")], gold=gold)
    assert (summary["num_compared"], summary["num_gold_ties"], summary["agreement"]) == (2, 1, 0.5)
    assert (summary["num_gold_repeated"], summary["gold_consistency"]) == (2, pytest.approx((1 / 3 + 0) / 2))


def test_the_order_of_records_changes_nothing(run):
    judged, gold = many(40, 30, similarity=0.5)
    judged += [pair("q1", judge={"model": "j", "verdicts": ["A", "B"]}), tie("q2"), tie("q3", judge={"verdict": "tie"})]
    before, _ = run(judged, gold=gold)
    random.Random(1).shuffle(judged)
    random.Random(2).shuffle(gold)
    assert run(judged, gold=gold)[0] == before


# Numbers by hand


def test_ties_of_either_side(run):
    judged = [pair("a"), tie("b"), tie("c"), pair("d", "no", "yes")]
    gold = [pair("a"), pair("b"), tie("c", by="annotation"), tie("d", by="annotation")]
    summary, _ = run(judged, gold=gold)
    assert (summary["num_judge_ties"], summary["num_gold_ties"], summary["num_gold_decided"]) == (2, 2, 2)
    assert (summary["agreement"], summary["accuracy"]) == (0.5, 0.75)
    # Habits: ties half the time, each response a quarter; chance 1/4 + 2/16, of AC1 (1/4 + 2 * 3/16) / 2.
    assert summary["kappa"] == pytest.approx((0.5 - 0.375) / 0.625)
    assert summary["ac1"] == pytest.approx((0.5 - 0.3125) / 0.6875)


def test_flips_and_the_favored_place(run):
    verdicts = [["A", "A"], ["A", "A"], ["B", "B"], ["A", "B"], ["tie", "A"]]
    judged = [tie(f"q{n}", judge={"verdict": "tie", "verdicts": both}) for n, both in enumerate(verdicts)]
    summary, _ = run(judged)
    assert (summary["num_both_orders"], summary["num_flips"], summary["flip_rate"]) == (5, 3, 0.6)
    assert summary["share_flips_to_first"] == pytest.approx(2 / 3)
    assert summary["share_first_place"] == pytest.approx(6 / 9)


def test_a_taste_for_length_is_told_from_people_s(run):
    """The judge prefers the longer in 30 of 40; people in 20 of the same."""
    judged = [pair(f"q{n}", *(("longer", "no") if n < 30 else ("no", "longer"))) for n in range(40)]
    gold = [pair(f"q{n}", *(("longer", "no") if n % 2 else ("no", "longer"))) for n in range(40)]
    summary, _ = run(judged, gold=gold)
    assert (summary["judge_prefers_longer"], summary["gold_prefers_longer"]) == (0.75, 0.5)
    assert summary["difference_prefers_longer"] == 0.25
    assert 0 < summary["difference_prefers_longer_low"] < 0.25
    assert summary["length_effect"] > 0
    assert 0.3 < summary["accuracy_equal_length"] < 0.7


def test_repeats_are_of_one_judge(run):
    note = {"judge": {"model": "j"}}
    judged = [pair("a", **note), pair("a", **note), pair("b", **note), pair("b", "no", "yes", **note)]
    judged += [pair("c", **note), pair("c", "no", "yes", judge={"model": "k"})]
    summary, line = run(judged)
    assert (summary["num_repeated"], summary["self_consistency"]) == (2, 0.5)
    assert summary["judges"] == ["j", "k"]
    assert "labels of 2 judges are measured as if they were of one: 'j, k'" in line


def test_its_own_model(run):
    note = {"judge": {"model": "j"}}
    judged = [pair(f"q{n}", model_chosen="j", model_rejected="other", **note) for n in range(3)]
    judged += [pair("both", model_chosen="j", model_rejected="j", **note), pair("none", **note)]
    gold = [pair("q0"), pair("q1", "no", "yes"), pair("q2", "no", "yes")]
    summary, _ = run(judged, gold=gold)
    assert (summary["num_own"], summary["judge_prefers_own"]) == (3, 1.0)
    assert summary["gold_prefers_own"] == pytest.approx(1 / 3)
    assert summary["difference_prefers_own"] == pytest.approx(2 / 3)
    assert run(judged, "--model", "nobody", gold=gold)[0]["num_own"] == 0


def by_half(least, most, count=100):
    """Right so often of so many in the least similar half, and in the most similar one."""
    judged, gold = [], []
    for half, right in enumerate((least, most)):
        for n in range(count):
            texts = ("yes", "no") if n < right else ("no", "yes")
            judged.append(pair(f"{half} {n}", *texts, similarity=0.1 + 0.5 * half + n / 1000))
            gold.append(pair(f"{half} {n}"))
    return judged, gold


@pytest.mark.parametrize(
    ("least", "most", "words"),
    [
        (90, 60, "the judge agrees more often on the least similar half of the pairs, by 30.0 points (95% interval"),
        (60, 90, "the judge agrees less often on the least similar half of the pairs, by 30.0 points (95% interval"),
        (75, 72, "these labels do not tell whether the judge agrees more often on the least similar pairs"),
    ],
)
def test_what_is_said_of_easy_pairs_is_what_the_interval_says(run, least, most, words):
    judged, gold = by_half(least, most)
    summary, line = run(judged, gold=gold)
    assert (summary["agreement_least_similar"], summary["agreement_most_similar"]) == (least / 100, most / 100)
    assert words in line
    low, high = summary["agreement_gap_low"], summary["agreement_gap_high"]
    assert (low <= 0 <= high) == ("do not tell" in words)
    assert [row["num_compared"] for row in summary["by_similarity"]] == [20] * 10


def test_what_its_labels_show(run):
    """Right in 3 of 4: half the slope. 2.8016 * sqrt(1 / (4 * 400)) / 0.5, and (2.8016 / 2 / 0.5 / 0.1) ** 2."""
    judged, gold = many(400, 300)
    summary, _ = run(judged, "--effect", "0.1", gold=gold)
    assert summary["smallest_difference"] == pytest.approx(2.8015852 / 40 / 0.5, rel=1e-6)
    assert (summary["labels_needed"], summary["labels_missing"]) == (785, 385)
    assert summary["labels_per_gold_label"] == pytest.approx(4)
    assert summary["smallest_difference_low"] < summary["smallest_difference"] < summary["smallest_difference_high"]
    assert summary["labels_needed_low"] < 785 < summary["labels_needed_high"]


# What is degenerate


@pytest.mark.parametrize(
    ("judged", "gold", "words"),
    [
        ([], [], "no label of a judge, so there is nothing to say"),
        ([pair("q")], None, "nothing to compare with, so there is no agreement"),
        ([pair("q")], [pair("other")], "no pair has a label to compare with: FILE of --against has other prompts"),
        ([pair("q")], [], "no pair has a label to compare with"),
        ([{"prompt": "q", "responses": [{"text": "a"}]}], [], "left out: 1 fewer than two responses"),
        ([tie("q")], [tie("q")], "no kappa: both labels are a tie everywhere"),
        (many(60, 30)[0], many(60, 30)[1], "the judge is right no more often than a coin"),
        (many(400, 14)[0], many(20, 14)[1], "the interval of the accuracy holds one half"),
        (*many(2, 2), "2 prompts: too few to show any difference between two models"),
    ],
)
def test_what_cannot_be_told_is_said_in_words(run, judged, gold, words):
    summary, line = run(judged, gold=gold)
    assert words in line
    assert words.startswith("left out") or any(words in note for note in summary["notes"])


def test_a_number_that_no_response_has_is_named(run):
    _, line = run([pair("q")], "--gold", "scroe")
    assert "no two responses have a number in field 'scroe', which --gold names" in line


def test_a_judge_that_always_says_the_same(run):
    ties = [tie(f"q{n}") for n in range(30)]
    summary, line = run(ties, gold=[pair(f"q{n}") for n in range(30)])
    assert (summary["agreement"], summary["accuracy"], summary["kappa"]) == (0.0, 0.5, 0.0)
    assert (summary["smallest_difference"], summary["labels_needed"]) == (None, None)
    assert "right no more often than a coin" in line
    summary, _ = run(*[[pair(f"q{n}") for n in range(30)]], gold=[pair(f"q{n}") for n in range(30)])
    assert (summary["agreement"], summary["kappa"], summary["ac1"]) == (1.0, 1.0, 1.0)
    assert summary["length_note"].startswith("all 30 decided comparisons went one way")


def test_equal_texts_are_left_out_and_records_without_gold_can_be_kept(run, tmp_path):
    rejects = tmp_path / "rejects.jsonl"
    judged = [pair("a"), pair("b", "same", "same"), pair("c")]
    summary, line = run(judged, "--rejects", str(rejects), gold=[pair("a")])
    assert (summary["num_records"], summary["num_pairs"], summary["num_compared"]) == (3, 2, 1)
    reasons = {
        line["place"].rpartition(":")[2]: line["reason"] for line in map(json.loads, rejects.read_text().splitlines())
    }
    assert reasons["3"] == "no label to compare the judge's with"
    assert "equal" in reasons["2"]
    assert "left out: 1 equal texts" in line


@pytest.mark.parametrize(
    ("record", "words", "message"),
    [
        ({"prompt": "q", "responses": [{"text": "a"}, {"text": "b"}]}, (), "2 responses and no verdict; label with"),
        (pair("q", scroe_chosen=1, scroe_rejected=2), ("--label", "score"), "'score_chosen' is missing; did you mean"),
        (pair("q", score_chosen="high", score_rejected=2), ("--label", "score"), "'high'; a number is needed"),
        (pair("q", mark_chosen=True, mark_rejected=2), ("--gold", "mark"), "'mark_chosen' is True; a number is needed"),
        (pair("q", mark_chosen=1e101, mark_rejected=2), ("--gold", "mark"), "from -1e100 to 1e100"),
        (pair("q", judge={"verdicts": ["A"]}), (), "field 'judge.verdicts' is"),
        (tie("q", preferences=[[0.5]], judge={}), (), "field 'preferences' is [[0.5]]"),
    ],
)
def test_a_record_that_cannot_be_read_is_refused_by_its_line(run, record, words, message):
    _, line = run(
        [pair("fine", mark_chosen=1, mark_rejected=0, score_chosen=2, score_rejected=1), record], *words, status=1
    )
    assert line.startswith("real: ")
    assert "judged.jsonl:2: " in line
    assert message in line
    assert line.count("\n") == 1


def test_a_bad_record_of_the_other_file_is_refused_by_its_line(run):
    _, line = run([pair("q")], "--gold", "mark", gold=[pair("q", mark_chosen="x", mark_rejected=1)], status=1)
    assert "gold.jsonl:1: field 'mark_chosen' is" in line


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--gold", "score", "--label", "score"), "--gold 'score': is --label too"),
        (("--label", ""), "--label '': name a field"),
        (("--effect", "0"), "--effect 0: a win rate beyond one half"),
        (("--effect", "0.6"), "--effect 0.6: a win rate beyond one half"),
        (("--effect", "nan"), "--effect nan: a win rate beyond one half"),
        (("--against", "-"), "--against -: the judge's labels come from standard input"),
        (("--limit", "agreemnt>=0.5"), "close to it: agreement"),
    ],
)
def test_mistakes_on_the_command_line(run, words, message):
    _, line = run([pair("q")], *words, status=2)
    assert message in line


# The gate, and the report


def test_limits_are_a_gate(run):
    judged, gold = many(50, 40)
    limits = ("--limit", "agreement>=0.7", "--limit", "kappa>=0.9")
    summary, line = run(judged, *limits, gold=gold)
    assert [row["is_met"] for row in summary["limits"]] == [True, False]
    assert "kappa is 0.6, not >=0.9" in line
    run(judged, *limits, "--strict", gold=gold, status=3)
    run(judged, *limits[:2], "--strict", gold=gold)
    run(judged, "--strict", gold=[pair("elsewhere")], status=3)
    needed = "num_compared>=1"
    summary, line = run(judged, "--limit", needed, "--strict", gold=[pair("elsewhere")], status=3)
    assert [f"{row['name']}{row['limit']}" for row in summary["limits"]] == [needed]


def test_the_report_has_every_part(run, tmp_path):
    judged, gold = by_half(90, 60)
    note = {"model": "j", "verdict": "chosen", "verdicts": ["A", "B"]}
    judged = [record | {"judge": note, "model_chosen": "j", "model_rejected": "k"} for record in judged]
    judged += [*judged[:5], tie("0 0", judge={"model": "j", "verdict": "tie", "verdicts": ["A", "A"]})]
    run(judged, "--report", str(tmp_path / "report.html"), gold=gold)
    page = (tmp_path / "report.html").read_text()
    for title in (
        *("Agreement", "By similarity", "The order in which responses were shown", "Length", "Repeats"),
        *("Its own model", "What its labels show", "Pairs to look at"),
    ):
        assert f">{title}</h2>" in page, title
    assert "The judge agrees more often on the least similar half" in page
