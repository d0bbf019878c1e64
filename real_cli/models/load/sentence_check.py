"""Folders of sentence-transformers: which modules they may have, and what each may declare."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from real_cli.errors import ModelError, clip
from real_cli.models.load.code_check import CODE

# The library's modules that turn a text into a vector by their folder's files alone.
MODULES = {"Transformer", "Pooling", "Normalize", "Dense", "LayerNorm", "Dropout", "WeightedLayerPooling", "CNN"}
MODULES |= {"LSTM", "StaticEmbedding", "WordEmbeddings", "WordWeights", "BoW"}
LIBRARY = "sentence_transformers."
# Names under which the library has looked for a transformer's settings.
SENTENCE_FILES = tuple(
    f"sentence_{kind}_config.json"
    for kind in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 1 << 31)


def _is_word(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value.isidentifier())


def _is_switch(value: Any) -> bool:
    return value is None or isinstance(value, bool)


# Arguments that a folder may pass to `from_pretrained`: none names a file, a place or code.
ARGUMENTS: dict[str, Callable[[Any], bool]] = {
    "attn_implementation": _is_word,  # a kernel that transformers has, by `refuse_kernels`
    "torch_dtype": _is_word,
    "dtype": _is_word,
    "add_pooling_layer": _is_switch,
    "trust_remote_code": lambda value: not value,
    "model_max_length": _is_number,
    "max_length": _is_number,
    "padding_side": lambda value: value in ("left", "right"),
    "truncation_side": lambda value: value in ("left", "right"),
    "do_lower_case": _is_switch,
    "use_fast": _is_switch,
    "use_cache": _is_switch,
    "add_prefix_space": _is_switch,
}
# Where they stand, under old and new names.
GIVEN = {f"{what}_{kind}" for what in ("model", "config", "tokenizer", "processor") for kind in ("args", "kwargs")}
FIELDS: dict[str, Callable[[Any], bool]] = {
    "max_seq_length": _is_number,
    "do_lower_case": _is_switch,
    "transformer_task": lambda value: value in ("feature-extraction", "fill-mask"),
    "modality_config": lambda value: isinstance(value, dict),
    "module_output_name": _is_word,
    "processing_kwargs": lambda value: isinstance(value, dict),
    "unpad_inputs": _is_switch,
    "query_length": _is_number,
    "document_length": _is_number,
    "query_expansion": lambda value: value is None,
}


def refuse_modules(name: str, modules: list[dict[str, Any]]) -> None:
    """Refuse modules that are not the library's own, or that do more than embed a text."""
    for module in modules:
        kind = module.get("type", "")
        *place, last = kind.split(".")
        if not kind.startswith(LIBRARY):
            raise ModelError(f"model '{name}': {CODE.format(clip(kind))}")
        if last not in MODULES or not {"modules", "models"} & {*place}:
            raise ModelError(f"model '{name}': modules.json: {clip(kind)} is no module that embeds texts; give another")


def refuse_arguments(name: str, file: str, settings: dict[str, Any]) -> None:
    """Refuse arguments of a transformer beyond those known to be harmless."""
    for field, value in settings.items():
        if field not in GIVEN:
            if field not in FIELDS or not FIELDS[field](value):
                raise ModelError(f"model '{name}': {file}: {field} {clip(value)} is not understood; take it out")
            continue
        for word, given in (value if isinstance(value, dict) else {"": value} if value else {}).items():
            if word not in ARGUMENTS or not ARGUMENTS[word](given):
                raise ModelError(
                    f"model '{name}': {file}: {field} must not hold {clip({word: given})}; take it out of the file"
                )


def refuse_classes(name: str, file: str, settings: dict[str, Any]) -> None:
    """Refuse a module that names a class that is neither torch's nor the library's."""
    activation = settings.get("activation_function")
    if activation is not None and not _is_activation(activation):
        raise ModelError(
            f"model '{name}': {file}: activation_function {clip(activation)} is none of torch.nn's; give another model"
        )
    tokenizer = settings.get("tokenizer_class")
    if tokenizer is not None and not (isinstance(tokenizer, str) and tokenizer.startswith(LIBRARY)):
        raise ModelError(f"model '{name}': {file}: tokenizer_class {clip(tokenizer)} is not known; give another model")


def _is_activation(name: Any) -> bool:
    from torch import nn

    if not isinstance(name, str):
        return False
    place, _, last = name.rpartition(".")
    kind = getattr(nn, last, None)
    places = ("torch.nn", "torch.nn.modules.activation", "torch.nn.modules.linear")
    if place not in places or not inspect.isclass(kind) or not issubclass(kind, nn.Module):
        return False
    return kind is nn.Identity or kind.__module__ == nn.ReLU.__module__


def module_folders(folder: Path, modules: list[dict[str, Any]]) -> list[tuple[str, Path]]:
    """List the modules' folders: each path in the model's folder, and where it is."""
    paths = dict.fromkeys(module.get("path", "") for module in modules)
    return [(path, folder / path) for path in paths if path not in ("", ".")]
