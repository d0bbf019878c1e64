"""What a sentence-transformers folder says: modules.json, a transformer, a pooling, perhaps a normalization."""

from collections.abc import Callable
from typing import Any, NamedTuple

from real_cli.embed.pooling import POOLINGS
from real_cli.models.load.folder_check import read_config

LEGACY_POOLINGS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_lasttoken": "lasttoken",
}
# What the model's configuration may say; prompts before texts and fewer dimensions are left to the library.
WHOLE: dict[str, Callable[[Any], bool]] = {
    "__version__": lambda value: True,
    "model_type": lambda value: value == "SentenceTransformer",
    "prompts": lambda value: True,
    "default_prompt_name": lambda value: value is None,
    "similarity_fn_name": lambda value: True,
    "truncate_dim": lambda value: value is None,
}
PLAIN_TEXT = {"text": {"method": "forward", "method_output_name": "last_hidden_state"}}
# What the transformer's configuration may say without changing the vector of a plain text.
HARMLESS: dict[str, Callable[[Any], bool]] = {
    "max_seq_length": lambda value: value is None or isinstance(value, int),
    "do_lower_case": lambda value: value is False,
    "transformer_task": lambda value: value == "feature-extraction",
    "module_output_name": lambda value: value == "token_embeddings",
    "modality_config": lambda value: value == PLAIN_TEXT,
}


class EncodingRecipe(NamedTuple):
    """How to embed with transformers alone what sentence-transformers would embed.

    Attributes:
        pooling: A name of POOLINGS.
        normalize: Whether vectors are brought to length 1.
        max_length: The folder's limit of tokens; None if the tokenizer says it.
    """

    pooling: str
    normalize: bool
    max_length: int | None


def read_recipe(path: str) -> EncodingRecipe | None:
    """Read how to run a sentence-transformers model; None without modules.json, or with unknown settings."""
    modules = read_config(path, "modules.json")
    if not isinstance(modules, list) or not all(isinstance(module, dict) for module in modules):
        return None
    kinds = [str(module.get("type", "")).rsplit(".", 1)[-1] for module in modules]
    # A transformer in a subfolder is rare; foreign classes of the same name are left to the library.
    known = all(str(module.get("type", "")).startswith("sentence_transformers.") for module in modules)
    if kinds not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]) or not known:
        return None
    transformer = read_config(path, "sentence_bert_config.json")
    pooling = _pooling(read_config(path, f"{modules[1].get('path', '')}/config.json"))
    whole = read_config(path, "config_sentence_transformers.json") or {}
    if modules[0].get("path") or pooling is None or not (_says(transformer, HARMLESS) and _says(whole, WHOLE)):
        return None
    return EncodingRecipe(pooling, "Normalize" in kinds, transformer.get("max_seq_length"))


def _says(config: Any, allowed: dict[str, Callable[[Any], bool]]) -> bool:
    """Tell whether a configuration holds only settings that are known to change no vector."""
    return isinstance(config, dict) and all(name in allowed and allowed[name](value) for name, value in config.items())


def _pooling(config: Any) -> str | None:
    if not isinstance(config, dict):
        return None
    name = config.get("pooling_mode")
    if name is None:
        chosen = [mode for mode, value in config.items() if mode.startswith("pooling_mode_") and value]
        name = LEGACY_POOLINGS.get(chosen[0]) if len(chosen) == 1 else None
    return name if isinstance(name, str) and name in POOLINGS else None
