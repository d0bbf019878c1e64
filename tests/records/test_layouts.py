"""Every layout that is read, by a literal example; how layouts are told apart; what is said of a near miss."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from real_cli.errors import RecordError
from real_cli.records.layouts import LAYOUTS, PROMPT, adapt, adapt_prompt, join_rows, same_prompt
from real_cli.records.public.layout_readers import split_texts, split_transcripts
from tests.records.published import PUBLISHED

USER = {"role": "user", "content": "Capital of France?"}
PARIS = {"role": "assistant", "content": "Paris."}
LYON = {"role": "assistant", "content": "Lyon."}
DIALOGUE = "\n\nHuman: Hi\n\nAssistant: Hello.\n\nHuman: Capital of France?\n\nAssistant:"


def rated(*ratings):
    aspects = ("instruction_following", "honesty", "truthfulness", "helpfulness")
    return {aspect: {"Rating": rating, "Rationale": "..."} for aspect, rating in zip(aspects, ratings, strict=True)}


# (layout, record, expected): the table of real-records(5) in examples.
EXAMPLES = [
    (
        "candidates",
        {"id": 7, "prompt": "q", "responses": [{"text": "a", "score": 1, "x": None}, {"text": "b", "rank": 2}]},
        {"id": 7, "prompt": "q", "responses": [{"text": "a", "score": 1, "x": None}, {"text": "b", "rank": 2}]},
    ),
    ("candidates", {"prompt": [USER], "responses": []}, {"prompt": [USER], "responses": []}),
    (
        "candidates",
        {"prompt": [USER], "responses": [{"text": [PARIS]}], "tools": []},
        {"prompt": [USER], "responses": [{"text": [PARIS]}], "tools": []},
    ),
    (
        "parallel arrays",
        {
            "id": 1,
            "prompt": "q",
            "responses": ["a", "b"],
            "scores": [1, 2.5],
            "models": ["m", "n"],
            "ranks": [2, 1],
            "embeddings": [[1, 0], [0, 1]],
        },
        {
            "prompt": "q",
            "responses": [
                {"text": "a", "score": 1, "rank": 2, "model": "m", "embedding": [1, 0]},
                {"text": "b", "score": 2.5, "rank": 1, "model": "n", "embedding": [0, 1]},
            ],
            "id": 1,
        },
    ),
    (
        "parallel arrays",  # distilabel
        {"instruction": "q", "generations": ["a", "b"], "generation_models": ["m", "n"], "ratings": [5, None]},
        {
            "prompt": "q",
            "responses": [{"text": "a", "score": 5, "model": "m"}, {"text": "b", "score": None, "model": "n"}],
        },
    ),
    (
        "parallel arrays",  # Magpie
        {"instruction": "q", "responses": ["a", "b"], "rewards_armorm": [{"score": 0.11}, {"score": 0.2}]},
        {"prompt": "q", "responses": [{"text": "a", "score": 0.11}, {"text": "b", "score": 0.2}]},
    ),
    (
        "parallel arrays",
        {"prompt": [USER], "responses": [[PARIS], [LYON]], "rewards": [1, 0]},
        {"prompt": [USER], "responses": [{"text": [PARIS], "score": 1}, {"text": [LYON], "score": 0}]},
    ),
    (
        "UltraFeedback",
        {
            "source": "evol",
            "instruction": "q",
            "models": ["alpaca"],
            "completions": [
                {
                    "model": "alpaca",
                    "response": "a",
                    "annotations": rated("4", "N/A", "5", "3"),
                    "overall_score": 10.0,
                    "fine-grained_score": 1.0,
                }
            ],
        },
        {
            "prompt": "q",
            "responses": [
                {
                    "text": "a",
                    "score": 4.0,
                    "model": "alpaca",
                    "annotations": rated("4", "N/A", "5", "3"),
                    "overall_score": 10.0,
                    "fine-grained_score": 1.0,
                }
            ],
            "source": "evol",
            "models": ["alpaca"],
        },
    ),
    (
        "UltraFeedback",
        {
            "instruction": "q",
            "completions": [
                {"response": "a", "annotations": rated("N/A", "N/A", "N/A", "N/A"), "fine-grained_score": 2.5},
                {"response": "b", "overall_score": 7.0},
                {"response": "c", "annotations": rated(1, 2, 3, 4)},
                {"response": "d"},
            ],
        },
        {
            "prompt": "q",
            "responses": [
                {
                    "text": "a",
                    "score": 2.5,
                    "annotations": rated("N/A", "N/A", "N/A", "N/A"),
                    "fine-grained_score": 2.5,
                },
                {"text": "b", "overall_score": 7.0},
                {"text": "c", "score": 2.5, "annotations": rated(1, 2, 3, 4)},
                {"text": "d"},
            ],
        },
    ),
    (
        "SHP, SHP-2",
        {
            "post_id": "x",
            "history": "q",
            "human_ref_A": "a",
            "human_ref_B": "b",
            "score_A": 3,
            "score_B": 9,
            "labels": 0,
        },
        {
            "prompt": "q",
            "chosen": "b",
            "rejected": "a",
            "score_chosen": 9,
            "score_rejected": 3,
            "post_id": "x",
            "labels": 0,
        },
    ),
    (
        "SHP, SHP-2",
        {"history": "q", "human_ref_A": "a", "human_ref_B": "b", "score_A": 9, "score_B": 3, "labels": 1},
        {"prompt": "q", "chosen": "a", "rejected": "b", "score_chosen": 9, "score_rejected": 3, "labels": 1},
    ),
    (
        "SHP, SHP-2",  # the scores decide, whatever the label says
        {"history": "q", "human_ref_A": "a", "human_ref_B": "b", "score_A": 3, "score_B": 9, "labels": 1},
        {"prompt": "q", "chosen": "b", "rejected": "a", "score_chosen": 9, "score_rejected": 3, "labels": 1},
    ),
    (
        "SHP, SHP-2",  # equal scores: the label
        {"history": "q", "human_ref_A": "a", "human_ref_B": "b", "score_A": 3, "score_B": 3, "labels": 0},
        {"prompt": "q", "chosen": "b", "rejected": "a", "score_chosen": 3, "score_rejected": 3, "labels": 0},
    ),
    (
        "SHP, SHP-2",
        {"history": "q", "human_ref_A": "a", "human_ref_B": "b", "labels": 0},
        {"prompt": "q", "chosen": "b", "rejected": "a", "labels": 0},
    ),
    (
        "HH-RLHF",
        {"chosen": f"{DIALOGUE} Paris.", "rejected": f"{DIALOGUE} Lyon.", "split": "train"},
        {"prompt": DIALOGUE, "chosen": " Paris.", "rejected": " Lyon.", "split": "train"},
    ),
    (
        "UltraFeedback binarized",
        {
            "prompt": "Capital of France?",
            "prompt_id": "9",
            "chosen": [USER, PARIS],
            "rejected": [USER, LYON],
            "messages": [USER, PARIS],
            "score_chosen": 9.0,
            "score_rejected": 2.0,
        },
        {
            "prompt": [USER],
            "prompt_id": "9",
            "chosen": [PARIS],
            "rejected": [LYON],
            "messages": [USER, PARIS],
            "score_chosen": 9.0,
            "score_rejected": 2.0,
        },
    ),
    (
        "TRL, mixed",
        {"prompt": [USER], "chosen": "Paris.", "rejected": "Lyon."},
        {"prompt": [USER], "chosen": [PARIS], "rejected": [LYON]},
    ),
    (
        "TRL preference",
        {"prompt": "q", "chosen": "a", "rejected": "b", "similarity": 0.5},
        {"prompt": "q", "chosen": "a", "rejected": "b", "similarity": 0.5},
    ),
    (
        "TRL preference",
        {"prompt": [USER], "chosen": [PARIS], "rejected": [LYON], "chat_template_kwargs": {"x": 1}},
        {"prompt": [USER], "chosen": [PARIS], "rejected": [LYON], "chat_template_kwargs": {"x": 1}},
    ),
    (
        "TRL implicit prompt",
        {"id": 3, "chosen": [USER, PARIS], "rejected": [USER, LYON]},
        {"prompt": [USER], "chosen": [PARIS], "rejected": [LYON], "id": 3},
    ),
    (
        "TRL implicit prompt",  # as many messages as they share, but one stays for each
        {"chosen": [USER, PARIS, USER, PARIS], "rejected": [USER, PARIS]},
        {"prompt": [USER], "chosen": [PARIS, USER, PARIS], "rejected": [PARIS]},
    ),
    (
        "TRL implicit prompt",
        {"chosen": [USER, PARIS], "rejected": [USER, PARIS]},
        {"prompt": [USER], "chosen": [PARIS], "rejected": [PARIS]},
    ),
    (
        "TRL implicit prompt, text",
        {"chosen": "The sky is blue.", "rejected": "The sky is black.", "id": 4},
        {"prompt": "The sky is", "chosen": " blue.", "rejected": " black.", "id": 4},
    ),
    (
        "one response a row",
        {"id": 1, "prompt": "q", "response": "a", "score": 4},
        {"prompt": "q", "responses": [{"text": "a", "score": 4}], "id": 1},
    ),
    (
        "one response a row",  # TRL unpaired
        {"prompt": "q", "completion": "a", "label": True},
        {"prompt": "q", "responses": [{"text": "a", "score": 1, "label": True}]},
    ),
    (
        "one response a row",
        {"prompt": [USER], "completion": [LYON], "label": False},
        {"prompt": [USER], "responses": [{"text": [LYON], "score": 0, "label": False}]},
    ),
    (
        "one response a row",  # a label and a rating, both kept
        {"prompt": "q", "completion": "a", "label": False, "score": 0.75},
        {"prompt": "q", "responses": [{"text": "a", "score": 0.75, "label": False}]},
    ),
    (
        "one response a row",  # AlpacaEval
        {"instruction": "q", "output": "a", "generator": "gpt4", "dataset": "koala"},
        {"prompt": "q", "responses": [{"text": "a", "model": "gpt4"}], "dataset": "koala"},
    ),
]


@pytest.mark.parametrize(("name", "record", "expected"), EXAMPLES)
def test_a_record_of_this_layout_becomes_this(name, record, expected):
    before = json.dumps(record)
    adapted = adapt(record)
    assert adapted.layout.name == name
    assert json.dumps(adapted.record) == json.dumps(expected)  # the order of the fields, too
    assert json.dumps(record) == before  # the record that came in is as it was


def test_every_layout_has_an_example():
    assert {name for name, _, _ in [*EXAMPLES, *PUBLISHED]} == {layout.name for layout in LAYOUTS}


@pytest.mark.parametrize(("name", "record", "expected"), [*EXAMPLES, *PUBLISHED])
def test_a_layout_becomes_what_its_row_says_and_stays_it(name, record, expected):
    (layout,) = (row for row in LAYOUTS if row.name == name)
    becomes = "candidates" if "responses" in expected else "preference"
    assert layout.becomes in (becomes, "preference; a tie candidates")
    assert not set(layout.uses) & (expected.keys() - {"chosen", "rejected"})
    assert layout.one_response_a_row == (name in ("one response a row", "summarize-from-feedback, axis"))
    again = adapt(expected)
    assert again.layout.name in ("candidates", "TRL preference")
    assert again.record == expected


# HH-RLHF


def split(chosen, rejected):
    record = adapt({"chosen": chosen, "rejected": rejected})
    assert record.layout.name == "HH-RLHF"
    return tuple(record.record[field] for field in ("prompt", "chosen", "rejected"))


def test_a_dialogue_that_parts_before_its_last_answer_is_split_where_it_parts():
    first = "\n\nHuman: Hi\n\nAssistant:"
    assert split(f"{first} A\n\nHuman: B\n\nAssistant: C", f"{first} X\n\nHuman: Y\n\nAssistant: Z") == (
        first,
        " A\n\nHuman: B\n\nAssistant: C",
        " X\n\nHuman: Y\n\nAssistant: Z",
    )


def test_a_mark_that_only_one_of_them_has_is_part_of_its_answer():
    first = "\n\nHuman: Hi\n\nAssistant:"
    assert split(f"{first} A\n\nHuman: B\n\nAssistant: C", f"{first} A") == (
        first,
        " A\n\nHuman: B\n\nAssistant: C",
        " A",
    )


def test_equal_transcripts_are_split_at_their_last_answer():
    assert split(f"{DIALOGUE} Paris.", f"{DIALOGUE} Paris.") == (DIALOGUE, " Paris.", " Paris.")


def test_an_empty_answer_is_an_answer():
    assert split(f"{DIALOGUE} Paris.", DIALOGUE) == (DIALOGUE, " Paris.", "")
    assert split(DIALOGUE, DIALOGUE) == (DIALOGUE, "", "")


def test_answers_that_begin_alike_keep_their_beginning():
    assert split(f"{DIALOGUE} Paris, I think.", f"{DIALOGUE} Paris is it.") == (
        DIALOGUE,
        " Paris, I think.",
        " Paris is it.",
    )


def test_transcripts_that_share_no_answer_mark_answer_two_questions():
    with pytest.raises(RecordError, match="their questions differ"):
        adapt({"chosen": "\n\nHuman: A\n\nAssistant: x", "rejected": "\n\nHuman: B\n\nAssistant: y"})


words = st.text(st.sampled_from("ab \n.é"), max_size=12)


@given(words, words, words)
def test_the_prompt_of_a_transcript_and_the_rest_are_the_transcript(dialogue, chosen, rejected):
    prompt = f"\n\nHuman: {dialogue}\n\nAssistant:"
    record = split_transcripts({"chosen": prompt + chosen, "rejected": prompt + rejected})
    assert record == {"prompt": prompt, "chosen": chosen, "rejected": rejected}


@given(words, words, words)
def test_the_implicit_prompt_of_texts_and_the_rest_are_the_texts(shared, chosen, rejected):
    record = split_texts({"chosen": shared + chosen, "rejected": shared + rejected})
    assert record["prompt"] + record["chosen"] == shared + chosen
    assert record["prompt"] + record["rejected"] == shared + rejected
    assert record["prompt"] == record["prompt"].rstrip()


@given(words, words, words)
def test_the_implicit_prompt_never_ends_inside_a_word(shared, chosen, rejected):
    record = split_texts({"chosen": shared + chosen, "rejected": shared + rejected})
    for rest in (record["chosen"], record["rejected"]):
        assert not record["prompt"] or not rest or rest[0].isspace()


# Nothing is lost on the way


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            {"prompt": "p", "instruction": "i", "response": "a"},
            {"prompt": "p", "responses": [{"text": "a"}], "instruction": "i"},
        ),
        (
            {"prompt": "p", "instruction": "i", "responses": ["a"]},
            {"prompt": "p", "responses": [{"text": "a"}], "instruction": "i"},
        ),
    ],
)
def test_an_instruction_beside_a_prompt_is_a_field_like_others(record, expected):
    assert adapt(record).record == expected


@pytest.mark.parametrize(
    ("record", "texts", "scores"),
    [
        ({"prompt": "p", "responses": ["a", "b"], "generations": ["c", "d"]}, ["a", "b"], [None, None]),
        ({"prompt": "p", "responses": ["a", "b"], "scores": [1, 2], "rewards": [2, 1]}, ["a", "b"], [1, 2]),
    ],
)
def test_of_two_lists_for_one_thing_the_first_is_taken_and_the_other_stays_a_field(record, texts, scores):
    adapted = adapt(record).record
    assert [response["text"] for response in adapted["responses"]] == texts
    assert [response.get("score") for response in adapted["responses"]] == scores
    other = list(record)[-1]
    assert adapted[other] == record[other]


def test_a_response_that_is_null_gives_way_to_the_completion():
    """A table gives every row every column: the texts of two sources stand in two of them."""
    adapted = adapt({"prompt": "q", "response": None, "completion": "a"})
    assert adapted.record["responses"][0]["text"] == "a"


def test_annotations_that_are_null_rate_nothing():
    adapted = adapt({"instruction": "q", "completions": [{"response": "a", "annotations": None}]})
    assert adapted.record["responses"] == [{"text": "a", "annotations": None}]


@pytest.mark.parametrize("rating", ["nan", "inf"])
def test_a_rating_that_is_no_finite_number_is_no_rating(rating):
    """A score of NaN would be written as null."""
    record = {"instruction": "q", "completions": [{"response": "a", "annotations": rated(rating, "4", "4", "4")}]}
    assert adapt(record).record["responses"][0]["score"] == 4.0


def test_the_label_of_two_answers_is_never_guessed():
    """Neither scores nor `labels`: nothing says that A is the better one."""
    with pytest.raises(RecordError, match="labels"):
        adapt({"history": "q", "human_ref_A": "a", "human_ref_B": "b"})


# Rows of one response


def joined(*rows):
    return join_rows([adapt(row).record for row in rows])


def test_fields_that_all_rows_agree_on_stay_on_the_record_and_others_go_to_their_response():
    assert joined(
        {"prompt": "q", "response": "a", "score": 1, "id": 1, "set": "x", "only": True},
        {"prompt": "q", "response": "b", "score": 2, "id": 2, "set": "x"},
    ) == {
        "prompt": "q",
        "responses": [{"text": "a", "score": 1, "id": 1, "only": True}, {"text": "b", "score": 2, "id": 2}],
        "set": "x",
    }


def test_a_field_that_only_a_later_row_has_is_kept_with_its_response():
    assert joined({"prompt": "q", "response": "a"}, {"prompt": "q", "response": "b", "late": 1}) == {
        "prompt": "q",
        "responses": [{"text": "a"}, {"text": "b", "late": 1}],
    }


def test_one_row_alone_keeps_its_fields_on_the_record():
    assert joined({"id": 1, "prompt": "q", "response": "a"}) == {
        "prompt": "q",
        "responses": [{"text": "a"}],
        "id": 1,
    }


def test_rows_of_alpaca_eval_outputs_are_joined_by_instruction():
    assert joined(
        {"instruction": "q", "output": "a", "generator": "m", "dataset": "koala"},
        {"instruction": "q", "output": "b", "generator": "n", "dataset": "koala"},
    ) == {
        "prompt": "q",
        "responses": [{"text": "a", "model": "m"}, {"text": "b", "model": "n"}],
        "dataset": "koala",
    }


@pytest.mark.parametrize("field", ["text", "model", "score"])
def test_a_field_of_a_row_never_overwrites_what_the_response_says(field):
    """Rows of training sets often carry prompt and response once more, as `text`."""
    rows = [
        {"prompt": "q", "responses": [{"text": "a", "model": "m", "score": 1}], field: "one"},
        {"prompt": "q", "responses": [{"text": "b", "model": "n", "score": 2}], field: "two"},
    ]
    responses = join_rows(rows)["responses"]
    assert [response["text"] for response in responses] == ["a", "b"]
    assert [response["model"] for response in responses] == ["m", "n"]
    assert [response["score"] for response in responses] == [1, 2]


def test_true_and_one_are_two_values():
    record = joined({"prompt": "q", "response": "a", "flag": 1}, {"prompt": "q", "response": "b", "flag": True})
    assert json.dumps(record["responses"]) == '[{"text": "a", "flag": 1}, {"text": "b", "flag": true}]'


def test_a_number_written_as_text_is_no_score_and_is_told():
    with pytest.raises(RecordError, match="score"):
        adapt({"prompt": "q", "response": "a", "score": "7"})


def test_prompts_are_the_same_if_they_are_equal():
    assert same_prompt({"prompt": [USER]}, {"prompt": [dict(USER)]})
    assert not same_prompt({"prompt": "q"}, {"prompt": "q "})


# Prompts


def test_a_record_with_a_prompt_alone_is_taken_for_its_prompt():
    adapted = adapt_prompt({"id": 1, "prompt": "q", "response": "a"})
    assert adapted == ({"id": 1, "prompt": "q", "response": "a"}, PROMPT, ())


def test_records_with_responses_are_adapted_for_their_prompt_too():
    assert adapt_prompt({"chosen": [USER, PARIS], "rejected": [USER, LYON]}).record["prompt"] == [USER]
    assert adapt_prompt({"instruction": "q", "output": "a"}).record["prompt"] == "q"


@pytest.mark.parametrize("record", [{"id": 1}, {"prompt": None}, {"prompt": 5}])
def test_a_record_without_a_prompt_is_refused(record):
    with pytest.raises(RecordError):
        adapt_prompt(record)


# Near misses

NEEDED = "each record needs 'prompt' and 'responses'"


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({}, f"no known layout has the fields []; {NEEDED}"),
        ({"b": 1, "a": 2}, f"no known layout has the fields ['a', 'b']; {NEEDED}"),
        ({"responses": [{"text": "a"}]}, f"field 'prompt' is missing; {NEEDED}"),
        ({"responses": ["a"]}, f"field 'prompt' is missing; {NEEDED}"),
        ({"prompt": "q"}, f"field 'responses' is missing; {NEEDED}, or 'chosen' and 'rejected'"),
        (
            {"prompt": "q", "chosen": "a"},
            "field 'rejected' is missing; a pair has 'prompt', 'chosen' and 'rejected'",
        ),
        (
            {"rejected": "b"},
            "field 'chosen' is missing; a pair has 'prompt', 'chosen' and 'rejected'",
        ),
        (
            {"prompt": 5, "responses": []},
            "field 'prompt' is 5; a string or a conversation is needed",
        ),
        (
            {"prompt": ["q"], "chosen": "a", "rejected": "b"},
            "field 'prompt' is ['q']; a string or a conversation is needed",
        ),
        (
            {"prompt": "q", "chosen": None, "rejected": "b"},
            "field 'chosen' is None; a string or a conversation is needed",
        ),
        (
            {"prompt": "q", "chosen": "a", "rejected": []},
            "field 'rejected' is []; a string or a conversation is needed",
        ),
        (
            {"prompt": "q", "responses": [{"text": "a"}, {"txt": "b"}]},
            "response 2 has no 'text' that is a string or a conversation: {'txt': 'b'}",
        ),
        (
            {"prompt": "q", "responses": ["a", None]},
            "response 2 is None; each must be a string or a conversation",
        ),
        (
            {"prompt": "q", "responses": [{"text": "a", "score": "7"}]},
            "response 1: 'score' is '7'; a number is needed",
        ),
        (
            {"prompt": "q", "responses": [{"text": "a"}, {"text": "b", "rank": True}]},
            "response 2: 'rank' is True; a number is needed",
        ),
        (
            {"prompt": "q", "responses": ["a", "b"], "scores": [1]},
            "field 'scores' has 1 values for 2 responses; the lists must match",
        ),
        (
            {"instruction": "q", "completions": [{"text": "a"}]},
            "completion 1 has no 'response': {'text': 'a'}",
        ),
        (
            {"chosen": [USER], "rejected": [PARIS]},
            "'chosen' and 'rejected' share no first message; give the prompt they answer as 'prompt'",
        ),
    ],
)
def test_a_near_miss_is_told_by_its_field(record, message):
    with pytest.raises(RecordError) as caught:
        adapt(record)
    assert str(caught.value) == message


@pytest.mark.parametrize("responses", ["a", {"text": "a"}, None, 5])
def test_responses_that_are_no_list_are_the_problem_and_not_the_prompt(responses):
    with pytest.raises(RecordError, match=r"^field 'responses' is "):
        adapt({"prompt": "q", "responses": responses})


def test_text_and_conversation_side_by_side_are_refused():
    with pytest.raises(RecordError, match="conversation"):
        adapt({"prompt": "q", "chosen": [PARIS], "rejected": "Lyon."})
