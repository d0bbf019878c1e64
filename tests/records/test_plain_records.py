"""Records that are told plain come out of all the checks of layouts as they are."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from real_cli.errors import RecordError
from real_cli.records import layouts
from real_cli.records.public import plain_records
from real_cli.records.public.plain_records import LOOKED_AT, plain_layout

TEXTS = st.sampled_from(
    [
        *("", " ", "\n\t", "a", "b", "Why is snow white?", "Why is snow white? It is not.", "Why is snow white", "Why"),
        *("\n\nHuman: Why?\n\nAssistant:", "\n\nHuman: Why?\n\nAssistant: So.", "Q: Why is snow white?"),
        *("[1, 2]", '["a", "b"]', "{'a': 1}", " So.", "[{'role': 'user', 'content': 'Why?'}]", "(none)", "array("),
        "[{'role': 'user', 'content': 'Why?'}, {'role': 'assistant', 'content': 'So.'}]",
        '[{"from": "human", "value": "Why?"}',
        *("<|im_start|>user\nWhy?<|im_end|>", "\u3000", "\x1c"),
    ]
)
TURNS = st.sampled_from(
    [
        *([], [1], [{"role": "user"}], [{"role": "assistant", "content": "So."}], [{"from": "gpt", "value": "So."}]),
        *({}, {"role": "user", "content": "Why?"}),
    ]
)
SCALARS = st.sampled_from([None, True, False, 0, 1, 2.5, -1, "3", [1], {"a": 1}])
VALUES = st.one_of(TEXTS, TURNS, SCALARS)
OURS = (
    *("id", "source", "strategy", "similarity", "judge", "score_chosen", "score_rejected", "model_chosen", "weight"),
    *("ref_chosen_logps", "ref_rejected_logps", "preferences", "rank_chosen", "score", "rank", "chosen", "responses"),
)
EXTRAS = [*sorted(LOOKED_AT), *OURS]
RESPONSES = st.lists(
    st.one_of(
        st.fixed_dictionaries({"text": TEXTS}, optional={"score": SCALARS, "rank": SCALARS, "model": TEXTS}),
        st.fixed_dictionaries({}, optional={"text": VALUES, "role": TEXTS, "score": SCALARS}),
        TEXTS,
    ),
    max_size=3,
)
BESIDE = st.dictionaries(st.sampled_from(EXTRAS), VALUES, max_size=2)
PAIRS = st.fixed_dictionaries({"prompt": VALUES, "chosen": VALUES, "rejected": VALUES})
PLAIN_PAIRS = st.fixed_dictionaries({"prompt": TEXTS, "chosen": TEXTS, "rejected": TEXTS})
CANDIDATES = st.fixed_dictionaries({"prompt": TEXTS, "responses": RESPONSES})
RECORDS = st.tuples(st.one_of(PAIRS, PLAIN_PAIRS, CANDIDATES), BESIDE).map(lambda both: both[1] | both[0])


def outcome(record, **options):
    """What becomes of a record: all that is known of it, or the error's words."""
    try:
        adapted = layouts.adapt(record, **options)
    except RecordError as error:
        return str(error)
    return adapted.record, list(adapted.record), adapted.layout.name, adapted.notes


@settings(max_examples=600, deadline=None)
@given(RECORDS, st.booleans(), st.booleans())
def test_a_record_comes_out_the_same_whether_or_not_it_is_told_plain(record, reads_text, refuse_halves):
    with pytest.MonkeyPatch.context() as patch:
        known = outcome(record, reads_text=reads_text, refuse_halves=refuse_halves)
        patch.setattr(layouts, "plain_layout", lambda record: None)
        assert known == outcome(record, reads_text=reads_text, refuse_halves=refuse_halves)


@pytest.mark.parametrize(
    ("record", "name"),
    [
        ({"prompt": "q", "chosen": "a", "rejected": " b", "id": 1, "source": "x"}, "TRL preference"),
        ({"prompt": "q", "responses": [{"text": "a", "score": 1}, {"text": "b", "rank": None}]}, "candidates"),
    ],
)
def test_the_records_that_real_writes_are_plain(record, name):
    assert plain_layout(record).name == name
    assert layouts.adapt(record) == (record, plain_layout(record), ())


@pytest.mark.parametrize(
    "record",
    [
        {"prompt": "q", "chosen": "a", "rejected": "b", "score_chosen": "3"},
        {"prompt": "q", "chosen": "a", "rejected": "b", "score_rejected": True},
        {"prompt": "q", "chosen": "a", "rejected": ""},
        {"prompt": "[{'role': 'user', 'content': 'q'}]", "chosen": "a", "rejected": "b"},
        {"prompt": "q", "responses": [{"text": "a", "rank": "1"}]},
        {"prompt": "q", "responses": ["a"]},
        {"prompt": "q", "responses": []},
        {"prompt": "q", "responses": [{"text": "a"}], "tools": "[]"},
        {"chosen": "a", "rejected": "b"},
        *(
            {"prompt": "q", "chosen": "a", "rejected": "b", name: "x"}
            for name in sorted(LOOKED_AT - {"prompt", "chosen", "rejected"})
        ),
    ],
)
def test_what_a_layout_or_a_check_may_look_at_is_not_plain(record):
    assert plain_layout(record) is None


def test_a_set_that_may_match_a_plain_pair_is_asked(monkeypatch):
    plain_records._read_fields.cache_clear()
    assert [row.name for row in plain_records._read_fields(("prompt", "chosen", "rejected")).others] == [
        "RewardBench 2"
    ]


BESIDE_RESPONSES = {
    "one side": {"rejected": "c"},
    "the other": {"chosen": "a"},
    "numbers": {"chosen": 1, "rejected": 0},
    "null": {"rejected": None},
    "a score of a side": {"score_chosen": 9},
    "log-probabilities of a side": {"ref_rejected_logps": -9.5},
}


@pytest.mark.parametrize("beside", BESIDE_RESPONSES.values(), ids=BESIDE_RESPONSES)
def test_what_a_pair_of_the_responses_would_have_is_refused_beside_them(beside):
    responses = [{"text": "a", "score": 1, "ref_logps": -1}, {"text": "b", "score": 2, "ref_logps": -2}]
    dropped = ", ".join(f".{name}" for name in beside)
    for record in (
        {"prompt": "q", "responses": responses, **beside},
        {**beside, "prompt": "q", "responses": responses},
    ):
        with pytest.raises(RecordError) as caught:
            layouts.adapt(record)
        assert f"'{next(iter(beside))}'" in str(caught.value)
        assert " beside 'responses', and a pair of these has " in str(caught.value)
        assert str(caught.value).endswith(f"; jq -c 'del({dropped})' leaves the responses")


def test_a_list_by_another_name_is_named_where_a_side_stands_beside_it():
    with pytest.raises(RecordError, match="^field 'chosen' stands beside 'generations', "):
        layouts.adapt({"prompt": "q", "generations": ["a", "b"], "ratings": [1, 2], "chosen": "a"})


def test_a_field_of_one_side_that_no_response_has_goes_through():
    record = {"prompt": "q", "responses": [{"text": "a", "rank": 1}, {"text": "b"}], "note_chosen": 1, "rank_chosen": 2}
    assert layouts.adapt(record).record == record
