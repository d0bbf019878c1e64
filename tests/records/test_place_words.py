"""Where the words of a contrast, or of a principle, go."""

import pytest

from real_cli.errors import RecordError, UsageError
from real_cli.records.place_words import check_contrast, place_words

USER = {"role": "user", "content": "Why?", "name": "u"}
SYSTEM = {"role": "system", "content": "Be brief."}
ANSWER = {"role": "assistant", "content": "So."}


def test_plain_text_gets_the_words_in_front():
    assert place_words("Why?", "Be kind.") == "Be kind.\n\nWhy?"


def test_a_transcript_gets_them_inside_its_first_human_turn():
    assert place_words("\n\nHuman: Why?\n\nAssistant:", "Be kind.") == "\n\nHuman: Be kind.\n\nWhy?\n\nAssistant:"


def test_a_template_takes_a_text_in_once_and_leaves_its_braces_alone():
    assert place_words("a {prompt} b", "[{prompt}] kindly: ") == "[a {prompt} b] kindly: "


def test_a_conversation_gets_a_system_message():
    assert place_words([USER], "Be kind.") == [{"role": "system", "content": "Be kind."}, USER]


def test_a_system_message_that_is_there_stays_and_the_words_follow():
    assert place_words([SYSTEM, USER], "Be kind.") == [
        {"role": "system", "content": "Be brief.\n\nBe kind."},
        USER,
    ]
    assert SYSTEM["content"] == "Be brief."


def test_a_template_takes_in_the_last_user_message_of_a_conversation():
    result = place_words([USER, ANSWER, USER], "Kindly: {prompt}")
    assert result == [USER, ANSWER, USER | {"content": "Kindly: Why?"}]


def test_a_template_needs_a_user_message():
    with pytest.raises(RecordError, match="no user message to put in at {prompt}; write the words without it$"):
        place_words([SYSTEM], "Kindly: {prompt}")


def test_content_that_is_no_string_is_refused():
    with pytest.raises(RecordError, match=r"the system message is \[.*; the words need a string there$"):
        place_words([{"role": "system", "content": [{"type": "text", "text": "x"}]}, USER], "Be kind.")


@pytest.mark.parametrize(("words", "problem"), [(" \n", "one side is empty"), ("{prompt}{prompt}", "once")])
def test_words_are_checked(words, problem):
    with pytest.raises(UsageError, match=problem):
        check_contrast(words)
