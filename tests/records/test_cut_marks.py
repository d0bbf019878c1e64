"""Marks of responses that a limit of tokens cut, in every shape of a record."""

import pytest

from real_cli.records.cut_marks import has_cut_response

PAIR = {"prompt": "q", "chosen": "a", "rejected": "b"}


@pytest.mark.parametrize(
    ("record", "is_cut"),
    [
        (PAIR, False),
        (PAIR | {"is_cut_chosen": True, "is_cut_rejected": False}, True),
        (PAIR | {"truncated_rejected": True}, True),
        (PAIR | {"finish_reason_chosen": "length"}, True),
        (PAIR | {"finish_reason_chosen": "max_tokens"}, True),
        (PAIR | {"finish_reason_chosen": "stop"}, False),
        (PAIR | {"is_cut_chosen": False, "finish_reason_chosen": "length"}, False),
        (PAIR | {"is_cut_chosen": 1, "finish_reason_rejected": None}, False),
        ({"prompt": "q", "responses": [{"text": "a"}, {"text": "b", "is_cut": True}]}, True),
        ({"prompt": "q", "responses": [{"text": "a", "is_cut": False}]}, False),
    ],
)
def test_a_cut_response_is_known_by_its_mark(record, is_cut):
    assert has_cut_response(record) == is_cut


def test_the_reference_counts_where_it_is_a_response():
    record = PAIR | {"reference": "c", "reference_is_cut": True}
    assert (has_cut_response(record), has_cut_response(record, with_reference=True)) == (False, True)
