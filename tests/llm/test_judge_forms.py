"""Answers in the forms that public judges' prompts ask for are read; their negated, quoted and hedged twins are not."""

import contextlib
import time

import pytest

from real_cli.errors import RecordError
from real_cli.llm.parse_answer import read_rating, read_ratings, read_verdict
from real_cli.llm.tags import TagField, read_tags

NUMBERED = "# Response 1\n{response_a}\n# Response 2\n{response_b}\nAnswer 1, 2 or tie."
SCORED = (
    "[Assistant 1's Answer]{response_a}[Assistant 2's Answer]{response_b} One line: the scores for Assistant 1 and 2."
)
TURNED = "# Response B\n{response_b}\n# Response A\n{response_a}"
MATCH = ["Did they draw?", "It was a draw.", "No."]
CHOICES = ["Which? A) one B) two", "One.", "Two."]
VERDICTS = [
    *[(f"Verdict {link} A", "A") for link in ("-", "\u2013", "\u2014", "->", "=>", "\u2192", "|", "=")],
    ("**Verdict** - B", "B"),
    ("Verdict\uff1aB\u3002\u56e0\u4e3a\u5b83\u6b63\u786e", "B"),
    ("**Verdict\uff1a** A", "A"),
    ("Verdict: \u201cB\u201d", "B"),
    ("| Verdict | A |", "A"),
    ("| Criterion | Result |\n|---|---|\n| Verdict | **B** |", "B"),
    ("Verdict:\n- A", "A"),
    ("Better: A", "A"),
    ("Best: Response B", "B"),
    *[
        (f"Verdict: {word}", "tie")
        for word in ("equal", "same", "Both equally good", "tied", "no preference", "neither")
    ],
    ("Verdict: equal. B is shorter.", "tie"),
    ("The result is a tie.", "tie"),
    ("Both responses are equally good.", "tie"),
    ("Response A and Response B are equally good.", "tie"),
    ("Neither response is better than the other.", "tie"),
    ("I would call it a tie.", "tie"),
    ("The final answer is A", "A"),
    ("My final answer is: B", "B"),
    ("My choice is B.", "B"),
    ("I prefer A, not B", "A"),
    ("I prefer B to the other.", "B"),
    ("I choose response B.", "B"),
    ("I'm going with A.", "A"),
    ("My vote goes to B.", "B"),
    ("Overall, A.", "A"),
    ("Overall: B", "B"),
    ("Response B serves the person who wrote the prompt better.", "B"),
    ("Response A better serves the user.", "A"),
    ("Response A outperforms Response B.", "A"),
    ("Response A provides a better answer.", "A"),
    ("My final verdict is: Assistant A is significantly better: [[A>>B]]", "A"),
    ("My final verdict is Tie, relatively the same: [[A=B]]", "tie"),
    ("Feedback: Both are right, B is deeper. [RESULT] B", "B"),
    ("Thus, I would say Response A is better.", "A"),
    ("Verdict: A (0.95)", "A"),
    ("Verdict: A (95%).", "A"),
    ("Winner: B \U0001f3c6", "B"),
    ("\u2705 **A**", "A"),
    ("Output (b)", "B"),
    ("Output (a) is better.", "A"),
    ("Model A is better.", "A"),
    ("Verdict: model_a", "A"),
    ("Verdict: Option B", "B"),
    ('{"verdict": "Response 2"}', "B"),
    ('{"verdict": "first"}', "A"),
    ('{"verdict": "second", "reasons": "It is true."}', "B"),
    ("The second response is better than the first response.", "B"),
    ('"{\\"verdict\\": \\"A\\"}"', "A"),
    ("{'reasons': 'It is true', 'verdict': 'B'}", "B"),
    ('{"result": "A"}', "A"),
    ('{"verdict": "same"}', "tie"),
    ("<judgment>B</judgment>", "B"),
]
NO_VERDICTS = [
    "Verdict - not A",
    "Verdict - A, no wait, B",
    "Verdict - A or B",
    "| Verdict | A | B |",
    "| | A | B |\n|---|---|---|\n| Verdict | good | bad |",
    "Better: A in style, B in truth",
    "Better: A? No.",
    "Verdict: not equal",
    "Verdict: unequal",
    "Verdict: same as before",
    "Verdict: same topic, A better",
    "Verdict: equal in style, B in truth",
    "Verdict: same, but B is shorter",
    "Verdict: neither A nor B",
    "Verdict: A (3)",
    "Verdict: A. However, B is better on safety, so B.",
    "Verdict: A (B is better)",
    "Verdict: A [B]",
    "Verdict: A: B",
    "Verdict: A... or B",
    "Verdict: first, second",
    "Response A is better: false",
    "Verdict: A (0.4), B (0.6)",
    "Verdict: A \u274c",
    "I would not say Response A is better.",
    "I would say Response A is better in style.",
    "Verdict: even B fails",
    "Verdict\uff1aA\uff1f",
    "The result is not a tie.",
    "The result is a tie-breaker",
    "The result is A.",
    "Both responses are equally good in style. A is true.",
    "Both responses are equally good, but A is shorter.",
    "Both responses are not equally good.",
    "They are equally good. I'd lean A.",
    "It is not true that they are equally good.",
    "Neither response is better in style.",
    "Neither serves the user better.",
    "The final answer is not A",
    "The final answer is A. Response B gives it.",
    "The final answer is A in both; B explains it.",
    "Response A concludes: The final answer is A",
    "I do not prefer A",
    "I prefer A, not really",
    "I prefer A, not A",
    "I would choose response B if it were shorter.",
    "I choose response B's style.",
    "My vote does not go to B.",
    "Response A does a better job of explaining.",
    "Response A does not do a better job.",
    "Response A hardly serves the user better.",
    "Response A outperforms Response A.",
    "Response A beats Response B in style.",
    "The user asked for [RESULT] A",
    "[RESULT] A or B",
    "<verdict>not A</verdict>",
    "Style verdict: A",
    "Accuracy winner: A\n\nI prefer B.",
    "Verdict: A\n\nResponse B is clearly better.",
    '{"verdict": "A"}\n\nResponse B is better.',
    "Response B gives two answers. The first answer is better.",
    "The latter is better.",
    "1",
    "Verdict: 1",
    "8 6",
    "As an AI, I have no preference.",
]
NAMED = [
    ("1", "A", NUMBERED),
    ("2\n\n### Reason: it is true.", "B", NUMBERED),
    ("Verdict: 2", "B", NUMBERED),
    ("[[2]]", "B", NUMBERED),
    ('{"verdict": "2"}', "B", NUMBERED),
    ("So, the final decision is Response 1.", "A", NUMBERED),
    ("Tie", "tie", NUMBERED),
    ("8 6\n\nThe first is true.", "A", SCORED),
    ("6, 8", "B", SCORED),
    ("7 7", "tie", SCORED),
]
UNNAMED = [
    ("Verdict:\n1. Response 1 is good\n2. Response 2 is bad", NUMBERED),
    ("Verdict: 1 or 2", NUMBERED),
    ("Verdict: 2 to 1", NUMBERED),
    ("8 6", NUMBERED),
    ("8 6 4", SCORED),
    ("8 6", SCORED + " Rank them."),
    ("first", TURNED),
    ("The first response is better.", TURNED),
]


