"""Which model won against which, as judges and people leave it on records."""

import pytest

from real_cli.errors import RecordError
from real_cli.evaluate.winrate.matches import read_contests
from real_cli.records.verdicts import Judgment
from real_cli.relabel.human.choices import Verdict
from real_cli.relabel.human.pair import PairAnswer, answered_record, make_question
from real_cli.relabel.judge.pairwise import judged_pair

PAIR = {"prompt": "q", "responses": [{"text": "long", "model": "new"}, {"text": "ab", "model": "old"}]}
BOTH = Judgment(("A", "B"), ("", ""))
FLIPPED = Judgment(("A", "A"), ("", ""))


def judged(*verdicts):
    return judged_pair(PAIR, Judgment(verdicts, ("", "")), {"model": "judge"}).record


def test_a_judge_s_choice_is_a_win_of_the_chosen():
    (contest,) = read_contests(judged("B", "A"))
    assert (contest.models, contest.points, contest.comparisons[0].is_flipped) == (("old", "new"), 2, False)
    assert contest.length_difference == -2


def test_a_judge_s_tie_keeps_both_verdicts():
    (contest,) = read_contests(judged("A", "A"))
    assert (contest.models, contest.points, contest.comparisons) == (("new", "old"), 1, (FLIPPED,))
    assert contest.length_difference == 2
    (contest,) = read_contests(judged("tie", "B"))
    assert (contest.points, contest.comparisons[0].verdicts) == (1, ("tie", "B"))


def test_a_person_s_choice_and_tie():
    question = make_question(PAIR, seed=0)
    (chosen,) = read_contests(answered_record(question, PairAnswer(Verdict.second)))
    (tie,) = read_contests(answered_record(question, PairAnswer(Verdict.tie)))
    assert (chosen.models, chosen.points, chosen.comparisons) == (("old", "new"), 2, ())
    assert (tie.models, tie.points, tie.comparisons) == (("new", "old"), 1, ())


def test_a_matrix_is_one_comparison_for_each_two_responses():
    responses = [{"text": text, "model": name} for text, name in (("a", "x"), ("bb", "y"), ("cccc", "x"))]
    record = {"prompt": "q", "responses": responses, "preferences": [[0.5, 0, 1], [1, 0.5, 0.5], [0, 0.5, 0.5]]}
    result = [(item.models, item.points, item.length_difference) for item in read_contests(record)]
    assert result == [(("x", "y"), 0, -1), (("x", "x"), 2, -3), (("y", "x"), 1, -2)]


def test_of_equal_texts_no_judge_was_asked():
    same = PAIR | {"responses": [{"text": "a", "model": "new"}, {"text": "a", "model": "old"}]}
    (contest,) = read_contests(judged_pair(same, Judgment(("tie", "tie"), ("", "")), {}).record)
    assert (contest.points, contest.comparisons) == (1, ())


def test_another_field_names_the_model_and_conversations_have_lengths():
    turn = [{"role": "assistant", "content": "four"}]
    pair = {"prompt": "q", "chosen": turn, "rejected": "a", "generator_chosen": "m", "generator_rejected": "n"}
    (contest,) = read_contests(pair, "generator")
    assert (contest.models, contest.length_difference) == (("m", "n"), 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"responses": [{"text": "a", "model": "m"}, {"text": "b"}]}, "response 2: 'model' is missing; the name of "),
        ({"responses": [{"text": "a", "model": 3}, {"text": "b"}]}, "response 1: 'model' is 3; the name of "),
        ({"chosen": "a", "rejected": "b", "model_chosen": "m"}, "field 'model_rejected' is missing; the name of "),
        ({"chosen": "a", "rejected": "b", "model_chosen": ""}, "field 'model_chosen' is ''; the name of "),
        ({}, "2 responses and no verdict; label with "),
        ({"judge": {"verdict": "chosen"}}, "2 responses and no verdict; label with "),
        ({"judge": "tie"}, "2 responses and no verdict; label with "),
        ({"responses": [{"text": "a", "model": "m"}]}, "1 response and no verdict; label with "),
        ({"preferences": [[0.5, 0.7], [0.3, 0.5]]}, "field 'preferences': responses 1 and 2 have 0.7; a verdict is "),
        ({"preferences": [[0.5]]}, "field 'preferences' is [[0.5]]; 2 lists of 2 numbers are needed"),
        ({"judge": {"verdict": "tie", "verdicts": ["A"]}}, "field 'judge.verdicts' is ['A']; two of "),
        ({"judge": {"verdict": "tie", "verdicts": ["A", []]}}, "field 'judge.verdicts' is ['A', []]; two of "),
    ],
)
def test_what_says_nothing_is_refused(change, message):
    with pytest.raises(RecordError) as caught:
        read_contests(PAIR | change)
    assert str(caught.value).startswith(message)
