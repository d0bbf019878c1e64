"""Decoding many responses at once writes what the library's own loop writes, whatever the architecture."""

import inspect

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, BatchEncoding

from real_cli.models.generate import decode as module
from real_cli.models.generate.decode import decode
from real_cli.models.generate.steps import FixedStep
from real_cli.records.questions import Sampling

SMALL = {"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "head_dim": 8}
SMALL |= {"intermediate_size": 32, "num_key_value_heads": 1, "max_position_embeddings": 64, "initializer_range": 0.5}
ARCHITECTURES = {
    "llama": SMALL,
    "mistral": SMALL | {"sliding_window": 5},
    "gemma2": SMALL | {"sliding_window": 5},
    "qwen3": SMALL,
    "gpt2": {"vocab_size": 40, "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 64, "initializer_range": 0.5},
    "bloom": {"vocab_size": 40, "hidden_size": 16, "n_layer": 2, "n_head": 2, "initializer_range": 0.5},
    "mamba": {"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 2, "state_size": 4},
}
PROMPTS = [[3, 4, 5], [9, 8, 7, 6, 5, 4, 3, 2], [11], [3, 4, 5]]


class Tokenizer:
    """Pads on the left with token 0 and writes a token as its number."""

    pad_token_id = 0

    def pad(self, rows, **_):
        width = max(map(len, rows["input_ids"]))
        ids = torch.tensor([[0] * (width - len(row)) + row for row in rows["input_ids"]])
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows["input_ids"]])
        return BatchEncoding({"input_ids": ids, "attention_mask": mask})

    def decode(self, ids, **_):
        return "".join(f"<{number}>" for number in ids.tolist())


def random_model(kind):
    torch.manual_seed(1)
    config = AutoConfig.for_model(kind, **ARCHITECTURES[kind], pad_token_id=0)
    model = AutoModelForCausalLM.from_config(config).eval()
    model.generation_config.eos_token_id = [1, 2, 3, 4]
    return model


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_every_architecture_writes_what_generate_writes(kind, monkeypatch):
    """Sixteen responses of three prompts, of other limits, seeds and temperatures, some with a stop string."""
    model, prompts = random_model(kind), PROMPTS * 4
    samplings = [
        Sampling(4 + 2 * row, row % 3 / 2, 0.9, ("<17>",) if row % 4 == 0 else (), row) for row in range(len(prompts))
    ]
    ours = decode(model, Tokenizer(), prompts, samplings)
    monkeypatch.setattr(module, "_read", lambda model, padded: None)
    assert ours == decode(model, Tokenizer(), prompts, samplings)
    assert len({tuple(ids) for ids in ours}) > 8
    assert any(ids[-1] in (1, 2, 3, 4) for ids in ours)
    lengths = [len(ids) for ids in ours]
    assert len(set(lengths)) > 4


@pytest.mark.parametrize("kind", ["llama", "qwen3", "gpt2"])
def test_a_step_of_fixed_shape_writes_what_the_growing_one_writes(kind, monkeypatch):
    model = random_model(kind)
    samplings = [Sampling(20 - row, row % 3 / 2, 0.9, (), row) for row in range(12)]
    growing = decode(model, Tokenizer(), PROMPTS * 3, samplings)
    begun = []

    def fixed(model, cache, mask, rows, num_steps):
        cache.states.reorder_cache(rows)
        begun.append(FixedStep(model, cache, mask[rows], num_steps))
        return begun[-1]

    monkeypatch.setattr(module, "choose_step", fixed)
    assert decode(model, Tokenizer(), PROMPTS * 3, samplings) == growing
    assert len(begun) == 1
    assert len(begun[0]._mask) < 12  # rows have left


def test_a_prompt_is_read_once_and_rows_that_have_ended_are_not_run(monkeypatch):
    model = random_model("llama")
    model.generation_config.eos_token_id = None
    rows = []
    forward = model.forward

    def counted(input_ids, **options):
        rows.append(tuple(input_ids.shape))
        return forward(input_ids=input_ids, **options)

    counted.__signature__ = inspect.signature(forward)
    monkeypatch.setattr(model, "forward", counted)
    limits = [2, 2, 2, 2, 9, 9]
    decode(model, Tokenizer(), [PROMPTS[0]] * 3 + [PROMPTS[1]] * 3, [Sampling(limit, 0.0) for limit in limits])
    assert rows[0] == (2, 8)
    assert rows[1] == (6, 1)
    assert {shape for shape in rows[2:]} <= {(2, 1), (1, 1)}
    assert rows[2] == (2, 1)


def test_logits_that_are_no_numbers_are_told():
    model = random_model("llama")
    torch.nn.init.constant_(model.lm_head.weight, float("nan"))
    with pytest.raises(FloatingPointError):
        decode(model, Tokenizer(), [[3]], [Sampling(2)])
