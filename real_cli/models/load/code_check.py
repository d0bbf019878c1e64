"""What in a model's settings would fetch or run code: a model's own, kernels, anything outside its weights."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from real_cli.errors import ModelError, clip
from real_cli.installing import install_extra

CODE = "wants code of its own to be run ({}), and no model's code is run; give a model that transformers knows itself"
# What transformers itself has for attention, experts and caches; any other name is a kernel to fetch.
# Where their package is missing, transformers fetches a kernel in their place.
FLASH = {"flash_attention_2": "flash_attn", "flash_attention_3": "flash_attn_interface"}
ATTENTIONS = {"eager", "sdpa", "flex_attention", *FLASH}
EXPERTS = {"eager", "batched_mm", "grouped_mm"}
CACHES = {"dynamic", "dynamic_full", "static", "offloaded", "offloaded_static", "quantized", "paged", "hybrid"}
CACHES |= {"sliding_window", "hybrid_chunked", "offloaded_hybrid", "offloaded_hybrid_chunked"}
KNOWN = ATTENTIONS | EXPERTS | CACHES | {f"paged|{name}" for name in ATTENTIONS}
CLOSED = ("attn", "attention", "experts", "cache")
# Numbers of tokens.
TOKENS = ("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id")
# Arguments of `from_pretrained` that fetch or trust code.
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
    """Refuse settings that name a kernel, in whatever field, depth or form."""
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
                package = FLASH.get(word.removeprefix("paged|"))
                if package and find_spec(package) is None:
                    raise ModelError(
                        f"model '{name}': its {field} is {word}, and {package} is not installed; install it, or take "
                        "the field out"
                    )


def refuse_weights_elsewhere(name: str, config: dict[str, Any]) -> None:
    """Refuse a config that names a weights file: libraries read that one, and we would check another."""
    if config.get("transformers_weights") is not None:
        raise ModelError(
            f"model '{name}': config.json: transformers_weights names {clip(config['transformers_weights'])}; take the "
            "field out, and call the file of weights model.safetensors"
        )


def settings_problem(settings: dict[str, Any], shapes: dict[str, tuple[int, ...]] | None = None) -> str:
    """Report what a library would find too late: tokens that are no numbers, unexpected forms of weights."""
    for field in TOKENS:
        value = settings.get(field)
        if value is not None and not all(
            type(number) is int for number in (value if isinstance(value, list) else [value])
        ):
            return f"{field} is {clip(value)}; it must be a token's number"
    quantization = settings.get("quantization_config")
    if isinstance(quantization, dict) and quantization.get("quant_method") == "bitsandbytes":
        if find_spec("bitsandbytes") is None:
            return f"its weights are quantized, which needs a package: {install_extra('qlora')}"
        if shapes and not any(key.endswith(".SCB") or ".quant_state" in key for key in shapes):
            return "it says that its weights are quantized by bitsandbytes, and they are not; take the field out"
    return ""


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
