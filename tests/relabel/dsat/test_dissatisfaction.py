"""Dissatisfied turns: which turns are judged, on what, and which records come of them."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from real_cli.errors import RecordError
from real_cli.llm.rubric import DETECTING
from real_cli.llm.rubric_files import read_rubric
from real_cli.records.questions import Answer, advance
from real_cli.relabel.dsat.dissatisfaction import (
    Dissatisfaction,
    Feeling,
    adapt_dialogue,
    begin_detecting,
    feel_lexically,
    judgeable_turns,
    read_feeling,
    spoken_feeling,
)

RUBRIC = read_rubric("dsat", DETECTING)


def conversation(*contents):
    return [{"role": ("user", "assistant")[index % 2], "content": content} for index, content in enumerate(contents)]


CORRECTED = {"id": 1, "prompt": conversation("2 + 2?", "5", "That's wrong.", "4", "Thanks!"), "lang": "en"}


def detect(record, *labels):
    """Judge a conversation with a judge who gives these labels; returns what was shown and the feelings."""
    inquiry = begin_detecting(record, RUBRIC)
    questions, _ = advance(inquiry, None)
    texts = [json.dumps({"reason": "so", "label": label}) for label in labels]
    answers = [Answer(text, question.read(text)) for text, question in zip(texts, questions, strict=True)]
    _, (felt,) = advance(inquiry, answers)
    return [question.messages[-1]["content"] for question in questions], felt


def test_drift_record_holds_what_led_to_the_reply_the_reply_and_the_complaint():
    _, felt = detect(CORRECTED, "dissatisfied", "satisfied")
    (complaint,) = Dissatisfaction({"model": "j"}, seeds=False)(CORRECTED, felt)
    assert complaint == {
        "id": 1,
        "prompt": conversation("2 + 2?"),
        "lang": "en",
        "rejected": [{"role": "assistant", "content": "5"}],
        "user_preference": {"content": "That's wrong."},
        "dsat": {"model": "j", "turn": 2, "reason": "so"},
    }


def test_the_rejected_reply_is_byte_for_byte_what_was_there():
    reply = {"role": "assistant", "content": " 5 \n", "turn_id": 3, "redacted": False}
    record = {"prompt": [*conversation("2 + 2?"), reply, {"role": "user", "content": "No."}]}
    _, felt = detect(record, "dissatisfied")
    (complaint,) = Dissatisfaction({}, seeds=False)(record, felt)
    assert json.dumps(complaint["rejected"]) == json.dumps([reply])


def test_a_seed_pairs_the_bad_reply_with_the_later_one_that_satisfied():
    _, felt = detect(CORRECTED, "dissatisfied", "satisfied")
    (seed,) = Dissatisfaction({}, seeds=True)(CORRECTED, felt)
    assert seed["chosen"] == [{"role": "assistant", "content": "4"}]
    assert seed["rejected"] == [{"role": "assistant", "content": "5"}]


def test_satisfaction_before_the_complaint_makes_no_seed():
    _, felt = detect(CORRECTED, "satisfied", "dissatisfied")
    assert Dissatisfaction({}, seeds=True)(CORRECTED, felt) == []
    assert len(Dissatisfaction({}, seeds=False)(CORRECTED, felt)) == 1


def test_a_turn_is_judged_by_what_was_said_up_to_it():
    shown, _ = detect(CORRECTED, "neither", "neither")
    assert "That's wrong." in shown[0]
    assert "Thanks!" not in shown[0]
    assert "Thanks!" in shown[1]


def test_counts_add_up():
    detector = Dissatisfaction({}, seeds=False)
    for labels in (("dissatisfied", "satisfied"), ("neither", "dissatisfied")):
        detector(CORRECTED, detect(CORRECTED, *labels)[1])
    assert detector.sentence() == (
        "2 records from 2 conversations with 4 turns after a reply: 2 dissatisfied, 1 satisfied, 1 neither"
    )


@given(st.lists(st.sampled_from(["system", "user", "assistant", "tool"]), max_size=9))
def test_every_judged_turn_is_a_user_s_with_replies_only_before_it(roles):
    turns = judgeable_turns([{"role": role, "content": ""} for role in roles])
    for turn in turns:
        assert roles[turn.message] == "user"
        assert roles[turn.reply - 1] == "user"
        assert turn.reply < turn.message
        assert "user" not in roles[turn.reply : turn.message]
        assert turn.number == roles[: turn.message + 1].count("user")
    users = [index for index, role in enumerate(roles) if role == "user"]
    assert len(turns) == sum(later - earlier > 1 for earlier, later in pairwise(users))


@pytest.mark.parametrize("field", ["prompt", "messages", "conversation", "conversations"])
def test_a_conversation_is_found_under_its_names(field):
    record = {"id": 1, field: conversation("Hi"), "lang": "en"}
    assert adapt_dialogue(record).record == {"id": 1, "prompt": conversation("Hi"), "lang": "en"}
    assert list(adapt_dialogue(record).record) == ["id", "prompt", "lang"]


@pytest.mark.parametrize("field", ["messages", "conversation", "conversations"])
def test_a_prompt_beside_the_conversation_is_kept_under_another_name(field):
    """UltraChat: `prompt` is the first question, `messages` the conversation."""
    record = {"prompt": "2 + 2?", "prompt_id": 1, field: conversation("2 + 2?")}
    adapted = adapt_dialogue(record).record
    assert adapted == {"original_prompt": "2 + 2?", "prompt_id": 1, "prompt": conversation("2 + 2?")}
    with pytest.raises(RecordError, match=f"'prompt' beside '{field}' is kept as 'original_prompt', which is there"):
        adapt_dialogue(record | {"original_prompt": "mine"})


def test_a_conversation_in_the_prompt_leaves_the_others_and_an_original_prompt_as_they_are():
    record = {"prompt": conversation("Hi"), "messages": conversation("Ho"), "original_prompt": "mine"}
    assert adapt_dialogue(record).record == record


@pytest.mark.parametrize(
    "history", [[["2 + 2?", "5"]], [{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "5"}]]
)
@pytest.mark.parametrize("prompt", ["No, 4.", [{"role": "user", "content": "No, 4."}]])
def test_the_turns_of_a_history_come_before_the_prompt(history, prompt):
    adapted = adapt_dialogue({"prompt": prompt, "history": history, "system": "Add."}).record
    assert [turn["content"] for turn in adapted["prompt"]] == ["Add.", "2 + 2?", "5", "No, 4."]
    assert "history" not in adapted
    assert len(judgeable_turns(adapted["prompt"])) == 1


def test_the_turns_of_a_history_come_before_messages_beside_a_prompt():
    messages = [{"role": "user", "content": "No, 4."}]
    adapted = adapt_dialogue({"prompt": "4?", "messages": messages, "history": [["2 + 2?", "5"]]}).record
    assert [turn["content"] for turn in adapted["prompt"]] == ["2 + 2?", "5", "No, 4."]
    assert adapted["original_prompt"] == "4?"


def test_its_own_output_is_refused_whose_earlier_complaints_would_be_found_again():
    _, felt = detect(CORRECTED, "dissatisfied", "satisfied")
    (complaint,) = Dissatisfaction({"model": "j"}, seeds=False)(CORRECTED, felt)
    with pytest.raises(RecordError, match="field 'dsat' is .*; give the conversation itself"):
        adapt_dialogue(complaint)


def test_a_record_without_a_conversation_is_refused():
    with pytest.raises(RecordError, match="no conversation in the fields"):
        adapt_dialogue({"prompt": "plain text"})


@pytest.mark.parametrize(
    ("words", "feeling"),
    [
        ("That's not what I asked for.", "dissatisfied"),
        ("No, try again.", "dissatisfied"),
        ("It still doesn't work", "dissatisfied"),
        ("Thanks, but that is wrong", "dissatisfied"),  # a complaint wins over politeness
        ("make it shorter", "dissatisfied"),
        ("It doesn\u2019t work", "dissatisfied"),  # as a phone writes the apostrophe
        ("You didn\u2019t answer", "dissatisfied"),
        ("That\u2019s not it", "dissatisfied"),
        ("you\u2019re still guessing", "dissatisfied"),
        ("That isn\u2019t it", "dissatisfied"),
        ("It wasn\u2019t", "dissatisfied"),
        ("No, that is not bad, it is wrong", "dissatisfied"),
        ("No thanks, that is perfect", "satisfied"),
        ("No, thank you", "satisfied"),
        ("That is not bad at all, I love it", "satisfied"),
        ("That's not a problem", "neither"),
        ("What went wrong in 1914?", "neither"),
        ("That went wrong", "dissatisfied"),
        ("No need, great", "satisfied"),
        ("No worries, thank you!", "satisfied"),
        ("Perfect.", "satisfied"),
        ("And what is 3 + 3?", "neither"),
        ("", "neither"),
    ],
)
def test_the_lexical_rule(words, feeling):
    assert spoken_feeling(words)[0].value == feeling


def test_the_reason_quotes_the_user_letter_by_letter():
    assert spoken_feeling("Well, you didn\u2019t answer.") == (Feeling.dissatisfied, "says 'you didn\u2019t'")


def test_the_lexical_rule_asks_nothing():
    questions, (felt,) = advance(feel_lexically(CORRECTED), None)
    assert questions == []
    assert [opinion.feeling for opinion in felt] == [Feeling.dissatisfied, Feeling.satisfied]


def test_dissatisfied_is_not_read_as_satisfied():
    assert read_feeling("The user is dissatisfied.")[0] is Feeling.dissatisfied
    with pytest.raises(RecordError, match="does not name exactly one of"):
        read_feeling("dissatisfied, satisfied or neither")


def test_messages_of_the_user_in_a_row_are_shown_and_kept_together():
    turns = [*conversation("2 + 2?", "5", "Hm."), {"role": "user", "content": "That's wrong."}]
    (shown,), felt = detect({"prompt": turns}, "dissatisfied")
    assert "Hm." in shown
    assert "That's wrong." in shown
    (complaint,) = Dissatisfaction({}, seeds=False)({"prompt": turns}, felt)
    assert complaint["user_preference"] == {"content": "Hm.\n\nThat's wrong."}
    assert complaint["rejected"] == [{"role": "assistant", "content": "5"}]


def test_the_list_of_phrases_reads_all_messages_of_the_user_in_a_row():
    turns = [*conversation("2 + 2?", "5", "Hm."), {"role": "user", "content": "That's wrong."}]
    _, (felt,) = advance(feel_lexically({"prompt": turns}), None)
    assert [feeling for _, feeling, _ in felt] == [Feeling.dissatisfied]


@pytest.mark.parametrize("fields", [("conversation", "conversations"), ("messages", "conversation")])
def test_two_conversations_that_differ_are_refused(fields):
    first, second = fields
    record = {first: conversation("Hi"), second: conversation("Ho")}
    with pytest.raises(RecordError, match=f"the fields {first} and {second} hold conversations that differ"):
        adapt_dialogue(record)
    assert adapt_dialogue(record | {second: conversation("Hi")}).record["prompt"] == conversation("Hi")


def test_tools_that_nobody_would_see_are_refused():
    with pytest.raises(RecordError, match="field 'tools' is"):
        adapt_dialogue({"messages": conversation("Hi"), "tools": [{"name": "add"}]})
