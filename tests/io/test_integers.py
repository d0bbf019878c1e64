"""Integers that orjson would round are found wherever they stand, in short lines and among thousands of decimals."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from real_cli.errors import RecordError
from real_cli.io import integers
from real_cli.io.integers import LONG_LINE_BYTES, check_integers
from real_cli.io.jsonl import dump_record

# As `real embed` writes them, and as others write the same numbers with float64's digits.
FLOAT32 = ["0.0063856714", "-0.0000127654", "1.1920929e-7", "-0.118085235", "1.0"]
FLOAT64 = ["0.006385671440511942", "-0.00012345678901234567", "1.1920928955078125e-07", "0.1234567890123456789"]
FITS = ["9223372036854775807", "18446744073709551615", "-9223372036854775808", "9007199254740993"]
TOO_LARGE = ["18446744073709551616", "-9223372036854775809", "99999999999999999999999"]


def long_line(*inside: str, numbers: list[str] = FLOAT32, pad: int = 0) -> bytes:
    """One object whose embedding holds some tokens among thousands of numbers."""
    many = (numbers * 400)[:400]
    line = f'{{"p":"{"x" * pad}","embedding":[{",".join([*many, *inside, *many])}]}}'.encode()
    assert len(line) > LONG_LINE_BYTES
    return line


def is_refused(line: bytes) -> bool:
    try:
        check_integers(line)
    except RecordError:
        return True
    return False


@pytest.mark.parametrize("numbers", [FLOAT32, FLOAT64], ids=["float32", "float64"])
@pytest.mark.parametrize("pad", range(9))
def test_an_integer_of_65_bits_is_found_at_every_place_of_a_word(numbers, pad):
    for digits in TOO_LARGE:
        with pytest.raises(RecordError, match=f"^integer {digits} does not fit in 64 bits"):
            check_integers(long_line(digits, numbers=numbers, pad=pad))
    for digits in FITS:
        check_integers(long_line(digits, numbers=numbers, pad=pad))


@pytest.mark.parametrize("end", ["}", "}\n", "}\r\n", " }  \n"])
@pytest.mark.parametrize("pad", range(5))
def test_an_integer_at_either_end_of_a_long_line_is_found(end, pad):
    text = "x" * (LONG_LINE_BYTES + pad)
    assert is_refused(f'{{"p":"{text}","id":18446744073709551616{end}'.encode())
    assert is_refused(f'{{"":18446744073709551616,"p":"{text}"{end}'.encode())
    assert not is_refused(f'{{"p":"{text}","id":18446744073709551615{end}'.encode())


@pytest.mark.parametrize("numbers", [FLOAT32, FLOAT64], ids=["float32", "float64"])
def test_no_line_of_decimals_is_read_twice(numbers, monkeypatch):
    """The exact test takes ten times as long as reading the line."""
    monkeypatch.setattr(json, "loads", None)
    check_integers(long_line(numbers=numbers))


@pytest.mark.parametrize(
    "token", ['"123456789012345678901234567890"', "123456789012345678901234567890.5", "10000000000000000000000e-3"]
)
def test_digits_of_texts_and_floats_in_a_long_line_are_no_integers(token):
    check_integers(long_line(token))


tokens = (
    st.integers(-(2**66), 2**66).map(str)
    | st.floats(allow_nan=False, allow_infinity=False).map(repr)
    | st.floats(-1, 1, width=32).map(lambda number: dump_record({"": np.float32(number)})[4:-2].decode())
    | st.text("0123456789.,-:; ", max_size=30).map(json.dumps)
)


@given(st.lists(tokens, min_size=1, max_size=12), st.integers(0, 8))
@settings(max_examples=100, deadline=None)
def test_long_lines_are_judged_as_short_ones(inside, pad):
    """The quick tests for long lines against the one for short lines, and both against the numbers themselves."""
    line = long_line(*inside, pad=pad)
    result: list[int] = []
    json.loads(line, parse_int=lambda digits: result.append(int(digits)))
    expected = any(not -(2**63) <= number < 2**64 for number in result)
    with pytest.MonkeyPatch.context() as patch:
        assert is_refused(line) == expected
        patch.setattr(integers, "LONG_LINE_BYTES", len(line) + 1)
        assert is_refused(line) == expected
