"""Records cut to what a person reads."""

import pytest

from real_cli.report.examples import NUM_CHARACTERS, NUM_WORD, excerpt


def shown(text):
    return excerpt("a:1", {"prompt": text, "chosen": "x", "rejected": "y"}, {}).prompt


def test_a_word_that_is_none_is_cut():
    """600 letters in one run filled a phone's screen each; what comes after the run is seen, and counted as before."""
    long = "W" * 500
    assert shown(f"a {long} b") == f"a {'W' * NUM_WORD}… b"
    assert shown("W" * 3000) == f"{'W' * NUM_WORD}… ({3000 - NUM_CHARACTERS:,} more characters)".replace("… (", "… … (")


@pytest.mark.parametrize("text", ["W" * NUM_WORD, "\u4e2d" * 300, "\u0e01" * 300, "many words " * 20])
def test_words_and_scripts_without_spaces_stay_whole(text):
    assert shown(text) == text
