"""Texts as readers see them: what a message says, and the tools it calls."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from real_cli.records.messages import message_text, plain_text, transcript, without_system
from real_cli.relabel.human.turns import turns


def calling(*calls, **more):
    return {"role": "assistant", **more, "tool_calls": list(calls)}


@pytest.mark.parametrize(
    "call",
    [
        {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"city": "Köln"}'}},
        {"type": "function", "function": {"name": "find", "arguments": {"city": "Köln"}}},
        {"name": "find", "arguments": {"city": "Köln"}},
    ],
)
def test_a_call_is_shown_the_same_however_the_tools_write_it(call):
    """OpenAI's arguments are JSON in a string, TRL's an object; some data sets leave the wrapping out."""
    assert message_text(calling(call, content=None)) == '{"name":"find","arguments":{"city":"Köln"}}'


def test_calls_stand_under_the_content_one_a_line():
    calls = [{"function": {"name": name, "arguments": {}}} for name in ("one", "two")]
    shown = '{"name":"one","arguments":{}}\n{"name":"two","arguments":{}}'
    assert message_text(calling(*calls, content="I look.")) == f"I look.\n{shown}"
    assert message_text(calling(*calls)) == shown


@pytest.mark.parametrize(
    ("calls", "shown"),
    [
        ([{"function": {"name": "f", "arguments": "{not json"}}], '{"name":"f","arguments":"{not json"}'),
        ([{"function": {"name": "f"}}], '{"name":"f","arguments":null}'),
        ([{"function": "f"}], '{"function":"f"}'),
        (["f"], '"f"'),
        ({"name": "f", "arguments": 1}, '{"name":"f","arguments":1}'),
        ([], ""),
        (None, ""),
    ],
)
def test_calls_of_any_form_are_shown(calls, shown):
    assert message_text({"role": "assistant", "content": "", "tool_calls": calls}) == shown


def test_readers_see_the_calls_in_one_message_in_many_and_on_the_screen():
    call = calling({"function": {"name": "f", "arguments": {"x": 1}}})
    shown = '{"name":"f","arguments":{"x":1}}'
    assert transcript([call]) == shown
    assert transcript([{"role": "user", "content": "Hi"}, call]) == f"User: Hi\n\nAssistant: {shown}"
    assert turns([call]) == [("assistant", shown)]


messages = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": st.none() | st.text()}),
    min_size=1,
    max_size=4,
)


@given(messages)
def test_without_calls_a_transcript_is_what_names_the_cached_answers_of_judges(conversation):
    """Written out anew: another byte in it, and every judged pair would be paid for again."""
    reply = [item["content"] or "" for item in conversation]
    roles = [item["role"].capitalize() for item in conversation]
    if len(conversation) == 1:
        assert transcript(conversation) == reply[0] == plain_text(conversation)
    else:
        assert transcript(conversation) == "\n\n".join(map("{}: {}".format, roles, reply))


def test_an_instruction_has_no_system_message_unless_there_is_nothing_else():
    system, asked = {"role": "system", "content": "Be kind."}, {"role": "user", "content": "Why?"}
    assert without_system([system, asked, system]) == [asked]
    assert without_system([system]) == [system]
    assert without_system("system") == "system"
