"""Reading and writing lines: numbers stay true, nothing changes silently, and each fault is told in plain words."""

import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from real_cli.errors import RecordError
from real_cli.io.jsonl import check_values, dump_record, parse_record, read_lines


def numbered(data, **options):
    return [tuple(line) for line in read_lines(io.BytesIO(data), **options)]


def problem(data):
    with pytest.raises(RecordError) as caught:
        parse_record(data)
    return str(caught.value)


# Lines


def test_lines_are_numbered_from_one():
    assert numbered(b'{"a":1}\n{"a":2}\n') == [(1, b'{"a":1}\n'), (2, b'{"a":2}\n')]


def test_a_last_line_without_its_newline_is_a_line():
    assert numbered(b'{"a":1}\n{"a":2}') == [(1, b'{"a":1}\n'), (2, b'{"a":2}')]


def test_blank_lines_are_skipped_and_counted():
    assert numbered(b'\n{"a":1}\n  \t\n\r\n{"a":2}\n\n') == [(2, b'{"a":1}\n'), (5, b'{"a":2}\n')]


def test_no_bytes_are_no_lines():
    assert numbered(b"") == []


def test_a_byte_order_mark_is_no_part_of_the_first_line():
    assert numbered(b'\xef\xbb\xbf{"a":1}\n{"a":2}\n') == [(1, b'{"a":1}\n'), (2, b'{"a":2}\n')]


def test_a_byte_order_mark_alone_is_an_empty_file():
    assert numbered(b"\xef\xbb\xbf") == []
    assert numbered(b'\xef\xbb\xbf\n{"a":1}\n') == [(2, b'{"a":1}\n')]


def test_a_byte_order_mark_on_a_later_line_is_not_removed():
    assert numbered(b'{"a":1}\n\xef\xbb\xbf{"a":2}\n')[1] == (2, b'\xef\xbb\xbf{"a":2}\n')


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_told_with_the_command_that_converts_it(encoding):
    data = "\ufeff".encode(encoding) + '{"a":1}\n'.encode(encoding)
    with pytest.raises(RecordError, match=r"^1: text is UTF-16; convert it to UTF-8 first: iconv -f UTF-16 -t UTF-8$"):
        numbered(data)


def test_a_line_of_several_megabytes_is_a_line():
    data = b'{"a":"' + b"x" * 5_000_000 + b'"}\n'
    ((number, line),) = numbered(data)
    assert (number, len(line)) == (1, 5_000_009)
    assert len(parse_record(line)["a"]) == 5_000_000


def test_the_limit_refuses_a_line_one_byte_longer_than_it():
    assert numbered(b"\n12345678\n", max_line_bytes=9) == [(2, b"12345678\n")]
    with pytest.raises(RecordError, match=r"^2: line is longer than 8 bytes; raise --max-line-bytes$"):
        numbered(b"\n12345678\n", max_line_bytes=8)


# Records


def test_a_line_ends_in_cr_lf_or_lf():
    assert parse_record(b'{"a": 1}\r\n') == parse_record(b'{"a": 1}\n') == parse_record(b'{"a": 1}') == {"a": 1}


def test_fields_keep_their_order_and_their_unknown_values():
    record = parse_record(b'{"zeta": [1, {"b": null, "a": true}], "alpha": "\\u00e9", "10": 1.5, "2": {}}')
    assert list(record) == ["zeta", "alpha", "10", "2"]
    assert dump_record(record) == '{"zeta":[1,{"b":null,"a":true}],"alpha":"é","10":1.5,"2":{}}\n'.encode()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"[", "a JSON array starts here; one object a line is needed: jq -c '.[]' makes it so"),
        (b'[{"a": 1},', "a JSON array starts here; one object a line is needed: jq -c '.[]' makes it so"),
        (b'[{"a": 1}]', "a JSON array; one object a line is needed: jq -c '.[]' makes it so"),
        (b"{\n", "a JSON object that spans lines; one object a line is needed: jq -c . makes it so"),
        (b"5", "5 is not a JSON object; one object a line is needed"),
        (b'"text"', "'text' is not a JSON object; one object a line is needed"),
        (b'{"a": NaN}', "NaN is not JSON; write null, or leave the field out"),
        (b'{"a": [1, Infinity]}', "Infinity is not JSON; write null, or leave the field out"),
        (b'{"a": -Infinity}', "-Infinity is not JSON; write null, or leave the field out"),
        (b'{"a": "\\ud800"}', "a lone surrogate (\\ud800 to \\udfff) is not Unicode text; replace it, \\ufffd say"),
        (b'{"a": "\\uDFFF"}', "a lone surrogate (\\ud800 to \\udfff) is not Unicode text; replace it, \\ufffd say"),
        (b'{"a": "\xff"}', "byte 8 is not UTF-8; convert the file, or drop the line"),
        (b'{"a": "caf\xe9"}', "byte 11 is not UTF-8; convert the file, or drop the line"),
        (b'{"a": 1,}', "not JSON: trailing comma is not allowed, column 8"),
        (b'{"a": 1', "not JSON: unexpected end of data, column 8"),
    ],
)
def test_a_line_that_is_no_record_is_told_why(line, message):
    assert problem(line) == message


