"""The place of a user's words in chat templates, as models of several families render them."""

import pytest

from real_cli.sample.magpie import SENTINEL, read_template

# What stands before the words, after them, and before an answer; the special tokens; the stops.
TEMPLATES = {
    "vicuna": ("A chat.\n\nUSER: ", " ", "ASSISTANT:", ["<s>", "</s>"], ("ASSISTANT:",)),
    "alpaca": ("### Instruction:\n", "\n\n", "### Response:\n", ["</s>"], ("### Response:",)),
    "gemma": (
        *("<bos><start_of_turn>user\n", "<end_of_turn>\n", "<start_of_turn>model\n"),
        *(["<bos>", "<start_of_turn>", "<end_of_turn>"], ()),
    ),
    "chatml": (
        *("<|im_start|>user\n", "<|im_end|>\n", "<|im_start|>assistant\n"),
        *(["<|im_start|>", "<|im_end|>"], ("assistant",)),
    ),
    "llama-3": (
        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n",
        "<|eot_id|>",
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
        ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
        ("assistant",),
    ),
    "llama-2": ("<s>[INST] ", " [/INST]", "", ["<s>", "</s>"], ("[/INST]",)),
    "a mark behind": ("USER: ", "\n", "ASSISTANT: <think>\n", ["<think>"], ("ASSISTANT:",)),
    "a mark on a line of its own": ("<u>\n", "\n", "<a>\nmodel\n", ["<u>", "<a>"], ()),
}


@pytest.mark.parametrize(("before", "after", "header", "marks", "stops"), TEMPLATES.values(), ids=TEMPLATES)
def test_an_instruction_ends_where_a_template_begins_the_answer(before, after, header, marks, stops):
    turn = before + SENTINEL + after
    result = read_template(turn, turn + header, marks)
    assert (result.text, result.stops, result.marks) == (before, stops, tuple(marks))
