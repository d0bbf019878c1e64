"""Who speaks, by whatever name: templates know `user`, `assistant`, `system` and `tool`."""

import json

import pytest

from real_cli.errors import RecordError
from real_cli.records.layouts import adapt, adapt_prompt
from real_cli.records.public.chat_forms import read_forms
from real_cli.relabel.dsat.dissatisfaction import adapt_dialogue
from real_cli.sample.drift import read_complaint

ASKING = ["human", "Human", "USER", "User", "prompter"]
ANSWERING = ["gpt", "GPT", "bot", "model", "ai", "AI", "chatgpt", "Assistant", "chatbot", "bing"]
USER = {"role": "user", "content": "Name a blue bird."}
JAY = {"role": "assistant", "content": "Jay."}
GULL = {"role": "assistant", "content": "Gull."}


def speak(message, role, form="role"):
    words = {"role": {"content": message["content"]}, "from": {"value": message["content"]}}[form]
    return {form: role, **words}


@pytest.mark.parametrize("write", [lambda value: value, json.dumps, str])
@pytest.mark.parametrize("form", ["role", "from"])
@pytest.mark.parametrize("answering", ANSWERING)
@pytest.mark.parametrize("asking", ASKING)
def test_speakers_of_any_name_are_user_and_assistant(asking, answering, form, write):
    user = speak(USER, asking, form)
    jay, gull = (speak(message, answering, form) for message in (JAY, GULL))
    records = [
        {"prompt": write([user]), "chosen": write([jay]), "rejected": write([gull])},
        {"chosen": write([user, jay]), "rejected": write([user, gull])},
        {"messages": write([user]), "chosen": jay, "rejected": gull},
        {"messages": write([user, jay]), "rejected_response": write([gull])},
    ]
    for record in records:
        assert adapt(record).record == {"prompt": [USER], "chosen": [JAY], "rejected": [GULL]}
    candidates = adapt({"prompt": [user], "responses": [{"text": [jay]}, {"text": [gull]}]}).record
    assert [response["text"] for response in candidates["responses"]] == [[JAY], [GULL]]
    assert adapt_prompt({"conversations": write([user])}).record == {"prompt": [USER]}
    assert adapt({"input": {"messages": [user]}, "preferred_output": [jay], "non_preferred_output": [gull]}).record == {
        "prompt": [USER], "chosen": [JAY], "rejected": [GULL]
    }  # fmt: skip


def test_other_readers_of_messages_know_the_names_too():
    messages = [speak(USER, "human"), speak(JAY, "gpt"), speak({"content": "No."}, "human")]
    assert [turn["role"] for turn in adapt_dialogue({"messages": messages}).record["prompt"]] == [
        *("user", "assistant", "user")
    ]
    complaint = {"prompt": messages[:1], "rejected": messages[1:2], "user_preference": {"content": "No."}}
    assert read_complaint(complaint).record["prompt"] == [USER]
    led = adapt({"history": messages[:2], "query": "Why?", "response": "So."}).record["prompt"]
    assert [turn["role"] for turn in led] == ["user", "assistant", "user"]


@pytest.mark.parametrize(("name", "role"), [("System", "system"), ("observation", "tool"), ("TOOL", "tool")])
def test_other_roles_have_names_as_well(name, role):
    read = read_forms({"prompt": [{"role": name, "content": "x"}, USER]})
    assert read["prompt"][0] == {"role": role, "content": "x"}


def test_a_call_of_a_tool_is_read_under_its_role_too():
    call = {"role": "function_call", "content": '{"name": "add", "arguments": {"a": 2}}'}
    (read,) = read_forms({"chosen": [call]})["chosen"]
    assert read["tool_calls"] == [{"type": "function", "function": {"name": "add", "arguments": {"a": 2}}}]
    with pytest.raises(RecordError, match="no tool call"):
        read_forms({"chosen": [call | {"content": "add"}]})


def test_a_role_that_nobody_knows_stays():
    message = {"role": "Narrator", "content": "Snow."}
    assert read_forms({"prompt": [message]})["prompt"] == [message]


@pytest.mark.parametrize("role", [None, 5, ["user"]])
def test_a_role_is_a_string(role):
    with pytest.raises(RecordError, match="the role of message 1 is"):
        adapt({"prompt": [{"role": role, "content": "x"}], "chosen": [JAY], "rejected": [GULL]})


@pytest.mark.parametrize("beside", [{"value": "Name a red bird."}, {"parts": [{"text": "Name a red bird."}]}])
def test_a_message_does_not_say_two_things(beside):
    with pytest.raises(RecordError, match="message 1 says one thing"):
        adapt({"prompt": [USER | beside], "chosen": [JAY], "rejected": [GULL]})
    assert adapt({"prompt": [USER | {"value": ""}], "chosen": [JAY], "rejected": [GULL]})


def test_parts_are_what_is_said():
    """Gemini's messages."""
    message = {"role": "model", "parts": [{"text": "Ja"}, {"text": "y."}]}
    assert read_forms({"chosen": [message]})["chosen"] == [JAY]
    image = {"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": ""}}]}
    with pytest.raises(RecordError, match="reads text alone"):
        adapt({"prompt": [image], "chosen": [JAY], "rejected": [GULL]})
