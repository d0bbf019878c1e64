"""A tokenizer.json by which a short text becomes a long one, or takes for ever."""

import pytest

from real_cli.models.load.tokenizer_check import tokenizer_problem


def replace(text, content, kind="String"):
    return {"type": "Replace", "pattern": {kind: text}, "content": content}


def chain(*steps):
    return {"type": "Sequence", "normalizers": list(steps), "decoders": list(steps)}


def template(num_pieces, num_ids):
    pieces = [{"SpecialToken": {"id": "<s>", "type_id": 0}}] * num_pieces
    special = {"<s>": {"id": "<s>", "ids": [2] * num_ids, "tokens": ["<s>"] * num_ids}}
    return {"type": "TemplateProcessing", "single": pieces, "pair": [], "special_tokens": special}


BOMBS = {
    "doubled again and again": {"normalizer": chain(*[replace("t", "tt")] * 45)},
    "a thousand times": {"normalizer": replace("t", "t" * 1000)},
    "by a pattern": {"normalizer": replace(".", "t" * 100, "Regex")},
    "between all characters": {"normalizer": replace("", "t" * 100)},
    "in the decoder": {"decoder": chain(*[replace("a", "a" * 1000)] * 4)},
    "nested": {"normalizer": chain(chain(replace("t", "t" * 5)), chain(replace("t", "t" * 5)))},
    "many pieces": {"post_processor": template(500_000, 1)},
    "many tokens a piece": {"post_processor": template(10, 200)},
    "behind another": {"post_processor": {"type": "Sequence", "processors": [template(600, 1), template(600, 1)]}},
    "long words": {"model": {"type": "WordPiece", "max_input_chars_per_word": 10**9}},
    "long prefixes": {"model": {"type": "BPE", "continuing_subword_prefix": "a" * 10_000}},
    "padded": {"padding": {"strategy": {"Fixed": 10**9}}},
    "a pattern behind ten thousand steps": {
        "normalizer": chain(*[{"type": "NFC"}] * 10_001, replace("(a+)+$", "", "Regex"))
    },
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_tokenizer_that_makes_much_of_little_is_refused(kind):
    assert tokenizer_problem(BOMBS[kind])


@pytest.mark.parametrize(
    "tokenizer",
    [
        {},
        {"normalizer": chain(replace(" ", "▁"), {"type": "Prepend", "prepend": "▁"}, replace(" {2,}", "▁", "Regex"))},
        {"decoder": chain(replace("▁", " "), {"type": "Fuse"})},
        {"post_processor": template(3, 1)},
        {"model": {"type": "WordPiece", "max_input_chars_per_word": 100}},
        {"padding": {"strategy": {"Fixed": 128}}},
        {"padding": {"strategy": "BatchLongest", "pad_to_multiple_of": None}},
    ],
)
def test_a_tokenizer_as_libraries_make_it_passes(tokenizer):
    assert tokenizer_problem(tokenizer) == ""
