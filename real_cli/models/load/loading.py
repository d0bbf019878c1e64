"""The one place where libraries load models: no code of a model runs, nothing is missing, every problem is a line.

No other file calls `from_pretrained` or makes a SentenceTransformer; a test holds it.
"""

import os
import pickle
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from real_cli.errors import ModelError, RealError, clip
from real_cli.installing import install_extra
from real_cli.models.load.deferred import deferred_imports
from real_cli.models.load.device import Place
from real_cli.models.load.folder_check import (
    check_folder,
    check_sentence_folder,
    check_settings,
    check_tokenizer,
    read_config,
)
from real_cli.models.load.hub import absence, settings_folder, whole_folder
from real_cli.models.load.loaded_checks import LACKS, check_finite, check_missing
from real_cli.models.load.resolve import quiet_libraries
from real_cli.models.load.weight_files import Weights

os.environ.setdefault("DISABLE_SAFETENSORS_CONVERSION", "1")  # or a thread would ask the hub to convert a model

GIVE_ANOTHER = "give a folder that transformers saved"
# A character outside every word vocabulary: a tokenizer has an unknown token for it, or spells it.
UNKNOWN = "\u2603"
# Layers on top of an encoder that our poolings do not read.
POOLERS = ("pooler.", "bert.pooler.")


@contextmanager
def loading(name: str, file: str = "") -> Iterator[None]:
    """Turn whatever a library raises while it loads a model into one line about that model."""
    try:
        with quiet_libraries():
            yield
    except Exception as error:  # a broken folder makes libraries raise anything
        if isinstance(error, RealError):
            raise
        raise ModelError(f"model '{name}': {load_problem(error, file)}") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # how libraries in Rust panic
            raise
        raise ModelError(f"model '{name}': its tokenizer.json cannot be used; {GIVE_ANOTHER}") from error


def load_problem(error: Exception, file: str = "") -> str:
    """Say in one line why a model did not load."""
    text = str(error).strip()
    first = text.splitlines()[0] if text else type(error).__name__
    if first.startswith("Error(s) in loading state_dict"):  # missing, surplus or misshapen tensors are listed below it
        return f"its weights are not those of its layers: {'; '.join(map(str.strip, text.splitlines()[1:3]))}"
    if isinstance(error, OSError) and ("huggingface.co" in text or "not a valid model identifier" in text):
        return absence("")
    if "trust_remote_code" in text:
        return (
            "wants code of its own to be run, and no model's code is run; give a model that transformers knows itself"
        )
    if isinstance(error, pickle.UnpicklingError) or "PytorchStreamReader" in text or "weights_only" in text:
        return (
            "pytorch_model.bin is damaged, or holds more than tensors, and only tensors are read; give weights in "
            "safetensors"
        )
    if isinstance(error, MemoryError) or "can't allocate memory" in text:
        return "no memory is left to load it; give a smaller model, or make room"
    if type(error) in (OSError, ValueError, RuntimeError, ImportError):
        return first
    return f"{file or 'it'} cannot be used ({type(error).__name__}: {clip(first, 120)}); {GIVE_ANOTHER}"


@deferred_imports()
def load_config(name: str, path: str) -> Any:
    """Load a model's configuration, with transformers' defaults."""
    from transformers import AutoConfig

    check_settings(name, path)
    with loading(name):
        return AutoConfig.from_pretrained(settings_folder(name, path), trust_remote_code=False)


@deferred_imports()
def load_tokenizer(name: str, path: str) -> Any:
    """Load a model's tokenizer."""
    from transformers import AutoTokenizer

    check_tokenizer(name, path)
    with loading(name, "tokenizer.json"):
        tokenizer = AutoTokenizer.from_pretrained(settings_folder(name, path), trust_remote_code=False)
        if not hasattr(tokenizer, "get_vocab"):
            kind = type(tokenizer).__name__
            raise ModelError(f"model '{name}': tokenizer_config.json: tokenizer_class {kind} is no tokenizer of a text")
        tokenizer(UNKNOWN, verbose=False)
        return tokenizer


@deferred_imports()
def load_model(
    name: str, path: str, kind: str, *, needless: Collection[str] = (), problem: str = LACKS, **settings: Any
) -> Any:
    """Load a model with all its weights."""
    import transformers

    folder = whole_folder(name, path)
    if Path(folder, "adapter_config.json").is_file():  # transformers would silently load its base
        raise ModelError(f"model '{name}': is an adapter itself; merge it into its base first")
    weights = check_folder(name, folder)
    chooser = getattr(transformers, kind)
    with loading(name):
        try:
            model, info = chooser.from_pretrained(
                folder, trust_remote_code=False, weights_only=True, output_loading_info=True, **settings
            )
            model.name_or_path = model.config.name_or_path = path  # the base that an adapter on it will name
        except RuntimeError as error:
            if "ignore_mismatched_sizes" not in str(error):
                raise
            raise ModelError(f"model '{name}': {_misshapen(chooser, folder, weights)}") from None
    check_missing(name, [key for key in info["missing_keys"] if not key.startswith(tuple(needless))], problem)
    check_finite(name, model)
    return model


