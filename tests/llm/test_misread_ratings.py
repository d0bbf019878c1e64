"""Answers whose ratings belong to another response, another scale or a part, or were revised: unread, never wrong."""

import json

import pytest

from real_cli.errors import RecordError
from real_cli.llm.parse_answer import read_rating, read_ratings

NAMES = [
    "response_id",
    "responseId",
    "response_number",
    "response_no",
    "response_index",
    "Response",
    "name",
    "label",
    "output",
    "candidate",
    "text",
    "answer",
    "completion",
    "model",
    "which",
    "item",
    "#",
    "key",
    "idx",
    "num",
    "title",
    "choice",
    "option",
    "assistant",
    "who",
    "ResponseNumber",
    "slot",
]
SECOND = [2, "2", "Response 2", "response_2", "B", "Response B", "second", "the second response"]
FIRST = [1, "1", "Response 1", "response_1", "A", "Response A", "first", "the first response"]


def ratings(answer: str, low: int = 1, high: int = 5) -> list[float | str]:
    return [rating for rating, _ in read_ratings(2, low, high, not_applicable=False)(answer)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("second", "first"), list(zip(SECOND, FIRST, strict=True)))
def test_rows_in_another_order_are_never_read_in_their_order(name, second, first):
    rows = [{name: second, "rationale": "Right.", "rating": 5}, {name: first, "rationale": "Wrong.", "rating": 1}]
    try:
        read = ratings(json.dumps({"ratings": rows}))
    except RecordError:
        read = [1, 5]
    assert read == [1, 5]


@pytest.mark.parametrize("name", ["response_id", "responseId", "Response", "name", "label", "which", "#", "idx", "num"])
def test_rows_are_read_by_the_names_that_public_judges_give_them(name):
    rows = [{name: 2, "rationale": "Right.", "rating": 5}, {name: 1, "rationale": "Wrong.", "rating": 1}]
    assert ratings(json.dumps({"ratings": rows})) == [1, 5]
    assert ratings(json.dumps(rows)) == [1, 5]


UNREAD = {
    "two names that differ": '{"ratings":[{"id":1,"response":"Response 2","rating":5},'
    '{"id":2,"response":"Response 1","rating":1}]}',
    "names of another list": '{"responses":["Response 2","Response 1"],"ratings":[5,1]}',
    "an order beside": '{"order":[2,1],"ratings":[5,1]}',
    "final ratings beside": '{"ratings":[4,2],"final_ratings":[3,2]}',
    "adjusted scores beside": '{"scores":[4,2],"adjusted_scores":[4,3]}',
    "ranked rows": '{"ratings":[{"rank":1,"rating":5},{"rank":2,"rating":1}]}',
    "unknown names": '{"ratings":[{"model":"blue","rating":5},{"model":"red","rating":1}]}',
    "a scale beside": '{"scale":"1-10","ratings":[4,2]}',
    "a maximum beside": '{"max":10,"ratings":[{"response":1,"rating":4},{"response":2,"rating":2}]}',
    "a maximum in a row": '{"ratings":[{"response":1,"rating":4,"max":10},{"response":2,"rating":2,"max":10}]}',
    "revised in a row": '{"ratings":[{"response":1,"rating":4,"revised_rating":3},{"response":2,"rating":2}]}',
    "a revised line": "Response 1\nRating: 4\nRevised rating: 3\nResponse 2\nRating: 2",
    "a revised line of both": "Response 1: 4\nResponse 2: 2\nRevised: Response 1: 3",
    "a reason that names another": '{"ratings":[{"rationale":"Response 2 is right.","rating":4},'
    '{"rationale":"Response 1 is wrong.","rating":2}]}',
    "names in inner objects": '{"ratings":[{"meta":{"response":2},"rating":4},{"meta":{"response":1},"rating":2}]}',
    "reversed": '{"ratings":[4,2],"reversed":true}',
    "revised by name": '{"Response 1":{"rating":4,"revised_rating":3},"Response 2":{"rating":2}}',
    "should be": "Response 1\nRating: 4 (should be 3)\nResponse 2\nRating: 2",
    "lowered below": "Response 1\nRating: 4\nResponse 2\nRating: 2\n\nI would lower Response 1 to 3.",
    "doubled keys": '{"ratings":[{"response":1,"rating":4,"rating":3},{"response":2,"rating":2}]}',
    "a table's other column": "| # | Response | Rating |\n|--|--|--|\n| 1 | Response 2 | 2 |\n| 2 | Response 1 | 4 |",
    "a table's letters": "| No. | Name | Rating |\n|---|---|---|\n| 1 | B | 2 |\n| 2 | A | 4 |",
    "out of ten": "Response 1: 4 (out of 10)\nResponse 2: 2 (out of 10)",
    "out of ten below": "Response 1\nRating: 4, out of 10\nResponse 2\nRating: 2, out of 10",
}


@pytest.mark.parametrize("answer", UNREAD.values(), ids=UNREAD)
def test_ratings_of_several_in_doubt_are_unread(answer):
    with pytest.raises(RecordError):
        ratings(answer)


