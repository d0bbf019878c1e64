"""Records that were once misread without a word: the prompt lost, joined, read twice, or shown as Python."""

import contextlib
import json

import pytest

from real_cli.errors import RecordError
from real_cli.records.layouts import adapt, adapt_prompt, join_rows, same_prompt
from real_cli.records.record import content_key
from tests.attacks.layout_rows import variations
from tests.records.published import GULL, JAY, MORE, PUBLISHED, QUESTION, SYSTEM, USER

HH = f"\n\nHuman: {QUESTION}\n\nAssistant:"
# As version 5822dea made them.
KEYS = [
    "9ecbef399a50087c8c39813a1e2aaeb6",
    "fa76af34a221ed2096b00b4faa0f71ae",
    "cff3a9ae855b02c9124d4cca8c2549f3",
    "c11a7c7a0f2b074ff65d5a19facee7bd",
    "a8538dbecfa69e6be0297a55533c444c",
    "7c1d04657b9d403d6336710f95406710",
]
PARTS = [{"type": "text", "text": "Name a "}, {"type": "text", "text": "blue bird."}]
IMAGE = [{"type": "image", "url": "bird.png"}, {"type": "text", "text": QUESTION}]


@pytest.mark.parametrize(("name", "record", "expected"), PUBLISHED)
def test_a_published_record_becomes_this(name, record, expected):
    before = json.dumps(record)
    adapted = adapt(record)
    assert adapted.layout.name == name
    assert json.dumps(adapted.record) == json.dumps(expected)
    assert json.dumps(record) == before
    assert adapt(adapted.record).record == expected


# 1. The prompt is not lost


@pytest.mark.parametrize(
    "field",
    [
        *("post", "user", "task", "text", "prompts", "title", "history", "documents", "a field nobody thought of"),
        *("x-y", "9", "the 'quoted'", "größe"),
    ],
)
@pytest.mark.parametrize("value", ["Add 2 and 5.", ["Add"], [["Add"]], {"words": "Add 2 and 5."}])
def test_shared_words_are_no_prompt_beside_a_text_that_may_be_it(field, value):
    with pytest.raises(RecordError) as caught:
        adapt({"chosen": "The sum is 7.", "rejected": "The answer is 8.", field: value})
    message = str(caught.value)
    assert f"'{field}'" in message
    assert "jq -c" in message
    assert ".prompt = " in message


@pytest.mark.parametrize("field", ["question", "query", "instruction", "input", "problem", "context"])
def test_a_prompt_of_another_name_is_read(field):
    record = {"chosen": "The sum is 7.", "rejected": "The answer is 8.", field: "Add 2 and 5.", "id": 3}
    assert adapt(record).record == {
        "prompt": "Add 2 and 5.",
        "chosen": "The sum is 7.",
        "rejected": "The answer is 8.",
        "id": 3,
    }
    assert adapt_prompt({field: "Add 2 and 5.", "id": 3}).record == {"prompt": "Add 2 and 5.", "id": 3}


@pytest.mark.parametrize("field", ["messages", "conversations", "conversation", "context", "trajectory"])
def test_a_conversation_of_another_name_is_read(field):
    record = {field: [USER, JAY, MORE], "chosen": "Fox.", "rejected": "Crab."}
    assert adapt(record).record["prompt"] == [USER, JAY, MORE]
    assert adapt_prompt({field: [USER]}).record == {"prompt": [USER]}


@pytest.mark.parametrize("read", [adapt, adapt_prompt])
def test_messages_that_end_with_a_response_are_no_prompt(read):
    record = {"messages": [USER, JAY], "chosen": "Fox.", "rejected": "Crab."}
    with pytest.raises(RecordError, match=r"'messages' ends with .*\.messages\[:-1\]"):
        read(record)
    with pytest.raises(RecordError, match="'messages' ends with"):
        adapt_prompt({"messages": [USER, JAY]})


def test_two_texts_that_may_be_the_prompt_are_refused():
    with pytest.raises(RecordError, match="'query'"):
        adapt({"question": "Which of them?", "query": "A blue bird", "chosen": "a", "rejected": "b"})


@pytest.mark.parametrize(
    ("record", "field"),
    [
        ({"question": "Why?", "context": [USER], "chosen": "a", "rejected": "b"}, "question"),
        ({"instruction": "Explain", "input": [USER], "output": "a"}, "instruction"),
        ({"question": "Why?", "query": "How?", "output": "a"}, "query"),
        ({"chosen": [USER, JAY], "rejected": [USER, GULL], "context": "Jays are blue."}, "context"),
        ({"chosen": [USER, JAY], "rejected": [USER, GULL], "question": "Why?"}, "question"),
    ],
)
def test_a_word_of_a_prompt_is_not_lost_beside_a_conversation(record, field):
    with pytest.raises(RecordError, match=f"'{field}'"):
        adapt(record)


