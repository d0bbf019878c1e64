"""Texts on a terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from real_cli.relabel.human.turns import MAX_COMPARISONS, differing_words, turns
from real_cli.text.terminal_safe import printable


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left(text):
    """Cc are all C0 and C1 controls of Unicode; line ends and tabs alone may stay."""
    shown = printable(text)
    assert not [one for one in shown if unicodedata.category(one) == "Cc" and one not in "\n\t"]
    assert not [one for one in shown if unicodedata.bidirectional(one) in {"LRO", "RLO", "LRE", "RLE", "PDF"}]
    assert not [one for one in shown if unicodedata.bidirectional(one) in {"LRI", "RLI", "FSI", "PDI"}]
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


def test_roles_are_made_printable_too():
    assert turns([{"role": "\x1buser", "content": "a\x1bb"}]) == [("␛user", "a␛b")]


def words(text, spans):
    return [text[start:end] for start, end in spans]


@pytest.mark.parametrize(
    ("first", "second", "marked"),
    [
        ("the cat sat.", "the dog sat!", (["cat", "."], ["dog", "!"])),
        ("same words", "same  words", ([], [])),
        ("", "new", ([], ["new"])),
        ("a b c", "c b a", (["b", "c"], ["c", "b"])),
    ],
)
def test_words_that_differ(first, second, marked):
    """In the last one the longest run that both share is one word: difflib keeps the a."""
    spans = differing_words(first, second)
    assert (words(first, spans[0]), words(second, spans[1])) == marked


def test_long_texts_are_compared_by_their_words_alone():
    count = int(MAX_COMPARISONS**0.5) + 1
    first, second = "a " * count + "x a", "a " * count + "y"
    spans = differing_words(first, second)
    assert (words(first, spans[0]), words(second, spans[1])) == (["x"], ["y"])