@pytest.mark.parametrize(("answer", "verdict"), VERDICTS)
def test_a_verdict_in_a_judges_form_is_read(answer, verdict):
    assert read_verdict(answer, ["2 + 2?", "It is 4.", "Five."]) == verdict


@pytest.mark.parametrize("answer", NO_VERDICTS)
def test_a_form_that_is_turned_is_no_verdict(answer):
    with pytest.raises(RecordError, match="the answer names no verdict"):
        read_verdict(answer)


@pytest.mark.parametrize(("answer", "verdict", "template"), NAMED)
def test_numbers_are_verdicts_where_the_rubric_asks_for_them(answer, verdict, template):
    assert read_verdict(answer, [], template) == verdict


@pytest.mark.parametrize(("answer", "template"), UNNAMED)
def test_numbers_that_the_rubric_does_not_ask_for_are_none(answer, template):
    with pytest.raises(RecordError, match="the answer names no verdict"):
        read_verdict(answer, [], template)


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("The final answer is A", CHOICES),
        ("Answer: A", CHOICES),
        ("Model A is better.", ["Is Model A or model B faster?", "A.", "B."]),
        ("Well, the result is clear. It's a draw.", MATCH),
    ],
)
def test_what_may_be_said_of_the_task_is_no_verdict(answer, shown):
    with pytest.raises(RecordError, match="the answer names no verdict"):
        read_verdict(answer, shown)


