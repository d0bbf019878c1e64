"""Answers that look like a verdict and are none are unreadable, never the wrong one; ordinary answers are read."""

import contextlib
import time

import pytest

from real_cli.errors import RecordError
from real_cli.llm.parse_answer import read_rating, read_ratings, read_verdict
from real_cli.llm.tags import TagField, read_tags

READ = {
    "less": ("Verdict: A < B", "B"),
    "less in JSON": ('{"verdict": "A<B"}', "B"),
    "much less": ("preference: A << B", "B"),
    "more": ("Verdict: A > B", "A"),
    "more, the other way": ("Verdict: **B** > A.", "B"),
    "equal": ("Verdict: A = B", "tie"),
    "about equal": ("Verdict: A \u2248 B", "tie"),
    "arena, much more": ("[[A>>B]]", "A"),
    "arena, less": ("My final verdict is: [[A<B]]", "B"),
    "arena, equal": ("[[A=B]]", "tie"),
    "signs alone": ("B>A", "B"),
    "a letter and reasons below": ("A\n\nResponse A is more accurate.", "A"),
    "reasons and a letter below": ("Response B invents a source.\n\n**A**", "A"),
    "a letter and why": ("B because A is wrong.", "B"),
    "a letter that is better": ("Verdict: A is better", "A"),
    "a heading": ("### Verdict\n\nA", "A"),
    "a heading in bold": ("**Final verdict**\nB", "B"),
    "in brackets": ("Verdict: (A)", "A"),
    "as code": ("Verdict: `A`", "A"),
    "lower case": ("VERDICT: a", "A"),
    "lower case of a tie": ("Verdict: a tie", "tie"),
    "the better": ("Better response: A", "A"),
    "the better in a sentence": ("The better answer is B.", "B"),
    "significantly": ("Response A is significantly better.", "A"),
    "than the other": ("Overall, Response B is slightly better than Response A.", "B"),
    "clearly": ("The winner is clearly A", "A"),
    "a tie in a sentence": ("It's a tie", "tie"),
    "a final verdict in JSON": ('{"final_verdict":"A"}', "A"),
    "the better in JSON": ('{"reasons": "x", "better_response": "Response B"}', "B"),
    "the task's answer before JSON": ('Correct answer: B. Response A states it.\n\n{"verdict":"A"}', "A"),
    "the task's answer before a sentence": ("The correct answer is A. Response B is better.", "B"),
    "a tag that is spoken of": ("Response A uses a <think> tag needlessly. Verdict: B", "B"),
    "an article before a tag": ("Response A leaks its <think>. Verdict: B", "B"),
    "a doubt before a form": ("I do not think Response A is better. Verdict: B", "B"),
    "a reason with a no": ("Response B does not add up, so my verdict: A", "A"),
    "a verdict and its reason": ("Verdict: A, although B is shorter.", "A"),
    "because": ("Response A is better because it does not invent anything.", "A"),
    "I think": ("I think that Response B is better overall.", "B"),
    "a model in JSON": ('{"winner": "model_a"}', "A"),
    "a tie between": ("Verdict: Tie between A and B", "tie"),
    "equal, in brackets": ("\\boxed{A=B}", "tie"),
    "two marks and a sign": ("[[A]] < [[B]]", "B"),
    "a sentence in bold": ("**Verdict: Response B is better**", "B"),
    "over the other": ("I prefer Response A over Response B.", "A"),
    "I prefer": ("I prefer Response B.", "B"),
}
UNREADABLE = {
    "a sum": "Verdict: A+B",
    "points": "Verdict: A: 3/10, B: 9/10",
    "a genitive": "Verdict: A's errors make it lose",
    "no mark": "not [[A]]",
    "no mark in a sentence": "My choice isn't [[A]].",
    "no verdict": "It is not fair to write Verdict: A",
    "a letter that loses": "Verdict: A loses",
    "a letter that is worse": "Verdict: A is worse",
    "a letter that is worse in JSON": '{"verdict": "A is worse"}',
    "a doubt in JSON": '{"verdict": "I do not think Response A is better"}',
    "equal to itself": "Verdict: A = A",
    "taken back": "Verdict: A. No, B.",
    "taken back at once": "Verdict: A, no, B",
    "one for each": "Verdict: A for style, B for substance",
    "unlike": "Verdict: A != B",
    "at least": "Verdict: A \u2265 B",
    "a dash and no": "Verdict: A \u2013 no, B",
    "brackets and no": "Verdict: A (no, B)",
    "a better answer of the task": "The best answer is A. Response B picks it.",
    "a student's answer": "The student answer: B",
    "than itself": "Response A is better than Response A.",
    "qualified behind a comma": "The winner is A, some say.",
    "versus": "Verdict: A vs B",
    "I do not think": "I do not think Response A is better.",
    "not the case": "It is not the case that Response A is better.",
    "I doubt": "I doubt that Response A is better.",
    "if": "If length counted, Response A is better.",
    "in part": "Response A is better formatted but wrong. I'd pick B.",
    "avoided": "Response A is best avoided. B.",
    "while": "While Response A is better written, it is dangerous. Response B should be preferred.",
    "only in": "The better response is B. Response A is better only in length.",
    "a question": "Response A is better than Response B? Hardly. I'd say B.",
    "others": "Some would say the winner is A. I say it is B.",
    "others behind": "Response A is better, some say.",
    "however": "Response A is better. However, it is unsafe.",
    "but": "Response A is better, but only for experts.",
    "two choices": "Response A is better. I'd pick B.",
    "a letter and a sentence": "A\n\nResponse B is better.",
    "two letters": "A\nB",
    "a letter of a list": "The options of the task are\nB",
    "the task's answer": "The correct answer is A. Response B gives it.",
    "the task's choice": "Correct choice = B. Response A picks B.",
    "the task's answer above": "The answer: B\nResponse A says B. Response B says C.",
    "the task's answer by a name": "Right answer: B",
    "a response's answer": "Response A's answer: B",
    "a response's choice": "Response A says that the answer is B.",
}


