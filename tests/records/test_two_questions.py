"""Two answers to two questions are no pair: dialogues whose questions differ, rows with another subject."""

import pytest

from real_cli.errors import RecordError
from real_cli.records.layouts import adapt, same_prompt
from tests.records.test_misread_commands import run

SYSTEM = {"role": "system", "content": "Be brief."}
SNOW = {"role": "user", "content": "Is snow white?"}
COAL = {"role": "user", "content": "Is coal white?"}
YES = {"role": "assistant", "content": "Yes."}
NO = {"role": "assistant", "content": "No."}
# How dialogues are written as text: what opens a question, and what opens its answer.
WRITTEN = [
    ("\n\nHuman: ", "\n\nAssistant:"),
    ("Human: ", "\n\nAssistant:"),
    ("User: ", "\nAssistant:"),
    ("USER: ", " ASSISTANT:"),
    ("<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n"),
    ("<|user|>\n", "</s>\n<|assistant|>\n"),
    ("<s>[INST] ", " [/INST]"),
    ("### Instruction:\n", "\n\n### Response:\n"),
    ("<start_of_turn>user\n", "<end_of_turn>\n<start_of_turn>model\n"),
    ("Below is an instruction.\n\n### Instruction:\n", "\n\n### Response:\n"),
    ("A chat of two.\nUSER: ", " ASSISTANT:"),
    ("Human:\n", "\nAssistant:\n"),
    ("<\uff5cUser\uff5c>", "<\uff5cAssistant\uff5c>"),
    ("Question: ", "\nAnswer:"),
    (
        "<|start_header_id|>user<|end_header_id|>\n\n",
        "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    ),
]


@pytest.mark.parametrize(("asks", "answers"), WRITTEN)
def test_two_dialogues_in_words_with_other_questions_are_refused(asks, answers):
    pair = {
        "chosen": f"{asks}Is snow white?{answers} The snow is.",
        "rejected": f"{asks}Is coal white?{answers} The coal is not.",
    }
    with pytest.raises(RecordError, match="'chosen' and 'rejected' are dialogues"):
        adapt(pair)


@pytest.mark.parametrize(("asks", "answers"), WRITTEN)
def test_two_dialogues_in_words_with_one_question_end_their_prompt_at_the_answer(asks, answers):
    asked = f"{asks}Is snow white?{answers}"
    read = adapt({"chosen": f"{asked} The snow is.", "rejected": f"{asked} The snow is not."}).record
    assert read == {"prompt": asked, "chosen": " The snow is.", "rejected": " The snow is not."}
    assert adapt(read).record == read


@pytest.mark.parametrize(("asks", "answers"), WRITTEN)
def test_a_dialogue_of_two_questions_ends_its_prompt_at_the_last(asks, answers):
    asked = f"{asks}Is snow white?{answers} Yes. {asks}Is all snow white?{answers}"
    read = adapt({"chosen": f"{asked} The most.", "rejected": f"{asked} The lot."}).record
    assert read["prompt"] == asked


@pytest.mark.parametrize(("asks", "answers"), WRITTEN)
def test_two_dialogues_in_words_that_part_at_a_later_question_are_refused(asks, answers):
    asked = f"{asks}Is snow white?{answers} Yes.\n{WRITTEN[0][0] if asks == 'Human: ' else asks}"
    pair = {side: f"{asked}Is {side} white?{answers} It is." for side in ("chosen", "rejected")}
    with pytest.raises(RecordError, match="'chosen' and 'rejected' are dialogues"):
        adapt(pair)


@pytest.mark.parametrize(
    ("chosen", "rejected", "prompt"),
    [
        ("The sum is 7.", "The sum is 8.", "The sum is"),
        ("The Assistant: a play about him.", "The Assistant: a play about her.", "The Assistant: a play about"),
        ("Use [/INST] to end it.", "Use [/INST] to begin.", "Use [/INST] to"),
    ],
)
def test_a_word_that_is_also_a_mark_ends_no_prompt(chosen, rejected, prompt):
    assert adapt({"chosen": chosen, "rejected": rejected}).record["prompt"] == prompt


@pytest.mark.parametrize(
    ("chosen", "rejected"),
    [
        ([SYSTEM, SNOW, YES], [SYSTEM, COAL, NO]),
        ([SNOW, YES, SNOW, YES], [SNOW, YES, COAL, NO]),
        (
            [{"role": "assistant", "content": "Hello."}, SNOW, YES],
            [{"role": "assistant", "content": "Hello."}, COAL, NO],
        ),
        ([SYSTEM, SNOW, YES], [SYSTEM, NO]),
    ],
)
def test_two_conversations_with_other_questions_are_refused(chosen, rejected):
    with pytest.raises(RecordError, match="another question"):
        adapt({"chosen": chosen, "rejected": rejected})
    battle = {"conversation_a": chosen, "conversation_b": rejected, "model_a": "m", "model_b": "n", "winner": "model_a"}
    with pytest.raises(RecordError, match="another question"):
        adapt(battle)
    with pytest.raises(RecordError, match="another question"):
        adapt({"messages": chosen, "rejected_messages": rejected})


@pytest.mark.parametrize("prompt", [[SYSTEM], "Answer me."])
def test_responses_that_begin_with_other_questions_are_refused(prompt):
    with pytest.raises(RecordError, match="another question|begins with the prompt"):
        adapt({"prompt": prompt, "chosen": [SNOW, YES], "rejected": [COAL, NO]})
    with pytest.raises(RecordError, match="another question"):
        adapt({"prompt": prompt, "responses": [[SNOW, YES], [COAL, NO]]})
    with pytest.raises(RecordError, match="another question"):
        adapt({"prompt": prompt, "responses": [{"text": [YES]}, {"text": [COAL, NO]}]})
    assert adapt({"prompt": [SYSTEM], "chosen": [YES], "rejected": [NO]}).record["prompt"] == [SYSTEM]


def test_two_conversations_that_part_at_an_answer_are_read():
    for shared in ([SNOW], [SYSTEM, SNOW], [SNOW, YES, COAL]):
        read = adapt({"chosen": [*shared, NO, SNOW, YES], "rejected": [*shared, YES, COAL, NO]}).record
        assert read["prompt"] == shared


def rows_with(field, values):
    return [
        {"instruction": "Is it so?", "output": answer, "score": score, field: value}
        for answer, score, value in zip(("Yes.", "No."), (2, 1), values, strict=True)
    ]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("comment", ("You are nice to me.", "You are bad to me.")),
        *((field, ("Snow is white.", "Coal is black.")) for field in ("review", "feedback", "log", "answer", "note")),
        ("code_output", ("7 8", "8 9")),
        ("log_text", ("it ran", "it fell")),
        ("url", ("https://a.example", "https://b.example")),
        *((field, ("cat", "car")) for field in ("word", "Word", "animal", "city", "name of the bird")),
        ("language", ("French", "German")),
        ("number", (7, 8)),
        ("year", (1990, 1991)),
        ("x", (7, 8)),
        ("word", ("cat", None)),
        ("pair", ([1, 2], [3, 4])),
        ("point", ({"x": 1}, {"x": 2})),
    ],
)
def test_rows_about_another_subject_are_kept_apart_and_told(field, values):
    rows = [{**row, "prompt": row["instruction"]} for row in rows_with(field, values)]
    for row in rows:
        del row["instruction"]
    assert not same_prompt(*(adapt(row).record for row in rows))
    lines, notes = run("pair", "--strategy", "random", records=rows)
    assert lines == []
    assert f"kept apart by another '{field}'" in notes


