"""Reward-augmented relabeling, Methods 2."""

from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from real_cli.errors import RecordError, UsageError
from real_cli.relabel.goal.choices import Placement
from real_cli.relabel.goal.goal import add_goals, check_template, goal_text, strip_goal

TEMPLATE = "Reach {goal}."
PAIR = {"id": 7, "prompt": "Q", "chosen": "GOOD", "rejected": "BAD", "score_chosen": 9, "score_rejected": 4}
CHAT = [
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello"},
    {"role": "user", "content": "Why?"},
]
SYSTEM = {"role": "system", "content": "Be brief."}
GOOD, BAD = [{"role": "assistant", "content": "GOOD"}], [{"role": "assistant", "content": "BAD"}]
CHAT_PAIR = PAIR | {"prompt": CHAT, "chosen": GOOD, "rejected": BAD}

words = st.text(st.sampled_from("ab \n:9."), max_size=12)
messages = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": words}), max_size=4
)
conversations = st.builds(
    lambda system, turns, last: [*system, *turns, {"role": "user", "content": last}],
    st.lists(st.builds(lambda content: {"role": "system", "content": content}, words), max_size=1),
    messages,
    words,
)
transcripts = st.builds(lambda text: f"\n\nHuman: {text}\n\nAssistant:", words)
scores = st.lists(st.integers(1, 10) | st.floats(1, 10), min_size=2, max_size=2, unique=True).map(sorted)


def pair_of(prompt: object, scores: list[float]) -> dict:
    return PAIR | {"prompt": prompt, "score_chosen": scores[1], "score_rejected": scores[0], "margin": 0.5}


def stripped(record: dict, placement: Placement) -> list[dict]:
    return [strip_goal(row, placement, TEMPLATE) for row in add_goals(record, placement, TEMPLATE)]


# By hand


def test_each_pair_becomes_two_with_the_labels_of_the_second_swapped():
    """Methods 2(b): for g = r_w keep, for g = r_l swap."""
    assert add_goals(PAIR, Placement.user, TEMPLATE) == [
        PAIR | {"prompt": "Reach 9.\n\nQ", "goal": 9},
        {
            "id": 7,
            "prompt": "Reach 4.\n\nQ",
            "chosen": "BAD",
            "rejected": "GOOD",
            "score_chosen": 4,
            "score_rejected": 9,
            "goal": 4,
        },
    ]


def test_each_record_prefers_the_response_with_the_larger_goal_conditioned_reward():
    """Methods 2(f): r_w = 9, r_l = 4, R = -(g - r)^2. g = 9: 0 against -25; g = 4: 0 against -25."""
    rows = add_goals(PAIR, Placement.user)
    rewards = [
        (-((row["goal"] - row["score_chosen"]) ** 2), -((row["goal"] - row["score_rejected"]) ** 2)) for row in rows
    ]
    assert rewards == [(0, -25), (0, -25)]


def test_a_pair_whose_label_goes_against_its_scores_aims_at_the_score_of_each_chosen_response():
    rows = add_goals(PAIR | {"score_chosen": 4, "score_rejected": 9}, Placement.user, TEMPLATE)
    assert [(row["goal"], row["chosen"], row["score_chosen"]) for row in rows] == [(4, "GOOD", 4), (9, "BAD", 9)]


@pytest.mark.parametrize("scores", [(5, 5), (5, 5.0), (0, 0)])
def test_a_tie_is_dropped(scores):
    """Methods 2(f): a tie yields two contradictory records with the same prompt."""
    assert add_goals(PAIR | dict(zip(("score_chosen", "score_rejected"), scores, strict=True)), Placement.user) == []


@pytest.mark.parametrize(
    ("goal", "text"), [(9.0, "Reach 9."), (9, "Reach 9."), (8.5, "Reach 8.5."), (-1.0, "Reach -1.")]
)
def test_whole_numbers_have_no_decimal_point(goal, text):
    """Methods 2(b)."""
    assert goal_text(goal, TEMPLATE) == text