@pytest.mark.parametrize(("answer", "verdict"), READ.values(), ids=READ)
def test_an_ordinary_verdict_is_read(answer, verdict):
    assert read_verdict(answer) == verdict


@pytest.mark.parametrize("answer", UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_clear_verdict_is_unreadable(answer):
    with pytest.raises(RecordError, match="the answer names no verdict"):
        read_verdict(answer)


def test_a_letter_above_its_reasons_is_no_quotation_of_a_response_that_is_a_letter():
    assert read_verdict("A\n\nResponse A is right.", ["Which is it?", "A", "B"]) == "A"


@pytest.mark.parametrize(
    ("answer", "rating"),
    [
        ("8\n\nIt is good.", 8),
        ("It is good.\n\n**8**", 8),
        ("I would rate this 8/10.", 8),
        ("I'd give this response an 8.", 8),
        ("I would not give a score of 10. Rating: 7", 7),
        ("Rating: 8 because it is good", 8),
        ("Rating: 8 (good)", 8),
        ("Rating: 8 - good", 8),
    ],
)
def test_an_ordinary_rating_is_read(answer, rating):
    assert read_rating(1, 10, not_applicable=False)(answer) == rating


@pytest.mark.parametrize(
    "answer",
    [
        "I would not give a score of 10.",
        "I wouldn't rate this 10/10.",
        "Rating: 8 would be too high; 5",
        "Rating: 8 \u2192 9",
        "Rating: 8~9",
        "Rating: 8 -> 9",
        "Rating: 8; 5",
        "Rating: 8+",
        "Rating: 8 and 9",
        "Rating: 8 in style",
        "Rating: 8 for style, 6 for substance",
        "Rating: 8. No, 5.",
        "It deserves no rating of 10.",
        "If it were shorter, a score of 9.",
        "8\n\nRather a score of 5.",
        "The sum that was asked for is\n8",
    ],
)
def test_what_is_no_clear_rating_is_unreadable(answer):
    with pytest.raises(RecordError):
        read_rating(1, 10, not_applicable=False)(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "Response 1: 4\nResponse 2: 2",
        "**Response 1:** 4/5\n**Response 2:** 2/5",
        "Response 1: 4 - true\nResponse 2: 2 (false)",
        '{"ratings":[4,2]}',
        '{"ratings":["4/5","2"]}',
    ],
)
def test_short_ratings_of_several_are_read(answer):
    assert [rating for rating, _ in read_ratings(2, 1, 5, not_applicable=False)(answer)] == [4, 2]


@pytest.mark.parametrize(
    "answer",
    [
        "Response 1: 4 errors\nResponse 2: 2 errors",
        "Response 1: 4\nRating: 3\nResponse 2: 2",
        "Response 1: 4\nResponse 2: 2\n\nNo, Response 1: 2",
        '{"ratings":[4]}',
        '{"ratings":[4,2]} {"ratings":[2,4]}',
    ],
)
def test_numbers_that_rate_nothing_are_none(answer):
    with pytest.raises(RecordError):
        read_ratings(2, 1, 5, not_applicable=False)(answer)


@pytest.mark.parametrize(
    "answer", ["Difficulty: easy to hard", "Difficulty: easy -> hard", "I would not say that the difficulty is easy."]
)
def test_what_is_no_clear_tag_is_unreadable(answer):
    with pytest.raises(RecordError):
        read_tags((TagField("difficulty", ("easy", "hard")),))(answer)


@pytest.mark.parametrize(
    "piece",
    ["answer: A ", "verdict: ", "Response A is better ", "overall ", "A\n", "Rating: 8 ", "I give this ", "[[", "*"],
)
def test_a_judge_that_repeats_itself_is_read_at_once(piece):
    begun = time.process_time()
    for read in (read_verdict, read_rating(1, 10, not_applicable=False)):
        with contextlib.suppress(RecordError):
            read(piece * 5_000)
    assert time.process_time() - begun < 2
