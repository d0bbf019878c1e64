"""What a judge says of a user: a feeling that is denied, hedged or asked for is none."""

import pytest

from real_cli.errors import RecordError
from real_cli.relabel.dsat.feelings import read_feeling


@pytest.mark.parametrize(
    "answer",
    [
        "dissatisfied",
        "The user is dissatisfied.",
        "The user does not accept it and is dissatisfied.",
        "The user says they are dissatisfied.",
        "The answer was wrong: dissatisfied",
        "{'label': 'dissatisfied', 'reason': 'It is wrong'}",
        "Label - dissatisfied",
    ],
)
def test_a_feeling_is_read(answer):
    assert read_feeling(answer)[0] == "dissatisfied"


@pytest.mark.parametrize(
    "answer",
    [
        "The user isn't satisfied.",
        "The user isn\u2019t satisfied.",
        "The user is far from satisfied.",
        "Nobody would be satisfied.",
        "The user may be dissatisfied.",
        "The user never said he is satisfied.",
        "I doubt the user is satisfied.",
        "If it were shorter, the user is satisfied.",
        "dissatisfied?",
        "I would not write label: satisfied",
        "Label: dissatisfied -> satisfied",
        "Label: dissatisfied? No.",
    ],
)
def test_a_feeling_that_is_denied_or_hedged_is_none(answer):
    with pytest.raises(RecordError, match="the answer does not name exactly one of"):
        read_feeling(answer)
