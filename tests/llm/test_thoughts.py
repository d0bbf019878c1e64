"""What a model wrote to itself is no answer, whatever the marks of its thoughts; one that has no end says nothing."""

import time

import pytest

from real_cli.errors import RecordError
from real_cli.llm.parse_answer import read_rating, read_ratings, read_verdict, spoken
from real_cli.llm.rubric import BRIDGING
from real_cli.llm.rubric_files import read_rubric
from real_cli.llm.tags import TagField, read_tags
from real_cli.records.questions import advance
from real_cli.relabel.bridge.edit import begin_bridging, read_edit
from real_cli.relabel.dsat.dissatisfaction import read_feeling

DOUBT = "At first sight response B is better. Verdict: B, rating: 3, difficulty: hard, label: satisfied."
# As their models write them, from the first mark to the last.
THOUGHTS = {
    "its opening mark in the prompt": f"{DOUBT}</think>",
    "think": f"<think>{DOUBT}</think>",
    "two of them": f"<think>a</think> {DOUBT} <think>b</think>",
    "thinking": f"<thinking>\n{DOUBT}\n</thinking>",
    "with bars": f"<|thinking|>{DOUBT}</|thinking|>",
    "with wide bars": f"<\uff5cthink\uff5c>{DOUBT}<\uff5c/think\uff5c>",
    "escaped": f"&lt;think&gt;{DOUBT}&lt;/think&gt;",
    "a name of its own": f"<think:1a2b>{DOUBT}</think:1a2b>",
    "upper case": f"<THINK>{DOUBT}</THINK>",
    "after a word": f"Let me see. <think>{DOUBT}</think>",
    "attributes": f'<think lang="en">{DOUBT}</think>',
    "thought": f"<thought>{DOUBT}</thought>",
    "Thought": f"<Thought>{DOUBT}</Thought>",
    "thoughts": f"<thoughts>{DOUBT}</thoughts>",
    "reasoning": f"<reasoning>{DOUBT}</reasoning>",
    "reflection": f"<thinking>a</thinking><reflection>{DOUBT}</reflection>",
    "scratchpad": f"<scratchpad>{DOUBT}</scratchpad>",
    "inner_thoughts": f"<inner_thoughts>{DOUBT}</inner_thoughts>",
    "mm": f"<mm:think>{DOUBT}</mm:think>",
    "seed": f"<seed:think>{DOUBT}</seed:think>",
    "longcat": f"<longcat_think>{DOUBT}</longcat_think>",
    "magistral": f"[THINK]{DOUBT}[/THINK]",
    "kimi": f"◁think▷{DOUBT}◁/think▷",
    "command": f"<|START_THINKING|>{DOUBT}<|END_THINKING|><|START_RESPONSE|>",
    "sky": f"<|begin_of_thought|>{DOUBT}<|end_of_thought|>\n\n<|begin_of_solution|>",
    "apertus": f"<|inner_prefix|>{DOUBT}<|inner_suffix|>",
    "gemma": f"<|channel>thought\n{DOUBT}<channel|>",
    "medgemma": f"<unused94>thought\n{DOUBT}<unused95>",
    "granite": f"Here is my thought process: {DOUBT} Here is my response:",
    "gpt-oss": f"<|channel|>analysis<|message|>{DOUBT}<|end|><|start|>assistant<|channel|>final<|message|>",
    "gpt-oss with JSON": (
        f"<|channel|>analysis<|message|>{DOUBT}<|end|><|start|>assistant<|channel|>final <|constrain|>json<|message|>"
    ),
    "gpt-oss without its marks": f"analysis{DOUBT}assistantfinal",
    "gpt-oss that commented": (
        f"<|channel|>commentary<|message|>{DOUBT}<|end|><|start|>assistant<|channel|>final<|message|>"
    ),
    "solar": f"<|think|>{DOUBT}<|end|><|begin|>assistant<|content|>",
}
every_thought = pytest.mark.parametrize("thought", THOUGHTS.values(), ids=THOUGHTS)
# Cut by the token limit, or by a server that ends a thought with nothing.
CUT = {
    "think": f"<think>{DOUBT}",
    "upper case": f"<Think>{DOUBT}",
    "after a word": f"Well. <think>{DOUBT}",
    "a second one": f"<think>a</think> so <think>{DOUBT}",
    "thinking": f"<thinking>{DOUBT}",
    "thought": f"<thought>{DOUBT}",
    "reasoning": f"<reasoning>{DOUBT}",
    "mm": f"<mm:think>{DOUBT}",
    "seed": f"<seed:think>{DOUBT}",
    "magistral": f"[THINK]{DOUBT}",
    "kimi": f"◁think▷{DOUBT}",
    "command": f"<|START_THINKING|>{DOUBT}",
    "gemma": f"<|channel>thought\n{DOUBT}",
    "granite": f"Here is my thought process: {DOUBT}",
    "gpt-oss": f"<|channel|>analysis<|message|>{DOUBT}",
    "gpt-oss without its marks": f"analysis{DOUBT}",
    "gpt-oss that began to answer": f"<|channel|>analysis<|message|>{DOUBT}<|end|><|start|>assistant<|channel|>final",
    "JSON in it": '<think>{"verdict": "B", "score": 3, "difficulty": "hard", "label": "satisfied"}',
}
every_cut = pytest.mark.parametrize("text", CUT.values(), ids=CUT)
EASE = TagField("difficulty", ("easy", "hard"))


