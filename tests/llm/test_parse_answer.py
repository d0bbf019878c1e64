"""What a judge's words say, Methods 11(g): what tripped the official parser is read here."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from real_cli.errors import RecordError
from real_cli.llm.parse_answer import check_rating, find_json, read_rating, read_ratings, read_verdict, spoken

FENCE = "```"
words = st.text(st.characters(exclude_characters="{}", exclude_categories=["Cs"]), max_size=30)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


# JSON among words


@given(before=words, value=st.dictionaries(words, values, max_size=4), after=words)
@settings(max_examples=200)
def test_any_object_is_found_in_prose_without_braces(before, value, after):
    assert find_json(before + json.dumps(value) + after) == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f'{FENCE}json\n{{"verdict": "A"}}\n{FENCE}', {"verdict": "A"}),
        ('The set {1, 2} matters.\n{"verdict": "A"}', {"verdict": "A"}),
        ('{"a": 1} and then {"b": {"c": 2}}', {"b": {"c": 2}}),
        ('{"reasons": "it says \\"}\\" and {", "verdict": "B"}', {"reasons": 'it says "}" and {', "verdict": "B"}),
        ('{"reasons": "two\nlines", "verdict": "B"}', {"reasons": "two\nlines", "verdict": "B"}),
        ('{ { "a": 1 }', {"a": 1}),
        ('{"a": 1', None),
        ("[1, 2]", None),
        ('{"a": "\\ud800"}', None),  # half a surrogate cannot be written again
        ("", None),
    ],
)
def test_an_object_is_found_where_it_is(text, expected):
    assert find_json(text) == expected


@pytest.mark.parametrize("text", ["{" * 20_000, '{"a":' * 4_000, '{"' * 20_000])
def test_a_judge_that_opens_braces_for_ever_is_read_at_once(text):
    started = time.process_time()
    assert find_json(text) is None
    assert time.process_time() - started < 2


# Verdicts


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("A", "A"),
        ("b", "B"),
        (" **B** \n", "B"),
        ('"tie"', "tie"),
        ("Tie.", "tie"),
        ("Response A", "A"),
        ("Assistant B.", "B"),
        ("[[A]]", "A"),
        ("[[C]]", "tie"),
        ("At first [[A]], but no: [[B]]", "B"),
        ('{"verdict": "A"}', "A"),
        ('{"reasons": "Response B is better in style.", "verdict": "a"}', "A"),
        ('{"verdict": "Response B"}', "B"),
        ('{"verdict": "Response B is better"}', "B"),
        (f'Sure!\n{FENCE}json\n{{"reasons": "x", "verdict": "tie"}}\n{FENCE}', "tie"),
        ("Both are fine, but B is shorter. Verdict: A", "A"),
        ("My verdict is **B**.", "B"),
        ("Final verdict: Response A", "A"),
        ("**Winner**: B", "B"),
        ("Response A is better.", "A"),
        ("Response A is the clearly better one.", "A"),
        ("Response B wins", "B"),
        ("The preferred response is A because it is true.", "A"),
        ("Verdict: tie", "tie"),
        ('{"reasons": "cut off", "verdict": "A', "A"),
        ("<think>Verdict: A? No.</think>\nB", "B"),
        ('<think>{"verdict": "A"}</think>{"verdict": "B"}', "B"),
    ],
)
def test_a_verdict_is_read(text, verdict):
    assert read_verdict(text) == verdict


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I cannot judge that.",
        "A, B or tie",
        '{"verdict": "A, B or tie"}',
        "verdict: A, B or tie",
        "verdict: A/B/tie",
        "Response A is better in style. Response B is better in substance.",
        "The answer is a good one.",
        "The answer is a bit long, I would say.",
        'The answer is a "no" in other words.',
        "Answer: A better one would say why.",
        "Response A is not better.",
        "C",
        "[[D]]",
        '{"verdict": null}',
        '{"verdict": 1}',
        "<think>A",
    ],
)
def test_no_verdict_is_invented(text):
    with pytest.raises(RecordError, match=r"the answer names no verdict \(A, B or tie\): "):
        read_verdict(text)


def test_a_message_shows_a_piece_of_a_long_answer_on_one_line():
    with pytest.raises(RecordError) as caught:
        read_verdict("no\nidea " * 1000)
    assert len(str(caught.value)) < 120
    assert "\n" not in str(caught.value)


def test_what_is_said_comes_after_thoughts():
    assert spoken("<think>a\nb</think>c") == "c"
    assert spoken("a <think>b</think>") == ""
    assert spoken("I think so, after some thinking.") == "I think so, after some thinking."


# One rating


@pytest.mark.parametrize(
    ("text", "rating"),
    [
        ("7", 7),
        (" **7**.", 7),
        ("7/10", 7),
        ("7.5", 7.5),
        ("10", 10),
        ('{"feedback": "Score: 3 was earlier", "score": 8}', 8),
        ('{"feedback": "x", "rating": "8"}', 8),
        ('{"score": "8/10"}', 8),
        ('{"score": 8.0}', 8),
        ("Overall Score: 7.5", 7.5),
        ("Fine work.\n\n**Overall Score:** 7/10", 7),
        ("Score for style: 5. Overall Score: 7", 7),
        ("I give it a score of 9 out of 10.", 9),
        ('{"Score": 6}', 6),
        (f"{FENCE}\nRating: [4]\n{FENCE}", 4),
        ("<think>Score: 2</think>Score: 3", 3),
    ],
)
def test_a_rating_is_read(text, rating):
    read = read_rating(1, 10, not_applicable=False)(text)
    assert (read, type(read)) == (rating, type(rating))


@pytest.mark.parametrize(
    "text",
    ["", "good", "Score: 1-10", "Score: 1 to 10", "rating: 1 or 10", "Score: [1, 10]", "Score (from 1 to 10)", "{}"],
)
def test_the_echo_of_a_scale_is_no_rating(text):
    with pytest.raises(RecordError, match="the answer names no rating from 1 to 10"):
        read_rating(1, 10, not_applicable=False)(text)


@pytest.mark.parametrize(
    "text", ["0", "11", "-3", "70/100", "4/5", "Score: 4 out of 5", "N/A", '{"score": true}', '{"score": null}', "1e9"]
)
def test_what_is_not_on_the_scale_is_refused(text):
    """4/5 and 4 of 10 are not the same."""
    with pytest.raises(RecordError):
        read_rating(1, 10, not_applicable=False)(text)


@pytest.mark.parametrize("text", ["N/A", "n/a", '{"rating": "N/A"}', "Rating: N/A", '{"score": "NA"}'])
def test_not_applicable_is_a_rating_where_it_may_be(text):
    assert read_rating(1, 5, not_applicable=True)(text) == "N/A"


@pytest.mark.parametrize("value", [True, None, [4], {}, "4_0", "four", "nan", "inf", float("nan"), 5.5, 0.9, "4/10"])
def test_only_numbers_of_the_scale_are_ratings(value):
    with pytest.raises(RecordError, match="is not from 1 to 5 or N/A"):
        check_rating(value, 1, 5, not_applicable=True)


@given(st.floats(1, 5))
def test_a_number_of_the_scale_is_itself(value):
    assert check_rating(value, 1, 5, not_applicable=False) == value


# Several ratings in one answer

ROWS = [{"response": 1, "rationale": "r1", "rating": 4}, {"response": 2, "rationale": "r2", "rating": "N/A"}]
BOTH = [(4, "r1"), ("N/A", "r2")]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"ratings": ROWS}),
        json.dumps({"ratings": ROWS[::-1]}),
        json.dumps(ROWS),
        "\n".join(map(json.dumps, ROWS)),
        f"Here:\n{FENCE}json\n{json.dumps({'ratings': ROWS}, indent=1)}\n{FENCE}",
        json.dumps({"ratings": [row | {"response": str(row["response"])} for row in ROWS]}),
        json.dumps({"ratings": [row | {"response": f"Response {row['response']}"} for row in ROWS]}),
        json.dumps({"ratings": [{"rationale": row["rationale"], "score": row["rating"]} for row in ROWS]}),
    ],
)
def test_ratings_are_read_in_the_order_shown(text):
    assert read_ratings(2, 1, 5, not_applicable=True)(text) == BOTH


@pytest.mark.parametrize(
    "text",
    [
        "Response 1\nRating: 4\n\nResponse 2\nRating: 2",
        "#### Output for Text 1\nRating: 4\n\nRationale: long,\n\nwith gaps.\n\n#### Output for Text 2\nRating: 2",
        "**Response 1**: fine. Rating: 4/5\n**Response 2**: worse than Response 1. Rating: 2/5",
    ],
)
def test_paragraphs_are_read(text):
    """Methods 11(g): a blank line within a rationale broke the official parser."""
    assert [rating for rating, _ in read_ratings(2, 1, 5, not_applicable=True)(text)] == [4, 2]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4 and 2",
        "Response 1\nRating: 4",
        "Response 1\nRating: 4\nResponse 2\nRating: 9",
        "Response 1\nRating: 4\nResponse 1\nRating: 2\nResponse 2\nRating: 2",
        "Response 1 beats Response 2. It is clear. Rating: 5, against Response 1. Rating: 3",
        json.dumps({"ratings": ROWS[:1]}),
        json.dumps({"ratings": [ROWS[0], ROWS[0]]}),
        json.dumps({"ratings": [*ROWS, ROWS[0] | {"response": 3}]}),
        json.dumps({"ratings": [ROWS[0], 3]}),
        json.dumps({"ratings": [ROWS[0], ROWS[1] | {"response": None}]}),
        json.dumps({"ratings": [ROWS[0], {"response": 2}]}),
        json.dumps({"ratings": []}),
        '{"ratings": [{"response": 1, "rating": "a number from 1 to 5"}, {"response": 2, "rating": "N/A"}]}',
    ],
)
def test_each_response_is_rated_once_or_nothing_is_read(text):
    with pytest.raises(RecordError):
        read_ratings(2, 1, 5, not_applicable=True)(text)
