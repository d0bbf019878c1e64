"""What becomes of thumbs, regenerations, edits and copies: the rows of the manual's table, each as it says."""

import pytest

from tests.relabel.feedback.traces import asked, records, replied, tree, words

UP, DOWN = {"rating": 1}, {"rating": -1}


def siblings(first, second, *, behind=(), current=None):
    """Two replies to a prompt; the user went on behind those that are named."""
    nodes = {"q": (None, asked()), "a": ("q", replied("A", **first)), "b": ("q", replied("B", **second))}
    return tree(current, **nodes, **{f"then_{name}": (name, asked("And?")) for name in behind})


PREFERENCES = {
    "a thumb up against a reply left behind": (siblings(UP, {}), [("A", "B")], {}),
    "a thumb up against a thumb down": (siblings(DOWN, UP), [("B", "A")], {}),
    "a thumb down that the user went on with, against a thumb up": (siblings(DOWN, UP, behind="a"), [("B", "A")], {}),
    "the reply that the user went on with": (siblings({}, {}, behind="b"), [("B", "A")], {}),
    "that reply where the conversation ends": (siblings({}, {}, behind="b", current="then_b"), [("B", "A")], {}),
    "that reply against a thumb down": (siblings(DOWN, {}, behind="b"), [("B", "A")], {}),
    "two thumbs up": (siblings(UP, UP), [("A", True), ("B", True)], {"no_preference": 1}),
    "a thumb up, and the user went on with the other": (
        siblings(UP, {}, behind="b"),
        [("A", True)],
        {"no_preference": 1},
    ),
    "went on with a reply, and came back": (siblings({}, {}, behind="b", current="a"), [], {"no_preference": 1}),
    "went on with both": (siblings({}, {}, behind="ab"), [], {"no_preference": 1}),
    "went on with a thumb down": (siblings({}, DOWN, behind="b"), [("B", False)], {"no_preference": 1}),
    "nothing": (siblings({}, {}), [], {"no_preference": 1}),
    "a thumb down alone": (siblings(DOWN, {}), [("A", False)], {"no_preference": 1}),
    "thumbs that contradict each other": (
        siblings({"rating": [1, -1]}, UP),
        [("B", True)],
        {"no_preference": 1, "conflict": 1},
    ),
}


@pytest.mark.parametrize("name", PREFERENCES)
def test_regenerations_are_pairs_only_where_a_sign_says_which_is_better(name):
    trace, expected, expected_left = PREFERENCES[name]
    rows, left = records(trace)
    assert words(rows) == expected
    assert left == expected_left


def test_every_reply_left_behind_loses_to_the_chosen_one():
    nodes = {name: ("q", replied(name.upper(), **({} if name != "b" else UP))) for name in "abc"}
    rows, _ = records(tree(q=(None, asked()), **nodes))
    assert words(rows) == [("B", "A"), ("B", "C")]


def test_sides_of_several_pairs_are_labeled_once():
    nodes = {name: ("q", replied(name.upper(), **({} if name != "b" else UP))) for name in "abc"}
    rows, _ = records(tree(q=(None, asked()), **nodes), emit="unpaired")
    assert words(rows) == [("B", True), ("A", False), ("C", False)]


def test_regenerations_of_the_same_text_are_no_pair():
    rows, left = records(tree(q=(None, asked()), a=("q", replied("A", **UP)), b=("q", replied("A"))))
    assert (words(rows), left) == ([("A", True)], {"same": 1})


@pytest.mark.parametrize(
    ("fields", "pair"),
    [
        ({"edited": "B"}, ("B", "A")),
        ({"edits": ["C", "B"]}, ("B", "A")),
        ({"edits": [{"text": "B", "user": "kim"}]}, ("B", "A")),
        ({"feedback": [{"type": "edit", "text": "C"}, {"type": "edit", "text": "B"}]}, ("B", "A")),
        ({"feedback": {"name": "x", "dataType": "CORRECTION", "stringValue": "B"}}, ("B", "A")),
        ({"feedback": {"key": "x", "correction": {"answer": "B"}}}, ("B", "A")),
        ({"originalContent": "O"}, ("A", "O")),
        ({"edited": True, "original": "O"}, ("A", "O")),
        ({"original": "O", "edits": ["P", "B"]}, ("B", "O")),
    ],
)
def test_an_edit_beats_what_it_edits(fields, pair):
    rows, left = records({"messages": [asked(), replied("A", **fields)]})
    assert (words(rows), left) == ([pair], {})
    assert rows[0]["prompt"] == [asked()]
    assert rows[0]["event"] == "edit"


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        ({"edited": "A"}, {"same": 1}),
        ({"edited": "  "}, {"empty": 1}),
        ({"edited": True}, {"edit_text": 1}),
        ({"edited": False, "correction": None, "original": ""}, {}),
        ({"copied": True}, {"copy": 1}),
        ({"feedback": {"comment": "Too long."}}, {"unread": 1}),
        ({"feedback": {"key": "tone", "score": 0.3}}, {"other_key": 1}),
        ({"feedback": {"type": "regenerate"}}, {"no_preference": 1}),
        ({"rating": [True, "thumbs-down"]}, {"conflict": 1}),
        ({"edited": "A", "rating": 1}, {"same": 1, "thumb_of_edit": 1}),
        ({"rating": None, "vote": "neutral", "feedback": [], "copies": 0}, {}),
    ],
)
def test_what_gives_no_record_is_counted(fields, left):
    assert records({"messages": [asked(), replied("A", **fields)]}) == ([], left)


