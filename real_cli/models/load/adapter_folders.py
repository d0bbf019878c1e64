"""Folders of LoRA adapters: the model below an adapter, and the two as one."""

from pathlib import Path
from typing import Any, NamedTuple

from real_cli.errors import ModelError, clip
from real_cli.models.load.folder_check import note, read_settings
from real_cli.models.load.hub import is_in_cache, settings_folder, whole_folder
from real_cli.models.load.loaded_checks import check_finite, check_missing, check_vocabulary_fits
from real_cli.models.load.loading import load_adapter, load_config, load_model, load_tokenizer, loading
from real_cli.models.load.resolve import named_base, resolve_model
from real_cli.models.load.weight_files import find_adapter_weights

ADAPTER_CONFIG = "adapter_config.json"

# Adapters that are nothing but weights, which can be merged into their base's.
MERGEABLE = {"LORA", "ADALORA", "LOHA", "LOKR", "IA3", "OFT", "BOFT", "VERA", "HRA"}


class AdapterBase(NamedTuple):
    """The model below an adapter: its name, and where it was found."""

    name: str
    path: str


def is_adapter(path: str) -> bool:
    """Tell whether a folder holds an adapter."""
    return Path(settings_folder(path, path), ADAPTER_CONFIG).is_file()


def find_base(name: str, folder: Path) -> AdapterBase:
    """Find and announce the model below an adapter."""
    config = read_settings(name, folder, ADAPTER_CONFIG)
    if config.get("task_type") != "CAUSAL_LM":
        raise ModelError(
            f"model '{name}': is an adapter for {config.get('task_type')}, by adapter_config.json; merge it into its "
            "base first"
        )
    if str(config.get("peft_type", "LORA")) not in MERGEABLE:  # others load further models or tokenizers
        raise ModelError(
            f"model '{name}': adapter_config.json has peft_type {clip(config['peft_type'])}; give a LoRA adapter"
        )
    if config.get("megatron_config"):
        raise ModelError(f"model '{name}': adapter_config.json names code to be run (megatron_core); give another")
    chosen = named_base()
    if chosen is not None:
        return AdapterBase(chosen, resolve_model(chosen))
    base = config.get("base_model_name_or_path")
    if not isinstance(base, str) or not base:
        raise ModelError(f"model '{name}': adapter_config.json names no base; name it with --base")
    # Reported for our own adapters too: anybody can write a manifest like ours.
    note(f"model '{name}': its adapter_config.json names {base} as its base, which is loaded")
    path = resolve_model(base)
    if not Path(path).is_dir() and not is_in_cache(path):
        raise ModelError(
            f"model '{name}': is an adapter of {base}, which is not on this machine; to download it, name it: "
            f"--base {base}"
        )
    return AdapterBase(base, path)


def load_adapted(name: str, path: str, base: AdapterBase, **settings: Any) -> Any:
    """Load an adapter on its base, not yet merged."""
    weights = find_adapter_weights(name, Path(path))
    if weights.is_pickled:
        note(f"model '{name}': {weights.files[0].name} is pickled: only its tensors are read")
    below = load_model(base.name, base.path, "AutoModelForCausalLM", **settings)
    if (Path(path) / "tokenizer_config.json").is_file():
        num_tokens = len(load_tokenizer(name, path))
        if num_tokens > below.get_input_embeddings().weight.shape[0]:
            below.resize_token_embeddings(num_tokens)
    model, wanted = load_adapter(name, path, below)
    if weights.shapes:
        check_missing(name, sorted(set(wanted) - set(weights.shapes)))
    check_finite(name, model)
    return model


def load_plan(name: str, path: str) -> tuple[Any, Any, Path]:
    """Load what describes a causal language model, and its tokenizer: no weights. Also returns where those are."""
    below = AdapterBase(name, path)
    tokenizer = None
    if is_adapter(path):
        path = whole_folder(name, path)
        below = find_base(name, Path(path))
        tokenizer = load_tokenizer(name, path) if (Path(path) / "tokenizer_config.json").is_file() else None
    tokenizer = tokenizer or load_tokenizer(*below)
    return load_config(*below), tokenizer, Path(settings_folder(*below))


def load_causal(name: str, path: str, **settings: Any) -> tuple[Any, Any]:
    """Load a causal language model and its tokenizer; an adapter is merged into its base."""
    if is_adapter(path):
        path = whole_folder(name, path)
        base = find_base(name, Path(path))
        has_tokenizer = (Path(path) / "tokenizer_config.json").is_file()
        tokenizer = load_tokenizer(name, path) if has_tokenizer else load_tokenizer(base.name, base.path)
        with loading(name):
            model = load_adapted(name, path, base, **settings).merge_and_unload()
        for weight in model.parameters():  # peft froze the base; now all is one model
            weight.requires_grad_(weight.is_floating_point())
    else:
        tokenizer = load_tokenizer(name, path)
        model = load_model(name, path, "AutoModelForCausalLM", **settings)
    check_vocabulary_fits(name, model, tokenizer, records_are_checked=True)
    return model, tokenizer
