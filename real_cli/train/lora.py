"""What is trained beside or instead of a model's own weights: LoRA adapters, on 4-bit weights too, and SPO's head."""

from pathlib import Path
from typing import Any

import torch

from real_cli.errors import ModelError
from real_cli.installing import install_extra
from real_cli.models.score.forward import DEGREE_HEAD
from real_cli.train.shared.settings import RunSettings

DEFAULT_RANK = 16


def lora_config(settings: RunSettings, task: str = "CAUSAL_LM") -> Any:
    """Configure a LoRA adapter on every linear layer but the head; None if all weights are trained."""
    if not settings.adapts:
        return None
    try:
        from peft import LoraConfig
    except ImportError:
        raise ModelError(f"--lora needs the package peft: {install_extra('lora')}") from None
    rank = settings.lora_rank or DEFAULT_RANK
    return LoraConfig(
        r=rank,
        lora_alpha=2 * rank if settings.lora_alpha is None else settings.lora_alpha,
        target_modules="all-linear",
        task_type=task,
    )


def add_degree_head(model: Any, levels: int) -> None:
    """Add SPO's auxiliary head, a classifier of degrees that starts out uniform."""
    width = model.get_output_embeddings().weight.shape[1]
    head = torch.nn.Linear(width, levels, device=model.device, dtype=torch.float32)
    torch.nn.init.zeros_(head.weight)
    torch.nn.init.zeros_(head.bias)
    model.add_module(DEGREE_HEAD, head)


def save_policy(trainer: Any, folder: Path, *, merge: bool = False) -> None:
    """Save model and tokenizer for transformers to load: an adapter as one or merged, without SPO's head."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    model._modules.pop(DEGREE_HEAD, None)
    if merge:
        model = model.merge_and_unload()
        if getattr(model, "is_quantized", False):
            model = model.dequantize()
    weights = trainer.whole_weights
    if weights is not None:  # those of the model are split among the processes
        weights = {name: value for name, value in weights.items() if DEGREE_HEAD not in name.split(".")}
    model.save_pretrained(str(folder), state_dict=weights)
    (folder / "README.md").unlink(missing_ok=True)  # peft's model card, which quotes the hub
    trainer.processing_class.save_pretrained(str(folder))
