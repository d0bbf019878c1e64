"""Tags of a prompt: what an answer says, what a rubric of one's own may ask, what comes onto a record. Methods 20."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from real_cli.errors import RecordError, UsageError
from real_cli.llm.rubric import parse_rubric
from real_cli.llm.rubric_files import read_rubric
from real_cli.llm.tags import TagField, read_tags, tags_schema
from real_cli.relabel.judge.judge import JudgeTally, adapter_of, begin_judging
from tests.llm.inquiries import run_inquiry

MAGPIE = read_rubric("magpie")
QUALITY, DIFFICULTY, CATEGORY = (question.fields for question in MAGPIE.questions)
EASE = TagField("difficulty", ("very easy", "easy", "hard"))
ASKS = {"asks": "prompt", "text": "What of {prompt}?", "fields": {"tone": ["dry", "warm"]}}
ANSWERS = {
    "quality_explanation": "Clear.",
    "input_quality": "good",
    "intent": "A sum.",
    "knowledge": "Adding.",
    "difficulty": "very easy",
    "task_category": "Math",
}


def tone_rubric(*questions, **table):
    return parse_rubric({"name": "r", "question": [dict(question) for question in questions or [ASKS]]} | table, "r")


def answer_all(question):
    """A judge that holds to the schema."""
    return json.dumps({name: ANSWERS[name] for name in question.schema["properties"]})


# What comes with the program


def test_what_is_asked_is_what_the_manual_lists():
    """Methods 20(b): quality in 5 steps, difficulty in 5 with intent and knowledge, 12 categories; T=0."""
    assert [(field.name, len(field.values)) for field in (*QUALITY, *DIFFICULTY, *CATEGORY)] == [
        ("quality_explanation", 0),
        ("input_quality", 5),
        ("intent", 0),
        ("knowledge", 0),
        ("difficulty", 5),
        ("task_category", 12),
    ]
    assert QUALITY[1].values == ("very poor", "poor", "average", "good", "excellent")
    assert DIFFICULTY[2].values == ("very easy", "easy", "medium", "hard", "very hard")
    assert {MAGPIE.sampling(question).temperature for question in MAGPIE.questions} == {0.0}
    assert MAGPIE.tags
    assert not read_rubric("ultrafeedback").tags


@pytest.mark.parametrize("question", MAGPIE.questions, ids=lambda question: question.name)
def test_every_field_and_every_value_is_named_in_the_question(question):
    for field in question.fields:
        assert f'"{field.name}"' in question.text
        assert all(f"\n{value}: " in question.text for value in field.values)


# Reading


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"difficulty": "easy"}', "easy"),
        ('Sure:\n```json\n{"difficulty": "Very_Easy"}\n```', "very easy"),
        ('{"Difficulty": "hard."}', "hard"),
        ('{"difficulty": ["hard"]}', "hard"),
        ('{"difficulty": "easy"} No: {"difficulty": "hard"}', "hard"),
        ('<think>{"difficulty": "easy"}?</think>{"difficulty": "hard"}', "hard"),
        ('<think>{"difficulty": "easy"}?</think> hard', "hard"),
        ("very easy", "very easy"),
        (" **Very easy.**\n", "very easy"),
        ("The difficulty is very easy, I think.", "very easy"),
        ("**Difficulty:** very-easy", "very easy"),
        ('{"difficulty": "very easy"', "very easy"),
        ("{'difficulty': 'hard'}", "hard"),
        ('{"other": 1} Difficulty: hard', "hard"),
        ("Difficulty: hard. Again: difficulty = Hard", "hard"),
        ("Difficulty: very easy, easy or hard? Difficulty: easy", "easy"),
    ],
)
def test_an_answer_is_read(text, value):
    assert read_tags((EASE,))(text) == {"difficulty": value}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"difficulty": "simple"}', "the answer's 'difficulty' is 'simple'; one of very easy, easy, hard is needed"),
        ('{"difficulty": 2}', "the answer's 'difficulty' is 2; one of "),
        ('{"difficulty": ["easy", "hard"]}', "the answer's 'difficulty' is ['easy', 'hard']; one of "),
        ('{"difficulty": null} easy', "the answer has no 'difficulty': "),
        ("Difficulty: easy. Difficulty: hard", "the answer's 'difficulty' is ['easy', 'hard']; one of "),
        ("Difficulty: very easy, easy or hard", "the answer has no 'difficulty': "),
        ("Difficulty: easy/hard", "the answer has no 'difficulty': "),
        ("difficulty: not easy", "the answer has no 'difficulty': "),
        ("difficulty: easygoing", "the answer has no 'difficulty': "),
        ("It is easy to say.", "the answer has no 'difficulty': "),
        ('{"difficulty": "', "the answer has no 'difficulty': "),
        ("", "the answer has no 'difficulty': "),
    ],
)
def test_an_answer_that_says_nothing_that_can_be_used_is_refused(text, reason):
    with pytest.raises(RecordError) as caught:
        read_tags((EASE,))(text)
    assert str(caught.value).startswith(reason)


BROKEN = '{"intent": "To \\"add\\", fast.", "knowledge": "None: it is easy", "difficulty": "hard"'
SPOKEN = "Intent: To add, fast.\n- **Knowledge**: None: it is easy\n\nDifficulty: Hard"


def test_a_comma_too_many_breaks_no_json():
    tags = read_tags(DIFFICULTY)(BROKEN + ",}")
    assert tags == {"intent": 'To "add", fast.', "knowledge": "None: it is easy", "difficulty": "hard"}


def test_texts_are_read_from_broken_json_and_from_lines():
    assert read_tags(DIFFICULTY)(BROKEN) == {
        "intent": 'To \\"add\\", fast.',
        "knowledge": "None: it is easy",
        "difficulty": "hard",
    }
    assert read_tags(DIFFICULTY)(SPOKEN)["knowledge"] == "None: it is easy"


def test_a_text_that_is_missing_or_none_is_refused():
    with pytest.raises(RecordError, match="^the answer has no 'knowledge': "):
        read_tags(DIFFICULTY)('{"intent": "i", "difficulty": "hard"} is what I say.\nKnowledge: none')
    with pytest.raises(RecordError, match="^the answer's 'intent' is 3; a text is needed$"):
        read_tags(DIFFICULTY)('{"intent": 3, "knowledge": "k", "difficulty": "hard"}')


def test_a_value_that_another_begins_with_is_not_taken_for_it():
    assert read_tags((TagField("how", ("good", "good enough")), TagField("why")))("How: good enough\nWhy: x")[
        "how"
    ] == ("good enough")


def test_a_field_is_not_named_by_a_longer_one():
    with pytest.raises(RecordError, match="has no 'quality'"):
        read_tags((TagField("quality", ("good", "bad")), TagField("why")))("input_quality: good\nwhy: x")


@pytest.mark.parametrize(
    "category", ["Coding & Debugging", "coding and debugging", "Coding_&_debugging", "Category: none"]
)
def test_a_category_may_be_spelled_in_other_ways(category):
    if category == "Category: none":
        with pytest.raises(RecordError):
            read_tags(CATEGORY)(category)
        return
    assert read_tags(CATEGORY)(category) == {"task_category": "Coding & Debugging"}
    assert read_tags(CATEGORY)(f"Task category: {category}.") == {"task_category": "Coding & Debugging"}


@given(st.data())
def test_whatever_holds_to_the_schema_is_read_as_it_stands(data):
    for fields in (QUALITY, DIFFICULTY, CATEGORY):
        drawn = {name: data.draw(st.sampled_from(values) if values else st.text()) for name, values in fields}
        wanted = {name: drawn[name] if values else drawn[name].strip() for name, values in fields}
        assert read_tags(fields)(json.dumps(drawn)) == wanted


@given(st.text() | st.text(alphabet='{}":, \n*difcultyeasyhr'))
def test_any_answer_has_a_value_of_the_list_or_is_refused(text):
    with contextlib.suppress(RecordError):
        assert read_tags((EASE,))(text)["difficulty"] in EASE.values


def test_the_schema_lists_the_values_reasons_first():
    schema = tags_schema(QUALITY)
    assert list(schema["properties"]) == schema["required"] == ["quality_explanation", "input_quality"]
    assert schema["properties"]["quality_explanation"] == {"type": "string"}
    assert schema["properties"]["input_quality"]["enum"] == list(QUALITY[1].values)
    assert schema["additionalProperties"] is False


# Records


@pytest.mark.parametrize(
    "record",
    [
        {"id": 1, "prompt": "2 + 2?"},
        {"prompt": "2 + 2?", "responses": [{"text": "SECRET", "score": 1}], "x": None},
        {"prompt": "2 + 2?", "chosen": "SECRET", "rejected": "b", "score_chosen": 2, "score_rejected": 1},
        {"prompt": [{"role": "user", "content": "2 + 2?"}]},
        {"prompt": "2 + 2?", "response": "SECRET"},
    ],
)
def test_a_record_of_any_shape_gets_its_tags_and_keeps_the_rest(record):
    adapted = adapter_of(MAGPIE)(record).record
    judged, (words,) = run_inquiry(begin_judging(adapted, MAGPIE, "m", 0), answer_all)
    mark = {"model": "m", "rubric": "magpie", "rubric_hash": MAGPIE.digest}
    assert judged.record == record | ANSWERS | {"judge": mark}
    assert len(words) == 3
    assert all("# Prompt\n\n" in question and "2 + 2?" in question and "SECRET" not in question for question in words)


def test_only_a_rubric_that_tags_takes_a_prompt_alone():
    for rubric in ("pairwise", "ultrafeedback"):
        with pytest.raises(RecordError):
            adapter_of(read_rubric(rubric))({"prompt": "q"})
    assert adapter_of(MAGPIE)({"prompt": "q"}).record["prompt"] == "q"


def test_a_tag_that_was_there_with_another_value_is_replaced_and_counted():
    tally = JudgeTally()
    record = {"prompt": "q", "difficulty": "hard", "task_category": "Math", "intent": None}
    judged, _ = run_inquiry(begin_judging(record, MAGPIE, "m", 0), answer_all)
    tally.add(judged)
    assert judged.record["difficulty"] == "very easy"
    assert tally.sentence() == "1 judged; 2 tags changed"
    again, _ = run_inquiry(begin_judging(judged.record, MAGPIE, "m", 0), answer_all)
    assert (again.record, again.num_changed) == (judged.record, 0)


def test_a_rubric_of_ones_own_tags():
    rubric = tone_rubric()
    judged, (words,) = run_inquiry(begin_judging({"prompt": "q"}, rubric, "m", 0), lambda question: "Warm")
    assert judged.record == {"prompt": "q", "tone": "warm"} | {"judge": judged.record["judge"]}
    assert words == ["What of q?"]


# Faults of a rubric


@pytest.mark.parametrize(
    ("questions", "fault"),
    [
        ([{"asks": "prompt", "text": "{prompt}"}], "question 1: fields are missing; asks = 'prompt' needs one or more"),
        ([ASKS | {"fields": 1}], "question 1: fields is 1; a table is needed"),
        ([ASKS | {"text": "x"}], "question 1: text lacks {prompt}"),
        ([ASKS | {"fields": {"tone": "any"}}], "question 1: field 'tone' is 'any'; two texts or more that differ, or "),
        ([ASKS | {"fields": {"tone": ["dry", "Dry"]}}], "question 1: field 'tone' is ['dry', 'Dry']; two texts"),
        ([ASKS | {"fields": {"tone": ["dry", " "]}}], "question 1: field 'tone' is ['dry', ' ']; two texts"),
        ([ASKS | {"fields": {"tone": ["dry", 2]}}], "question 1: field 'tone' is ['dry', 2]; two texts"),
        ([ASKS | {"fields": {"judge": "text"}}], "question 1: a field is called 'judge'; letters, digits and _ that"),
        ([ASKS | {"fields": {"a b": "text"}}], "question 1: a field is called 'a b'; letters"),
        ([{"asks": "each", "text": "{prompt}{response}", "fields": {}}], "question 1: fields are for asks = 'prompt'"),
        ([ASKS, ASKS | {"name": "b"}], "two questions have the field 'tone'"),
        (
            [ASKS, {"name": "b", "asks": "each", "text": "{prompt}{response}"}],
            "a rubric has several questions only if all of them rate (asks = 'all' or 'each') or all ask of the prompt",
        ),
    ],
)
def test_a_fault_is_named(questions, fault):
    with pytest.raises(UsageError) as caught:
        tone_rubric(*questions)
    assert str(caught.value).removeprefix("r: ").startswith(fault)
