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


@pytest.mark.parametrize(
    "answer",
    [
        '{"satisfied":false}',
        '{"satisfied":"no"}',
        '{"satisfied":0,"reason":"It complains."}',
        '{"is_satisfied":false}',
        '{"satisfied":0.1,"dissatisfied":0.9}',
        '{"label":"satisfied","final_label":"dissatisfied"}',
        '{"label":"satisfied","final":"dissatisfied"}',
        '{"label":"satisfied","corrected":"neither"}',
        '{"label":"satisfied","label":"dissatisfied"}',
        '{"label":"not satisfied"}',
        '{"label":"satisfied?"}',
        '{"label":null,"reason":"The user was satisfied before."}',
        '{"turns":[{"turn":1,"label":"satisfied"},{"turn":2,"label":"dissatisfied"}]}',
        "<internal>Label: satisfied</internal>dissatisfied",
        "<draft>satisfied</draft>dissatisfied",
        "Label: satisfied\n\ndissatisfied",
        "Label: satisfied\nFinal: dissatisfied",
        "Label: satisfied, or rather dissatisfied",
        "Label: satisfied (no: dissatisfied)",
        "Satisfied: no",
        "Satisfied: false",
        "Satisfied - no.",
        "Satisfied = 0",
        "satisfied? No.",
        "The label satisfied does not apply.",
        "satisfied would be wrong",
        "Label: satisfied is wrong",
        '{"label":"satisfied","negated":true}',
        '{"label":"satisfied","correct":false}',
    ],
)
def test_a_feeling_that_is_denied_or_revised_beside_its_name_is_none(answer):
    with pytest.raises(RecordError, match="does not name exactly one"):
        read_feeling(answer)


@pytest.mark.parametrize(
    ("answer", "feeling"),
    [
        ('{"reason":"It thanks.","label":"Satisfied"}', "satisfied"),
        ('{"reason":"It is not satisfied.","label":"dissatisfied"}', "dissatisfied"),
        ('{"label":"dissatisfied","reason":"The user was satisfied at first."}', "dissatisfied"),
        ('{"result":{"label":"neither"}}', "neither"),
        ('{"turns":[{"turn":1,"label":"satisfied"}],"final":"dissatisfied"}', "dissatisfied"),
        ('{"sentiment":"satisfied"}', "satisfied"),
        ('{"label":"satisfied","final_label":"satisfied"}', "satisfied"),
        ("Label: satisfied\nReason: It thanks.", "satisfied"),
        ("Label: dissatisfied\n\nThe user was satisfied at first, and then it complains.", "dissatisfied"),
        ("<answer>satisfied</answer>", "satisfied"),
    ],
)
def test_a_feeling_beside_its_reason_is_read(answer, feeling):
    assert read_feeling(answer)[0] == feeling
