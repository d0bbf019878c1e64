"""What in a model's settings would have code fetched or run: its own, kernels, anything outside of its weights."""

from collections.abc import Iterator
from typing import Any

from real_cli.errors import ModelError, clip

CODE = "wants code of its own to be run ({}), and no model's code is run; give a model that transformers knows itself"
# How transformers itself computes attention, experts and caches; any other name is a kernel's, to be fetched.
ATTENTIONS = {"eager", "sdpa", "flex_attention", "flash_attention_2", "flash_attention_3"}
EXPERTS = {"eager", "batched_mm", "grouped_mm"}
CACHES = {"dynamic", "dynamic_full", "static", "offloaded", "offloaded_static", "quantized", "paged", "hybrid"}
CACHES |= {"sliding_window", "hybrid_chunked", "offloaded_hybrid", "offloaded_hybrid_chunked"}
KNOWN = ATTENTIONS | EXPERTS | CACHES | {f"paged|{name}" for name in ATTENTIONS}
CLOSED = ("attn", "attention", "experts", "cache")
# Arguments of `from_pretrained` that have code fetched or believed.
KERNEL_SWITCHES = ("allow_all_kernels", "use_kernels", "kernel_config", "trust_remote_code")


def objects(content: Any) -> Iterator[dict[str, Any]]:
    """Yield an object and all objects in it."""
    waiting = [content]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield item
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item


def refuse_kernels(name: str, settings: Any) -> None:
    """Refuse settings that name a kernel, whatever the field, its depth and its form.

    Args:
        name: The model as the user named it.
        settings: What a file of settings holds.

    Raises:
        ModelError: If a field would have code fetched.
    """
    for fields in objects(settings):
        for field, value in fields.items():
            if field in KERNEL_SWITCHES and value:
                raise ModelError(f"model '{name}': {CODE.format(f'{field} {clip(value)}')}")
            is_closed = "_implementation" in field and any(word in field for word in CLOSED)
            if not (is_closed or "_impl" in field or "kernel" in field):
                continue
            for word in _words(value):
                if "/" in word or (is_closed and word not in KNOWN):
                    raise ModelError(f"model '{name}': {CODE.format(f'{field} {clip(value)}')}")


def refuse_weights_elsewhere(name: str, config: dict[str, Any]) -> None:
    """Refuse a config that names a file of weights: libraries read that one, and we would check another."""
    if config.get("transformers_weights") is not None:
        raise ModelError(
            f"model '{name}': config.json: transformers_weights names {clip(config['transformers_weights'])}; take the "
            "field out, and call the file of weights model.safetensors"
        )


def _words(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
