"""Numbers on the responses of a record."""

import pytest

from real_cli.records.response_fields import responses_of, values_of, with_new_scores, with_values

CANDIDATES = {"prompt": "q", "responses": [{"text": "a", "score": 0.9, "raw_score": 3}, {"text": "b", "score": 0.1}]}
PAIR = {"prompt": "q", "chosen": "a", "rejected": "b", "score_chosen": 0.9, "raw_score_chosen": 3, "note": 1}


@pytest.mark.parametrize("record", [CANDIDATES, PAIR])
def test_a_new_judge_s_score_is_not_shaped_from_the_old_one_s(record):
    """`relabel shape` starts from raw_score where it finds one: of another judge it would be the wrong one."""
    result = with_new_scores(record, [7, 5])
    assert values_of(result, "score") == [7, 5]
    assert values_of(result, "raw_score") == [None, None]
    assert [response["text"] for response in responses_of(result)] == ["a", "b"]
    assert result.get("note") == record.get("note")
    assert with_new_scores(result, [7, 5]) == result


@pytest.mark.parametrize("record", [CANDIDATES, PAIR])
def test_values_need_one_for_each_response(record):
    with pytest.raises(ValueError, match="zip"):
        with_values(record, "score", [1])
