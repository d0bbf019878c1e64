"""Trees whose links do not hold together, and fields of the wrong types: a line each, no recursion, no lost word."""

import time

import pytest

from real_cli.errors import RecordError
from tests.relabel.feedback.traces import asked, records, replied, tree, words


def linked(*messages):
    return {
        "messages": [
            message | {"id": str(number), "parentId": parent} for number, (parent, message) in enumerate(messages)
        ]
    }


REFUSED = {
    "a circle": (tree(a=("b", asked()), b=("a", replied("A"))), "go round in a circle"),
    "a circle beside a tree": (
        tree(q=(None, asked()), a=("b", asked()), b=("a", replied("A"))),
        "go round in a circle",
    ),
    "its own parent": (tree(a=("a", asked())), "go round in a circle"),
    "a parent that is not there": (tree(a=("z", asked())), "follows 'z', which is not there"),
    "a child that is not there": (
        {"mapping": {"a": {"children": ["z"], "message": asked()}}},
        "followed by 'z', which",
    ),
    "two parents": (
        {"mapping": {"a": {"children": ["c"]}, "b": {"children": ["c"]}, "c": {"message": asked()}}},
        "follows 'a' and 'b'; it may follow one alone",
    ),
    "a current node that is not there": (tree("z", a=(None, asked())), "the current message, 'z', is not among"),
    "a node that is none": ({"mapping": {"a": 3}}, "message 'a' is 3; an object is needed"),
    "a message that is none": ({"mapping": {"a": {"message": "Hi"}}}, "has the 'message' 'Hi'; an object"),
    "a parent of another type": (
        {"mapping": {"a": {"parent": {}, "message": asked()}}},
        "the parent is {}; an identifier",
    ),
    "children of another type": (
        {"mapping": {"a": {"children": "b", "message": asked()}}},
        "the children are 'b'; a list",
    ),
    "nobody speaks": (tree(a=(None, {"content": "Hi"})), "is from None; its role is needed"),
    "an unknown role": ({"messages": [{"role": "narrator", "content": "x"}]}, "is from 'narrator'; its role is needed"),
    "an image": ({"messages": [asked([{"type": "image_url", "image_url": "x"}])]}, "this command reads text alone"),
    "a number for a text": ({"messages": [asked(), replied(7)]}, "has the content 7; this command reads text alone"),
    "two identifiers alike": (
        {"messages": [asked() | {"id": 1, "parentId": None}, replied("A") | {"id": "1", "parentId": 1}]},
        "two messages have the same identifier",
    ),
    "stars": ({"messages": [asked(), replied("A", rating=4)]}, "'rating' is 4; a thumb is 1, -1"),
    "zero": ({"messages": [asked(), replied("A", rating=0)]}, "'rating' is 0, a thumb down or none; write -1, or null"),
    "a share": ({"input": "Q", "output": "A", "scores": [{"name": "feedback", "value": 0.5}]}, "'feedback' is 0.5; a"),
    "words": ({"messages": [asked(), replied("A", feedback="Too long.")]}, "'feedback' is 'Too long.'; a thumb is"),
    "an edit of another type": ({"messages": [asked(), replied("A", edited=3)]}, "'edited' is 3; the edited text"),
    "a copy of another type": ({"messages": [asked(), replied("A", copied="yes")]}, "'copied' is 'yes'; true, false"),
    "two shapes": (
        {"messages": [asked(), replied("A", rating=1)], "output": "B"},
        "may be a list of messages or an input and an output; keep the fields of one",
    ),
    "two inputs": ({"prompt": "Q", "input": "R", "output": "A"}, "'input' and 'prompt' may both be what was asked"),
    "two outputs": ({"prompt": "Q", "output": "A", "response": "B"}, "'output' and 'response' may both be the reply"),
    "no reply": ({"prompt": "Q", "rating": 1}, "no conversation with replies in the fields ['prompt', 'rating']"),
    "an input that a model ends": ({"input": [asked(), replied("A")], "output": "B"}, "does not end with a message of"),
    "an output that a user ends": ({"input": "Q", "output": [replied("A"), asked()]}, "the reply alone is needed"),
    "an output without a text": (
        {"input": "Q", "output": {"a": 1, "b": 2}},
        "a text, or a list of messages, is needed",
    ),
    "feedback beside a tree": (tree(a=(None, asked())) | {"rating": 1}, "feedback stands beside a tree of messages"),
    "feedback in data on no message": (
        {"data": {"rating": 1}, "meta": {}, "snapshot": {"chat": {"history": {"messages": {"a": asked()}}}}},
        "feedback stands beside a tree of messages; put it on the message",
    ),
    "feedback on a message that is not there": (
        {
            "data": {"rating": 1},
            "meta": {"message_id": "z"},
            "snapshot": {"chat": {"history": {"messages": {"a": asked()}}}},
        },
        "the message of the feedback, 'z', is not among the messages",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_hold_together_is_refused_with_what_would_be_right(name):
    trace, message = REFUSED[name]
    with pytest.raises(RecordError) as refused:
        records(trace)
    assert message in str(refused.value)
    assert "; " in str(refused.value)
    assert str(refused.value).isprintable()


def test_a_conversation_of_any_depth_needs_no_recursion():
    """20,000 messages, their parents behind them; the record of the last but one holds all that came before."""
    turns = [asked() if number % 2 == 0 else replied(f"A{number}") for number in range(20_000)]
    turns[-1]["rating"] = 1
    nodes = {str(number): (str(number - 1) if number else None, turn) for number, turn in enumerate(turns)}
    began = time.process_time()
    (row,), _ = records(tree(**dict(reversed(nodes.items()))))
    assert len(row["prompt"]) == 19_999
    assert time.process_time() - began < 5


def test_many_replies_of_many_messages_are_not_made_where_no_record_needs_them():
    """A comb: each message of the model has a reply that ends there and one that goes on."""
    nodes = {"q": (None, asked()), "0": ("q", replied("0"))}
    for number in range(1, 5_000):
        nodes[str(number)] = (str(number - 1), replied(f"{number}"))
        nodes[f"end{number}"] = (str(number - 1), replied("end"))
    began = time.process_time()
    assert records(tree(**nodes)) == ([], {"no_preference": 1})
    assert time.process_time() - began < 5


def test_a_node_of_links_alone_is_passed_over_and_zeros_are_a_name():
    mapping = {"0": {"children": ["q"]}, "q": {"parent": "0", "message": asked()}}
    rows, _ = records({"mapping": mapping | {"a": {"parent": "q", "message": replied("A", rating=1)}}})
    assert rows[0]["prompt"] == [asked()]


def test_children_alone_make_a_tree_and_give_the_order_of_replies():
    mapping = {
        "b": {"message": replied("B", rating=-1)},
        "a": {"message": replied("A", rating=-1)},
        "q": {"children": ["a", "b"], "message": asked()},
    }
    rows, _ = records({"mapping": mapping})
    assert words(rows) == [("A", False), ("B", False)]


def test_what_a_model_thought_is_counted_and_stands_in_no_record():
    thought = {
        "author": {"role": "assistant"},
        "content": {"content_type": "thoughts", "thoughts": [{"content": "Hm."}]},
    }
    (row,), left = records(tree(q=(None, asked()), t=("q", thought), a=("t", replied("A", rating=1))))
    assert (row["prompt"], row["completion"], left) == ([asked()], [replied("A")], {"thoughts": 1})


def test_an_output_that_repeats_the_input_is_the_reply_alone():
    trace = {"inputs": {"messages": [asked()]}, "outputs": {"messages": [asked(), replied("A")]}, "rating": 1}
    (row,), _ = records(trace)
    assert (row["prompt"], row["completion"]) == ([asked()], [replied("A")])


def test_a_conversation_without_feedback_gives_nothing():
    assert records(linked((None, asked()), ("0", replied("A")))) == ([], {})
