"""What a model wrote to itself is no answer, whatever the marks of its thoughts; one that has no end says nothing."""

import pytest

from real_cli.errors import RecordError
from real_cli.llm.parse_answer import read_rating, read_ratings, read_verdict, spoken
from real_cli.llm.tags import TagField, read_tags
from real_cli.relabel.bridge.edit import read_edit
from real_cli.relabel.dsat.dissatisfaction import read_feeling

pytestmark = pytest.mark.xfail(strict=True)

DOUBT = "At first sight response B is better. Verdict: B, rating: 3, difficulty: hard, label: satisfied."
# As their models write them, from the first mark to the last.
THOUGHTS = {
    "its opening mark in the prompt": f"{DOUBT}</think>",
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
