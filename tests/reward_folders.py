"""Tiny random reward models, saved as transformers saves them."""

from pathlib import Path
from typing import Any

from tests.conftest import WORDS

TOKENS = ["<pad>", "<end>", "<unk>", "<cls>", "<sep>", "<user>", "<assistant>", *WORDS]
CHAT_TEMPLATE = (
    "{{ '<cls> ' }}{% for m in messages %}<{{ m['role'] }}> {{ m['content'] }} <end> {% endfor %}"
    "{% if add_generation_prompt %}<assistant> {% endif %}"
)


def save_reward_tokenizer(folder: Path, *, is_encoder: bool, chat_template: str | None, pad: str | None) -> None:
    """Words as tokens; a pair is `<cls> a <sep> b <sep>` for an encoder, and `a b` otherwise."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    vocab = {token: index for index, token in enumerate(TOKENS)}
    inner = Tokenizer(models.WordLevel(vocab, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    special: dict[str, Any] = {"eos_token": "<end>", "unk_token": "<unk>"}
    if is_encoder:
        inner.post_processor = processors.TemplateProcessing(
            single="<cls> $A <sep>",
            pair="<cls> $A <sep> $B:1 <sep>:1",
            special_tokens=[("<cls>", vocab["<cls>"]), ("<sep>", vocab["<sep>"])],
        )
        special |= {"sep_token": "<sep>", "cls_token": "<cls>"}
    else:
        special |= {"bos_token": "<cls>", "additional_special_tokens": ["<user>", "<assistant>"]}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner,
        pad_token=pad,
        model_max_length=64,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        **special,
    )
    tokenizer.chat_template = chat_template
    tokenizer.save_pretrained(folder)


def save_reward_model(
    folder: Path,
    kind: str = "llama",
    *,
    num_labels: int = 1,
    chat_template: str | None = None,
    pad_token_id: int | None = None,
    seed: int = 0,
) -> Path:
    """Save a random sequence classifier of two layers with its tokenizer."""
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    sizes: dict[str, Any] = dict(
        vocab_size=len(TOKENS),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=64,
        pad_token_id=pad_token_id,
        num_labels=num_labels,
    )
    if kind == "llama":
        sizes |= dict(num_key_value_heads=2, head_dim=8, eos_token_id=1, bos_token_id=None)
    torch.manual_seed(seed)
    model = AutoModelForSequenceClassification.from_config(AutoConfig.for_model(kind, **sizes))
    with torch.no_grad():
        for parameter in model.parameters():  # transformers' own start is too small to tell one bug from another
            parameter.add_(torch.randn_like(parameter) * 0.2)
    model.save_pretrained(folder)
    save_reward_tokenizer(
        folder,
        is_encoder=kind == "bert",
        chat_template=chat_template,
        pad=None if pad_token_id is None else TOKENS[pad_token_id],
    )
    return folder
