"""Words, normalized texts and how much two texts share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from real_cli.text.normalize import digest, normalized, word_similarity, words

texts = st.lists(st.sampled_from("abcd"), max_size=12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Who's there?", ["who", "s", "there"]),
        ("STRASSE straße", ["strasse", "strasse"]),
        ("\uff21\uff22\u00b2", ["ab2"]),  # full width, and a superscript
        ("日本語 ok", ["日", "本", "語", "ok"]),
        ("हिन्दी में", ["हिन्दी", "में"]),  # vowel signs are marks, and belong to their words
        ("a_b\u00a0c\n", ["a", "b", "c"]),
        ("?!", []),
    ],
)
def test_words(text, expected):
    assert words(text) == expected


@given(st.text())
def test_normalizing_twice_is_normalizing_once(text):
    assert normalized(normalized(text)) == normalized(text)


def test_a_text_without_words_stays_apart():
    assert normalized(" ? ") == "?" != normalized("!")


@given(texts, texts)
def test_the_similarity_is_shared_grams_of_all_grams(first, second):
    """Written anew: grams as strings, in lists."""

    def grams(split):
        return ["".join(split[i : i + 3]) for i in range(max(1, len(split) - 2))] if split else []

    either = set(grams(first) + grams(second))
    shared = [gram for gram in either if gram in grams(first) and gram in grams(second)]
    assert word_similarity(first, second) == (len(shared) / len(either) if either else 0)


def test_texts_are_not_run_together_in_a_digest():
    assert digest("a", "b") != digest("ab", "") != digest("", "ab")
    assert 0 <= digest("a") < 2**64
