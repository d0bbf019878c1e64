"""What counts as a text, a conversation, a number; what a pair's own fields and a vector's length are."""

import numpy as np
import pytest

from real_cli.records.messages import comparable, is_conversation, is_empty, is_number, is_text
from real_cli.records.record import pair_fields
from real_cli.records.response_fields import responses_of
from real_cli.records.vectors import row_norms
from real_cli.stats.bootstrap import cell_of, cells_of, count_cells

TALK = [{"role": "user", "content": "Hi"}]


@pytest.mark.parametrize(
    ("value", "text", "conversation", "number"),
    [
        ("Hi", True, False, False),
        (TALK, True, True, False),
        ([], False, False, False),
        (["Hi"], False, False, False),
        (None, False, False, False),
        (0.5, False, False, True),
        (True, False, False, False),
        ("1", True, False, False),
    ],
)
def test_a_json_value_is_a_text_a_conversation_or_a_number(value, text, conversation, number):
    assert (is_text(value), is_conversation(value), is_number(value)) == (text, conversation, number)


def test_a_text_without_words_and_calls_is_empty():
    call = {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f"}}]}
    assert [is_empty(text) for text in (" ", [{"role": "assistant", "content": None}], "a", [call])] == [
        True,
        True,
        False,
        False,
    ]


def test_conversations_compare_whatever_the_order_of_their_fields():
    assert comparable(TALK) == comparable([dict(reversed(TALK[0].items()))]) == '[{"content":"Hi","role":"user"}]'
    assert comparable("Hi") != comparable(TALK)


def test_a_pairs_own_fields_and_its_responses():
    pair = {"prompt": "q", "chosen": "a", "rejected": "b", "margin": 1, "id": 7, "score_chosen": 2, "score_rejected": 1}
    assert "margin" in pair_fields(pair)
    assert "id" not in pair_fields(pair)
    assert [response["text"] for response in responses_of(pair)] == ["a", "b"]
    assert [response["score"] for response in responses_of(pair)] == [2, 1]


def test_lengths_of_vectors_and_cells_of_prompts():
    assert row_norms(np.array([[3.0, 4.0], [0.0, 2.0]])).tolist() == [[5.0], [2.0]]
    assert cell_of(bytes([1, 2, 0, 0])) == cells_of(np.array([0x0102000000000000], dtype=np.uint64))[0] == 258
    assert count_cells([3, 3, 5, 7], [1.0, 2.0, 0.5, np.nan]) == 2
