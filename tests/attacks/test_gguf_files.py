"""GGUF files that are not whole, and what stands beside them."""

import json
import os

import numpy as np
import pytest
from safetensors.torch import load_file

from tests.attacks.test_models import check_lines, load

gguf = pytest.importorskip("gguf")
pytestmark = [pytest.mark.filterwarnings("ignore")]

PARTS = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """A cache of the test's own."""
    monkeypatch.setenv("REAL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


def written(path, policy, *, lacks="nothing", change=lambda name, value: value):
    """Write a policy as GGUF."""
    tensors, config = load_file(policy / "model.safetensors"), json.loads((policy / "config.json").read_text())
    vocab = json.loads((policy / "tokenizer.json").read_text())["model"]["vocab"]
    words = [*sorted(vocab, key=vocab.get)[:-1], "<|endoftext|>"]
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_context_length(512)
    writer.add_embedding_length(16)
    writer.add_block_count(2)
    writer.add_feed_forward_length(32)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_dimension_count(8)
    writer.add_vocab_size(config["vocab_size"])
    writer.add_file_type(0)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(words)
    writer.add_token_types([3, 3, 3] + [1] * (len(words) - 3))
    writer.add_token_scores([0.0] * len(words))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(1)
    writer.add_unk_token_id(2)
    names = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
    for layer in range(2):
        names |= {f"model.layers.{layer}.{ours}": f"blk.{layer}.{theirs}" for ours, theirs in PARTS.items()}
    for ours, theirs in names.items():
        if not theirs.startswith(lacks):
            value = change(theirs, tensors[f"{ours}.weight"].float().numpy())
            writer.add_tensor(f"{theirs}.weight", np.ascontiguousarray(value, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _spoilt(name, value):
    return np.full_like(value, np.nan) if name == "blk.1.ffn_up" else value


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ({"lacks": "blk.1."}, "its weights lack"),
        ({"lacks": "blk.1.ffn_up"}, "its weights lack"),
        ({"lacks": "token_embd"}, "its weights lack"),
        ({"lacks": "output_norm"}, "its weights lack"),
        ({"change": _spoilt}, "not finite"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_gguf_that_is_not_whole_is_refused(how, word, cache, tiny_policy, tmp_path):
    """And not kept in the cache, where the next run would take it for a good one."""
    path = written(tmp_path / "m.gguf", tiny_policy, **how)
    for _ in range(2):
        status, out, messages = load("embed", path, tiny_policy, tmp_path / "out")
        check_lines(messages)
        assert (status, out) == (1, "")
        assert word in messages
    assert not os.listdir(cache)


def test_a_gguf_that_differs_in_its_middle_is_another(cache, tiny_policy, tmp_path):
    """Not its size, nor its time, nor its ends tell it apart."""
    path = written(tmp_path / "m.gguf", tiny_policy)
    status, first, messages = load("embed", path, tiny_policy, tmp_path / "out")
    assert status == 0, messages
    times = path.stat()
    written(path, tiny_policy, change=lambda name, value: value * (1 + (name == "blk.1.ffn_up")))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns + 1))
    assert path.stat().st_size == times.st_size
    status, second, messages = load("embed", path, tiny_policy, tmp_path / "out")
    assert status == 0, messages
    assert first != second
    assert len(os.listdir(cache)) == 2


def test_what_stands_beside_a_gguf_is_not_read(tiny_policy, tmp_path):
    path = written(tmp_path / "m.gguf", tiny_policy)
    (tmp_path / "adapter_config.json").write_text('{"peft_type": "LORA", "base_model_name_or_path": "evil/base"}')
    (tmp_path / "config.json").write_text('{"model_type": "evil", "auto_map": {"AutoConfig": "evil.Evil"}}')
    for command in ("sample", "embed"):
        status, _, messages = load(command, path, tiny_policy, tmp_path / "out")
        assert status == 0, messages
        check_lines(messages)


def test_what_a_killed_conversion_left_is_removed(cache, tiny_policy, tmp_path):
    """Its lock can be taken; that of one at work cannot."""
    import fcntl

    for name in ("dead", "at-work"):
        (cache / f".part-{name}" / "model").mkdir(parents=True)
    descriptor = os.open(cache / ".part-at-work", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    status, _, messages = load("embed", written(tmp_path / "m.gguf", tiny_policy), tiny_policy, tmp_path / "out")
    os.close(descriptor)
    assert status == 0, messages
    left = sorted(os.listdir(cache))
    assert left[0] == ".part-at-work"
    assert len(left) == 2