@pytest.mark.parametrize("field", ["question", "context", "messages", "post", "a field nobody thought of"])
@pytest.mark.parametrize("value", ["Some other words.", ["a", "b"], [USER], {"a": "b c"}])
def test_transcripts_and_records_with_a_prompt_keep_any_field(field, value):
    transcripts = {"chosen": f"{HH} Jay.", "rejected": f"{HH} Gull."}
    assert adapt(transcripts | {field: value}).record == {
        "prompt": HH,
        "chosen": " Jay.",
        "rejected": " Gull.",
        field: value,
    }
    record = {"prompt": QUESTION, "chosen": "Jay.", "rejected": "Gull.", field: value}
    assert adapt(record).record == record


def test_an_empty_prompt_beside_a_question_is_refused():
    with pytest.raises(RecordError, match="'question'"):
        adapt({"prompt": "", "question": "Which of them?", "chosen": "a", "rejected": "b"})


# 2. Rows that differ are not joined


@pytest.mark.parametrize("field", ["input", "context", "system", "tools", "history", "images"])
def test_rows_with_another_context_are_not_joined(field):
    values = {
        "system": ("Be kind.", "Be rude."),
        "tools": ([{"name": "f"}], [{"name": "g"}]),
        "history": ([["a", "b"]], [["c", "d"]]),
        "images": (["a.png"], ["b.png"]),
    }.get(field, ("Snow is white.", "Coal is black."))
    rows = [
        adapt({"instruction": "Is it white?", field: value, "output": "Yes."}, reads_text=False).record
        for value in values
    ]
    assert not same_prompt(*rows)
    rows = [
        adapt({"prompt": "Is it white?", field: value, "response": "Yes."}, reads_text=False).record for value in values
    ]
    assert not same_prompt(*rows)


def test_rows_with_one_context_are_joined():
    rows = [
        adapt({"instruction": "Is it white?", "input": "Snow.", "tools": [], "output": answer}).record
        for answer in ("Yes.", "No.")
    ]
    assert same_prompt(*rows)
    assert join_rows(rows)["prompt"] == "Is it white?\nSnow."


# 3. A system message leads


@pytest.mark.parametrize("field", ["system", "system_prompt", "system_message"])
@pytest.mark.parametrize(
    "record",
    [
        {"prompt": QUESTION, "chosen": "Jay.", "rejected": "Gull."},
        {"prompt": [USER], "chosen": [JAY], "rejected": [GULL]},
        {"chosen": [USER, JAY], "rejected": [USER, GULL]},
        {"prompt": QUESTION, "responses": [{"text": "Jay."}]},
        {"prompt": QUESTION, "response": "Jay."},
        {"instruction": QUESTION, "generations": ["Jay.", "Gull."]},
        {"prompt": [SYSTEM, USER], "chosen": [JAY], "rejected": [GULL]},
    ],
)
def test_a_system_message_beside_the_prompt_leads_it(field, record):
    adapted = adapt(record | {field: "Answer in one word."}).record
    assert adapted["prompt"] == [SYSTEM, USER]
    assert field not in adapted
    assert adapt(adapted).record == adapted
    assert adapt_prompt({"prompt": QUESTION, field: "Answer in one word."}).record == {"prompt": [SYSTEM, USER]}


@pytest.mark.parametrize(
    "record",
    [
        {"prompt": [SYSTEM, USER], "system": "Be kind.", "chosen": [JAY], "rejected": [GULL]},
        {"prompt": QUESTION, "system": ["Be kind."], "chosen": "Jay.", "rejected": "Gull."},
        {"system": "Be kind.", "chosen": f"{HH} Jay.", "rejected": f"{HH} Gull."},
    ],
)
def test_a_system_message_that_has_no_place_is_refused(record):
    with pytest.raises(RecordError, match="system"):
        adapt(record)