def test_a_verdict_on_a_task_with_choices_is_read():
    assert [read_verdict(answer, CHOICES) for answer in ("A", "Verdict: A", "Response B is better.")] == ["A", "A", "B"]


RATINGS = [
    *[f"Rating {link} 4" for link in ("-", "\u2014", "->", "|", "=")],
    "Rating\uff1a\uff14",
    "Rating: 4 out of 5",
    "Rating: 4/5 stars",
    "Rating: 4 of 5",
    "4 stars",
    "4 stars out of 5",
    "Score (max 5): 4",
    "Maximum score: 5\nScore: 4",
    "4/5 - good",
    "**Score:** 4",
    "| Score | 4 |",
    "Score (1-5): 4",
    "Score (out of 5): **4**",
    "Grade: 4",
    "Overall: 4/5",
    "[RESULT] 4",
    "Feedback: It is good. [RESULT] (4)",
    "Score: \\boxed{4}",
    "This deserves a 4.",
    "This deserves a 4, not a 5.",
    '{"overall": 4}',
    '{"final_score": 4}',
    "{'score': 4}",
]
NO_RATINGS = [
    "Rating - 4 or 5",
    "Maximum score: 5",
    "Score | 3 |\nOverall | 4 |",
    "Rating: 4 stars?",
    "Rating: 4/5 stars, or 3",
    "Rating: 4 of 10",
    "Score: 4 (minus 1 for length)",
    "This doesn't deserve a 4.",
    "Grade: 4 pupils",
    "Overall: 4 mistakes.",
    "Score | 4 | 3 |",
    "[RESULT] 4 or 5",
    "4 stars shine",
    "Score (1-5)",
]


@pytest.mark.parametrize("answer", RATINGS)
def test_a_rating_in_a_judges_form_is_read(answer):
    assert read_rating(1, 5, not_applicable=False)(answer) == 4


@pytest.mark.parametrize("answer", NO_RATINGS)
def test_a_form_that_is_turned_is_no_rating(answer):
    with pytest.raises(RecordError):
        read_rating(1, 5, not_applicable=False)(answer)


TABLES = [
    "Response 1: 4, Response 2: 2",
    "Response 2: 2; Response 1: 4",
    "**Response 1:** 4, **Response 2:** 2",
    "Ratings: Response 1: 4/5 and Response 2: 2/5",
    "Response 1 - 4\nResponse 2 - 2",
    "Response 1\uff1a4\nResponse 2\uff1a2",
    "Rating for Response 1: 4\nRating for Response 2: 2",
    "| Response 1 | 4 |\n| Response 2 | 2 |",
    "| Response | Rating | Why |\n|---|---|---|\n| 1 | **4** | true |\n| 2 | 2 | false |",
    "1. 4\n2. 2",
    '{"ratings": {"1": 4, "2": 2}}',
    '{"Response 1": 4, "Response 2": 2}',
    '{"response1": {"rationale": "x", "rating": 4}, "response2": {"rating": 2}}',
    '{"scores": [4, 2]}',
    "[4, 2]",
    "```json\n[4, 2]\n```",
    "Ratings: [4, 2]",
    "4 2\nThe first one is true.",
    "4/5, 2/5",
    "{'ratings': [{'response': 1, 'rating': 4}, {'response': 2, 'rating': 2}]}",
    "Response 1: 4, Response 2: 2\n[4, 2]",
]
NO_TABLES = [
    "Response 1: 4, Response 2: 2, Response 1: 3",
    "Response 1: 4, Response 2: 2 is the format.",
    "Format: Response 1: 4, Response 2: 2",
    "If asked, Response 1: 4, Response 2: 2",
    "Response 1: 4, Response 2: 2. No, swap them.",
    "Response 1: 4, Response 2: 2\n[2, 4]",
    "4 2\nResponse 1: 2, Response 2: 4",
    "4 2 1",
    "4 and 2",
    "The list [4, 2] is wrong.",
    "1. 4\n2. 2\n3. 5",
    '{"1": 4, "2": 2} {"1": 2, "2": 4}',
    '{"ratings": [4, 2], "scores": [2, 4]}',
    '{"ratings": {"1": 4, "3": 2}}',
    '{"2023": 4, "2024": 2}',
    "| Response | Errors |\n|---|---|\n| 1 | 4 |\n| 2 | 2 |",
    "| Criterion | Score |\n|---|---|\n| 1 | 4 |\n| 2 | 2 |",
    "| Response | Style score | Truth score |\n|---|---|---|\n| 1 | 4 | 2 |\n| 2 | 2 | 4 |",
]


