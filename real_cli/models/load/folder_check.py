"""A model's folder, inspected before a library reads it: its code, settings, sizes and patterns."""

import json
import logging
from pathlib import Path
from typing import Any

import orjson

from real_cli.errors import ModelError, clip
from real_cli.models.load.code_check import CODE, objects, refuse_kernels, refuse_weights_elsewhere, settings_problem
from real_cli.models.load.hub import settings_folder, whole_folder
from real_cli.models.load.sentence_check import (
    SENTENCE_FILES,
    module_folders,
    refuse_arguments,
    refuse_classes,
    refuse_modules,
)
from real_cli.models.load.tokenizer_check import tokenizer_problem
from real_cli.models.load.weight_files import AGAIN, PICKLE, PICKLE_INDEX, WEIGHTS, Weights, find_weights

NOTES = logging.getLogger("real_cli.notes")
# What the settings files hold; each may be missing.
SETTINGS: dict[str, type] = {
    "config.json": dict,
    "generation_config.json": dict,
    "adapter_config.json": dict,
    "modules.json": list,
    "sentence_bert_config.json": dict,
    "config_sentence_transformers.json": dict,
}
TOKENIZER_SETTINGS: dict[str, type] = {
    "tokenizer_config.json": dict,
    "tokenizer.json": dict,
    "special_tokens_map.json": dict,
    "added_tokens.json": dict,
    "processor_config.json": dict,
    "preprocessor_config.json": dict,
}
MAX_BYTES = 16 << 20
MAX_TOKENIZER_BYTES = 256 << 20
# Config fields that count layers; each layer has at least one tensor.
LAYER_COUNTS = {"num_hidden_layers", "n_layer", "n_layers", "num_layers", "encoder_layers", "decoder_layers"}
LAYER_COUNTS |= {"num_encoder_layers", "num_decoder_layers", "num_blocks", "n_blocks"}
MAX_LAYERS = 10_000
# Beyond any real model: counts, and sizes.
MAX_COUNT = 1_000_000
MAX_SIZE = 1 << 31


def check_folder(name: str, path: str) -> Weights | None:
    """Check a model's folder."""
    folder = Path(whole_folder(name, path))
    settings = {file: _read(name, folder, file, kind, MAX_BYTES) for file, kind in SETTINGS.items()}
    config = settings["config.json"]
    _check_modules(name, settings["modules.json"])
    if config is None:
        return None
    _check_code(name, config)
    refuse_kernels(name, settings["generation_config.json"])
    weights = find_weights(name, folder)
    _check_sizes(name, config, len(weights.shapes) or MAX_LAYERS)
    for file in ("config.json", "generation_config.json"):
        problem = settings_problem(settings[file] or {}, weights.shapes)
        if problem:
            raise ModelError(f"model '{name}': {file}: {problem}")
    _note_pickle(name, weights)
    return weights


def check_settings(name: str, path: str) -> None:
    """Check a folder's config, where its weights are not to be read."""
    folder = Path(settings_folder(name, path))
    config = _read(name, folder, "config.json", dict, MAX_BYTES)
    _check_modules(name, _read(name, folder, "modules.json", list, MAX_BYTES))
    if config is not None:
        _check_code(name, config)
        _check_sizes(name, config, MAX_LAYERS)


def check_tokenizer(name: str, path: str) -> None:
    """Check a tokenizer's files, as `check_folder` does a model's."""
    check_settings(name, path)
    folder = Path(settings_folder(name, path))
    read: dict[str, Any] = {
        file: _read(name, folder, file, kind, MAX_TOKENIZER_BYTES) for file, kind in TOKENIZER_SETTINGS.items()
    }
    longest = (read["tokenizer_config.json"] or {}).get("model_max_length")
    if longest is not None and not isinstance(longest, int | float):
        raise ModelError(f"model '{name}': tokenizer_config.json: model_max_length is {clip(longest)}, and no number")
    problem = tokenizer_problem(read["tokenizer.json"] or {})
    if problem:
        raise ModelError(f"model '{name}': tokenizer.json: {problem}")


