"""What is asked in several fields: read whole, refused with the line that joins them, or told where it is not read."""

import json

import pytest

from real_cli.errors import RecordError
from real_cli.records.layouts import adapt, adapt_prompt
from tests.records.published import GULL, JAY, QUESTION, USER
from tests.records.test_jq_lines import lines_of, run_jq
from tests.records.test_misread_commands import run

PAIR = {"chosen": "The jay.", "rejected": "The gull."}
WORDS = "It lives in the park."
UNKNOWN = [
    *("inputs", "input_text", "user_input", "source", "sentence", "dialogue", "poem", "examples", "few_shot"),
    *("constraints", "task", "task_description", "comment", "email", "facts", "hint", "create_table", "ctxs"),
    *("search_results", "sentence1", "systemPrompt", "persona", "scenario", "code_output", "original_text", "a b"),
]


@pytest.mark.parametrize("field", UNKNOWN)
@pytest.mark.parametrize("asked", ["instruction", "question", "context", "input"])
def test_words_beside_a_prompt_of_another_name_are_refused(asked, field):
    record = {asked: QUESTION, field: WORDS, **PAIR}
    with pytest.raises(RecordError, match=f"field '{field}' may") as caught:
        adapt(record)
    first, *_ = lines_of(str(caught.value))
    assert adapt(run_jq(first, record)).record["prompt"] == f"{QUESTION}\n{WORDS}"
    with pytest.raises(RecordError, match=f"field '{field}' may"):
        adapt({asked: QUESTION, field: WORDS, "output": "The jay."})
    with pytest.raises(RecordError, match=f"field '{field}' may"):
        adapt_prompt({asked: QUESTION, field: WORDS})


@pytest.mark.parametrize("field", ["persona", "scenario", "documents", "developer", "chat_style_guide"])
@pytest.mark.parametrize("value", [WORDS, [WORDS], {"words": WORDS}])
def test_words_beside_messages_are_refused(field, value):
    with pytest.raises(RecordError, match=f"field '{field}' may"):
        adapt({"messages": [USER], field: value, **PAIR})
    with pytest.raises(RecordError, match=f"field '{field}' may"):
        adapt({"chosen": [USER, JAY], "rejected": [USER, GULL], field: value})


@pytest.mark.parametrize(
    "names", ["AB", "ABCD", ("option_a", "option_b"), ("choice1", "choice2"), ("Option A", "Option B")]
)
def test_choices_in_columns_are_refused(names):
    record = {"question": QUESTION, **{name: f"bird{name[-1]}" for name in names}, **PAIR}
    with pytest.raises(RecordError, match=f"field '{names[0]}' may belong") as caught:
        adapt(record)
    first, second = (adapt(run_jq(line, record)).record for line in lines_of(str(caught.value)))
    assert first["prompt"] == "\n".join([QUESTION, *(f"{name[-1].upper()}. bird{name[-1]}" for name in names)])
    assert second["prompt"] == QUESTION
    assert not set(names) & (first.keys() | second.keys())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(
            (field, WORDS)
            for field in ("answer", "solution", "explanation", "rationale", "chosen_reason", "raw_output")
        ),
        *((field, "Level 5") for field in ("level", "type", "source", "category")),
        *((field, ["a b"]) for field in ("metadata", "tags", "correct_answers", "models", "tools", "annotations")),
        ("id", "a b"),
        ("topic", "birds"),
        ("whole", f"Q: {QUESTION} A: The jay."),
        ("num_words", [1, 2]),
        ("A", "x"),
    ],
)
def test_what_is_known_beside_a_prompt_of_another_name_stays(field, value):
    assert adapt({"question": QUESTION, field: value, **PAIR}).record == {"prompt": QUESTION, field: value, **PAIR}
    sides = {"chosen": [USER, JAY], "rejected": [USER, GULL]}
    assert adapt({field: value, **sides}).record["prompt"] == [USER]


TURNS = [USER, JAY]
HISTORIES = [
    *("history", "chat_history", "previous_messages", "dialogue_history", "conversation_history", "prior_turns"),
]


@pytest.mark.parametrize("asked", ["prompt", "question", "instruction"])
@pytest.mark.parametrize("field", HISTORIES)
def test_earlier_turns_of_any_name_lead_the_prompt(field, asked):
    read = adapt({field: TURNS, asked: "And why?", **PAIR}).record
    assert read["prompt"] == [*TURNS, {"role": "user", "content": "And why?"}]
    assert field not in read
    assert adapt(read).record == read
    assert adapt_prompt({field: TURNS, asked: "And why?"}).record["prompt"] == read["prompt"]


@pytest.mark.parametrize("field", HISTORIES)
def test_earlier_turns_as_text_are_read_or_refused(field):
    read = adapt({field: json.dumps(TURNS), "prompt": "And why?", **PAIR}).record
    assert read["prompt"][:-1] == TURNS
    with pytest.raises(RecordError, match=f"field '{field}' is 'User: Hi'; messages"):
        adapt({field: "User: Hi", "question": "And why?", **PAIR})


def test_the_tags_of_magpie_are_known():
    tags = {"intent": "The user wants a bird.", "knowledge": "One must know birds.", "pre_query_template": "<|x|> y"}
    assert adapt({"instruction": QUESTION, **tags, **PAIR}).record["prompt"] == QUESTION
    with pytest.raises(RecordError, match="'knowledge' may belong"):
        adapt({"instruction": QUESTION, "knowledge": WORDS, **PAIR})


def test_earlier_turns_beside_a_transcript_are_refused_unless_it_holds_them():
    begun = "\n\nHuman: And why?\n\nAssistant:"
    sides = {"chosen": f"{begun} So.", "rejected": f"{begun} No."}
    with pytest.raises(RecordError, match="'history' has no place"):
        adapt({"history": TURNS, **sides})
    held = "\n\nHuman: Name a blue bird.\n\nAssistant: Jay." + begun
    record = {"history": TURNS, "chosen": f"{held} So.", "rejected": f"{held} No."}
    assert adapt(record).record["prompt"] == held


@pytest.mark.parametrize(
    "field",
    [
        *("context", "input", "documents", "instructions", "system_instruction", "sys", "title", "prefix", "query"),
        *("chat_history", "question", "persona"),
    ],
)
@pytest.mark.parametrize(
    "command",
    [
        "pair -s all",
        "relabel judge -m m --no-cache --emit-requests ASKED",
        "sample -p m --no-cache --append --emit-requests ASKED",
    ],
)
def test_a_context_beside_a_prompt_is_kept_and_told(command, field, tmp_path):
    words = command.replace("ASKED", str(tmp_path / "asked")).split()
    record = {"prompt": QUESTION, field: WORDS, **PAIR}
    if words[0] == "sample":
        record = {"prompt": QUESTION, field: WORDS}
    _, notes = run(*words, records=[record, record])
    assert f"2 records with '{field}' beside 'prompt', not read" in notes


@pytest.mark.parametrize("beside", [{"context": QUESTION}, {"context": ""}, {"title": "birds"}, {"topic": WORDS}])
def test_what_the_prompt_holds_or_is_no_context_is_not_told(beside):
    (pair,), notes = run("pair", "-s", "all", records=[{"prompt": f"Now: {QUESTION}", **beside, **PAIR}])
    assert json.dumps(beside)[1:-1] in json.dumps(pair)
    assert "not read" not in notes
