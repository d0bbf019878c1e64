"""Prompts that are rendered already: a system message beside them would stand nowhere, or twice."""

import pytest

from real_cli.errors import RecordError
from real_cli.records.layouts import adapt, adapt_prompt
from real_cli.records.place_words import place_words
from real_cli.records.prompts import PromptReader
from real_cli.records.public.rendered_chats import rendered_mark

BY_TOKENS = [
    "[INST] Name a blue bird. [/INST]",
    "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nName a blue bird. [/INST]",
    "<|im_start|>user\nName a blue bird.<|im_end|>\n<|im_start|>assistant\n",
    "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nName a blue bird.<|eot_id|>",
    "<|header_start|>user<|header_end|>\n\nName a blue bird.<|eot|>",
    "<bos><start_of_turn>user\nName a blue bird.<end_of_turn>\n<start_of_turn>model\n",
    "<|turn>user\nName a blue bird.<turn|>\n<|turn>model\n",
    "<|user|>\nName a blue bird.</s>\n<|assistant|>\n",
    "<\uff5cbegin\u2581of\u2581sentence\uff5c><\uff5cUser\uff5c>Name a blue bird.<\uff5cAssistant\uff5c>",
    "Be brief.<\uff5cUser\uff5c>Name a blue bird.<\uff5cAssistant\uff5c>",
    "<|start|>user<|message|>Name a blue bird.<|end|><|start|>assistant",
    "<extra_id_0>System\n\n<extra_id_1>User\nName a blue bird.\n<extra_id_1>Assistant\n",
    "[SYSTEM_PROMPT]Be brief.[/SYSTEM_PROMPT][INST]Name a blue bird.[/INST]",
]
BY_LABELS = [
    "### Instruction:\nName a blue bird.\n\n### Response:",
    "Below is a task.\n\n### Instruction:\nName a blue bird.\n\n### Response:\n",
    "### Human: Name a blue bird.### Assistant:",
    "A chat. USER: Name a blue bird. ASSISTANT:",
    "User: Name a blue bird.\nAssistant:",
    "GPT4 Correct User: Name a blue bird.<|end_of_turn|>GPT4 Correct Assistant:",
    "\n\nHuman: Name a blue bird.\n\nAssistant:",
]
ABOUT_MARKS = [
    "Name a blue bird.",
    "What is [INST]?",
    "What comes after <|im_end|>",
    "Which headings has it?\n### System design\nText",
    "Question: Name a blue bird.\nAnswer:",
    "Write to a user: Hello.",
]


@pytest.mark.parametrize("field", ["system", "system_prompt"])
@pytest.mark.parametrize("prompt", BY_TOKENS + BY_LABELS)
def test_a_system_message_beside_a_rendered_prompt_is_refused_in_every_layout(prompt, field):
    records = [
        {"prompt": prompt, "chosen": "Jay.", "rejected": "Gull."},
        {"prompt": prompt, "responses": ["Jay.", "Gull."]},
        {"question": prompt, "chosen": "Jay.", "rejected": "Gull."},
        {"instruction": prompt, "output": "Jay."},
    ]
    for record in records:
        with pytest.raises(RecordError, match=f"'{field}' has no place .*rendered already.*jq -c 'del"):
            adapt(record | {field: "Be kind."})
        assert adapt(record | {field: " "}).record["prompt"] == prompt
    with pytest.raises(RecordError, match="rendered already"):
        adapt_prompt({"prompt": prompt, field: "Be kind."})


@pytest.mark.parametrize("prompt", BY_TOKENS + BY_LABELS[:1])
@pytest.mark.parametrize("field", ["prompt", "question"])
def test_a_rendered_prompt_becomes_no_message_of_a_conversation(prompt, field):
    say = {"role": "assistant", "content": "Jay."}
    with pytest.raises(RecordError, match="rendered already"):
        adapt({field: prompt, "chosen": [say], "rejected": [say | {"content": "Gull."}]})
    with pytest.raises(RecordError, match="rendered already"):
        PromptReader(chat=True)({"prompt": prompt})


@pytest.mark.parametrize("prompt", BY_TOKENS + BY_LABELS[:-1])
def test_earlier_turns_beside_a_rendered_prompt_are_refused_unless_it_holds_them(prompt):
    record = {"prompt": prompt, "chosen": "Jay.", "rejected": "Gull."}
    with pytest.raises(RecordError, match="'history' has no place .*rendered already"):
        adapt(record | {"history": [["Hi there", "Hello you"]]})
    assert adapt(record | {"history": [["a", "blue"]]}).record["prompt"] == prompt


@pytest.mark.parametrize("prompt", ABOUT_MARKS)
def test_a_prompt_about_marks_is_a_prompt_in_words(prompt):
    record = {"prompt": prompt, "chosen": "Jay.", "rejected": "Gull.", "system": "Be kind."}
    assert rendered_mark(prompt) == ""
    assert adapt(record).record["prompt"][1] == {"role": "user", "content": prompt}


@pytest.mark.parametrize("prompt", BY_TOKENS)
def test_words_have_no_place_in_front_of_a_rendered_prompt(prompt):
    with pytest.raises(RecordError, match="rendered already"):
        place_words(prompt, "Be kind.")
    assert place_words(prompt, "A kind reply: {prompt}") == f"A kind reply: {prompt}"


@pytest.mark.parametrize("prompt", BY_LABELS)
def test_words_stand_in_front_of_labels(prompt):
    assert "Be kind." in place_words(prompt, "Be kind.")
