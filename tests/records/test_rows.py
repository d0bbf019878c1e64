"""Which rows answer one prompt: any field that may be asked beside it keeps them apart, and that is told."""

import pytest

from real_cli.records.layouts import adapt, join_rows, same_prompt
from tests.records.test_misread_commands import run

FACTS = ("Snow is white.", "Coal is black.")


def rows_with(field, values):
    return [
        {"prompt": "Is it white?", "response": answer, field: value}
        for answer, value in zip(("Yes.", "No."), values, strict=True)
    ]


@pytest.mark.parametrize("values", [FACTS, (["a"], ["b"]), ({"a": "b c"}, {"a": "d e"}), ("Snow is white.", None)])
@pytest.mark.parametrize("field", ["passage", "fact", "whatever else", "scene", "source", "persona", "sourceDocument"])
def test_rows_that_differ_in_what_may_be_asked_are_two_prompts(field, values):
    rows = rows_with(field, values)
    assert not same_prompt(*(adapt(row).record for row in rows))
    lines, notes = run("pair", "--strategy", "random", records=rows)
    assert lines == []
    assert f"1 record of the prompt before, kept apart by another '{field}'" in notes


@pytest.mark.parametrize("values", [FACTS, (["a"], ["b"]), ({"a": "b c"}, {"a": "d e"})])
@pytest.mark.parametrize(
    "field",
    ["critique", "annotations", "model_card", "metadata", "rater-comments", "id", "raw_output", "scoreReason", "tags"],
)
def test_what_is_said_of_a_response_keeps_no_rows_apart(field, values):
    lines, notes = run("pair", "--strategy", "random", records=rows_with(field, values))
    assert len(lines) == 1
    assert "kept apart" not in notes


@pytest.mark.parametrize(
    ("field", "values"),
    [("source", ("white", "black")), ("num_facts", (1, 2)), ("gold", (0.5, 0.25)), ("fact", ("", None))],
)
def test_labels_measures_and_blanks_are_no_context_of_an_unknown_name(field, values):
    lines, _ = run("pair", "--strategy", "random", records=rows_with(field, values))
    assert len(lines) == 1


def test_a_frame_of_prompt_and_response_is_no_context():
    rows = [
        row | {"frame": f"Q: {row['prompt']} A: {row['response']}", "turns": [{"role": "user", "content": text}]}
        for row in rows_with("id", (1, 2))
        for text in [f"{row['prompt']} {row['response']}"]
    ]
    lines, _ = run("pair", "--strategy", "random", records=rows)
    assert len(lines) == 1


def test_what_is_named_as_a_side_of_a_pair_goes_to_the_response_of_its_row():
    rows = [{"prompt": "q", "responses": [{"text": text}], "chosen": True, "set": "x"} for text in "ab"]
    assert join_rows(rows) == {
        "prompt": "q",
        "responses": [{"text": "a", "chosen": True}, {"text": "b", "chosen": True}],
        "set": "x",
    }


def test_a_row_with_such_a_field_is_read_alone():
    row = {"prompt": "q", "response": "a", "chosen": True}
    assert adapt(row).record == {"prompt": "q", "responses": [{"text": "a"}], "chosen": True}