@pytest.mark.parametrize(
    ("field", "values"),
    [
        *(
            (field, (5, 3))
            for field in ("helpfulness", "honesty", "num_tokens", "response_length", "label_id", "index")
        ),
        *((field, (0.5, 0.25)) for field in ("gold", "toxicity", "whatever")),
        *(
            (field, ("good work", "bad work"))
            for field in ("annotator_comment", "judge_feedback", "critique", "reason")
        ),
        *(
            (field, ("m one", "n two"))
            for field in ("model", "generated_by", "system_id", "finish_reason", "raw_output")
        ),
        ("is_safe", (True, False)),
        ("worker", ("anna", "bert")),
        ("word", ("cat", "cat")),
        ("word", ("", None)),
    ],
)
def test_what_tells_of_a_response_still_joins_its_rows(field, values):
    rows = [
        {"prompt": "Is it so?", **{k: v for k, v in row.items() if k != "instruction"}}
        for row in rows_with(field, values)
    ]
    lines, notes = run("pair", "--strategy", "random", records=rows)
    assert len(lines) == 1
    assert "kept apart" not in notes


def test_a_field_that_is_named_as_the_score_joins_its_rows():
    rows = [{"prompt": "Is it so?", "response": answer, "year": year} for answer, year in (("Yes.", 7), ("No.", 8))]
    (pair,), _ = run("pair", "--strategy", "best-worst", "--score", "year", records=rows)
    assert pair["chosen"] == "No."
