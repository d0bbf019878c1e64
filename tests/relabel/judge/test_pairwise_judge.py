"""Pairs compared in both orders: what two verdicts say, and what becomes of a label."""

import itertools
import re

import pytest

from real_cli.errors import RecordError
from real_cli.llm.rubric_files import read_rubric
from real_cli.records.record import swap_labels
from real_cli.records.verdicts import Judgment
from real_cli.relabel.judge.judge import JudgeTally, begin_judging
from real_cli.relabel.judge.pairwise import chances_of, judged_pair, preference_matrix
from real_cli.relabel.winprob.probabilities import PREFERENCES
from tests.llm.inquiries import run_inquiry

PAIRWISE = read_rubric("pairwise")
SHOWN = re.compile(r"# Response A\n\n(.*?)\n\n# Response B\n\n(.*?)\n\n# Your answer", re.DOTALL)
UNLABELED = {
    "id": 9007199254740993,
    "prompt": "q",
    "responses": [{"text": "aa", "score": 2, "note": "n1"}, {"text": "b", "score": 1, "note": "n2"}],
    "source": {"file": "x", "lines": [1, None]},
}
PAIR = {
    "prompt": "q",
    "chosen": "aa",
    "rejected": "b",
    "score_chosen": 1,
    "score_rejected": 2,
    "ref_chosen_logps": -1.0,
    "ref_rejected_logps": -2.0,
    "similarity": 0.5,
}


def by_length(question, sign=1):
    """A judge without a bias of place."""
    a, b = SHOWN.search(question.messages[-1]["content"]).groups()
    return "tie" if len(a) == len(b) else "AB"[(len(a) - len(b)) * sign < 0]


def shorter(question):
    return by_length(question, -1)


def judge(record, judge=by_length, rubric=PAIRWISE):
    return run_inquiry(begin_judging(record, rubric, "m", 0), judge)[0]


# Two verdicts

EXPECTED = {("A", "B"): "A", ("B", "A"): "B"}


@pytest.mark.parametrize("verdicts", list(itertools.product(["A", "B", "tie"], repeat=2)))
def test_both_orders_must_agree_or_it_is_a_tie(verdicts):
    """The second verdict is given with the responses swapped: A then B is twice the first response."""
    comparison = Judgment(verdicts, ("x", "y"))
    winner = EXPECTED.get(verdicts, "tie")
    assert comparison.winner == winner
    assert comparison.is_flipped == (verdicts in [("A", "A"), ("B", "B")])
    assert comparison.swapped().winner == {"A": "B", "B": "A", "tie": "tie"}[winner]
    assert comparison.swapped().texts == ("y", "x")
    judged = judged_pair(UNLABELED, comparison, {})
    assert judged.is_tie == (winner == "tie")
    assert judged.record.get("chosen") == {"A": "aa", "B": "b", "tie": None}[winner]


def test_the_first_verdict_on_the_record_is_that_with_the_chosen_response_shown_as_a():
    for verdicts, texts in ((("A", "B"), ["x", "y"]), (("B", "A"), ["y", "x"])):
        note = judged_pair(UNLABELED, Judgment(verdicts, ("x", "y")), {"model": "m"}).record["judge"]
        assert note == {"model": "m", "verdict": "chosen", "verdicts": ["A", "B"], "answers": texts}


# Records


def test_both_orders_are_asked_and_what_is_said_stays_on_the_record():
    judged, ((first, second),) = run_inquiry(begin_judging(UNLABELED, PAIRWISE, "m", 0), by_length)
    assert SHOWN.search(first).groups() == ("aa", "b")
    assert SHOWN.search(second).groups() == ("b", "aa")
    assert judged.record == {
        "id": 9007199254740993,
        "prompt": "q",
        "chosen": "aa",
        "rejected": "b",
        "score_chosen": 2,
        "score_rejected": 1,
        "note_chosen": "n1",
        "note_rejected": "n2",
        "source": {"file": "x", "lines": [1, None]},
        "judge": {
            "model": "m",
            "rubric": "pairwise",
            "rubric_hash": PAIRWISE.digest,
            "verdict": "chosen",
            "verdicts": ["A", "B"],
            "answers": ["A", "B"],
        },
    }
    assert judged.agrees is None


def test_a_label_that_the_judge_shares_stays():
    judged = judge(PAIR)
    assert judged.agrees is True
    assert {name: judged.record[name] for name in PAIR} == PAIR


def test_a_label_that_the_judge_does_not_share_is_turned_with_every_field_of_its_responses():
    judged = judge(PAIR, shorter)
    assert judged.agrees is False
    assert {name: judged.record[name] for name in PAIR} == swap_labels(PAIR)


