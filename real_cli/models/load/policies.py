"""Load a policy or a reference, and its tokenizer."""

from typing import Any, NamedTuple

from real_cli.errors import ModelError, UsageError
from real_cli.installing import install_extra
from real_cli.models.load.adapter_folders import load_causal
from real_cli.models.load.device import Place, attention_name, choose_device, choose_place
from real_cli.models.load.loaded_checks import num_embeddings
from real_cli.models.load.loading import loading
from real_cli.models.load.resolve import resolve_model
from real_cli.models.score.forward import attach_scorer
from real_cli.records.choices import Attention, Precision, TokenLayout


class Policy(NamedTuple):
    """A causal language model, its tokenizer, where it runs, what its folder is, and how its sequences are laid out."""

    model: Any
    tokenizer: Any
    place: Place
    path: str
    layout: TokenLayout = TokenLayout.plain

    @property
    def attention(self) -> str:
        """What computes its attention, by transformers' name; packed or not is its layout's to say."""
        return attention_name(self.model)


def load_policy(
    name: str,
    *,
    device: str = "auto",
    precision: Precision = Precision.auto,
    attention: Attention = Attention.auto,
) -> Policy:
    """Load a causal language model for scoring or training."""
    path = resolve_model(name)
    place = choose_place(device, precision)
    return load_resolved(name, path, place, attention)


def training_place(device: str, precision: Precision) -> Place:
    """Choose where to train: on the first visible GPU, where there are several."""
    place = choose_place(device, precision)
    if place.device.type == "cuda" and place.device.index:
        if device != "auto":
            raise UsageError(
                f"--device {device}: training takes the first visible GPU; choose it with CUDA_VISIBLE_DEVICES"
            )
        return Place(choose_device("cuda:0"), place.dtype)
    return place


def load_trainee(
    name: str,
    *,
    device: str = "auto",
    precision: Precision = Precision.auto,
    attention: Attention = Attention.auto,
    in_4_bits: bool = False,
) -> Policy:
    """Load a policy to train: with `auto`, float32 weights that compute in the device's own format."""
    path = resolve_model(name)
    place = training_place(device, precision)
    if precision is not Precision.auto or in_4_bits:
        return load_resolved(name, path, place, attention, in_4_bits=in_4_bits)
    import torch

    loaded = load_resolved(name, path, Place(place.device, torch.float32), attention)
    return loaded._replace(place=place)


def computing(policy: Policy) -> Any:
    """Enter the number format that a policy computes in, where its weights have another."""
    import torch

    device, dtype = policy.place.device.type, policy.place.dtype
    return torch.autocast(device, dtype=dtype, enabled=policy.model.dtype != dtype)


def differing_tokens_of(known: dict[str, int], others: dict[str, int]) -> list[str]:
    """List the tokens of a vocabulary that lack an id, or have another one, in the known vocabulary."""
    return [token for token, number in others.items() if known.get(token) != number]


def check_vocabulary(name: str, reference: Policy, policy: Policy) -> None:
    """Check that a reference reads the token ids that the policy's tokenizer makes."""
    others = differing_tokens_of(reference.tokenizer.get_vocab(), policy.tokenizer.get_vocab())
    if others:
        raise ModelError(
            f"--reference {name}: its tokenizer is not the policy's, {len(others):,} tokens differ, "
            f"'{others[0]}' for one; both must read the same token ids"
        )
    size = num_embeddings(reference.model)
    used = range(size, num_embeddings(policy.model))
    lacking = [token for token, number in policy.tokenizer.get_vocab().items() if number in used]
    if lacking:
        raise ModelError(
            f"--reference {name}: it has {size:,} embeddings, and none for {len(lacking):,} tokens of the policy, "
            f"'{lacking[0]}' for one; both must read the same token ids"
        )


def load_resolved(
    name: str, path: str, place: Place, attention: Attention = Attention.auto, *, in_4_bits: bool = False
) -> Policy:
    """Load a causal language model from where it was found."""
    model, tokenizer = load_weights(name, path, place, attention, in_4_bits=in_4_bits)
    attach_scorer(model)
    return Policy(model, tokenizer, place, path)


def load_weights(
    name: str, path: str, place: Place, attention: Attention = Attention.auto, *, in_4_bits: bool = False
) -> tuple[Any, Any]:
    """Load a causal language model and its tokenizer for generating, as `load_resolved` does."""
    settings: dict[str, Any] = {"dtype": place.dtype, **attention_settings(attention, place)}
    if in_4_bits:
        settings |= _four_bits(place)
    model, tokenizer = load_causal(name, path, **settings)
    with loading(name):
        model = model.eval() if in_4_bits else model.to(place.device).eval()
    settle_special_tokens(name, tokenizer, num_embeddings(model))
    return model, tokenizer


def attention_settings(attention: Attention, place: Place) -> dict[str, str]:
    """Tell transformers how attention is computed; UsageError for what cannot train here."""
    if attention is Attention.flex and place.device.type == "cpu":
        raise UsageError(f"--attention {attention}: torch has no gradients for it on a CPU; leave the option out")
    return {} if attention is Attention.auto else {"attn_implementation": attention.value}


def settle_special_tokens(name: str, tokenizer: Any, size: int) -> None:
    """Refuse a tokenizer whose end token a model of that many embeddings cannot read; give it a padding token."""
    if tokenizer.eos_token_id is None:
        raise ModelError(f"model '{name}': its tokenizer has no end token; a response could not be ended")
    if tokenizer.eos_token_id >= size:
        raise ModelError(f"model '{name}': its end token has no embedding; a response could not be ended")
    if tokenizer.pad_token_id is None or tokenizer.pad_token_id >= size:
        tokenizer.pad_token = tokenizer.eos_token


def _four_bits(place: Place) -> dict[str, Any]:
    """Tell transformers what QLoRA stores: NF4, its constants quantized too (arXiv 2305.14314)."""
    from importlib.util import find_spec

    from transformers import BitsAndBytesConfig

    if find_spec("bitsandbytes") is None:
        raise ModelError(f"--qlora needs the package bitsandbytes: {install_extra('qlora')}")
    config = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=place.dtype,
    )
    return {"quantization_config": config, "device_map": {"": place.device}}