@pytest.mark.parametrize("answer", TABLES)
def test_a_table_of_ratings_is_read(answer):
    assert [rating for rating, _ in read_ratings(2, 1, 5, not_applicable=False)(answer)] == [4, 2]


@pytest.mark.parametrize("answer", NO_TABLES)
def test_numbers_that_are_no_table_rate_nothing(answer):
    with pytest.raises(RecordError):
        read_ratings(2, 1, 5, not_applicable=False)(answer)


def test_a_table_that_a_response_holds_is_not_the_judges():
    read = read_ratings(2, 1, 5, not_applicable=False, shown=["Response 1: 1, Response 2: 5", "x"])
    answer = "It says:\nResponse 1: 1, Response 2: 5\n\nResponse 1: 4, Response 2: 2"
    assert [rating for rating, _ in read(answer)] == [4, 2]


def test_the_reason_for_a_rating_keeps_its_own_marks():
    answer = "Response 1\nRating\uff1a4\nIt is \u201ctrue\u201d\u3002\nResponse 2\nRating: 2"
    assert "\u201ctrue\u201d\u3002" in read_ratings(2, 1, 5, not_applicable=False)(answer)[0][1]


EASE = TagField("difficulty", ("very easy", "easy", "hard"))
TAGS = [
    "Difficulty - hard",
    "**Difficulty** \u2014 hard",
    "Difficulty\uff1ahard",
    "Difficulty -> hard",
    "| Difficulty | hard |",
    "{'difficulty': 'hard'}",
    '"{\\"difficulty\\": \\"hard\\"}"',
]
NO_TAGS = [
    "Difficulty - hard to say",
    "| Difficulty | easy | hard |",
    "Difficulty - easy or hard",
    "Difficulty - not hard",
]


@pytest.mark.parametrize("answer", TAGS)
def test_a_tag_in_a_judges_form_is_read(answer):
    assert read_tags((EASE,))(answer) == {"difficulty": "hard"}


@pytest.mark.parametrize("answer", NO_TAGS)
def test_a_form_that_is_turned_is_no_tag(answer):
    with pytest.raises(RecordError):
        read_tags((EASE,))(answer)


@pytest.mark.parametrize(
    "piece", ["*", " ", "\n", "\t\n", "|---|\n", "Response 1: 4 ", "4, ", "1: 4\n", "```\n", "is "]
)
def test_a_judge_that_repeats_a_mark_is_read_at_once(piece):
    text = piece * (30_000 // len(piece))
    begun = time.process_time()
    for read in (
        lambda text: read_verdict(text, [text], NUMBERED),
        read_rating(1, 10, not_applicable=False),
        read_ratings(2, 1, 5, not_applicable=False, shown=[text]),
    ):
        with contextlib.suppress(RecordError):
            read(text)
    assert time.process_time() - begun < 4