@deferred_imports()
def missing_tensors(name: str, folder: str, kind: str) -> list[str]:
    """Name the tensors that weights lack, from their headers alone."""
    import transformers

    chooser: Any = getattr(transformers, kind, None)
    if not isinstance(chooser, type) or not issubclass(chooser, transformers.PreTrainedModel):
        return []
    with loading(name):
        _, info = getattr(transformers, kind).from_pretrained(
            folder, trust_remote_code=False, weights_only=True, output_loading_info=True, device_map="meta"
        )
    return sorted(key for key in info["missing_keys"] if not key.startswith(POOLERS))


def _misshapen(chooser: Any, path: str, weights: Weights | None) -> str:
    """Name the first tensor whose shape is not what the configuration says."""
    from transformers import AutoConfig

    wanted, prefix = {}, ""
    if weights:
        with torch.device("meta"):
            model = chooser.from_config(AutoConfig.from_pretrained(path, trust_remote_code=False))
        prefix = getattr(model, "base_model_prefix", "")
        wanted = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    for key in sorted(wanted):
        # A headless model's tensor names lack the whole model's prefix.
        shapes = weights.shapes if weights else {}
        shape = shapes.get(key, shapes.get(f"{prefix}.{key}"))
        if shape not in (None, wanted[key]):
            return f"tensor '{key}' has shape {list(shape)}, and by config.json {list(wanted[key])}; {GIVE_ANOTHER}"
    return f"its tensors have other shapes than config.json says; {GIVE_ANOTHER}"


@deferred_imports()
def load_library_encoder(name: str, path: str, place: Place) -> Any:
    """Load a sentence-transformers model with that library, without any code of the model's."""
    from sentence_transformers import SentenceTransformer

    path = whole_folder(name, path)
    check_folder(name, path)
    check_tokenizer(name, path)
    check_sentence_folder(name, path)
    with loading(name):
        model = SentenceTransformer(
            path,
            device=str(place.device),
            trust_remote_code=False,
            model_kwargs={"dtype": place.dtype, "trust_remote_code": False, "weights_only": True},
            processor_kwargs={"trust_remote_code": False},
            config_kwargs={"trust_remote_code": False},
        )
        for number, module in enumerate(model):
            _check_encoder(name, path, number, getattr(module, "auto_model", None))
    tokenizer: Any = getattr(model, "tokenizer", None)
    if tokenizer is not None and getattr(tokenizer, "pad_token", "") is None:
        if tokenizer.eos_token is None:
            raise ModelError(f"model '{name}': its tokenizer has no token to pad texts with; give another model")
        tokenizer.pad_token = tokenizer.eos_token
    check_finite(name, model)
    return model


def _check_encoder(name: str, path: str, number: int, encoder: Any) -> None:
    """Refuse an encoder that lacks tensors: sentence-transformers loads it without a word."""
    if encoder is None or hasattr(encoder, "peft_config"):
        return
    modules = read_config(path, "modules.json")
    folder = modules[number].get("path", "") if modules else ""
    _, info = type(encoder).from_pretrained(
        path, subfolder=folder, trust_remote_code=False, weights_only=True, output_loading_info=True, device_map="meta"
    )
    check_missing(name, [key for key in info["missing_keys"] if not key.startswith(POOLERS)])


def load_adapter(name: str, path: str, below: Any) -> tuple[Any, list[str]]:
    """Put an adapter on the model below it; returns both as one, and the names of the adapter's tensors."""
    try:
        from peft import PeftModel, get_peft_model_state_dict
    except ImportError:
        raise ModelError(f"model '{name}' is a LoRA adapter: {install_extra('lora')}") from None
    with loading(name, "adapter_config.json"):
        model = PeftModel.from_pretrained(below, path)
        return model, list(get_peft_model_state_dict(model, save_embedding_layers=False))


@deferred_imports()
def load_gguf(path: Path) -> tuple[Any, Any, list[str]]:
    """Load a model and its tokenizer from a GGUF file, dequantized; also returns the names of what it lacks."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    settings = {"gguf_file": path.name, "trust_remote_code": False}
    model, info = AutoModelForCausalLM.from_pretrained(
        path.parent, dtype=torch.float32, output_loading_info=True, **settings
    )
    return model, AutoTokenizer.from_pretrained(path.parent, **settings), sorted(info["missing_keys"])