# 4. The prompt does not stand twice


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            {"prompt": QUESTION, "chosen": f"{QUESTION} Jay.", "rejected": f"{QUESTION} Gull."},
            {"prompt": QUESTION, "chosen": " Jay.", "rejected": " Gull."},
        ),
        (
            {"prompt": HH, "chosen": f"{HH} Jay.", "rejected": f"{HH} Gull."},
            {"prompt": HH, "chosen": " Jay.", "rejected": " Gull."},
        ),
        (
            {"prompt": QUESTION, "chosen": f"{HH} Jay.", "rejected": f"{HH} Gull."},
            {"prompt": HH, "chosen": " Jay.", "rejected": " Gull."},
        ),
        (
            {"prompt": [USER], "chosen": [USER, JAY], "rejected": [USER, GULL]},
            {"prompt": [USER], "chosen": [JAY], "rejected": [GULL]},
        ),
        (
            {"prompt": [SYSTEM, USER], "chosen": [USER, JAY], "rejected": [USER, GULL]},
            {"prompt": [SYSTEM, USER], "chosen": [JAY], "rejected": [GULL]},
        ),
        (
            {"prompt": [USER], "chosen": [SYSTEM, USER, JAY], "rejected": [SYSTEM, USER, GULL]},
            {"prompt": [SYSTEM, USER], "chosen": [JAY], "rejected": [GULL]},
        ),
        (
            {"prompt": [SYSTEM, USER], "chosen": f"{QUESTION} Jay.", "rejected": f"{QUESTION} Gull."},
            {
                "prompt": [SYSTEM, USER],
                "chosen": [JAY | {"content": " Jay."}],
                "rejected": [GULL | {"content": " Gull."}],
            },
        ),
        (
            {"prompt": "Vogel?", "chosen": "Vogel? Jay.", "rejected": "Vogel? Gull."},
            {"prompt": "Vogel?", "chosen": " Jay.", "rejected": " Gull."},
        ),
        (
            {
                "prompt": "鳥の名前は何ですか",
                "chosen": "鳥の名前は何ですか カケス",
                "rejected": "鳥の名前は何ですか カモメ",
            },
            {"prompt": "鳥の名前は何ですか", "chosen": " カケス", "rejected": " カモメ"},
        ),
        (
            {"messages": [SYSTEM, USER], "chosen": [USER, JAY], "rejected": [USER, GULL]},
            {"prompt": [SYSTEM, USER], "chosen": [JAY], "rejected": [GULL]},
        ),
        (
            {"prompt": QUESTION, "responses": [{"text": f"{QUESTION} Jay."}, {"text": f"{QUESTION} Gull."}]},
            {"prompt": QUESTION, "responses": [{"text": " Jay."}, {"text": " Gull."}]},
        ),
    ],
)
def test_a_prompt_that_stands_in_every_response_too_is_taken_off(record, expected):
    adapted = adapt(record)
    assert adapted.record == expected
    assert adapted.notes
    assert adapt(expected).notes == ()


@pytest.mark.parametrize("beside", [{"question": QUESTION}, {"messages": [USER, JAY]}, {"conversations": [USER]}])
def test_what_conversations_share_is_the_prompt_whatever_repeats_it(beside):
    adapted = adapt({"chosen": [USER, JAY], "rejected": [USER, GULL], **beside}).record
    assert adapted == {"prompt": [USER], "chosen": [JAY], "rejected": [GULL], **beside}


@pytest.mark.parametrize(
    "texts", [("Good morning!", "Good morning to you."), ("Good", "Morning."), ("good morning", "Well. Good morning")]
)
def test_a_greeting_that_is_returned_is_no_repetition(texts):
    record = {"prompt": "Good morning", "chosen": texts[0], "rejected": texts[1]}
    if texts[1] != "Good morning to you.":
        assert adapt(record) == (record, adapt(record).layout, ())
    assert adapt(record | {"prompt": "Good"}).record == record | {"prompt": "Good"}


def test_what_pair_chose_may_say_the_prompt_again():
    """A base model does so; of two such responses nothing is taken off, whichever are chosen."""
    record = {"prompt": QUESTION, "chosen": f"{QUESTION} Jay.", "rejected": "Gull.", "strategy": "easy"}
    assert adapt(record).record == record


@pytest.mark.parametrize(
    "record",
    [
        {"prompt": QUESTION, "chosen": f"{QUESTION} Jay.", "rejected": "Gull."},
        {"prompt": QUESTION, "chosen": "Jay.", "rejected": f"{QUESTION}\nGull."},
        {"prompt": QUESTION, "chosen": f"{QUESTION} Jay.", "rejected": "Name  a blue bird. Gull."},
        {"prompt": f"{HH} ", "chosen": f"{HH}Jay.", "rejected": f"{HH}Gull."},
        {"prompt": [USER], "chosen": [USER, JAY], "rejected": [GULL]},
        {"prompt": [USER], "chosen": [{"role": "user", "content": f"{QUESTION} "}, JAY], "rejected": [USER, GULL]},
        {"prompt": [SYSTEM, USER], "chosen": [SYSTEM, USER, JAY], "rejected": [USER, GULL]},
        {"prompt": QUESTION, "chosen": [USER, JAY], "rejected": [GULL]},
        {"prompt": QUESTION, "chosen": f"{HH} Jay.", "rejected": "Gull."},
        {"prompt": QUESTION, "chosen": f"User: {QUESTION}\nJay.", "rejected": f"User: {QUESTION}\nGull."},
        {"prompt": [USER], "chosen": f"{QUESTION} Jay.", "rejected": "Gull."},
        {"system": "Be kind.", "prompt": QUESTION, "chosen": f"{QUESTION} Jay.", "rejected": "Gull."},
    ],
)
def test_a_prompt_that_stands_in_half_of_the_responses_is_refused(record):
    with pytest.raises(RecordError, match="prompt"):
        adapt(record)
    assert adapt(record, refuse_halves=False).notes


