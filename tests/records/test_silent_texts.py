"""Texts that were once read as empty, as words, or in another form by the next command."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from real_cli.errors import RecordError
from real_cli.io.csv_rows import read_csv
from real_cli.io.tables import read_table
from real_cli.records.layouts import adapt
from real_cli.records.messages import transcript
from tests.records.published import GULL, JAY, QUESTION, USER
from tests.records.test_jq_lines import lines_of, run_jq
from tests.records.test_misread_commands import run

CALL = {"name": "add", "arguments": '{"a": 2}'}
SIDES = {"chosen": "The sum is 7.", "rejected": "The sum is 8."}


def asked(message):
    return {"prompt": [USER], "chosen": [message], "rejected": [GULL]}


@pytest.mark.parametrize("content", [{"content": None}, {"content": ""}, {}, {"content": "I add."}])
def test_a_function_call_is_a_tool_call(content):
    read = adapt(asked({"role": "assistant", **content, "function_call": CALL})).record
    assert read["chosen"][0]["tool_calls"] == [{"type": "function", "function": CALL}]
    assert "function_call" not in read["chosen"][0]
    assert transcript(read["chosen"]).endswith('{"name":"add","arguments":{"a":2}}')
    assert adapt(read).record == read


@pytest.mark.parametrize("content", [{"content": None}, {"content": ""}, {}])
def test_a_refusal_is_what_the_model_said(content):
    read = adapt(asked({"role": "assistant", **content, "refusal": "I will not."})).record
    assert read["chosen"] == [{"role": "assistant", "content": "I will not."}]
    assert adapt(asked(JAY | {"refusal": None})).record["chosen"][0]["content"] == JAY["content"]


@pytest.mark.parametrize(
    "more",
    [
        {"audio": {"id": "x", "transcript": "I sing."}},
        {"reasoning_content": "I think."},
        {"function_call": "add"},
        {"words": ["I say."]},
    ],
)
@pytest.mark.parametrize("content", [{"content": None}, {}])
def test_a_message_whose_words_stand_elsewhere_is_refused(more, content):
    with pytest.raises(RecordError, match="message 1 has no 'content'"):
        adapt(asked({"role": "assistant", **content, **more}))


@pytest.mark.parametrize(
    "message",
    [{"content": None}, {}, {"content": None, "name": "bot", "tool_calls": []}, {"content": None, "weight": 0}],
)
def test_a_message_with_nothing_at_all_stays_an_empty_answer(message):
    assert adapt(asked({"role": "assistant", **message})).record["chosen"][0]["role"] == "assistant"


def test_a_refusal_beside_other_words_is_refused():
    with pytest.raises(RecordError, match="'refusal'"):
        adapt(asked(JAY | {"refusal": "I will not."}))


COLUMNS = [
    "Prompt",
    "user_prompt",
    "userPrompt",
    "PROMPT",
    "my question",
    "user_query",
    "Instruction",
    "prompt_text",
    "messages",
]


@pytest.mark.parametrize("column", COLUMNS)
def test_an_empty_cell_that_may_be_the_prompt_is_refused(column, tmp_path):
    (row,) = read_csv(
        io.BytesIO(f"{column},chosen,rejected\n,The sum is 7.,The sum is 8.\n".encode()), "a.csv", 1 << 20
    )
    pq.write_table(pa.Table.from_pylist([{column: None, **SIDES}, {column: "q", **SIDES}]), tmp_path / "rows.parquet")
    null, *_ = (row.record for row in read_table(str(tmp_path / "rows.parquet"), lambda name: []))
    for record in (row.record, null, {column: "", **SIDES}, {column: None, **SIDES}, {column: "Hi", **SIDES}):
        if record.get(column) == "Hi" and column == "messages":
            continue
        with pytest.raises(RecordError, match=f"'{column}'"):
            adapt(record)


@pytest.mark.parametrize("column", ["prompt_id", "prompt_tokens", "topic", "system_prompt", "notes", "question_type"])
def test_an_empty_cell_of_another_column_leaves_the_shared_words(column):
    (row,) = read_csv(
        io.BytesIO(f"{column},chosen,rejected\n,The sum is 7.,The sum is 8.\n".encode()), "a.csv", 1 << 20
    )
    assert adapt(row.record).record["prompt"] == "The sum is"


def test_reward_bench_2_in_a_table_is_lists():
    text = """prompt,chosen,rejected,num_correct\nQ is?,['good answer'],"['bad 1', 'bad 2']",1\n"""
    (row,) = read_csv(io.BytesIO(text.encode()), "a.csv", 1 << 20)
    assert [(r["text"], r["rank"]) for r in adapt(row.record).record["responses"]] == [
        ("good answer", 1),
        ("bad 1", 2),
        ("bad 2", 2),
    ]


def test_two_lists_in_a_table_without_a_mark_of_their_set_are_refused():
    text = """prompt,chosen,rejected\nQ is?,['good answer'],"['bad 1', 'bad 2']"\n"""
    (row,) = read_csv(io.BytesIO(text.encode()), "a.csv", 1 << 20)
    assert "'chosen' and 'rejected' are lists" in row.problem
    for good in ("[1, 2]", "see ['a']", "[a]"):
        text = f"""prompt,chosen,rejected\nQ is?,"{good}","['bad 1', 'bad 2']"\n"""
        (row,) = read_csv(io.BytesIO(text.encode()), "a.csv", 1 << 20)
        assert adapt(row.record).record["chosen"] == good
    pair = {"prompt": "Write a list.", "chosen": "['a', 'b']", "rejected": "['b']"}
    assert adapt(pair).record == pair


@pytest.mark.parametrize(
    "form",
    [
        "array([{}], dtype=object)",
        "({},)",
        "array([{}],\n      dtype=object)",
        "[{}]",
        "(\n{},)",
        " array([{}], dtype=object)",
    ],
)
def test_messages_as_numpy_or_a_tuple_prints_them_are_messages(form):
    sides = {side: form.replace("{}", str({"role": "assistant", "content": side})) for side in ("chosen", "rejected")}
    read = adapt({"prompt": form.replace("{}", str(USER)), **sides}).record
    assert read["prompt"] == [USER]
    assert read["chosen"] == [{"role": "assistant", "content": "chosen"}]


@pytest.mark.parametrize("text", ["array([1, 2])", "(see above)", "array of {'role': 1}", "({'a': 1},)"])
def test_other_arrays_and_brackets_stay_texts(text):
    record = {"prompt": QUESTION, "chosen": text, "rejected": "No."}
    assert adapt(record).record == record


WRITTEN = "[{'role': 'user', 'content': 'x'}]"


@pytest.mark.parametrize(
    "record",
    [
        {"question": {"full_text": WRITTEN}, "answer_0": "a b", "answer_1": "c d", "score_0": 1, "score_1": 0},
        {"question": {"full_text": f" {WRITTEN}"}, "answer_0": "a", "answer_1": "c", "score_0": 1, "score_1": 0},
    ],
)
def test_a_written_conversation_within_a_field_is_read_at_once(record):
    first, _ = run("pair", "--strategy", "all", "--orient", "auto", records=[record])
    second, _ = run("pair", "--strategy", "all", "--orient", "auto", records=first)
    assert json.dumps(first) == json.dumps(second)
    assert first[0]["prompt"] == [{"role": "user", "content": "x"}]


def test_an_empty_side_is_told():
    record = {
        **{"prompt": '["Why?"]', "response_a": "[null]", "response_b": '["So."]', "model_a": "m", "model_b": "n"},
        **{"winner_model_a": 1, "winner_model_b": 0, "winner_tie": 0},
    }
    _, notes = run("pair", "--strategy", "all", "--orient", "auto", records=[record])
    assert "1 record with an empty chosen response" in notes
    _, notes = run("pair", "--strategy", "all", records=[{"prompt": QUESTION, "chosen": " ", "rejected": "Gull."}])
    assert "1 record with an empty chosen response" in notes


def test_a_line_break_in_the_name_of_a_field_is_written_for_jq():
    record = {"the\npost": QUESTION, **SIDES}
    with pytest.raises(RecordError) as caught:
        adapt(record)
    first, _ = lines_of(str(caught.value))
    assert adapt(run_jq(first, record)).record["prompt"] == QUESTION


@pytest.mark.parametrize("winner", ["a", "model_a", "response_a", "A", 0, "b", 2])
def test_two_responses_and_a_winner_are_told_what_they_lack(winner):
    record = {"prompt": QUESTION, "response_a": "Jay.", "response_b": "Gull.", "winner": winner}
    with pytest.raises(RecordError, match="'response_a' and 'response_b'") as caught:
        adapt(record)
    first, second = lines_of(str(caught.value))
    assert adapt(run_jq(first, record)).record["chosen"] == "Jay."
    assert adapt(run_jq(second, record)).record["chosen"] == "Gull."
