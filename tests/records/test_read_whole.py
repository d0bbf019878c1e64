"""Prompts, answers, labels and contexts that were once lost or changed beside fields of another name or form."""

import io
import json

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from real_cli.errors import RecordError
from real_cli.io.csv_rows import read_csv
from real_cli.io.tables import read_table
from real_cli.records.layouts import adapt, join_rows, same_prompt
from real_cli.records.public.jq_lines import append_line, rename_line
from real_cli.records.record import to_candidates, to_preference

CHAT_JSON = '[{"role": "assistant", "content": "yo"}]'
PAIR = {"chosen": "Fox.", "rejected": "Jay."}
HH = "\n\nHuman: Hi\n\nAssistant:"
ASKED = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]


def rows_of(text):
    return [row.record for row in read_csv(io.BytesIO(text.encode()), "a.csv", 1 << 20)]


@pytest.mark.parametrize("column", ["prompt", "question", "instruction", "context"])
def test_an_empty_cell_of_the_prompt_is_an_empty_prompt(column):
    (row,) = rows_of(f"{column},chosen,rejected\n,The sum is 7.,The sum is 8.\n")
    assert adapt(row).record == {"prompt": "", "chosen": "The sum is 7.", "rejected": "The sum is 8."}


@pytest.mark.parametrize("sides", ["accepted,rejected", "response_chosen,response_rejected"])
def test_an_empty_cell_of_the_prompt_beside_sides_of_other_names_is_an_empty_prompt(sides):
    (row,) = rows_of(f"question,{sides}\n,The sum is 7.,The sum is 8.\n")
    assert adapt(row).record == {"prompt": "", "chosen": "The sum is 7.", "rejected": "The sum is 8."}


def test_an_empty_cell_of_the_prompt_beside_a_prompt_in_the_answers_or_of_another_name_is_none():
    (row,) = rows_of(f'prompt,chosen,rejected\n,"{HH} Fox.","{HH} Jay."\n')
    assert adapt(row).record["prompt"] == HH
    (row,) = rows_of("prompt,question,chosen,rejected\n,Why?,So.,No.\n")
    assert adapt(row).record["prompt"] == "Why?"
    (row,) = rows_of("chosen,rejected\nThe sum is 7.,The sum is 8.\n")
    assert adapt(row).record["prompt"] == "The sum is"


