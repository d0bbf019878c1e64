"""Arithmetic over fields: what it says, and what it refuses to say."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from real_cli.errors import RecordError, UsageError
from real_cli.relabel.weight.expression import FUNCTIONS, Expression

RECORD = {"a": 3, "b": 0.5, "meta": {"votes": 7, "a-b": 2, "deep": {"x": -1}}, "text": "9", "yes": True, "min": 4}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2", 2),
        ("-a + 1", -2),
        ("+a - -b", 3.5),
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("a / 2 - b", 1),
        ("7 % a", 1),
        ("-7 % a", 2),  # as in Python: the sign of the divisor
        ("2 ** 3 ** 2", 512),
        ("-2 ** 2", -4),
        ("meta.votes", 7),
        ("meta['a-b'] * meta[\"deep\"].x", -2),
        ("a > b", 1),
        ("(a < b) + (a <= 3) + (b >= 1) + (a == 3.0) + (a != 3)", 2),
        ("abs(meta.deep.x)", 1),
        ("min(a, b, 1)", 0.5),
        ("max(a, b)", 3),
        ("sqrt(9) + log(1) + exp(0)", 4),
        ("sigmoid(2)", 0.8807970779778823),
        ("sigmoid(-2)", 0.11920292202211755),
        ("tanh(0.5)", math.tanh(0.5)),
        ("clip(a, 0, 2)", 2),
        ("clip(a, 4, 5)", 4),
        ("clip(a, 0, 5)", 3),
        (" \n a ", 3),
        ("min + 1", 5),  # a field of a function's name is a field where it is not called
    ],
)
def test_arithmetic_by_hand(text, value):
    weight = Expression(text)(RECORD)
    assert weight == pytest.approx(value)
    assert type(weight) is float


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6).filter(lambda y: abs(y) > 1e-6))
def test_sums_are_pythons(x, y):
    text = "(x + y) * (x - y) / y % 7 - (x > y)"
    assert Expression(text)({"x": x, "y": y}) == eval(text, {"x": x, "y": y})


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_can_be_called(function):
    arguments = {1: "1", 2: "1, 2", 3: "1, 2, 3"}[FUNCTIONS[function].fewest]
    assert math.isfinite(Expression(f"{function}({arguments})")({}))


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "(lambda: 1)()",
        "a.b()",
        "[1, 2]",
        "(1, 2)",
        "{'a': 1}",
        "a[0]",
        "a[b]",
        "a[1:2]",
        "(a + b).c",
        "'text'",
        "b'text'",
        "f'{a}'",
        "True",
        "None",
        "1j",
        "...",
        "a if b else 1",
        "a and b",
        "a or b",
        "not a",
        "~a",
        "a // b",
        "a << 2",
        "a | b",
        "a @ b",
        "a in b",
        "a is b",
        "0 < a < 5",
        "[x for x in a]",
        "(x := 1)",
        "abs(*a)",
        "min(a, key=b)",
        "eval('1')",
        "round(a)",
        "abs(a, b)",
        "abs()",
        "min(a)",
        "clip(a, 1)",
        "1e999 * 10 ** 400 if a else b",
        f"1{'0' * 400}",
    ],
)
def test_what_is_not_on_the_list_is_refused_before_a_record_is_read(text):
    with pytest.raises(UsageError, match="--expression: .*numbers, fields .* are allowed") as raised:
        Expression(text)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["", "  ", "a +", "a; b", "a = 1", "import os", "a\0b", "a b", "(", "\x00"])
def test_what_is_no_arithmetic_is_refused(text):
    with pytest.raises(UsageError, match="--expression .*: is not arithmetic; numbers, .* are allowed"):
        Expression(text)


def test_depth_and_length_have_an_end():
    with pytest.raises(UsageError, match="nests too deep|is not arithmetic"):
        Expression("(" * 400 + "1" + ")" * 400)
    with pytest.raises(UsageError, match="has 1001 characters; 1000 are allowed"):
        Expression("1" * 1001)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("c", "field 'c' is missing; --expression needs a number there"),
        ("meta.none", "field 'meta.none' is missing"),
        ("a.none", "field 'a.none' is missing"),
        ("meta.deep", "field 'meta.deep' is {'x': -1}; --expression needs a number there"),
        ("text", "field 'text' is '9'; --expression needs a number there"),
        ("yes", "field 'yes' is True; --expression needs a number there"),
        ("1 / (a - 3)", "has no value here: float division by zero"),
        ("1 % (a - 3)", "has no value here: float modulo"),
        ("log(0)", "has no value here"),
        ("sqrt(-a)", "has no value here"),
        ("(-a) ** 0.5", "has no value here"),
        ("exp(1000)", "has no value here"),
        ("2 ** 65", "has no value here: exponent 65 is beyond 64"),
        ("2 ** -65", "has no value here: exponent -65 is beyond 64"),
        ("9 ** 9 ** 9", "has no value here: exponent"),
        ("1e300 ** 2", "has no value here"),
        ("clip(a, 2, 1)", "has no value here: clip from 2 to 1 is empty"),
        ("1e308 * 10", "is inf here; a finite number is needed"),
        ("1e308 * 10 - 1e308 * 10", "is nan here; a finite number is needed"),
    ],
)
def test_a_record_without_a_finite_value_is_refused(text, complaint):
    with pytest.raises(RecordError) as raised:
        Expression(text)(RECORD)
    assert complaint in str(raised.value)


def test_the_largest_exponent_is_allowed():
    assert Expression("2 ** 64")({}) == 2**64


def test_a_record_is_read_and_not_changed():
    before = repr(RECORD)
    Expression("meta.votes + a")(RECORD)
    assert repr(RECORD) == before
