"""Prompts that end inside an answer: the response goes on with it wherever it is read, and that is told."""

import pytest

from real_cli.errors import RecordError
from real_cli.llm.rubric import parse_rubric
from real_cli.models.reward.reward_texts import Draft, RewardReader
from real_cli.records.layouts import adapt, adapt_prompt
from real_cli.records.prefills import CONTINUED, begin_answers, is_prefilled
from real_cli.relabel.judge.rate import rate
from real_cli.sample.responses import Plan, template_fields
from tests.records.test_misread_commands import run

USER = {"role": "user", "content": "Name a blue bird."}
BEGUN = {"role": "assistant", "content": "A blue bird is "}
PAIR = {
    "prompt": [USER, BEGUN],
    "chosen": [{"role": "assistant", "content": "the jay."}],
    "rejected": [{"role": "assistant", "content": "a gull."}],
}
CALL = {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f"}}]}
RUBRIC = {
    "name": "r",
    "question": [{"asks": "each", "name": "q", "text": "{prompt} / {response}", "low": 1, "high": 9}],
}


def test_a_prompt_that_ends_inside_an_answer_is_told_by_every_reader():
    assert adapt(PAIR).notes == (CONTINUED,)
    assert adapt_prompt({"prompt": PAIR["prompt"]}).notes == (CONTINUED,)
    assert adapt(adapt(PAIR).record).record == PAIR
    assert adapt(PAIR | {"prompt": [USER]}).notes == ()
    lines, notes = run("pair", "--strategy", "all", records=[PAIR])
    assert f"1 record {CONTINUED}" in notes
    assert lines[0]["prompt"] == PAIR["prompt"]
    lines, _ = run("eval", "pairs", records=[PAIR])
    assert lines[0]["num_prompts_in_responses"] == 0


@pytest.mark.parametrize("prompt", ["A blue bird is", [USER], [USER, CALL], [USER, {"role": "tool", "content": "7"}]])
def test_other_prompts_end_before_the_answer(prompt):
    assert not is_prefilled(prompt)
    assert begin_answers(prompt, ["the jay."]) == (prompt, ["the jay."])


def test_the_first_message_of_each_answer_begins_with_the_words_of_the_prompt():
    later = [{"role": "assistant", "content": "the jay.", "name": "b"}, USER]
    prompt, texts = begin_answers([USER, BEGUN], ["a gull.", later])
    assert prompt == [USER]
    assert [text[0]["content"] for text in texts] == ["A blue bird is a gull.", "A blue bird is the jay."]
    assert texts[1][0]["name"] == "b"
    assert texts[1][1:] == [USER]


def test_an_answer_that_begins_with_a_tool_goes_on_with_nothing():
    texts = ["the jay.", [{"role": "tool", "content": "7"}]]
    assert begin_answers([USER, BEGUN], texts) == ([USER, BEGUN], texts)


def test_two_messages_of_the_assistant_that_conversations_share_stay_two():
    chosen, rejected = ([USER, BEGUN, *PAIR[side]] for side in ("chosen", "rejected"))
    assert adapt({"chosen": chosen, "rejected": rejected}).record == {
        "prompt": [USER],
        "chosen": chosen[1:],
        "rejected": rejected[1:],
    }


def test_two_messages_of_the_assistant_under_a_prompt_that_has_the_first_stay_two():
    whole = {side: [USER, BEGUN, *PAIR[side]] for side in ("chosen", "rejected")}
    adapted = adapt({"prompt": [USER, BEGUN], **whole}).record
    assert adapted == {"prompt": [USER]} | {side: turns[1:] for side, turns in whole.items()}
    assert adapt(adapted).record == adapted


def test_words_of_the_prompt_that_each_answer_says_again_are_taken_off():
    again = {
        side: [PAIR[side][0] | {"content": BEGUN["content"] + PAIR[side][0]["content"]}]
        for side in PAIR
        if side != "prompt"
    }
    assert adapt(PAIR | again).record == PAIR


def test_a_server_is_not_asked_to_go_on():
    assert template_fields(PAIR, Plan("here")) is None
    with pytest.raises(RecordError, match="ends with an assistant's message"):
        template_fields(PAIR, Plan("there", together=True))


def test_a_rating_judge_and_a_reward_model_read_one_answer():
    (question, _) = next(rate(PAIR, parse_rubric(RUBRIC, "here"), {}, 0))
    assert question.messages[-1]["content"].startswith("Name a blue bird. / A blue bird is the jay.")
    seen = []

    def write(record, texts):
        seen.append((record["prompt"], texts))
        return Draft([1], [], list)

    RewardReader(write, 10, keeps_roles=True)(PAIR, [[PAIR["chosen"]]])
    assert seen == [([USER], [[{"role": "assistant", "content": "A blue bird is the jay."}]])]
