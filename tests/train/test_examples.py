"""From records to examples."""

import pytest

from real_cli.errors import RecordError
from real_cli.train.examples import ExampleReader
from real_cli.train.objective import Column, Responses

PAIR = {"prompt": "q", "chosen": "a", "rejected": "b"}


def turn(text, role="assistant"):
    return [{"role": role, "content": text}]


def test_a_triple_is_the_pair_and_its_third_response_in_the_form_of_the_prompt():
    """After a conversation a string becomes an assistant's message."""
    record = {"prompt": turn("q", "user"), "chosen": turn("a"), "rejected": turn("b"), "reference": "c"}
    assert ExampleReader(Responses.triple)(record).responses == [turn("a"), turn("b"), turn("c")]


def test_degraded_copies_follow_the_pair_with_their_degrees():
    record = PAIR | {"degraded": [{"text": "aa", "degree": 2}, {"text": "aaa", "degree": 1}]}
    example = ExampleReader(Responses.copies, levels=3)(record)
    assert (example.responses, example.marks) == (["a", "b", "aa", "aaa"], [0, 0, 2, 1])
    with pytest.raises(RecordError, match="degree 2; with --levels 2 the highest is one less"):
        ExampleReader(Responses.copies, levels=2)(record)


@pytest.mark.parametrize("degree", [-1, 0.5, "1", None, True])
def test_a_degree_is_a_whole_number_from_zero(degree):
    with pytest.raises(RecordError, match="degraded copy 1 is"):
        ExampleReader(Responses.copies)(PAIR | {"degraded": [{"text": "a", "degree": degree}]})


def test_a_ranking_is_sorted_by_score_and_equal_scores_keep_their_order():
    """Of candidates, and of a pair that carries its scores."""
    responses = [{"text": text, "score": score} for text, score in zip("abcd", (1, 3, 1, 2), strict=True)]
    example = ExampleReader(Responses.ranking)({"prompt": "q", "responses": responses})
    assert (example.responses, example.marks) == (["b", "d", "a", "c"], [3, 2, 1, 1])
    pair = PAIR | {"score_chosen": 1, "score_rejected": 2}
    assert ExampleReader(Responses.ranking)(pair).responses == ["b", "a"]


@pytest.mark.parametrize(
    ("responses", "record", "complaint"),
    [
        (Responses.ranking, {"prompt": "q", "responses": [{"text": "a", "score": 1}]}, "1 responses; a ranking needs"),
        (Responses.ranking, {"prompt": "q", "responses": [{"text": "a"}]}, "response 1 has no 'score'"),
        (Responses.ranking, PAIR, "response 1 has no 'score'"),
        (Responses.pair, {"prompt": "q", "responses": [{"text": "a"}, {"text": "b"}]}, "2 responses and no 'chosen'"),
        (Responses.triple, PAIR, "field 'reference' is None; a third response is needed"),
        (Responses.triple, PAIR | {"reference": turn("c")}, "both must have one form"),
    ],
)
def test_a_record_of_another_shape_is_refused(responses, record, complaint):
    with pytest.raises(RecordError, match=complaint):
        ExampleReader(responses)(record)


def test_numbers_are_read_from_their_own_field_or_the_one_that_is_named():
    reader = ExampleReader(Responses.pair, [Column("weight", 0), Column("offset")], {"weight": "gain"})
    assert reader.columns == ["weight", "offset"]
    assert reader(PAIR | {"gain": 2, "offset": -1.5}).columns == {"weight": 2.0, "offset": -1.5}


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(-1, "a number from 0 to 1"), (1.1, "a number from 0 to 1"), (True, "a number from 0 to 1"), ("1", "a number")],
)
def test_a_number_out_of_its_range_is_refused(value, wanted):
    with pytest.raises(RecordError, match=f"field 'p' is .*; {wanted}"):
        ExampleReader(Responses.pair, [Column("p", 0, 1)])(PAIR | {"p": value})


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_number_that_is_none_is_refused(value):
    """JSON has neither; a parquet file may."""
    with pytest.raises(RecordError, match="field 'p' is"):
        ExampleReader(Responses.pair, [Column("p")])(PAIR | {"p": value})