@pytest.mark.parametrize("column", ["prompt", "question"])
def test_a_prompt_that_is_null_in_a_table_or_a_line_is_refused(column, tmp_path):
    rows = [{column: None, "chosen": "The sum is 7.", "rejected": "The sum is 8."}, {column: "q", **PAIR}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    null, good = (row.record for row in read_table(str(tmp_path / "rows.parquet"), lambda name: []))
    for record in (null, rows[0]):
        with pytest.raises(RecordError, match=f"'{column}' is (None|null)"):
            adapt(record)
    assert adapt(good).record["prompt"] == "q"


def test_an_answer_that_is_chat_json_stays_under_a_prompt_of_words():
    record = {"prompt": "Write chat JSON.", "responses": [{"text": CHAT_JSON, "score": 1}, {"text": "no", "score": 0}]}
    assert adapt(record).record == record
    for answer in (CHAT_JSON, CHAT_JSON[1:-1], '[{"role": "user", "content": "x"}, ' + CHAT_JSON[1:]):
        for pair in ({"chosen": answer, "rejected": "no"}, {"chosen": "no", "rejected": answer}):
            assert adapt({"prompt": "Write chat JSON.", **pair}).record == {"prompt": "Write chat JSON.", **pair}
        row = adapt({"instruction": "Write chat JSON.", "output": answer}).record
        assert row["responses"] == [{"text": answer}]


def test_an_answer_in_which_the_prompt_stands_again_is_still_a_conversation():
    sides = {side: orjson.dumps([ASKED[0], ASKED[1] | {"content": side}]).decode() for side in ("chosen", "rejected")}
    read = adapt({"prompt": "q", **sides}).record
    assert read["prompt"] == ASKED[:1]
    assert read["chosen"] == [{"role": "assistant", "content": "chosen"}]


@pytest.mark.parametrize("prompt", ['[{"role": "user"}] what is this?', "{'role': 'user', 'content': 'x'} - mend it."])
def test_words_after_a_quoted_message_make_it_a_text(prompt):
    assert adapt({"prompt": prompt, **PAIR}).record["prompt"] == prompt


@pytest.mark.parametrize("field", ["value", "text"])
def test_a_message_of_role_and_value_or_text_has_that_content(field):
    sides = {side: [{"role": "assistant", field: side}] for side in ("chosen", "rejected")}
    read = adapt({"prompt": [{"role": "user", field: "hi"}], **sides}).record
    assert read["prompt"] == [{"role": "user", "content": "hi"}]
    assert read["chosen"] == [{"role": "assistant", "content": "chosen"}]


@pytest.mark.parametrize("message", [{"role": "user", "message": "hi"}, {"role": "user"}])
def test_a_message_without_content_is_refused(message):
    sides = {side: [{"role": "assistant", "content": side}] for side in ("chosen", "rejected")}
    with pytest.raises(RecordError, match="message 1 has no 'content'"):
        adapt({"prompt": [message], **sides})
    calls = [{"function": {"name": "add", "arguments": {}}}]
    called = [{"role": "user", "content": "hi"}, {"role": "assistant", "tool_calls": calls}]
    assert adapt({"prompt": called, **sides}).record["prompt"] == called


@pytest.mark.parametrize(
    "record",
    [
        {
            **{"prompt": '["Is it \\ud83d?"]', "response_a": '["a"]', "response_b": '["b"]'},
            **{"model_a": "m", "model_b": "n", "winner_model_a": 1, "winner_model_b": 0, "winner_tie": 0},
        },
        {"prompt": '[{"role": "user", "content": "Is it \\ud83d?"}]', **PAIR},
        {"chosen": '[{"role": "user", "content": "\\ud83d"}]', "rejected": '[{"role": "user", "content": "b"}]'},
    ],
)
def test_half_a_character_in_a_list_written_as_text_is_a_fault_of_the_record(record):
    with pytest.raises(RecordError, match="half a character"):
        adapt(record)


def test_alpaca_as_it_is_published_is_read_where_its_input_is_empty():
    record = {"instruction": "Give tips.", "input": "", "output": "Eat."}
    text = "Below is a task.\n\n### Instruction:\nGive tips.\n\n### Response:\nEat."
    assert adapt(record | {"text": text}).record["prompt"] == "Give tips."
    with pytest.raises(RecordError, match="'text'"):
        adapt(record | {"text": "Another text."})


@pytest.mark.parametrize(
    "field",
    [
        *("code", "content", "paragraph", "story", "premise", "choices", "options", "instructions"),
        *("system_instruction", "source_text", "hypothesis", "table", "schema"),
    ],
)
def test_what_a_question_may_be_about_is_refused_with_a_line(field):
    value = ["print 1", "print 2"] if field in ("choices", "options") else "print 1 2"
    with pytest.raises(RecordError, match=rf"jq -c '.instruction \+= .*\.{field}"):
        adapt({"instruction": "Mend it.", field: value, **PAIR})
    assert adapt({"prompt": "Mend it.", field: value, **PAIR}).record["prompt"] == "Mend it."


def test_code_that_is_the_answer_is_no_context():
    record = {"instruction": "Mend it.", "code": "print(1, 2)", "output": "print(1, 2)"}
    assert adapt(record).record["prompt"] == "Mend it."


@pytest.mark.parametrize(
    "field",
    [
        *("passages", "evidence", "body", "title", "text", "post", "story", "choices", "options", "code", "table"),
        *("schema", "premise", "content", "paragraph", "documents"),
    ],
)
def test_rows_of_other_contexts_are_not_joined(field):
    rows = [
        adapt({"prompt": "Is it true?", field: about, "response": answer}).record
        for about, answer in (("It is snow.", "Yes."), ("It is rain.", "No."))
    ]
    assert not same_prompt(*rows)
    assert same_prompt(rows[0], rows[0])


def test_a_text_that_holds_the_answer_keeps_no_rows_apart():
    rows = [
        adapt({"instruction": "Name it.", "output": answer, "text": f"### Name it. {answer}"}).record
        for answer in ("Fox.", "Jay.")
    ]
    assert same_prompt(*rows)


@pytest.mark.parametrize("beside", [{"tools": []}, {"context": ""}, {"system": ""}, {"history": []}, {"input": None}])
def test_an_empty_context_is_as_good_as_none(beside):
    first = adapt({"prompt": "q", "response": "a", **beside}).record
    second = adapt({"prompt": "q", "response": "b"}).record
    for rows in ([first, second], [second, first]):
        assert same_prompt(*rows)
        assert [set(response) for response in join_rows(rows)["responses"]] == [{"text"}, {"text"}]


def test_a_number_as_input_is_part_of_the_prompt():
    assert adapt({"instruction": "Double this.", "input": 7, **PAIR}).record["prompt"] == "Double this.\n7"
    assert adapt({"instruction": "Double this.", "input": 0.5, **PAIR}).record["prompt"] == "Double this.\n0.5"


@pytest.mark.parametrize(
    "history", [[["q", "a"]], ASKED, [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]]
)
@pytest.mark.parametrize("name", ["prompt", "query"])
def test_earlier_turns_lead_the_prompt_in_every_form(history, name):
    read = adapt({name: "And in winter?", "history": history, **PAIR}).record
    assert read["prompt"] == [*ASKED, {"role": "user", "content": "And in winter?"}]
    assert "history" not in read
    assert adapt(read).record == read


def test_a_history_that_the_prompt_holds_already_is_left_alone():
    for record in (
        {"prompt": "q a And now?", "history": [["q", "a"]], **PAIR},
        {"prompt": "q", "history": "What was said.", **PAIR},
        {"prompt": "q", "history": [], **PAIR},
    ):
        assert adapt(record).record == record


@pytest.mark.parametrize("value", ["good", "bad", "chosen", "rejected", "desirable", "True", 0, 1])
@pytest.mark.parametrize("field", ["label", "kto_tag"])
def test_a_label_that_is_not_true_or_false_is_told(field, value):
    with pytest.raises(RecordError, match=rf"'{field}' is .*jq -c '\.{field} \|= "):
        adapt({"prompt": "q", "completion": "a", field: value})


def test_a_label_of_llamafactory_in_a_table_is_read():
    rows = rows_of("prompt,completion,kto_tag\nq,a,True\nq,b,False\n")
    assert [adapt(row).record["responses"][0]["score"] for row in rows] == [1, 0]
    assert adapt({"prompt": "q", "completion": "a", "label": "sports"}).record["label"] == "sports"


def test_rating_and_generation_model_beside_generations_are_read():
    record = {"instruction": "q", "generations": ["a", "b"], "rating": [5, 2], "generation_model": ["m", "n"]}
    assert adapt(record).record["responses"] == [
        {"text": "a", "score": 5, "model": "m"},
        {"text": "b", "score": 2, "model": "n"},
    ]


def test_scores_of_two_scales_are_not_mixed():
    rated = {"response": "a", "annotations": {"honesty": {"Rating": "5"}}, "overall_score": 8}
    unrated = {"response": "b", "annotations": {}, "overall_score": 6}
    mixed = adapt({"instruction": "q", "completions": [rated, unrated]}).record["responses"]
    assert [response.get("score") for response in mixed] == [5, None]
    fine = adapt({"instruction": "q", "completions": [rated, unrated | {"fine-grained_score": 4.5}]}).record
    assert [response["score"] for response in fine["responses"]] == [5, 4.5]
    overall = adapt({"instruction": "q", "completions": [unrated, unrated | {"overall_score": 9}]}).record
    assert [response["score"] for response in overall["responses"]] == [6, 9]


def test_a_system_message_with_other_blanks_is_the_same_message():
    prompt = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "q"}]
    sides = {side: [{"role": "assistant", "content": side}] for side in PAIR}
    assert adapt({"prompt": prompt, "system": "Be kind. ", **sides}).record["prompt"] == prompt
    both = {"prompt": "q", "system": "Be kind.", "system_prompt": "Be kind.\n", **PAIR}
    assert adapt(both).record["prompt"] == prompt
    with pytest.raises(RecordError, match="another system message"):
        adapt({"prompt": prompt, "system": "Be rude.", **sides})


