"""The tags of `eval margin --rows`."""

import pytest

from real_cli.errors import UsageError
from real_cli.evaluate.margin.margins import PairMargin
from real_cli.evaluate.margin.tags import read_tags


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=1", 1),
        ("a=-0.5", -0.5),
        ("a=1e3", 1000.0),
        ("a=007", "007"),
        ("a=NaN", "NaN"),
        ("a=1e999", "1e999"),
        ("a=true", "true"),
        ("a=null", "null"),
        ('a="1"', '"1"'),
        ("a=x=y", "x=y"),
        ("a=é", "é"),
    ],
)
def test_a_json_number_becomes_one_and_all_else_stays_a_text(text, value):
    (result,) = read_tags([text]).values()
    assert (type(result), result) == (type(value), value)


@pytest.mark.parametrize(
    ("texts", "complaint"),
    [
        (["seed"], "--tag 'seed'; NAME=VALUE, such as strategy=easy"),
        (["=1"], "--tag '=1'; NAME=VALUE"),
        (["seed="], "--tag 'seed='; NAME=VALUE"),
        (["a=1", "a=2"], "--tag 'a=2': 'a' is given twice; give each name once"),
        (["a=123456789012345678901"], "integer 123456789012345678901 does not fit in 64 bits"),
        (["a=\udcff"], "is not UTF-8; write it in UTF-8"),
        (["\udcff=1"], "is not UTF-8; write it in UTF-8"),
    ],
)
def test_what_is_no_tag_is_refused(texts, complaint):
    with pytest.raises(UsageError) as caught:
        read_tags(texts)
    assert complaint in str(caught.value)


@pytest.mark.parametrize("name", ["id", "place", "policy", "prompt_key", *PairMargin(0.0, 0.0, 0.0).row(1.0)])
def test_a_name_that_a_row_has_is_refused(name):
    with pytest.raises(UsageError, match=f"each row has a field '{name}' already; choose another name"):
        read_tags([f"{name}=1"])