def test_a_tie_takes_the_label_away_and_counts_neither_way():
    judged = judge(PAIR, lambda question: "A")
    assert (judged.is_tie, judged.agrees) == (True, None)
    assert [response["text"] for response in judged.record["responses"]] == ["aa", "b"]
    assert "chosen" not in judged.record
    assert not any("rank" in response for response in judged.record["responses"])
    assert judged.record["judge"]["verdict"] == "tie"


def test_ranks_that_are_no_label_of_ours_survive_a_tie():
    ranked = {"prompt": "q", "responses": [{"text": "aa", "rank": 2}, {"text": "b", "rank": 1}]}
    assert judge(ranked, lambda question: "tie").record["responses"] == ranked["responses"]


@pytest.mark.parametrize("record", [UNLABELED, PAIR, {**UNLABELED, "judge": "old"}])
@pytest.mark.parametrize("how", [by_length, shorter, lambda question: "A", lambda question: "tie"])
def test_judged_twice_is_judged_once(record, how):
    once = judge(record, how).record
    twice = judge(once, how).record
    assert twice == once
    assert list(twice) == list(once)


def test_a_text_that_looks_like_a_hole_is_shown_as_it_is():
    record = {"prompt": "{response_a}", "responses": [{"text": "{prompt}"}, {"text": "{response_b} x"}]}
    _, ((first, _),) = run_inquiry(begin_judging(record, PAIRWISE, "m", 0), by_length)
    assert SHOWN.search(first).groups() == ("{prompt}", "{response_b} x")
    assert "# Prompt\n\n{response_a}\n\n" in first


def test_conversations_are_shown_with_their_roles_and_labeled_in_the_form_of_the_prompt():
    prompt = [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}]
    record = {"prompt": prompt, "responses": [{"text": "bb"}, {"text": [{"role": "assistant", "content": "c"}]}]}
    judged, ((first, _),) = run_inquiry(begin_judging(record, PAIRWISE, "m", 0), by_length)
    assert "# Prompt\n\nSystem: S\n\nUser: U\n\n" in first
    assert SHOWN.search(first).groups() == ("bb", "c")
    assert judged.record["chosen"] == [{"role": "assistant", "content": "bb"}]


def test_equal_texts_are_a_tie_that_nobody_is_asked_about():
    """A judge could name a place alone; its verdict would count as flipped with the order."""
    judged, rounds = run_inquiry(begin_judging(PAIR | {"rejected": "aa"}, PAIRWISE, "m", 0), lambda question: "A")
    assert rounds == [[]]
    assert judged.is_tie
    assert not judged.comparisons[0].is_flipped


@pytest.mark.parametrize(("responses", "reason"), [([], "0 responses"), ([{"text": "a"}], "1 response")])
def test_two_responses_are_needed_to_compare(responses, reason):
    with pytest.raises(RecordError, match=f"^{reason}; the rubric 'pairwise' needs 2$"):
        begin_judging({"prompt": "q", "responses": responses}, PAIRWISE, "m", 0)


# More than two


def test_three_responses_get_a_matrix_that_winprob_reads():
    """Lengths 2, 1, 2: the first and third beat the second and tie with each other."""
    record = {"prompt": "q", "responses": [{"text": "aa", "x": 1}, {"text": "b"}, {"text": "cc"}], "note": 1}
    judged = judge(record)
    assert judged.record["preferences"] == [[0.5, 1.0, 0.5], [0.0, 0.5, 0.0], [0.5, 1.0, 0.5]]
    assert judged.record["responses"] == record["responses"]
    assert judged.record["note"] == 1
    assert len(judged.comparisons) == 3
    assert not judged.is_tie
    (matrix,) = PREFERENCES["preferences"](judged.record, 1.0)
    assert matrix.tolist() == judged.record["preferences"]
    assert judge(judged.record).record == judged.record


def test_a_matrix_says_of_each_pair_what_both_orders_say():
    comparisons = {
        (0, 1): Judgment(("A", "B"), ("", "")),
        (0, 2): Judgment(("A", "A"), ("", "")),
        (1, 2): Judgment(("B", "A"), ("", "")),
    }
    chances = {pair: chances_of(comparison.winner) for pair, comparison in comparisons.items()}
    assert preference_matrix(3, chances) == [[0.5, 1.0, 0.5], [0.0, 0.5, 0.0], [0.5, 1.0, 0.5]]


# Counts


def test_what_is_told_of_it_all():
    """Five pairs: won; flipped with the order; a tie in one order only; two ties in both."""
    tally = JudgeTally()
    answers = iter(["A", "B", "A", "A", "A", "tie", "tie", "tie", "tie", "tie"])
    for _ in range(5):
        tally.add(judge(PAIR, lambda question: next(answers)))
    assert tally.num_ties == 4
    assert tally.sentence() == (
        "5 judged; 1 of 5 verdicts flipped with the order (20.0%), 1 a tie in one order only; "
        "1 of 1 agree with the label that was there"
    )


def test_nothing_judged_is_told_without_shares():
    assert JudgeTally().sentence() == "0 judged"
