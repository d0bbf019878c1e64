"""Answers as text: what ends them, and which special tokens stay."""

from types import SimpleNamespace

import pytest
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from real_cli.llm.thoughts import spoken
from real_cli.models.generate.completions import CompletionDecoder
from real_cli.records.questions import Sampling

WORDS = ["<end>", "[THINK]", "[/THINK]", "<|channel|>", "<|message|>", "<|im_start|>", "analysis", "final", "A", "B"]
HARMONY = "<|channel|> analysis <|message|> B <|channel|> final <|message|> A"
IDS = {word: number for number, word in enumerate(WORDS)}


@pytest.fixture(scope="module")
def decode():
    inner = Tokenizer(models.WordLevel(IDS, unk_token="<end>"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    inner.add_special_tokens([AddedToken(word, special=True) for word in WORDS if word[0] in "<["])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<end>")
    return CompletionDecoder(SimpleNamespace(generation_config=SimpleNamespace(eos_token_id=0)), tokenizer)


def ids(text):
    return [IDS[word] for word in text.split()]


@pytest.mark.parametrize("continues", [True, False])
@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("[THINK] B [/THINK] A <end> B", "[THINK]B[/THINK]A"),
        (HARMONY, HARMONY.replace(" ", "")),
        ("<|im_start|> A <end>", "A"),
        ("[THINK] B", "[THINK]B"),
    ],
)
def test_marks_of_thoughts_stay_and_other_special_tokens_do_not(decode, written, text, continues):
    result = decode(ids(written), Sampling(20), ids("A B"), continues=continues)
    assert result.text.strip() == text
    assert spoken(result.text).strip() == ("" if written == "[THINK] B" else "A")