def check_sentence_folder(name: str, path: str) -> None:
    """Check a sentence-transformers model: each module's folder as the whole one."""
    folder = Path(path)
    modules = _read(name, folder, "modules.json", list, MAX_BYTES) or []
    _check_modules(name, modules)
    refuse_modules(name, modules)
    _check_arguments(name, folder)
    for part, place in module_folders(folder, modules):
        label = f"{name}/{part}"
        _check_arguments(label, place)
        if (place / "adapter_config.json").is_file():
            raise ModelError(f"model '{label}': is an adapter among modules; merge it into its base first")
        config = _read(label, place, "config.json", dict, MAX_BYTES) or {}
        check_tokenizer(label, str(place))
        if "model_type" in config:
            check_folder(label, str(place))
            continue
        refuse_classes(label, "config.json", config)
        if any((place / file).is_file() for file in (WEIGHTS, PICKLE, PICKLE_INDEX)):
            _note_pickle(label, find_weights(label, place))


def _check_arguments(name: str, folder: Path) -> None:
    for file in SENTENCE_FILES:
        settings = _read(name, folder, file, dict, MAX_BYTES)
        if settings is not None:
            refuse_arguments(name, file, settings)
            refuse_kernels(name, settings)


def read_settings(name: str, folder: Path, file: str) -> dict[str, Any]:
    """Read a settings file; ModelError if it is damaged."""
    return _read(name, folder, file, dict, MAX_BYTES) or {}


def _note_pickle(name: str, weights: Weights) -> None:
    if weights.is_pickled:
        note(f"model '{name}': {weights.files[0].name} is pickled: only its tensors are read")


def note(message: str) -> None:
    """Tell the user something about a model, once a run, unless with --quiet."""
    NOTES.info(message)


def _read(name: str, folder: Path, file: str, kind: type, limit: int) -> Any:
    path = folder / file
    if not path.is_file():
        return None
    if path.stat().st_size > limit:
        raise ModelError(f"model '{name}': {file} has {path.stat().st_size:,} bytes; at most {limit:,} are read")
    try:
        content = json.loads(path.read_bytes().decode())  # transformers' own reader, which takes Infinity
    except (ValueError, RecursionError):
        raise ModelError(f"model '{name}': {file} is no JSON; {AGAIN}") from None
    items = content if kind is list and isinstance(content, list) else [content]
    if not (kind is list) <= isinstance(content, list) or not all(isinstance(item, dict) for item in items):
        wanted = "a list of objects" if kind is list else "an object"
        raise ModelError(f"model '{name}': {file} must hold {wanted}; {AGAIN}")
    return content


def _check_code(name: str, config: dict[str, Any]) -> None:
    refuse_kernels(name, config)
    refuse_weights_elsewhere(name, config)
    code = config.get("auto_map")
    if not code:
        return
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    if config.get("model_type") not in CONFIG_MAPPING_NAMES:
        raise ModelError(f"model '{name}': {CODE.format(clip(code))}")
    note(f"model '{name}': has code of its own, which is not run")


def _check_modules(name: str, modules: list[dict[str, Any]] | None) -> None:
    for module in modules or ():
        if not all(isinstance(module.get(field, ""), str) for field in ("type", "path")):
            raise ModelError(f"model '{name}': modules.json must give each module a type and a path; {AGAIN}")
        if Path(module.get("path", "")).is_absolute() or ".." in Path(module.get("path", "")).parts:
            raise ModelError(f"model '{name}': modules.json leads out of the folder, to {clip(module['path'])}")


def _check_sizes(name: str, config: dict[str, Any], most_layers: int) -> None:
    for fields in objects(config):
        for field, value in fields.items():
            counts = field in LAYER_COUNTS
            if counts and value is not None and not isinstance(value, int | list | tuple):
                raise ModelError(f"model '{name}': config.json: {field} is {clip(value)}; it must be a number")
            if not isinstance(value, int) or isinstance(value, bool):
                continue
            limit = MAX_SIZE if field.endswith(("_size", "_dim", "_dims")) else MAX_COUNT
            if counts:
                limit = most_layers
            elif not field.startswith(("num_", "n_")) and limit == MAX_COUNT:
                continue
            if value > limit or (counts and value < 0):
                is_known = counts and most_layers != MAX_LAYERS
                where = "its weights have tensors for at most" if is_known else "no model has more than"
                raise ModelError(f"model '{name}': config.json: {field} is {value:,}; {where} {limit:,}")


def read_config(path: str, name: str) -> Any:
    """Read a JSON file of a model."""
    settings_path = Path(settings_folder(path, path), name)
    return orjson.loads(settings_path.read_bytes()) if settings_path.is_file() else None