def test_the_word_nan_inside_a_text_is_text():
    assert parse_record(b'{"a": "NaN, Infinity and \\\\ud800"}') == {"a": "NaN, Infinity and \\ud800"}


def test_a_pair_of_surrogates_is_one_character():
    assert parse_record(b'{"a": "\\ud83d\\ude00"}') == {"a": "😀"}


# Numbers


@pytest.mark.parametrize(
    "digits", ["9223372036854775807", "18446744073709551615", "-9223372036854775808", "9007199254740993"]
)
def test_integers_of_64_bits_come_back_exactly(digits):
    line = b'{"id":%s}\n' % digits.encode()
    assert dump_record(parse_record(line)) == line


@pytest.mark.parametrize("digits", ["18446744073709551616", "-9223372036854775809", "99999999999999999999999"])
def test_integers_of_65_bits_are_refused_and_not_rounded(digits):
    message = f"integer {digits} does not fit in 64 bits; write it as a string"
    assert problem(b'{"id": %s}' % digits.encode()) == message
    assert problem(b'{"nested": [{"id": %s}]}' % digits.encode()) == message


def test_a_very_long_integer_is_cut_in_the_message():
    assert problem(b'{"id": %s}' % (b"7" * 300)) == f"integer {'7' * 40} does not fit in 64 bits; write it as a string"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b'{"a": "123456789012345678901234567890"}', "123456789012345678901234567890"),
        (b'{"a": 0.123456789012345678901234567890}', 0.12345678901234568),
        (b'{"a": 123456789012345678901234567890.5}', 1.2345678901234568e29),
        (b'{"a": 10000000000000000000000e-3}', 1e19),
    ],
)
def test_long_runs_of_digits_in_texts_and_fractions_are_no_integers(line, value):
    assert parse_record(line) == {"a": value}


@pytest.mark.parametrize("digits", ["1e400", "-1e400"])
def test_a_number_beyond_double_is_refused_and_not_infinity(digits):
    assert "infinity" in problem(b'{"a": %s}' % digits.encode())


# Writing


def test_a_line_is_compact_utf_8_with_one_newline():
    assert dump_record({"b": "é\n", "a": [1.0, None]}) == '{"b":"é\\n","a":[1.0,null]}\n'.encode()


def test_numpy_arrays_are_written_as_numbers():
    assert dump_record({"embedding": np.array([1.0, 0.5], dtype=np.float32)}) == b'{"embedding":[1.0,0.5]}\n'


def test_what_has_no_json_form_is_refused():
    with pytest.raises(RecordError, match=r"^cannot be written as JSON: "):
        dump_record({"a": {1, 2}})


def test_a_record_too_deep_to_be_written_is_refused_where_it_is_read():
    """orjson reads 1024 levels and writes 254: refused while reading, the line is known and can be skipped."""
    with pytest.raises(RecordError, match="nest|deep"):
        parse_record(b'{"a":' + b"[" * 300 + b"]" * 300 + b"}")


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_as_deep_as_can_be_written_is_kept_and_one_deeper_is_not(opening, closing):
    """254 levels; the record itself is one, and the innermost value is no level."""
    kept, refused = (f'{{"a":{opening * n}1{closing * n}}}\n'.encode() for n in (253, 254))
    assert dump_record(parse_record(kept)) == kept
    with pytest.raises(RecordError, match="nest|deep"):
        parse_record(refused)


def test_many_brackets_side_by_side_are_not_deep():
    line = b'{"a":[%s]}\n' % b",".join([b'{"b":[]}'] * 400)
    assert dump_record(parse_record(line)) == line


scalars = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(scalars | texts, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=6)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(texts, values))
def test_reading_what_was_written_gives_the_record_back(record):
    again = parse_record(dump_record(record))
    assert again == record
    assert json.dumps(again) == json.dumps(record)  # order, and 1 against 1.0


@settings(max_examples=50, deadline=None)
@given(st.lists(st.dictionaries(texts, values, max_size=3)), st.sampled_from([b"\n", b"\r\n", b"\n\n", b"\r\n \n"]))
def test_records_survive_any_line_end(records, end):
    data = b"".join(dump_record(record).removesuffix(b"\n") + end for record in records)
    assert [parse_record(line) for _, line in numbered(data)] == records


# Numbers that JSON cannot say


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"a": float("nan")}, "field 'a' is nan, which JSON cannot hold; write null, or leave the field out"),
        (
            {"a": [{"b": float("inf")}]},
            "field 'a.b' is inf, which JSON cannot hold; write null, or leave the field out",
        ),
        (
            {"a": {"b": [1.0, -float("inf")]}},
            "field 'a.b' is -inf, which JSON cannot hold; write null, or leave the field out",
        ),
    ],
)
def test_a_number_that_is_not_finite_is_named_by_its_field(record, message):
    with pytest.raises(RecordError) as caught:
        check_values(record)
    assert str(caught.value) == message


def test_finite_numbers_and_other_values_pass():
    check_values({"a": [1, 0.5, None, "nan", True, {"b": []}]})