def test_the_goal_lands_inside_the_first_human_turn_of_a_transcript():
    prompt = "\n\nHuman: Hi\n\nAssistant: Hello\n\nHuman: Why?\n\nAssistant:"
    first, _ = add_goals(PAIR | {"prompt": prompt}, Placement.user, TEMPLATE)
    assert first["prompt"] == "\n\nHuman: Reach 9.\n\nHi\n\nAssistant: Hello\n\nHuman: Why?\n\nAssistant:"


def test_user_placement_goes_before_the_first_user_message():
    first, _ = add_goals(CHAT_PAIR | {"prompt": [SYSTEM, *CHAT]}, Placement.user, TEMPLATE)
    assert first["prompt"] == [SYSTEM, {"role": "user", "content": "Reach 9.\n\nHi"}, *CHAT[1:]]


def test_system_placement_makes_a_system_message():
    first, _ = add_goals(CHAT_PAIR, Placement.system, TEMPLATE)
    assert first["prompt"] == [{"role": "system", "content": "Reach 9."}, *CHAT]


def test_system_placement_goes_after_the_words_of_a_system_message_that_is_there():
    first, _ = add_goals(CHAT_PAIR | {"prompt": [SYSTEM, *CHAT]}, Placement.system, TEMPLATE)
    assert first["prompt"] == [{"role": "system", "content": "Be brief.\n\nReach 9."}, *CHAT]


# The faults of the official script, Methods 2(g)


@pytest.mark.parametrize("placement", list(Placement))
@pytest.mark.parametrize("prompt", [CHAT, [SYSTEM, *CHAT]])
def test_fault_the_assistant_turns_are_really_swapped_and_the_goal_occurs_once(placement, prompt):
    high, low = add_goals(CHAT_PAIR | {"prompt": prompt}, placement, TEMPLATE)
    assert (high["chosen"], high["rejected"], low["chosen"], low["rejected"]) == (GOOD, BAD, BAD, GOOD)
    for row, goal, other in ((high, "Reach 9.", "Reach 4."), (low, "Reach 4.", "Reach 9.")):
        assert str(row["prompt"]).count(goal) == 1
        assert other not in str(row["prompt"])
        assert "Reach" not in str([row["chosen"], row["rejected"]])


@pytest.mark.parametrize("placement", list(Placement))
def test_fault_nothing_is_shared_with_the_record_that_was_read(placement):
    """The official script edits one message through two names."""
    record = deepcopy(CHAT_PAIR) | {"prompt": [dict(SYSTEM), *deepcopy(CHAT)]}
    before = deepcopy(record)
    add_goals(record, placement, TEMPLATE)
    assert record == before


# Fields of the record


def test_reference_logps_are_removed_because_the_prompt_is_another():
    rows = add_goals(PAIR | {"ref_chosen_logps": -3.0, "ref_rejected_logps": -4.0}, Placement.user)
    assert not any(field.startswith("ref_") for row in rows for field in row)


def test_fields_of_the_responses_follow_them_and_others_stay():
    record = PAIR | {"model_chosen": "m1", "model_rejected": "m2", "similarity": 0.5}
    low = add_goals(record, Placement.user)[1]
    assert (low["model_chosen"], low["model_rejected"], low["similarity"], low["id"]) == ("m2", "m1", 0.5, 7)


# Properties


@given(prompt=words | transcripts, scores=scores)
@settings(max_examples=100)
def test_stripping_and_swapping_back_restores_a_text_prompt(prompt, scores):
    """Methods 2(f) and 23: relabeling is undone exactly, from either half."""
    record = pair_of(prompt, scores)
    assert stripped(record, Placement.user) == [record, record]


@pytest.mark.parametrize("placement", list(Placement))
@given(prompt=conversations, scores=scores)
@settings(max_examples=100)
def test_stripping_and_swapping_back_restores_a_conversation(placement, prompt, scores):
    """Methods 2(f) and 23, with and without a system message."""
    record = pair_of(prompt, scores)
    assert stripped(record, placement) == [record, record]


