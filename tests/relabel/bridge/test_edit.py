"""BMC's bridging: what becomes of a record whose rejected response was edited."""

import pytest

from real_cli.errors import RecordError, UsageError
from real_cli.llm.rubric import BRIDGING
from real_cli.llm.rubric_files import read_rubric
from real_cli.records.questions import Answer, advance
from real_cli.relabel.bridge.edit import begin_bridging, bridge_from, bridged, check_edit_field

PAIR = {
    "id": 7,
    "prompt": "2 + 2?",
    "chosen": "Four.",
    "rejected": "It is 5.",
    "score_chosen": 9,
    "score_rejected": 2,
    "model_chosen": "big",
    "model_rejected": "small",
    "ref_chosen_logps": -3.0,
    "ref_rejected_logps": -4.0,
    "similarity": 0.5,
    "source": {"file": "a.txt"},
}
RUBRIC = read_rubric("bridge", BRIDGING)


def bridge(record, edit):
    """Bridge a record with an editor who writes `edit`; returns the question's words and the result."""
    inquiry = begin_bridging(record, RUBRIC, "editor")
    (question,), nothing = advance(inquiry, None)
    assert nothing == []
    _, (edited,) = advance(inquiry, [Answer(edit, question.read(edit))])
    return question.messages[-1]["content"], edited


def test_the_edit_is_chosen_and_the_original_stays():
    words, edited = bridge(PAIR, " It is 4.\n")
    assert edited["chosen"] == "It is 4."
    assert edited["chosen_original"] == "Four."
    assert edited["rejected"] == "It is 5."
    assert edited["bridge"] == {"model": "editor", "rubric": "bridge", "rubric_hash": RUBRIC.digest}
    assert all(part in words for part in ("2 + 2?", "Four.", "It is 5."))


def test_what_was_measured_on_the_original_is_called_so():
    _, edited = bridge(PAIR, "It is 4.")
    assert edited["score_chosen_original"] == 9
    assert edited["model_chosen_original"] == "big"
    assert edited["similarity_original"] == 0.5
    assert edited["score_rejected"] == 2
    assert edited["source"] == {"file": "a.txt"}
    assert not {"score_chosen", "model_chosen", "similarity", "ref_chosen_logps", "ref_rejected_logps"} & edited.keys()


def test_what_was_said_of_the_label_is_called_so_and_copies_of_the_chosen_go():
    label_fields = {
        "weight": 2,
        "offset": 1,
        "margin": 3,
        "annotation": {"verdict": "first"},
        "judge": {"verdict": "chosen"},
    }
    _, edited = bridge(PAIR | label_fields | {"degraded": [{"text": "Fo.", "degree": 1}]}, "It is 4.")
    assert {name: edited[f"{name}_original"] for name in label_fields} == label_fields
    assert not {"degraded", *label_fields} & edited.keys()


def test_bridged_scored_and_bridged_again_the_original_keeps_its_score():
    _, once = bridge(PAIR, "It is 4.")
    _, twice = bridge(once | {"score_chosen": 5, "weight": 3}, "It is four.")
    assert (twice["chosen"], twice["chosen_original"]) == ("It is four.", "Four.")
    assert twice["score_chosen_original"] == 9
    assert "score_chosen" not in twice  # 5 was the score of an edit that is gone


def test_bridging_twice_is_bridging_once():
    words, once = bridge(PAIR, "It is 4.")
    again, twice = bridge(once, "It is 4.")
    assert again == words  # the original is shown, not the edit
    assert list(twice.items()) == list(once.items())


def test_an_edit_that_changes_nothing_makes_no_record():
    # Chosen would be rejected: no token differs, and BMC's loss would be ln 2 whatever the policy does.
    assert bridge(PAIR, "It is 5.")[1] is None


def test_a_message_keeps_its_role_and_other_fields():
    prompt, bad = [{"role": "user", "content": "2 + 2?"}], [{"role": "assistant", "content": "5", "name": "a"}]
    renamed = bridged({"prompt": prompt, "chosen": bad, "rejected": bad}, [bad[0] | {"content": "4"}], {})
    assert renamed["chosen"] == [{"role": "assistant", "content": "4", "name": "a"}]
    words, conversational = bridge({"prompt": prompt, "chosen": [bad[0] | {"content": "Four"}], "rejected": bad}, "4")
    assert conversational["chosen"] == [{"role": "assistant", "content": "4", "name": "a"}]
    assert "Four" in words


def test_a_response_of_several_messages_is_refused():
    turns = [{"role": "assistant", "content": "a"}, {"role": "tool", "content": "b"}]
    with pytest.raises(RecordError, match="2 messages"):
        begin_bridging({"prompt": turns[:1], "chosen": turns[:1], "rejected": turns}, RUBRIC, "editor")


def test_an_empty_edit_is_refused():
    with pytest.raises(RecordError, match="empty"):
        bridge(PAIR, "  \n")


def test_an_edit_from_a_field_asks_nothing_and_takes_the_field_away():
    _, (edited,) = advance(bridge_from(PAIR | {"edit": "It is 4."}, "edit"), None)
    assert edited["chosen"] == "It is 4."
    assert "edit" not in edited
    assert advance(bridge_from(edited, "edit"), None) == ([], [edited])  # twice is once
    with pytest.raises(RecordError, match="field 'edit' is missing; the edited response is needed"):
        bridge_from(PAIR, "edit")


@pytest.mark.parametrize("edit", ["", "  "])
def test_an_empty_edit_in_a_field_is_refused(edit):
    with pytest.raises(RecordError, match="the edited response is empty"):
        bridge_from(PAIR | {"edit": edit}, "edit")


@pytest.mark.parametrize("field", ["", "prompt", "chosen", "rejected", "responses", "chosen_original"])
def test_a_field_that_holds_something_else_holds_no_edit(field):
    with pytest.raises(UsageError, match=r"^--from '.*': name the field that holds the edited response"):
        check_edit_field(field)


def test_unlabeled_responses_are_refused_with_what_labels_them():
    with pytest.raises(RecordError, match="real relabel"):
        begin_bridging({"prompt": "q", "responses": [{"text": "a"}, {"text": "b"}]}, RUBRIC, "editor")
