"""The model of a run without its weights: the same layers, adapters and formats, and no memory taken."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch

from real_cli.errors import ModelError
from real_cli.models.load.device import Place
from real_cli.models.load.loading import loading
from real_cli.models.load.weight_files import find_weights
from real_cli.models.score.forward import attach_scorer
from real_cli.records.choices import Attention
from real_cli.train.lora import add_degree_head, lora_config
from real_cli.train.objective import Need
from real_cli.train.settings import TrainingSettings

# NF4 with quantized constants: 4 bits, 8 bits for 64 weights, and 32 bits for 256 of those (arXiv 2305.14314).
BITS_OF_NF4 = 4 + 8 / 64 + 32 / (64 * 256)
# What follows the head in some architectures: then the model's own forward is run, and all its logits are kept.
AFTER_HEAD = ("final_logit_softcapping", "logit_scale", "logits_scaling", "lm_head_multiplier")


class ModelPlan(NamedTuple):
    """What describes a model: its config, its tokenizer, and the folder of its files."""

    config: Any
    tokenizer: Any
    folder: Path


@dataclass(frozen=True)
class Setup:
    """How a model is trained, as far as memory goes.

    Attributes:
        place: The device, and the format that is computed in.
        dtype: The format of the weights.
        attention: How attention is computed.
        settings: Say what is adapted and optimized.
        gradient_checkpointing: Whether activations are computed again.
    """

    place: Place
    dtype: torch.dtype
    attention: Attention
    settings: TrainingSettings
    gradient_checkpointing: bool


class Weightless(NamedTuple):
    """A model without weights, the bytes of its tensors that are no gradients or states, and of those in its files."""

    model: Any
    weights: list[int]
    weights_loaded: int

    @property
    def trained(self) -> list[Any]:
        """The parameters that get gradients."""
        return [weight for weight in self.model.parameters() if weight.requires_grad]


def put_on(model: Any, device: torch.device) -> None:
    """Give a model from the meta device tensors that claim to be on another; to be called under `without_numbers`."""
    known: dict[int, Any] = {}

    def moved(tensor: Any) -> Any:
        fresh = torch.empty(tensor.shape, dtype=tensor.dtype, device=device)
        trains = isinstance(tensor, torch.nn.Parameter)
        return torch.nn.Parameter(fresh, requires_grad=tensor.requires_grad) if trains else fresh

    for module in model.modules():
        for tensors in (module._parameters, module._buffers):
            for key, tensor in tensors.items():
                if tensor is not None:
                    if id(tensor) not in known:
                        known[id(tensor)] = (tensor, moved(tensor))  # the old one lives: its id is not given again
                    tensors[key] = known[id(tensor)][1]


@contextmanager
def without_numbers() -> Iterator[Any]:
    """Let torch follow shapes and compute nothing; yields the mode, which takes tensors in."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    log = logging.getLogger("torch._subclasses.fake_tensor")
    was_disabled, log.disabled = log.disabled, True  # it writes a traceback for what is tried and fails
    try:
        with FakeTensorMode(allow_non_fake_inputs=True) as mode:
            yield mode
    finally:
        log.disabled = was_disabled


def build_weightless(name: str, plan: ModelPlan, setup: Setup) -> Weightless:
    """Build a model as the run would train it, on torch's meta device."""
    from transformers import AutoModelForCausalLM

    settings = setup.settings
    words = {} if setup.attention is Attention.auto else {"attn_implementation": setup.attention.value}
    with loading(name), torch.device("meta"):
        model = AutoModelForCausalLM.from_config(plan.config, dtype=setup.dtype, trust_remote_code=False, **words)
    _attach(model, plan.config)
    weights = [_bytes_of(tensor) for tensor in _distinct([*model.parameters(), *model.buffers()])]
    loaded = sum(weights)
    if settings.qlora:
        weights = _in_4_bits(model, weights)
    if setup.gradient_checkpointing:
        model.gradient_checkpointing_enable()
    if (config := lora_config(settings)) is not None:
        model = _adapted(model, config, setup)
        weights += [_bytes_of(weight) for weight in model.parameters() if weight.requires_grad]
    if Need.degrees in settings.mixture.needs:
        with torch.device("meta"):
            add_degree_head(model, int(settings.mixture.knobs["levels"]))
    return Weightless(model.train(), weights, loaded)


def _attach(model: Any, config: Any) -> None:
    """Give the model its scorer; which forward that takes is read from the config, where a run compares numbers."""
    text = config.get_text_config()
    is_changed = any(getattr(text, field, None) not in (None, 1, 1.0) for field in AFTER_HEAD)
    attach_scorer(model, head_is_plain=not is_changed)


def _adapted(model: Any, config: Any, setup: Setup) -> Any:
    """Add an adapter as TRL does: in float32, on 4-bit weights in bfloat16."""
    from peft import get_peft_model

    adapted = get_peft_model(model, config)
    if setup.gradient_checkpointing:
        model.enable_input_require_grads()
    for weight in adapted.parameters():
        if weight.requires_grad and setup.settings.qlora:
            weight.data = weight.data.to(torch.bfloat16)
    return adapted


def _in_4_bits(model: Any, weights: list[int]) -> list[int]:
    """Tell what weights take when those of linear layers, but the head's, are quantized."""
    layers = _quantized_layers(model)
    whole = sum(weights) - sum(_bytes_of(layer.weight) for layer in layers)
    return [whole, int(sum(layer.weight.numel() for layer in layers) * BITS_OF_NF4 / 8)]


def _quantized_layers(model: Any) -> list[Any]:
    head = model.get_output_embeddings()
    return [layer for layer in model.modules() if isinstance(layer, torch.nn.Linear) and layer is not head]


def largest_dequantized(model: Any) -> int:
    """Return the bytes of the largest layer that a pass over 4-bit weights writes out."""
    return max((_bytes_of(layer.weight) for layer in _quantized_layers(model)), default=0)


def stored_bytes(name: str, folder: Path) -> int | None:
    """Return the bytes of a model's files; None where they are not on this machine."""
    try:
        return sum(file.stat().st_size for file in find_weights(name, folder).files)
    except (ModelError, OSError):
        return None


def _distinct(tensors: list[Any]) -> list[Any]:
    """Keep one tensor of each storage: a tied head is the embedding."""
    return list({id(tensor): tensor for tensor in tensors}.values())


def _bytes_of(tensor: Any) -> int:
    return int(tensor.untyped_storage().nbytes())
