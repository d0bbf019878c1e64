"""Responses that are messages under a prompt in words: one form for all, and the same after a second reading."""

import json

import pytest

from real_cli.records.layouts import adapt
from tests.records.published import GULL, JAY, QUESTION, USER
from tests.records.test_misread_commands import run

ROWS = [
    [
        {"prompt": QUESTION, "response": str([JAY]), "score": 1},
        {"prompt": QUESTION, "response": str([GULL]), "score": 0},
    ],
    [
        {"prompt": QUESTION, "response": str([USER, JAY]), "score": 1},
        {"prompt": QUESTION, "response": str([USER, GULL]), "score": 0},
    ],
    [
        {"prompt": QUESTION, "completion": [JAY], "label": True},
        {"prompt": QUESTION, "completion": [GULL], "label": False},
    ],
    [{"prompt": QUESTION, "responses": [[JAY], [GULL]], "scores": [1, 0]}],
    [{"prompt": QUESTION, "responses": [{"text": [JAY], "score": 1}, {"text": [GULL], "score": 0}]}],
    [{"prompt": QUESTION, "responses": [{"text": "Jay.", "score": 1}, {"text": [GULL], "score": 0}]}],
]


@pytest.mark.parametrize("rows", ROWS)
def test_a_prompt_in_words_becomes_a_message_beside_messages(rows):
    (pair,), _ = run("pair", "--strategy", "random", records=rows)
    assert {field: pair[field] for field in ("prompt", "chosen", "rejected")} == {
        "prompt": [USER],
        "chosen": [JAY],
        "rejected": [GULL],
    }
    (again,), _ = run("pair", "--strategy", "random", records=[pair])
    assert again == pair


def test_an_answer_that_is_messages_as_json_stays_an_answer_in_words():
    row = {"prompt": "Write a message as JSON.", "response": json.dumps([JAY]), "score": 1}
    assert adapt(row).record["responses"][0]["text"] == json.dumps([JAY])
    assert adapt(row).record["prompt"] == row["prompt"]


@pytest.mark.parametrize("field", ["rating", "reward"])
def test_another_rating_of_a_conversation_is_taken_where_it_is_named(field):
    rows = [{"messages": [USER, JAY], field: 2}, {"messages": [USER, GULL], field: 1}]
    (pair,), _ = run("pair", "--strategy", "best-worst", "--score", field, records=rows)
    assert (pair["chosen"], pair["score_chosen"], pair["rejected"]) == ([JAY], 2, [GULL])
