"""The two shapes of a record and the way from one to the other, there and back."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from real_cli.errors import RecordError
from real_cli.records.record import (
    check_candidates,
    check_labeled,
    check_preference,
    content_key,
    is_preference,
    labeled_fields,
    swap_labels,
    to_candidates,
    to_preference,
)

USER = [{"role": "user", "content": "q"}]
PAIR = {
    "id": 7,
    "prompt": "q",
    "chosen": "a",
    "rejected": "b",
    "score_chosen": 9,
    "score_rejected": 4,
    "ref_chosen_logps": -1.5,
    "ref_rejected_logps": -2.5,
    "similarity": 0.5,
    "note": None,
}

values = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
names = st.sampled_from(["score", "model", "length", "critique"])
both = st.dictionaries(names, st.tuples(values, values))


@st.composite
def preferences(draw):
    """A preference record: its own fields, and some that come in pairs."""
    record = {"id": draw(values), "prompt": draw(st.text()), "chosen": draw(st.text()), "rejected": draw(st.text())}
    for name, (chosen, rejected) in draw(both).items():
        record |= {f"{name}_chosen": chosen, f"{name}_rejected": rejected}
    if draw(st.booleans()):
        record |= {"ref_chosen_logps": draw(values), "ref_rejected_logps": draw(values)}
    return record | draw(st.dictionaries(st.sampled_from(["similarity", "strategy", "x"]), values))


# There and back


def test_a_pair_becomes_candidates_in_order_with_ranks():
    assert json.dumps(to_candidates(PAIR)) == json.dumps(
        {
            "id": 7,
            "prompt": "q",
            "responses": [
                {"text": "a", "ref_logps": -1.5, "score": 9, "rank": 1},
                {"text": "b", "ref_logps": -2.5, "score": 4, "rank": 2},
            ],
            "similarity": 0.5,
            "note": None,
        }
    )


def test_candidates_become_a_pair_with_the_fields_of_both_responses():
    record = {
        "id": 7,
        "prompt": "q",
        "responses": [
            {"text": "a", "score": 1, "rank": 2, "embedding": [1, 0], "embedding_dtype": "float16"},
            {"text": "b", "score": 3, "model": "m", "ref_logps": -2.0, "rank": 1, "embedding": [0, 1]},
        ],
        "note": "kept",
    }
    first, second = record["responses"]
    assert json.dumps(to_preference(record, second, first, {"similarity": 0.0})) == json.dumps(
        {
            "id": 7,
            "prompt": "q",
            "chosen": "b",
            "rejected": "a",
            "score_chosen": 3,
            "score_rejected": 1,
            "model_chosen": "m",
            "ref_chosen_logps": -2.0,
            "note": "kept",
            "similarity": 0.0,
        }
    )


def test_a_text_after_a_conversation_becomes_an_assistant_message():
    record = {"prompt": USER, "responses": [{"text": "a"}, {"text": [{"role": "assistant", "content": "b"}]}]}
    pair = to_preference(record, *record["responses"], {})
    assert pair["chosen"] == [{"role": "assistant", "content": "a"}]
    assert pair["rejected"] == [{"role": "assistant", "content": "b"}]


def test_candidates_are_candidates_already():
    record = {"prompt": "q", "responses": []}
    assert to_candidates(record) is record


@given(preferences())
def test_a_pair_made_candidates_and_a_pair_again_is_the_same_pair(record):
    candidates = to_candidates(record)
    first, second = candidates["responses"]
    assert to_preference(candidates, first, second, {}) == record


@given(preferences())
def test_chosen_the_other_way_round_it_is_the_swapped_pair(record):
    candidates = to_candidates(record)
    first, second = candidates["responses"]
    assert to_preference(candidates, second, first, {}) == swap_labels(record)


@given(preferences())
def test_swapping_twice_gives_the_record_back(record):
    assert json.dumps(swap_labels(swap_labels(record))) == json.dumps(record)


def test_swapping_exchanges_every_field_that_belongs_to_a_response_and_no_other():
    assert json.dumps(swap_labels(PAIR)) == json.dumps(
        {
            "id": 7,
            "prompt": "q",
            "chosen": "b",
            "rejected": "a",
            "score_chosen": 4,
            "score_rejected": 9,
            "ref_chosen_logps": -2.5,
            "ref_rejected_logps": -1.5,
            "similarity": 0.5,
            "note": None,
        }
    )


def test_the_record_itself_is_never_changed():
    before = json.dumps(PAIR)
    swap_labels(PAIR)
    first, second = to_candidates(PAIR)["responses"]
    to_preference(to_candidates(PAIR), second, first, {"x": 1})
    assert json.dumps(PAIR) == before


# Which fields belong to a response


def test_a_field_of_one_response_alone_belongs_to_the_record():
    assert labeled_fields({"chosen": "a", "rejected": "b", "score_chosen": 1, "well_chosen": 2}) == {
        "text": ("chosen", "rejected")
    }


TEMPLATED = {"prompt": "q", "chosen": "a", "rejected": "b", "text_chosen": "<q><a>", "text_rejected": "<q><b>"}


def test_text_chosen_does_not_take_the_place_of_chosen():
    """The alignment handbook writes text_chosen and text_rejected beside chosen and rejected."""
    responses = to_candidates(TEMPLATED)["responses"]
    assert [response["text"] for response in responses] == ["a", "b"]
    assert "rejected" not in to_candidates(TEMPLATED)


def test_text_chosen_does_not_keep_chosen_from_being_swapped():
    swapped = swap_labels(TEMPLATED)
    assert (swapped["chosen"], swapped["rejected"]) == ("b", "a")


@pytest.mark.parametrize("field", ["rank", "text"])
def test_fields_named_like_ours_survive_the_way_there_and_back(field):
    record = {"prompt": "q", "chosen": "a", "rejected": "b", f"{field}_chosen": 1, f"{field}_rejected": 4}
    candidates = to_candidates(record)
    assert to_preference(candidates, *candidates["responses"], {}) == record


# Keys


def test_a_pair_and_its_candidates_have_one_key():
    assert content_key(PAIR) == content_key(to_candidates(PAIR))


def test_a_key_is_made_of_prompt_and_texts_in_their_order_and_of_nothing_else():
    record = {"prompt": "q", "responses": [{"text": "a"}, {"text": "b"}]}
    assert content_key(record | {"id": 1}) == content_key(record)
    assert content_key({"prompt": "q", "responses": [{"text": "a", "score": 1}, {"text": "b"}]}) == content_key(record)
    others = [
        {"prompt": "p", "responses": [{"text": "a"}, {"text": "b"}]},
        {"prompt": "q", "responses": [{"text": "b"}, {"text": "a"}]},
        {"prompt": "q", "responses": [{"text": "a"}]},
        {"prompt": "q", "responses": [{"text": "ab"}]},
        {"prompt": "qa", "responses": [{"text": "b"}]},
        {"prompt": "q"},
    ]
    keys = {content_key(other) for other in [record, *others]}
    assert len(keys) == 7
    assert {len(key) for key in keys} == {16}


def test_a_conversation_and_its_words_have_two_keys():
    assert content_key({"prompt": USER}) != content_key({"prompt": "q"})


def test_a_pair_is_what_has_chosen_and_rejected():
    assert is_preference(PAIR)
    assert not is_preference({"prompt": "q", "responses": []})
    assert not is_preference({"prompt": "q", "chosen": "a"})


# Checks


def test_sound_records_pass():
    check_preference(PAIR)
    check_preference({"prompt": USER, "chosen": USER, "rejected": USER})
    check_candidates({"prompt": "", "responses": [{"text": "", "score": 0, "rank": None}]})
    check_labeled(PAIR)


@pytest.mark.parametrize(
    ("check", "record", "message"),
    [
        (
            check_candidates,
            {"responses": []},
            "field 'prompt' is missing; each record needs 'prompt' and 'responses', or a known layout",
        ),
        (
            check_candidates,
            {"prompt": "q", "responses": {}},
            "field 'responses' is {}; a list of objects with 'text' is needed",
        ),
        (
            check_candidates,
            {"prompt": "q", "responses": [{"text": "a"}, "b"]},
            "response 2 has no 'text' that is a string or a conversation: 'b'",
        ),
        (
            check_preference,
            {"prompt": "q", "chosen": "a"},
            "field 'rejected' is missing; a preference record has 'prompt', 'chosen' and 'rejected'",
        ),
        (
            check_preference,
            {"prompt": "q", "chosen": "a", "rejected": 3},
            "field 'rejected' is 3; a string or a conversation is needed",
        ),
        (
            check_labeled,
            {"prompt": "q", "responses": [{"text": "a"}, {"text": "b"}]},
            "2 responses and no 'chosen'; label a pair with 'real relabel', or choose one with 'real pair'",
        ),
    ],
)
def test_an_unsound_record_is_told_by_its_field(check, record, message):
    with pytest.raises(RecordError) as caught:
        check(record)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("chosen", "rejected"), [("a", USER), (USER, "b")], ids=["rejected is a conversation", "chosen is a conversation"]
)
def test_text_and_conversation_in_one_pair_are_refused(chosen, rejected):
    with pytest.raises(RecordError, match="conversation"):
        check_preference({"prompt": "q", "chosen": chosen, "rejected": rejected})


def test_a_long_value_is_cut_in_a_message():
    with pytest.raises(RecordError) as caught:
        check_preference({"prompt": "q", "chosen": "a", "rejected": [0] * 1000})
    assert len(str(caught.value)) < 130
