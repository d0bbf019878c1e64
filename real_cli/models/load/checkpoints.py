"""The folders that `soup` averages: where the tensors lie, what the config says, and which other files there are."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from real_cli.errors import ModelError
from real_cli.io.checkpoint_marks import MARK, RECENT_FILE
from real_cli.models.load.manifest import NAME as MANIFEST
from real_cli.models.load.resolve import quiet_libraries, resolve_model
from real_cli.models.load.tensor_files import StoredTensor, TensorFile, read_tensor_file, sha256_of

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
ADAPTER = "adapter_model.safetensors"
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")
# Suffixes of what stands beside the weights: configs, vocabularies, merges, sentencepiece's models, templates.
BESIDE = frozenset({".json", ".txt", ".model", ".jinja", ".tiktoken", ".py"})
# Made by a training run, or by us for this very folder.
LEFT = (
    ".index.json",
    MANIFEST,
    MARK,
    RECENT_FILE,
    "trainer_state.json",
    "all_results.json",
    "train_results.json",
    "eval_results.json",
)
TEMPLATES = "additional_chat_templates"
LICENSES = ("LICENSE", "LICENCE", "NOTICE", "USE_POLICY")


class Base(NamedTuple):
    """The model below an adapter: its name in the adapter's config, and its number format."""

    name: str
    dtype: str


class Checkpoint(NamedTuple):
    """One model to average.

    Attributes:
        name: As the user named it.
        source: Where it was found.
        folder: Where its files are: the same, unless it is an adapter, merged elsewhere.
        config: What its config says, with transformers' defaults filled in.
        files: Its safetensors files, in the order of their names.
        base: Of an adapter, the model it was merged into, and the format that one is in; the sum is in float32.
    """

    name: str
    source: Path
    folder: Path
    config: dict[str, Any]
    files: list[TensorFile]
    base: Base | None = None

    @property
    def tensors(self) -> dict[str, StoredTensor]:
        """Its tensors by name."""
        return {tensor.name: tensor for file in self.files for tensor in file.tensors}

    def beside(self) -> Iterator[Path]:
        """Find the files that belong to the model and hold no weights, config.json among them.

        Yields:
            Their paths within the folder.
        """
        for path in sorted(self.folder.iterdir()):
            is_text = path.suffix in BESIDE and not path.name.endswith(LEFT)
            if path.is_file() and (is_text or path.name.startswith(LICENSES)):
                yield Path(path.name)
            elif path.is_dir() and (path.name == TEMPLATES or path.name in self._modules()):
                yield from (file.relative_to(self.folder) for file in sorted(path.rglob("*")) if file.is_file())

    def _modules(self) -> set[str]:
        """Name the folders of a sentence-transformers model."""
        path = self.folder / "modules.json"
        return {module["path"] for module in orjson.loads(path.read_bytes())} if path.is_file() else set()


def open_checkpoint(name: str, room: Path) -> Checkpoint:
    """Find a model and read what its files hold, not yet its weights.

    Args:
        name: A folder (a LoRA adapter's too: it is merged into its base), a .gguf file, a hub name or a short name.
        room: A folder that does not exist; a merged adapter goes there.

    Returns:
        The checkpoint.

    Raises:
        ModelError: If it cannot be found or read, is pickled, or is quantized.
    """
    resolved = resolve_model(name)
    source = folder = Path(resolved) if Path(resolved).is_dir() else _downloaded(name, resolved)
    base = None
    if (source / "adapter_config.json").is_file():
        base = _merge_adapter(name, source, room)
        folder = room
    config = _read_config(name, folder)
    if config.get("quantization_config"):
        raise ModelError(f"model '{name}': is quantized, and an average of codes means nothing; dequantize it first")
    files = [read_tensor_file(folder / file) for file in _weight_files(name, folder)]
    checkpoint = Checkpoint(name, source, folder, config, files, base)
    for path in checkpoint.beside():
        if path.suffix == ".safetensors":
            raise ModelError(f"model '{name}': has weights in {path} too; only models with all of them at the top")
    for tensor in checkpoint.tensors.values():
        if tensor.dtype is None and tensor.kind.dtype.startswith("F"):
            raise ModelError(
                f"model '{name}': tensor '{tensor.name}' is {tensor.kind.dtype}; only float64, float32, float16 and "
                "bfloat16 are averaged"
            )
    return checkpoint


