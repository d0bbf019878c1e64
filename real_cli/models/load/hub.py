"""Names on the hub: the folder in its cache, so that it is checked like any other folder."""

from pathlib import Path
from typing import Any

import orjson

from real_cli.errors import ModelError
from real_cli.models.load.resolve import meant_model
from real_cli.models.load.weight_files import ADAPTER, INDEX, PICKLE, PICKLE_INDEX, PICKLED_ADAPTER, WEIGHTS

SETTINGS_PATTERNS = ["*.json", "*.txt", "*.model", "*.jinja", "*.tiktoken", "LICENSE*", "LICENCE*", "NOTICE*"]
VOCABULARIES = ("tokenizer.json", "tokenizer_config.json", "vocab.json", "vocab.txt", "tokenizer.model", "spiece.model")


def absence(name: str) -> str:
    """Say that a model is neither here nor on the hub, and what may have been meant."""
    return f"no such folder, and not available from the hub; {meant_model(name)}"


def settings_folder(name: str, path: str) -> str:
    """Find the folder of a model's settings and tokenizer; downloads them if the hub has the name."""
    return path if Path(path).is_dir() else _settings(name, path)


def whole_folder(name: str, path: str) -> str:
    """Find a model's folder with its weights, as `settings_folder` does without."""
    return path if Path(path).is_dir() else _whole(name, path)


def is_in_cache(hub_name: str) -> bool:
    """Tell whether a model's weights are in the hub's cache."""
    folder = _kept(hub_name)
    return folder is not None and _has_weights(Path(folder))


def settings_at_hand(hub_name: str) -> str | None:
    """Find a model's settings and tokenizer in the hub's cache, without a network."""
    folder = _kept(hub_name)
    return folder if folder is not None and any(Path(folder, file).is_file() for file in VOCABULARIES) else None


def _settings(name: str, hub_name: str) -> str:
    folder = _kept(hub_name)
    if folder is not None and any(Path(folder, file).is_file() for file in VOCABULARIES):
        return folder
    try:
        return _download(name, hub_name, SETTINGS_PATTERNS)
    except ModelError:
        if folder is None:
            raise
        return folder


def _whole(name: str, hub_name: str) -> str:
    kept = _kept(hub_name)
    if kept is not None and _has_weights(Path(kept)):
        return kept
    folder = _settings(name, hub_name)
    try:
        return _download(name, hub_name, _weights_of(name, hub_name, Path(folder)))
    except ModelError:
        if kept is None:
            raise
        return kept  # without weights: reported when they are needed


def _kept(hub_name: str) -> str | None:
    import huggingface_hub
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        snapshot = huggingface_hub.snapshot_download(hub_name, local_files_only=True, allow_patterns=SETTINGS_PATTERNS)
    except (LocalEntryNotFoundError, HFValidationError, HfHubHTTPError, OSError, ValueError):
        return None
    return str(snapshot) if any(Path(snapshot).iterdir()) else None


def _download(name: str, hub_name: str, patterns: list[str]) -> str:
    import huggingface_hub

    from real_cli.models.load.resolve import quiet_libraries

    try:
        with quiet_libraries():
            return str(huggingface_hub.snapshot_download(hub_name, allow_patterns=patterns))
    except Exception as error:  # networks and servers fail in any way
        raise ModelError(f"model '{name}': {absence(name)}") from error


def _weights_of(name: str, hub_name: str, folder: Path) -> list[str]:
    """Choose the weights files to read among a repository's files."""
    import huggingface_hub

    try:
        files = set(huggingface_hub.HfApi().list_repo_files(hub_name))
    except Exception as error:
        raise ModelError(f"model '{name}': {absence(name)}") from error
    wanted: list[str] = []
    for start in ("", *(f"{path}/" for path in _module_paths(folder))):
        for choices in ((WEIGHTS, INDEX, PICKLE, PICKLE_INDEX), (ADAPTER, PICKLED_ADAPTER)):
            chosen = next((file for file in choices if start + file in files), None)
            if chosen is not None:
                named = _indexed(folder / start / chosen) if chosen.endswith(".json") else []
                wanted += [file for file in (start + word for word in (chosen, *named)) if file in files]
    return [*SETTINGS_PATTERNS, *wanted]


def _module_paths(folder: Path) -> list[str]:
    modules = _read(folder / "modules.json")
    paths = [module.get("path") for module in modules if isinstance(module, dict)] if isinstance(modules, list) else []
    return [path for path in dict.fromkeys(paths) if isinstance(path, str) and path]


def _indexed(index: Path) -> list[str]:
    content = _read(index)
    places = content.get("weight_map") if isinstance(content, dict) else None
    return sorted({file for file in places.values() if isinstance(file, str)}) if isinstance(places, dict) else []


def _read(path: Path) -> Any:
    try:
        return orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None


def _has_weights(folder: Path) -> bool:
    places = [folder, *(folder / path for path in _module_paths(folder))]
    for place in places:
        for index in (INDEX, PICKLE_INDEX):
            if (place / index).is_file() and all((place / file).is_file() for file in _indexed(place / index)):
                return True
        if any((place / file).is_file() for file in (WEIGHTS, PICKLE, ADAPTER, PICKLED_ADAPTER)):
            return True
    return False