READ = {
    "a rank beside a name": '{"ratings":[{"response":1,"rank":2,"rating":4},{"response":2,"rank":3,"rating":2}]}',
    "aspects": '{"ratings":[{"response":1,"helpfulness":3,"rating":4},{"response":2,"helpfulness":3,"rating":2}]}',
    "reasons that name the other": '{"ratings":[{"rationale":"Longer than Response 2.","rating":4},'
    '{"rationale":"Shorter than Response 1.","rating":2}]}',
    "reasons beside": '{"rationales":["Right.","Wrong."],"ratings":[4,2]}',
    "the same order twice": '{"responses":["Response 1","Response 2"],"ratings":[4,2]}',
    "the same scale": '{"scale":"1-5","ratings":[4,2]}',
    "the same maximum": '{"max":5,"ratings":[4,2]}',
    "a table with reasons": "| # | Rating | Why |\n|---|---|---|\n| 1 | 4 | Right. |\n| 2 | 2 | Wrong. |",
    "a table that agrees": "| # | Response | Rating |\n|---|---|---|\n| 1 | Response 1 | 4 |\n| 2 | Response 2 | 2 |",
    "out of five": "Response 1: 4 (out of 5)\nResponse 2: 2 (out of 5)",
}


@pytest.mark.parametrize("answer", READ.values(), ids=READ)
def test_ratings_of_several_that_agree_with_what_stands_beside_are_read(answer):
    assert ratings(answer) == [4, 2]


DOUBTFUL = {
    "out of five": "Rating: 4 (out of 5)",
    "out of five behind a comma": "Rating: 4, out of 5",
    "out of five in brackets": "Rating: 4 [out of 5]",
    "of five": "Rating: 4 (of 5)",
    "a maximum in brackets": "Rating: 4 (max 5)",
    "a scale in brackets": "Rating: 4 (on a scale of 1 to 5)",
    "a scale of points": "Rating: 4 on a 5-point scale",
    "a scale before": "On a scale from 1 to 5, rating: 4",
    "a maximum in JSON": '{"score":7,"max":5}',
    "a text of a maximum in JSON": '{"score":4,"out_of":"5"}',
    "a scale in JSON": '{"scale":"1-5","score":4}',
    "a maximal score in JSON": '{"score":4,"maxScore":5}',
    "revised": "Rating: 9\nRevised rating: 6",
    "adjusted": "Score: 9\nAdjusted score: 6",
    "revised alone on its line": "Rating: 9\nRevised: 6",
    "adjusted in JSON": '{"score":9,"adjusted_score":6}',
    "final in JSON": '{"score":9,"final":6}',
    "total in JSON": '{"score":4,"total":9}',
    "a criterion in JSON": '{"criteria":[{"name":"tone","score":4}],"total":9}',
    "criteria in JSON": '{"tone":{"score":4},"facts":{"score":9}}',
    "two parts": "Rating: 9 (style), 3 (facts)",
    "two parts by name": "Rating: 9 for style, 3 for facts",
    "adjusted to": "Rating: 9, adjusted to 6",
    "lowered to": "Rating: 9, lowered to 6 for its tone",
    "make that": "Rating: 9. Hmm, make that 6.",
    "should be": "Rating: 9. It should be 6.",
    "I mean": "Rating: 9. I mean 6.",
    "confidence": "Confidence score: 9",
    "average": "The average score is 5.",
    "previous": "Previous rating: 5",
    "another number below": "Rating: 9\n6",
    "within unknown tags": "<internal>Rating: 9</internal>6",
    "doubled": '{"score":9,"score":6}',
    "edit": "Rating: 9\nEdit: 6",
    "a penalty in JSON": '{"score":9,"penalty":3}',
    "after a penalty in JSON": '{"score":9,"score_after_penalty":6}',
    "a note in JSON": '{"score":9,"note":"should be 6"}',
    "minus": "Rating: 9. Minus 3 for tone.",
    "fairer": "Rating: 9.\n6 is fairer.",
    "final below": "Rating: 9\n...\nFinal: 6",
}


@pytest.mark.parametrize("answer", DOUBTFUL.values(), ids=DOUBTFUL)
def test_a_rating_in_doubt_is_unread(answer):
    try:
        rating = read_rating(1, 10, not_applicable=False)(answer)
    except RecordError:
        return
    assert rating == 6


@pytest.mark.parametrize(
    ("answer", "rating"),
    [
        ("Rating: 4 (out of 10)", 4),
        ("Rating: 4, out of 10", 4),
        ("Rating: 4 (max 10)", 4),
        ('{"score":7,"max":10}', 7),
        ('{"score":7,"scale":"1-10"}', 7),
        ("On a scale from 1 to 10, rating: 4", 4),
        ('{"style_score":4,"score":9}', 9),
        ('{"criteria":[{"name":"tone","score":4}],"score":9}', 9),
        ('{"result":{"score":9,"reasons":"Right."}}', 9),
        ("The average score is 5; this one deserves 8.", 8),
        ("Rating: 8, since 4 of its 5 claims are true", 8),
        ("Rating: 8 (good)\nConfidence: 9", 8),
        ("Rating: 9\nFinal rating: 6", 6),
        ("Style score: 8", 8),
        ("Rating: 9\n9", 9),
        ("Rating: 2\nRationale: The sum should be 6.", 2),
        ('{"feedback":"The sum should be 6, it says 8.","score":2}', 2),
        ("Rating: 2. It says that prices increased to 6 dollars.", 2),
        ("Rating: 2. 9 minus 3 is 6.", 2),
    ],
)
def test_a_rating_beside_other_numbers_is_read(answer, rating):
    assert read_rating(1, 10, not_applicable=False)(answer) == rating