def test_lines_for_jq_keep_all_texts_of_a_list_or_an_object():
    every = r'([.c | .. | select(type == "string" or type == "number") | tostring] | join("\n"))'
    for value in ([["T", ["s1"]]], [{"title": "T", "text": "s"}], [7, 8], {"a": "b c", "d": "e f"}):
        assert append_line("question", "c", value) == rf"""jq -c '.question += "\n" + {every} | del(.c)'"""
        assert rename_line("c", value) == rf"jq -c '.prompt = {every} | del(.c)'"


def test_a_question_beside_a_conversation_is_appended_to_it():
    line = r"jq -c '\.context \+= \[\{role: \"user\", content: \.question\}\] \| del\(\.question\)'"
    with pytest.raises(RecordError, match=line):
        adapt({"context": [{"role": "user", "content": "q"}], "question": "And why so?", **PAIR})


def test_a_pair_that_a_table_prints_as_python_is_two_conversations():
    sides = {side: str([{"role": "assistant", "content": side}]) for side in PAIR}
    assert adapt({"prompt": "q", **sides}).record["chosen"] == [{"role": "assistant", "content": "chosen"}]


def test_a_conversation_that_has_nothing_of_the_prompt_beside_it_is_refused():
    with pytest.raises(RecordError, match=r"jq -c '.prompt = .messages \| del\(.messages\)' if it is"):
        adapt({"prompt": "And in winter?", "messages": ASKED, **PAIR})
    steps = {"prompt": "And in winter?", "trajectory": ASKED[1:], **PAIR}
    assert adapt(steps).record == steps
    for prompt in ("a", "User: q", "q"):
        record = {"prompt": prompt, "messages": ASKED, **PAIR}
        assert adapt(record).record == record


def test_a_conversation_is_renamed_whole_and_appended_without_its_roles():
    assert rename_line("c", ASKED) == "jq -c '.prompt = .c | del(.c)'"
    assert (
        append_line("question", "c", ASKED)
        == r"""jq -c '.question += "\n" + ([.c[].content] | join("\n")) | del(.c)'"""
    )


def test_a_pair_that_is_made_again_keeps_the_order_of_its_fields_where_a_side_lacks_some():
    full = {"text": "a", "score": 5, "principle": "honesty", "annotations": {}, "source": "m"}
    bare = {"text": "b", "score": 2, "annotations": {}, "source": "n"}
    for chosen, rejected in ((full, bare), (bare, full)):
        record = {"prompt": "q", "responses": [chosen, rejected], "id": 1}
        pair = to_preference(record, chosen, rejected, {})
        again = to_candidates(pair)
        assert json.dumps(to_preference(again, *again["responses"], {})) == json.dumps(pair)


def test_a_passage_that_holds_the_answer_keeps_rows_apart():
    rows = [
        adapt({"prompt": "Which is it?", "passage": f"The bird is a {answer}", "response": answer}).record
        for answer in ("Fox.", "Jay.")
    ]
    assert not same_prompt(*rows)