@every_thought
def test_a_thought_is_no_verdict(thought):
    assert read_verdict(f"{thought}\n\nA") == "A"


@every_thought
def test_a_thought_is_no_rating(thought):
    assert read_rating(1, 10, not_applicable=False)(f"{thought}\n\n9") == 9


@every_thought
def test_a_thought_rates_no_response(thought):
    answer = "Response 1\nRating: 4\n\nResponse 2\nRating: 2"
    thought = thought.replace(DOUBT, "Response 1\nRating: 1\n\nResponse 2\nRating: 5\n")
    ratings = read_ratings(2, 1, 5, not_applicable=False)(f"{thought}\n{answer}")
    assert [rating for rating, _ in ratings] == [4, 2]


@every_thought
def test_a_thought_is_no_tag(thought):
    assert read_tags((EASE,))(f"{thought}\n\nDifficulty: easy") == {"difficulty": "easy"}


@every_thought
def test_a_thought_is_no_feeling(thought):
    assert read_feeling(f"{thought}\n\ndissatisfied")[0] == "dissatisfied"


@every_thought
def test_a_thought_is_no_edit(thought):
    assert read_edit(f"{thought}\n\nIt is 4.") == "It is 4."


@every_cut
def test_a_thought_without_an_end_says_nothing(text):
    assert spoken(text) == ""
    for read in (
        read_verdict,
        read_feeling,
        read_edit,
        read_tags((EASE,)),
        read_rating(1, 10, not_applicable=False),
        read_ratings(1, 1, 10, not_applicable=False),
    ):
        with pytest.raises(RecordError):
            read(text)


@pytest.mark.parametrize(
    "answer",
    [
        "Response B shows its `<think>` to everybody. Verdict: A",
        '{"reasons": "B leaks </think> and <think>.", "verdict": "A"}',
        "A<|end|>",
        "I think that its reasoning is sound; [[A]]",
    ],
)
def test_a_mark_that_is_spoken_of_is_none(answer):
    assert read_verdict(answer) == "A"


@pytest.mark.parametrize("start", ["<think>", "</think", "<|channel|>", "`<think>`", "[THINK]", "<a_", "{<think>"])
def test_marks_without_end_are_read_at_once(start):
    begun = time.process_time()
    spoken(start * 20_000, [start * 20_000])
    assert time.process_time() - begun < 2


def test_an_edit_of_a_response_that_thinks_keeps_its_thoughts():
    record = {"prompt": "q", "chosen": "a", "rejected": "<think>1</think>5"}
    questions, _ = advance(begin_bridging(record, read_rubric("bridge", BRIDGING), "m"), None)
    assert questions[0].read("<think>2</think>4") == "<think>2</think>4"
    questions, _ = advance(begin_bridging(record | {"rejected": "5"}, read_rubric("bridge", BRIDGING), "m"), None)
    assert questions[0].read("<think>2</think>4") == "4"