# 6. Conversations as text


@pytest.mark.parametrize("write", [json.dumps, str, lambda value: str(value).replace("}, {", "}\n {")])
@pytest.mark.parametrize("number", range(5))
def test_a_conversation_written_as_text_is_read(write, number):
    record = [
        {"prompt": [USER], "chosen": [JAY], "rejected": [GULL]},
        {"chosen": [USER, JAY], "rejected": [USER, GULL]},
        {"messages": [USER, JAY, MORE], "chosen": [JAY], "rejected": [GULL]},
        {"prompt": [USER], "completion": [JAY], "label": True},
        {"conversations": [{"from": "human", "value": 'It\'s blue\n"too"'}], "chosen": JAY, "rejected": GULL},
    ][number]
    texts = {field: value if field == "label" else write(value) for field, value in record.items()}
    assert adapt(texts).record == adapt(record).record


@pytest.mark.parametrize("field", ["prompt", "chosen", "rejected"])
def test_a_conversation_as_text_that_cannot_be_read_is_refused(field):
    texts = {"prompt": str([USER]), "chosen": str([JAY]), "rejected": str([GULL])}
    with pytest.raises(RecordError, match=f"'{field}'"):
        adapt(texts | {field: texts[field][:-5]})


# 7. Content parts


def test_text_parts_are_joined():
    record = {"prompt": [{"role": "user", "content": PARTS}], "chosen": [JAY], "rejected": [GULL]}
    assert adapt(record).record["prompt"] == [USER]
    responses = {"prompt": [USER], "responses": [{"text": [{"role": "assistant", "content": PARTS}]}]}
    assert adapt(responses).record["responses"][0]["text"][0]["content"] == "Name a blue bird."


@pytest.mark.parametrize(
    "record",
    [
        {"prompt": [{"role": "user", "content": IMAGE}], "chosen": [JAY], "rejected": [GULL]},
        {"prompt": [USER], "responses": [{"text": [{"role": "assistant", "content": IMAGE}]}]},
        {"prompt": [USER], "chosen": [JAY], "rejected": [GULL], "images": ["bird.png"]},
        {"prompt": [USER], "chosen": [JAY | {"content": {"type": "image"}}], "rejected": [GULL]},
    ],
)
def test_what_is_no_text_is_refused(record):
    with pytest.raises(RecordError, match="image"):
        adapt(record)
    assert adapt(record, reads_text=False).record == record


@pytest.mark.parametrize(("name", "record", "expected"), PUBLISHED)
def test_no_field_of_another_type_is_more_than_a_bad_record(name, record, expected):
    num_read = 0
    for strange in variations(record):
        with contextlib.suppress(RecordError):
            adapted = adapt(strange).record
            num_read += 1
            assert adapt(adapted).record == adapted
    assert num_read


def test_keys_of_records_that_are_read_as_before_are_as_before():
    """Journals and caches of earlier versions go by them."""
    records = [
        {"prompt": QUESTION, "chosen": "Jay.", "rejected": "Gull.", "question": "Which of them?"},
        {"chosen": f"{HH} Jay.", "rejected": f"{HH} Gull."},
        {"prompt": [SYSTEM, USER], "responses": [{"text": "Jay."}, {"text": [GULL]}]},
        {"instruction": QUESTION, "output": "Jay.", "generator": "m"},
        {"chosen": [USER, JAY], "rejected": [USER, GULL]},
        {"chosen": "The bird is a jay.", "rejected": "The bird is a gull."},
    ]
    assert [content_key(adapt(record).record).hex() for record in records] == KEYS


@pytest.mark.parametrize(("name", "record", "expected"), PUBLISHED)
def test_a_prompt_that_is_asked_for_alone_is_the_same(name, record, expected):
    assert adapt_prompt(record).record["prompt"] == expected["prompt"]
