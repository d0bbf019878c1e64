"""Answers whose words turn a verdict round, on the same line, below it or in another field: never the wrong letter."""

import pytest

from real_cli.errors import RecordError
from real_cli.llm.parse_answer import read_verdict

# None of these may be read as A.
NEVER_A = {
    "each is judged in JSON": '{"verdict":"A: incorrect; B: correct"}',
    "a colon and worse": "Verdict: A: worse",
    "worse in the next sentence": "Verdict: A. This is the worse response.",
    "it loses in the next sentence": "Verdict: A. It loses.",
    "weaker in the next sentence": "Winner: A. That is the weaker answer.",
    "another letter below": "Verdict: A\n\nB",
    "another response below": "Verdict: A\n\nResponse B",
    "a mark and another letter below": "[[A]]\n\nB",
    "JSON and another letter below": '{"verdict":"A"}\nB',
    "a sentence and another letter below": "Response A is better\n\nB",
    "within unknown tags": "<internal>Verdict: A</internal>B",
    "a mark within unknown tags": "<draft>[[A]]</draft> B",
    "a corrected field": '{"verdict":"A","corrected_verdict":"B"}',
    "a revised field": '{"verdict":"A","revised":"B"}',
    "a field in camel case": '{"verdict":"A","finalVerdict":"B"}',
    "a final field": '{"verdict":"A","final":"B"}',
    "a final field before": '{"final":"B","verdict":"A"}',
    "a criterion's winner": '{"criteria":[{"name":"length","winner":"A"}],"final":"B"}',
    "a criterion's winner alone": '{"criteria":[{"name":"length","winner":"A"},{"name":"truth","winner":"A"}]}',
    "a criterion's winner in an object": '{"length":{"winner":"A"},"conclusion":"B"}',
    "worse in brackets in JSON": '{"verdict":"A (worse)"}',
    "which is worse in JSON": '{"verdict":"A, which is worse"}',
    "a hair in JSON": '{"verdict":"A by a hair, but B is safer"}',
    "a hair": "Verdict: A by a hair, but B is safer",
    "worse in brackets": "Verdict: A (the worse response)",
    "incorrect in brackets": "Winner: A (incorrect)",
    "reject": "Verdict: A, reject",
    "a dash and reject": "Verdict: A - rejected",
    "two sentences share": "Verdict: A for style. B for substance.",
    "one without errors": "Verdict: A with errors, B without",
    "the other in brackets": "Verdict: A (B)",
    "the other response in brackets": "Verdict: A (Response B)",
    "reversed in brackets": "Verdict: A (reversed: B)",
    "corrected in brackets": "[[A]] (corrected: B)",
    "a mark of many": "[[A]] is what many would say.",
    "a mark that was": "[[A]] was my first thought.",
    "a mark that is worse": "[[A]], the worse one.",
    "an unmarked thought": "Thinking Process: Verdict: A\n...\nFinal: B",
    "a corrected line": "Verdict: A\nCorrected: B",
    "a named line below": "Verdict: A\nOn second look: B",
    "a doubled key": '{"verdict":"B","verdict":"A"}',
    "a doubled key in Python": "{'verdict': 'B', 'verdict': 'A'}",
    "a rejected field": '{"verdict":"A","rejected":"A"}',
    "a worse field": '{"verdict":"A","worse_response":"A"}',
    "a reason in the field behind": '{"verdict":"A","reasons":"Response B is better."}',
    "a bare letter that is wrong": "A because it is wrong.",
    "less helpful": "Verdict: A (less helpful)",
    "not the better": "Verdict: A, which is not the better one",
    "a sentence and worse": "The winner is A, the worse response.",
    "meant": "Verdict: A. I meant B.",
    "sorry": "Verdict: A. Sorry, B.",
    "on balance": "Verdict: A; on balance B",
    "then again": "I would pick A. Then again, B.",
    "in truth": "Verdict: A. In truth B is the better one.",
    "worse before": "A is worse. Verdict: A",
    "a sentence, and worse below": "Response A is better. It is the worse one.",
    "second best": "Verdict: A (second best)",
    "a note in JSON": '{"verdict":"A","note":"should be B"}',
    "changed to": "Verdict: A, changed to B",
    "changed to in the next sentence": "Verdict: A. Let me change that to B.",
    "a mark that is rejected": "I would reject [[A]]",
    "a mark of the worse": "The worse response is [[A]]",
    "a mark of the loser": "Loser: [[A]]",
    "a ranking in JSON": '{"verdict":"A","ranking":["B","A"]}',
    "scores in JSON": '{"verdict":"A","scores":{"A":2,"B":9}}',
    "scores below": "Verdict: A\nScores: A 2, B 9",
    "scores above": "A: 2/10\nB: 9/10\nVerdict: A",
    "is worse in JSON": '{"verdict":"A","is_worse":true}',
    "swapped in JSON": '{"verdict":"A","swapped":true}',
    # A signed strength: whether below 0 is A or B, only who wrote it knows.
    "a strength below 0": '{"preference":"A","preference_strength":-3}',
    "a strength below 0 before": '{"preference_strength":-3,"preference":"A"}',
    "a strength below 0 as text": '{"verdict":"A","strength":"-2.5"}',
    "a strength below 0 with its word": '{"verdict":"A","strength":"-3 (strong)"}',
    "a true minus": '{"verdict":"A","strength":"\u22123"}',
    "a margin below 0": '{"winner":"A","margin":-0.4}',
    "a difference of scores below 0": '{"verdict":"A","scoreDifference":-4}',
    "a score below 0": '{"verdict":"A","score":-3}',
    "a confidence below 0": '{"verdict":"A","confidence":-0.8}',
    "no strength": '{"verdict":"A","strength":0}',
    "no strength in words": '{"verdict":"A","preference_strength":"none"}',
    "no confidence": '{"verdict":"A","confidence":0.0}',
    "a strength below 0 in an object": '{"verdict":"A","details":{"strength":-3}}',
    "a strength below 0 in a list": '{"verdict":"A","details":[{"strength":-3}]}',
    "a strength below 0 beside a verdict in an object": '{"result":{"winner":"A"},"strength":-3}',
    "a strength below 0 within": '{"preference":{"winner":"A","strength":-3}}',
    "a line of strength below": "Verdict: A\nPreference strength: -3",
    "a line of strength above": "Strength: -3\nVerdict: A",
    "a strength in brackets": "Preference: A (strength -3)",
    "a strength behind a comma": "Verdict: A, margin = -2",
    "a number below 0 in brackets": "Verdict: A (-3)",
    "a number below 0": "Preference: A -3",
    "a mark and a strength": "[[A]]\n\nStrength: **-2**",
    "a table of strength": "| verdict | A |\n| strength | -3 |",
    "JSON and a strength below": '{"verdict":"A"}\nStrength: -3',
}
READ = {
    "a reason with the other": ("Verdict: A because B is wrong.", "A"),
    "although the other": ("Verdict: A, although B is shorter.", "A"),
    "a dash and the other": ("Verdict: A - B ignores the question.", "A"),
    "the other is worse": ("Verdict: A. Response B is worse.", "A"),
    "the other in brackets is wrong": ("Verdict: A (B is wrong)", "A"),
    "the other is worse in JSON": ('{"verdict":"A, since B is worse"}', "A"),
    "over the other": ("Verdict: A by a small margin over B", "A"),
    "it names what is wrong": ("Verdict: A. It corrects the wrong premise.", "A"),
    "a loser": ('{"winner":"A","loser":"B"}', "A"),
    "chosen and rejected": ('{"verdict":"B","rejected":"A"}', "B"),
    "criteria before": ('{"length":"A","truth":"B","verdict":"B"}', "B"),
    "criteria in a list": ('{"criteria":[{"name":"length","winner":"A"}],"verdict":"B"}', "B"),
    "a verdict in an object": ('{"result":{"verdict":"B","reasons":"It is true."}}', "B"),
    "an initial verdict": ('{"initial_verdict":"A","verdict":"B"}', "B"),
    "reasons in the field behind": ('{"verdict":"A","reasons":"Response B is wrong; A is right."}', "A"),
    "the same field twice": ('{"verdict":"A","verdict":"A"}', "A"),
    "the same letter below": ("Verdict: A\n\nA", "A"),
    "lines of criteria above": ("Style: B\nTruth: A\n\nVerdict: A", "A"),
    "a mark that is mine": ("[[A]] is my verdict.", "A"),
    "a mark that is better": ("[[A]] is better because it is true.", "A"),
    "a mark and its reason": ("[[A]] because it invents nothing.", "A"),
    "a mark at the end of reasons": ("Response B is worse in style. [[A]]", "A"),
    "final": ("Final: B", "B"),
    "more than the other": ("Verdict: A. It says more than B.", "A"),
    "a list of what is right": ("Verdict: A\n\nA: right.\nB: wrong.", "A"),
    "in part": ("Verdict: A\n\nB is better formatted and wrong.", "A"),
    "scores that agree": ("Score A: 9, Score B: 2\nVerdict: A", "A"),
    "scores that agree in JSON": ('{"verdict":"A","scores":{"A":9,"B":2}}', "A"),
    "the other loses before a mark": ("B is worse: [[A]]", "A"),
    "a strength": ('{"preference":"A","preference_strength":3}', "A"),
    "a strength of B": ('{"preference":"B","preference_strength":3}', "B"),
    "a strength in words": ('{"verdict":"A","strength":"strong"}', "A"),
    "a confidence": ('{"verdict":"B","confidence":0.9}', "B"),
    "a tie without strength": ('{"verdict":"tie","preference_strength":0}', "tie"),
    "a tie with confidence": ('{"verdict":"tie","confidence":0.9}', "tie"),
    "a difference of lengths": ('{"verdict":"A","length_difference":-20}', "A"),
    "strengths as a list": ('{"strengths":["-3 degrees is right"],"verdict":"A"}', "A"),
    "a strength in prose": ("Verdict: A\nStrength: 3", "A"),
    "a plus": ("Verdict: A (+3)", "A"),
    "a minus in the reasons": ("B says the answer is -3. Verdict: A", "A"),
    "a minus in the reasons behind": ("Verdict: A, since x = -3 solves it.", "A"),
    "a margin of the task": ("A is right that the profit margin is -2%. Verdict: A", "A"),
    "a difference of the task": ("In B the difference is -3, which is wrong. Verdict: A", "A"),
    "a range": ("Verdict: A (strength: 2-3)", "A"),
    "tags with the verdict": ("<reasons>B is short.</reasons><verdict>B</verdict>", "B"),
}


@pytest.mark.parametrize("answer", NEVER_A.values(), ids=NEVER_A)
def test_words_that_turn_a_verdict_leave_it_unread_or_turn_it(answer):
    try:
        verdict = read_verdict(answer)
    except RecordError as error:
        verdict = str(error)
    assert verdict == "B" or verdict.startswith("the answer names no verdict")


def test_a_tie_with_a_strength_is_unread():
    with pytest.raises(RecordError, match="names no verdict"):
        read_verdict('{"verdict":"tie","preference_strength":2}')


def test_a_strength_that_the_task_shows_does_not_speak_of_the_verdict():
    assert read_verdict("Verdict: A\n\nStrength: -3", ["Strength: -3 is the answer."]) == "A"


@pytest.mark.parametrize(("answer", "verdict"), READ.values(), ids=READ)
def test_honest_reasons_around_a_verdict_leave_it_read(answer, verdict):
    assert read_verdict(answer) == verdict
