"""Degraded copies, Methods 3 (SPO)."""

import random
import re
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from real_cli.errors import RecordError, UsageError
from real_cli.relabel.degrade.copies import (
    WORD,
    Levels,
    check_levels,
    degraded_copies,
    key_words,
    remove_words,
    with_copies,
)
from real_cli.train.examples import ExampleReader
from real_cli.train.objective import Responses

TEXT = 'The red cat sat on the mat. The cat wasn\'t fat; "cats" (all of them) eat 2,100 mice.\n\n- Dogs bark.'
PAIR = {"prompt": "q", "chosen": TEXT, "rejected": "No."}

PIECES = ["cat", "dog's", "the", "of", "1", "2,5", "x-y", "don't", " ", "  ", "\n", ".", ",", "-", "'", '"', "("]
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=2), max_size=25).map("".join)
shares = st.sampled_from([0.05, 0.1, 0.2, 0.25, 0.33])


def words(text):
    return [word.casefold() for word in WORD.findall(text)]


def is_part(fewer, more):
    """Tell whether one list is the other with some left out, in order."""
    rest = iter(more)
    return all(word in rest for word in fewer)


# By hand


def test_degrees_are_scored_as_rake_does():
    """Phrases: red cat sat (3), mat (1), cat (1), dogs bark (2). cat has 3 + 1 = 4, red and sat 3, dogs and bark 2."""
    ranked = key_words("The red cat sat on the mat. The cat, and dogs bark.", random.Random(0))
    assert ranked[0] == "cat"
    assert set(ranked[1:3]) == {"red", "sat"}
    assert set(ranked[3:5]) == {"dogs", "bark"}
    assert ranked[5:] == ["mat"]


def test_each_degree_lacks_its_share_of_the_key_words():
    """Of 10 key words 2, 4 and 6 go: .2 for each degree."""
    copies = degraded_copies(", ".join(f"word{letter}" for letter in "abcdefghij"), Levels())
    assert [copy["degree"] for copy in copies] == [1, 2, 3]
    assert [len(words(copy["text"])) for copy in copies] == [8, 6, 4]


def test_a_share_is_rounded_up_and_exact():
    """Of 5 key words degree 3 at .2 lacks 3; as floats 3 * .2 * 5 is above 3, and 4 would go."""
    copies = degraded_copies("alpha, beta, gamma, delta, omega", Levels())
    assert [len(words(copy["text"])) for copy in copies] == [4, 3, 2]
    assert [len(words(copy["text"])) for copy in degraded_copies("alpha, beta, gamma", Levels())] == [2, 1]


def test_a_short_response_has_fewer_copies_of_their_own_degrees():
    """2 key words: degree 1 lacks one, degree 2 no more than that, degree 3 (.6 * 2 = 1.2) both, and "the" is left."""
    copies = degraded_copies("the alpha, beta", Levels())
    assert [(copy["degree"], len(words(copy["text"]))) for copy in copies] == [(1, 2), (3, 1)]


@pytest.mark.parametrize("text", ["", "Paris.", "!?", "it is so"])
def test_a_response_without_words_to_spare_has_no_copy(text):
    assert degraded_copies(text, Levels()) == []


@pytest.mark.parametrize(
    ("text", "removed", "left"),
    [
        ("Paris is in France.", "paris", "is in France."),
        ("It is Paris, France.", "paris", "It is, France."),
        (" sat on the mat", "sat", " on the mat"),
        ("a\n  - Paris is\n  Paris was", "paris", "a\n  - is\n  was"),
        ('He said "Paris is" (Paris too)', "paris", 'He said "is" (too)'),
        ("one two  three\tfour", "two three", "one\tfour"),
        ("one two three", "one two three", ""),
        ("well-known facts, known well", "known", "well-known facts, well"),
        ("2,100 of 100", "100", "2,100 of"),
        ("3 cats,5 dogs", "cats", "3 ,5 dogs"),
        ("1,cats 5 dogs", "cats", "1, 5 dogs"),
        ("Cat CAT cat!", "cat", "!"),
        ("no such word", "cat", "no such word"),
    ],
)
def test_what_is_left_reads_on(text, removed, left):
    assert remove_words(text, frozenset(removed.split())) == left


