"""What of a response a person sees, and which of its words are marked."""

import pytest

from real_cli.relabel.human.turns import MAX_COMPARISONS, differing_words, turns


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
