"""Texts on a terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from real_cli.text.terminal_safe import MAX_CHARACTERS, printable, printable_line, printable_lines


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left(text):
    """Cc are all C0 and C1 controls of Unicode; line ends and tabs alone may stay."""
    shown = printable(text)
    assert not [item for item in shown if unicodedata.category(item) == "Cc" and item not in "\n\t"]
    assert not [item for item in shown if unicodedata.bidirectional(item) in {"LRO", "RLO", "LRE", "RLE", "PDF"}]
    assert not [item for item in shown if unicodedata.bidirectional(item) in {"LRI", "RLI", "FSI", "PDI"}]
    shown.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\tb\nc\r\nd\re", "a\tb\nc\nd\ne"),
        ("\x1b[31m\x00\x7f\x9b", "␛[31m␀␡\ufffd"),
        ("\u2028a\u202eb\u2066", "\na\ufffdb\ufffd"),
        ("日本 é 👩\u200d💻", "日本 é 👩\u200d💻"),
    ],
)
def test_controls_become_pictures_and_letters_stay(text, shown):
    assert printable(text) == shown


@given(st.text())
def test_messages_are_one_line_of_what_python_calls_printable(text):
    assert printable_line(text).isprintable()
    assert all(line.replace("\t", "").isprintable() for line in printable_lines(text).split("\n"))


@pytest.mark.parametrize("text", ["", "plain", "日本 é"])
def test_what_is_printable_stays_as_it_is(text):
    assert (printable(text), printable_line(text), printable_lines(text)) == (text, text, text)


def test_messages_show_joiners_as_what_cannot_be_seen_and_texts_keep_them():
    assert (printable("👩\u200d💻"), printable_line("👩\u200d💻")) == ("👩\u200d💻", "👩\ufffd💻")


def test_long_messages_are_cut():
    assert printable_line("x" * (MAX_CHARACTERS + 1)) == "x" * (MAX_CHARACTERS - 3) + "..."