@pytest.mark.parametrize(
    ("data", "expected", "left"),
    [
        ({"rating": -1}, [("A", False)], {}),
        ({"edited": "B"}, [("B", "A")], {}),
        ({"copied": True}, [("A", True)], {}),
        ({"feedback": [{"comment": "Too long."}, {"key": "tone", "score": 1}]}, [], {"unread": 1, "other_key": 1}),
        ({"edited": True}, [], {"edit_text": 1}),
        ({"feedback": {"type": "regenerate"}}, [], {"no_preference": 1}),
    ],
)
def test_what_a_record_of_feedback_says_is_said_of_its_message(data, expected, left):
    messages = {"q": asked(), "a": replied("A") | {"parentId": "q"}}
    trace = {"data": data, "meta": {"message_id": "a"}, "snapshot": {"chat": {"history": {"messages": messages}}}}
    rows, counts = records(trace, copies=True)
    assert (words(rows), counts) == (expected, left)


def test_an_edit_that_is_marked_beside_a_conversation_is_counted():
    assert records({"messages": [asked(), replied("A")], "edited": True}) == ([], {"edit_text": 1})


@pytest.mark.parametrize("thumb", [1, True, "up", "Thumbs_Up", "thumbsUp", "like", "positive", "+1", {"rating": 1}])
def test_a_thumb_up_is_known_in_many_words(thumb):
    rows, left = records({"messages": [asked(), replied("A", feedback=thumb)]})
    assert (words(rows), left) == ([("A", True)], {})


@pytest.mark.parametrize(
    "thumb", [-1, False, "down", "thumbs-down", "thumbsDown", "dislike", "-1", {"type": "downvote"}]
)
def test_a_thumb_down_is_known_in_many_words(thumb):
    rows, left = records({"messages": [asked(), replied("A", feedback=thumb)]})
    assert (words(rows), left) == ([("A", False)], {})


def test_copies_are_good_replies_only_if_asked_and_if_nothing_else_is_known():
    messages = [asked(), replied("A", copied=True), asked("R?"), replied("B", copied=1, rating=-1)]
    assert words(records({"messages": messages}, copies=True)[0]) == [("A", True), ("B", False)]
    assert words(records({"messages": messages})[0]) == [("B", False)]


def test_a_pair_is_left_out_of_labels_and_a_label_of_pairs():
    trace = siblings(UP, {}) | {"tools": [{"name": "map"}]}
    rows, _ = records(trace, emit="pairs")
    assert [row["tools"] for row in rows] == [[{"name": "map"}]]
    assert records({"messages": [asked(), replied("A", rating=1)]}, emit="pairs") == ([], {"unpaired": 1})


def test_the_prompt_is_all_that_led_to_the_reply_and_a_reply_all_up_to_the_next_question():
    calls = [{"type": "function", "function": {"name": "add", "arguments": "{}"}}]
    messages = [
        {"role": "system", "content": "Be brief."},
        asked(),
        {"role": "assistant", "content": None, "tool_calls": calls, "id": "m1", "name": "Kim"},
        {"role": "tool", "content": "4", "tool_call_id": "c1"},
        replied("It is 4.", rating=1, user_id="u-1", timestamp=3),
        asked("Thanks"),
    ]
    ((row,), _) = records({"messages": messages, "user": "kim", "id": "t-9"})
    assert row == {
        "prompt": messages[:2],
        "completion": [
            {"role": "assistant", "content": "", "tool_calls": calls},
            {"role": "tool", "content": "4", "tool_call_id": "c1"},
            replied("It is 4."),
        ],
        "label": True,
        "event": "thumb",
    }


def test_an_edit_within_a_reply_is_of_its_message_alone():
    messages = [asked(), replied("Let me see."), {"role": "tool", "content": "4"}, replied("5", edited="4")]
    ((row,), _) = records({"messages": messages})
    assert row["prompt"] == messages[:3]
    assert (row["chosen"], row["rejected"]) == ([replied("4")], [replied("5")])


@pytest.mark.parametrize(
    ("messages", "left"),
    [
        ([replied("Hi, I help.", rating=1), asked(), replied("A")], {"no_prompt": 1}),
        ([asked() | {"rating": 1}, replied("A")], {"not_reply": 1}),
        ([asked(), replied("", rating=-1)], {"empty": 1}),
    ],
)
def test_events_without_a_prompt_or_a_reply_are_counted(messages, left):
    assert records({"messages": messages}) == ([], left)


def test_a_score_is_a_thumb_by_its_name_and_zero_is_down():
    trace = {"input": "Q?", "output": "A", "scores": [{"name": "User_Feedback", "value": 0}, {"name": "b", "value": 7}]}
    assert words(records(trace, keys=("user-feedback",))[0]) == [("A", False)]
    assert records(trace, keys=("c",)) == ([], {"other_key": 2})
