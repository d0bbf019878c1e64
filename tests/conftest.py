"""What the tests share: tiny models made here, offline, and rows to train them on."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"  # before any library reads it: no test may reach for a hub

import signal
from pathlib import Path

import pytest
from hypothesis import settings

# A job that a shell put into the background ignores SIGINT, one under nohup SIGHUP, and so would every command that a
# test interrupts.
for number, handler in {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}.items():
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)

# The same examples every run: CI tells of the change, not of luck. On a machine that others use too none is too slow.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("search", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

WORDS = """the a cat dog sat ran on under mat log red blue big small he she it saw heard and but then why how yes
no""".split()  # noqa: SIM905 - a list of words reads as words


@pytest.fixture(scope="session")
def make_tiny_policy(tmp_path_factory):
    """Make a random causal language model of some architecture, saved with its tokenizer; returns its folder."""

    def make(kind: str = "llama", *, chat_template: str | None = None, seed: int = 0, **changes: int) -> Path:
        import torch
        from tokenizers import Tokenizer, models, pre_tokenizers
        from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

        vocab = {token: index for index, token in enumerate(["<pad>", "<end>", "<unk>", *WORDS])}
        inner = Tokenizer(models.WordLevel(vocab, unk_token="<unk>"))
        inner.pre_tokenizer = pre_tokenizers.Whitespace()
        tokenizer = PreTrainedTokenizerFast(
            tokenizer_object=inner, pad_token="<pad>", eos_token="<end>", unk_token="<unk>", model_max_length=512
        )
        tokenizer.chat_template = chat_template
        sizes = dict(
            vocab_size=len(vocab),
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=2,
            head_dim=8,
            max_position_embeddings=512,
            pad_token_id=0,
            eos_token_id=1,
            bos_token_id=None,
        )
        config = AutoConfig.for_model(kind, **(sizes | changes))
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(config)
        with torch.no_grad():
            for parameter in model.parameters():  # transformers' own start is too small to tell one bug from another
                parameter.add_(torch.randn_like(parameter) * 0.2)
        folder = tmp_path_factory.mktemp(f"tiny-{kind}")
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return make


@pytest.fixture(scope="session")
def tiny_policy(make_tiny_policy) -> Path:
    """A random Llama of two layers."""
    return make_tiny_policy()


@pytest.fixture(scope="session")
def tiny_reward(tmp_path_factory) -> Path:
    """A random Llama of two layers with one number at its end, and no padding token."""
    from tests.reward_folders import save_reward_model

    return save_reward_model(tmp_path_factory.mktemp("tiny-reward"))


@pytest.fixture(scope="session")
def pair_rows() -> list[dict]:
    """Eight pairs of plain text; lengths differ."""
    prompts = ["the cat", "why the dog", "how big", "he saw", "she heard it", "the red log", "it ran", "no"]
    chosen = [
        "sat on the mat",
        "ran",
        "small and blue",
        "the big red dog and then it ran",
        "yes",
        "a mat",
        "under",
        "but why",
    ]
    rejected = [
        "ran",
        "sat on the log but he saw",
        "no",
        "it",
        "no no no no",
        "the the the",
        "on the blue mat",
        "yes and yes",
    ]
    rows = zip(prompts, chosen, rejected, strict=True)
    return [{"prompt": p, "chosen": f" {c}", "rejected": f" {r}"} for p, c, r in rows]


@pytest.fixture(scope="session")
def served_smollm2(tmp_path_factory):
    """SmolLM2 behind `transformers serve`, an OpenAI-compatible server on loopback: its url, model and log."""
    from real_cli.models.load.resolve import resolve_model
    from tests.servers import serve_model

    with serve_model(Path(resolve_model("smollm2")), tmp_path_factory.mktemp("served") / "log") as served:
        yield served


@pytest.fixture(scope="session")
def launched_real():
    """The words of a `real` that starts at once, for tests that start many; see tests/launcher.py."""
    from tests.launcher import warm_real

    with warm_real() as words:
        yield words