def test_contractions_of_grammar_are_no_key_words():
    text = "It's that he can't, won\u2019t, don't and isn't; they're the dog's"
    assert key_words(text, random.Random(0)) == ["dog's"]


# Properties


@given(texts, shares, st.integers(0, 3))
@settings(max_examples=300)
def test_each_copy_has_a_strict_part_of_the_words_below(text, share, seed):
    """Methods 3(f): degree 0 is the original; each higher level is a strict token subset of the previous one."""
    before = words(text)
    degree = 0
    for copy in degraded_copies(text, check_levels(4, share), seed):
        after = words(copy["text"])
        assert degree < copy["degree"] < 4
        assert is_part(after, before)
        assert 0 < len(after) < len(before)
        before, degree = after, copy["degree"]


@given(texts, st.sets(st.sampled_from(["cat", "dog's", "1", "2,5", "x-y"])))
@settings(max_examples=300)
def test_what_is_no_word_and_no_blank_stays_to_the_byte(text, removed):
    shorter = remove_words(text, frozenset(removed))
    bare = [re.sub(r"[ \t]", "", WORD.sub("", each)) for each in (text, shorter)]
    assert bare[0] == bare[1]
    assert words(shorter) == [word for word in words(text) if word not in removed]


@given(texts)
def test_removing_nothing_changes_nothing(text):
    assert remove_words(text, frozenset()) == text


@given(texts, st.integers(0, 2**63 - 1))
def test_the_same_seed_and_text_give_the_same_copies(text, seed):
    assert degraded_copies(text, Levels(), seed) == degraded_copies(text, Levels(), seed)


def test_the_seed_decides_between_equally_important_words():
    text = "alpha, beta, gamma, delta, omega"
    assert len({degraded_copies(text, Levels(), seed)[0]["text"] for seed in range(20)}) > 2


def test_important_words_go_first_whatever_the_seed():
    for seed in range(20):
        (copy, *_) = degraded_copies("cat, cat, cat, dog", Levels(2, Fraction(1, 5)), seed)
        assert words(copy["text"]) == ["dog"]


# Records


def test_twice_is_once_and_other_fields_stay():
    record = PAIR | {"degraded": "old", "id": 7}
    once = with_copies(record, Levels())
    assert with_copies(once, Levels()) == once
    assert {field: value for field, value in once.items() if field != "degraded"} == PAIR | {"id": 7}


def test_spo_reads_what_is_written():
    pair = with_copies(PAIR, Levels())
    example = ExampleReader(Responses.copies, levels=4)(pair)
    assert example.marks == [0, 0, 1, 2, 3]
    assert example.responses[0] == TEXT


def test_only_what_the_assistant_says_is_degraded():
    chat = [
        {"role": "assistant", "content": "alpha, beta.", "name": "bot"},
        {"role": "user", "content": "alpha, gamma?"},
        {"role": "assistant", "content": [{"type": "text", "text": "the alpha"}, {"type": "image", "url": "alpha"}]},
        {"role": "assistant", "content": None, "tool_calls": []},
    ]
    (copy,) = degraded_copies(chat, Levels(2, Fraction(1, 2)))
    assert copy["text"] == [
        chat[0] | {"content": ", beta."},
        chat[1],
        chat[2] | {"content": [{"type": "text", "text": "the"}, chat[2]["content"][1]]},
        chat[3],
    ]
    assert chat[0]["content"] == "alpha, beta."


# Errors


@pytest.mark.parametrize(
    ("number", "drop", "complaint"),
    [
        (4, 0, "--drop 0: must be a share above 0, at most 1"),
        (4, -0.2, "--drop -0.2: must be a share"),
        (4, float("nan"), "--drop nan: must be a share"),
        (2, 1.5, "--drop 1.5: must be a share"),
        (6, 0.3, "--levels 6 and --drop 0.3: degree 5 would remove 150% of the key words; at most 100% can go"),
    ],
)
def test_levels_that_cannot_be_are_refused(number, drop, complaint):
    with pytest.raises(UsageError, match=complaint):
        check_levels(number, drop)


def test_all_key_words_may_go():
    assert check_levels(11, 0.1) == Levels(11, Fraction(1, 10))


def test_candidates_are_refused():
    with pytest.raises(RecordError, match="1 responses and no 'chosen'"):
        with_copies({"prompt": "q", "responses": [{"text": "a"}]}, Levels())