@given(prompt=words | transcripts, scores=scores)
@settings(max_examples=50)
def test_both_records_differ_in_goal_and_label_only(prompt, scores):
    high, low = add_goals(pair_of(prompt, scores), Placement.user, TEMPLATE)
    assert (high["goal"], low["goal"]) == (scores[1], scores[0])
    assert (high["chosen"], high["rejected"]) == (low["rejected"], low["chosen"])
    assert list(high) == list(low)


@pytest.mark.parametrize("placement", list(Placement))
def test_stripping_leaves_words_of_the_prompt_that_read_like_the_goal(placement):
    prompt = [{"role": placement.value, "content": "Reach 9.\n\nReach 9.\n\nReach 9."}, *CHAT]
    assert stripped(CHAT_PAIR | {"prompt": prompt}, placement) == [CHAT_PAIR | {"prompt": prompt}] * 2


def test_stripping_a_pair_labeled_against_its_scores_chooses_the_better_response():
    record = PAIR | {"score_chosen": 4, "score_rejected": 9}
    better = PAIR | {"chosen": "BAD", "rejected": "GOOD"}
    assert stripped(record, Placement.user) == [better, better]


# Errors


@pytest.mark.parametrize("template", ["", "no hole", "{goal} {goal}", "{Goal}"])
def test_a_template_has_one_hole(template):
    with pytest.raises(UsageError, match="--template .*: write {goal} once"):
        check_template(template)


def test_a_template_with_a_hole_is_returned():
    assert check_template("{other} {goal}") == "{other} {goal}"


@pytest.mark.parametrize("score", [None, "9", True])
@pytest.mark.parametrize("field", ["score_chosen", "score_rejected"])
def test_both_scores_are_needed(field, score):
    with pytest.raises(RecordError, match=f"field '{field}' is .*; a goal needs the score of both responses"):
        add_goals(PAIR | {field: score}, Placement.user)


@pytest.mark.parametrize("prompt", ["Q", "\n\nHuman: Q\n\nAssistant:"])
def test_a_text_prompt_has_no_system_message(prompt):
    with pytest.raises(RecordError, match="plain text and has no system message; use --placement user"):
        add_goals(PAIR | {"prompt": prompt}, Placement.system)


def test_a_conversation_without_user_message_takes_no_user_goal():
    with pytest.raises(RecordError, match="no user message; use --placement system"):
        add_goals(CHAT_PAIR | {"prompt": [SYSTEM]}, Placement.user)


@pytest.mark.parametrize("content", [None, [{"type": "text", "text": "Hi"}]])
def test_a_message_without_text_takes_no_goal(content):
    with pytest.raises(RecordError, match="the first user message has no text content"):
        add_goals(CHAT_PAIR | {"prompt": [{"role": "user", "content": content}]}, Placement.user)


def test_only_what_has_a_goal_can_be_stripped():
    with pytest.raises(RecordError, match="field 'goal' is missing"):
        strip_goal(PAIR, Placement.user, TEMPLATE)


@pytest.mark.parametrize(("given", "asked"), [("Reach {goal}.", "Aim for {goal}."), ("Reach {goal}.", "{goal}")])
def test_another_template_strips_nothing(given, asked):
    row = add_goals(PAIR, Placement.user, given)[0]
    with pytest.raises(RecordError, match="does not hold its goal .*; give the template it was made with"):
        strip_goal(row, Placement.user, asked)


@pytest.mark.parametrize(("given", "asked"), [tuple(Placement), tuple(Placement)[::-1]])
def test_the_other_placement_strips_nothing(given, asked):
    row = add_goals(CHAT_PAIR | {"prompt": [SYSTEM, *CHAT]}, given, TEMPLATE)[0]
    with pytest.raises(RecordError, match="does not hold its goal"):
        strip_goal(row, asked, TEMPLATE)


def test_a_system_goal_without_system_message_cannot_be_stripped():
    with pytest.raises(RecordError, match="no turn that could hold a goal"):
        strip_goal(CHAT_PAIR | {"goal": 9}, Placement.system, TEMPLATE)