def hash_weights(checkpoint: Checkpoint) -> dict[str, str]:
    """Hash the files that the user gave: of an adapter, its own.

    Args:
        checkpoint: The model.

    Returns:
        The SHA-256 of each safetensors file, by its name.
    """
    paths = [checkpoint.source / ADAPTER] if checkpoint.base else [file.path for file in checkpoint.files]
    return {path.name: sha256_of(path) for path in paths}


def copy_beside(checkpoint: Checkpoint, folder: Path) -> None:
    """Copy everything but the weights.

    Args:
        checkpoint: The model to copy from.
        folder: Where to; it exists.
    """
    for path in checkpoint.beside():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(checkpoint.folder / path, folder / path)


def _weight_files(name: str, folder: Path) -> list[str]:
    if (folder / WEIGHTS).is_file():
        return [WEIGHTS]
    if not (folder / INDEX).is_file():
        _refuse_pickles(name, folder)
        raise ModelError(f"model '{name}': {folder} has neither {WEIGHTS} nor {INDEX}")
    try:
        files = sorted(set(orjson.loads((folder / INDEX).read_bytes())["weight_map"].values()))
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        raise ModelError(f"{folder / INDEX}: is no index of safetensors files") from None
    for file in files:
        if Path(file).name != file:
            raise ModelError(f"{folder / INDEX}: names {file!r}, which is outside of the folder")
    return files


def _refuse_pickles(name: str, folder: Path) -> None:
    if any(path for pattern in PICKLES for path in folder.glob(pattern)):
        raise ModelError(
            f"model '{name}': its weights are pickled, and a pickle can run code; load it where you trust it and save "
            "it again with save_pretrained, which writes safetensors"
        )


def _read_config(name: str, folder: Path) -> dict[str, Any]:
    from transformers import AutoConfig

    try:
        written: dict[str, Any] = orjson.loads((folder / CONFIG).read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise ModelError(f"model '{name}': {CONFIG} cannot be read: {error}") from None
    try:
        with quiet_libraries():
            # Two versions of transformers write one architecture with other fields.
            return dict(AutoConfig.from_pretrained(folder).to_dict())
    except (OSError, ValueError, KeyError, TypeError, ImportError):
        return written  # of an architecture that transformers does not know


def _downloaded(name: str, hub_name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    patterns = [f"*{suffix}" for suffix in (*BESIDE, ".safetensors")] + [f"{start}*" for start in LICENSES]
    try:
        with quiet_libraries():
            return Path(snapshot_download(hub_name, allow_patterns=patterns))
    except (OSError, ValueError, HfHubHTTPError):
        raise ModelError(
            f"model '{name}': no such folder, and not to be had from the hub; give a local path or check the name"
        ) from None


def _merge_adapter(name: str, folder: Path, room: Path) -> Base:
    """Save an adapter with its base as one model.

    The product of averages is not the average of products: the factors of two adapters cannot be averaged themselves.
    """
    import torch
    from transformers import AutoConfig, AutoTokenizer

    try:
        from peft import AutoPeftModelForCausalLM, PeftConfig
    except ImportError:
        raise ModelError(
            f"model '{name}' is a LoRA adapter, to be merged into its base first: pip install 'real-cli[lora]'"
        ) from None
    if not (folder / ADAPTER).is_file():
        _refuse_pickles(name, folder)
    try:
        with quiet_libraries():
            adapter = PeftConfig.from_pretrained(folder)
            if adapter.task_type != "CAUSAL_LM":
                raise ModelError(f"model '{name}': is an adapter for {adapter.task_type}; merge it into its base first")
            base = adapter.base_model_name_or_path
            # The sum is rounded once: to the base's format, when the average is.
            loaded = AutoPeftModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
            loaded.merge_and_unload().save_pretrained(room)
            has_tokenizer = (folder / "tokenizer_config.json").is_file()
            AutoTokenizer.from_pretrained(folder if has_tokenizer else base).save_pretrained(room)
            config = AutoConfig.from_pretrained(base)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(f"model '{name}': is an adapter that cannot be merged into its base: {first}") from None
    return Base(str(base), str(config.dtype or torch.float32).removeprefix("torch."))
