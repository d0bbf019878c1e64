"""The folders that `soup` averages: tensors, config, and the files beside them."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import is_zipfile

import orjson

from real_cli.errors import ModelError
from real_cli.io.checkpoint_marks import MANIFEST, MARK, RECENT_FILE
from real_cli.models.load.adapter_folders import find_base, is_adapter, load_adapted
from real_cli.models.load.folder_check import check_folder, check_tokenizer, read_settings
from real_cli.models.load.hub import whole_folder
from real_cli.models.load.loaded_checks import check_missing
from real_cli.models.load.loading import GIVE_ANOTHER, load_config, load_tokenizer, loading, missing_tensors
from real_cli.models.load.resolve import resolve_model
from real_cli.models.load.tensor_files import StoredTensor, TensorFile, read_tensor_file, sha256_of
from real_cli.models.load.weight_files import WEIGHTS, find_adapter_weights, find_weights

CONFIG = "config.json"
# Suffixes of the files beside the weights: configs, vocabularies, merges, sentencepiece models, templates.
BESIDE = frozenset({".json", ".txt", ".model", ".jinja", ".tiktoken"})
# Suffixes of weights; a sentence-transformers module may keep them in its own folder.
MORE_WEIGHTS = (".safetensors", ".bin")
# Written by a training run, or by us for this folder.
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
        """Find the files of the model that hold no weights, config.json among them."""
        for path in sorted(self.folder.iterdir()):
            is_text = path.suffix in BESIDE and not path.name.endswith(LEFT)
            if path.is_file() and (is_text or path.name.startswith(LICENSES)):
                yield self._inner(path)
            elif path.is_dir() and (path.name == TEMPLATES or path.name in self._modules()):
                files = (file for file in sorted(path.rglob("*")) if file.is_file())
                yield from (self._inner(file) for file in files if file.suffix in (*BESIDE, *MORE_WEIGHTS))

    def _inner(self, path: Path) -> Path:
        """Return a file's path within the folder; what a link brings from elsewhere is not the model's."""
        inner = path.relative_to(self.folder)
        if not _is_within(path, self.folder):
            raise ModelError(f"model '{self.name}': {inner} leads out of the folder; put the file in its place")
        return inner

    def _modules(self) -> set[str]:
        """Name the folders of a sentence-transformers model."""
        path = self.folder / "modules.json"
        return {module["path"] for module in orjson.loads(path.read_bytes())} if path.is_file() else set()


def _is_within(path: Path, folder: Path) -> bool:
    """Tell whether a link stays in its folder; the hub's cache keeps files beside its folders."""
    room = folder.resolve()
    rooms = [room] + ([room.parent.parent / "blobs"] if room.parent.name == "snapshots" else [])
    return any(path.resolve().is_relative_to(place) for place in rooms)


def check_whole(checkpoint: Checkpoint) -> None:
    """Refuse weights that lack tensors: an average of two that lack the same would lack them too."""
    kinds = checkpoint.config.get("architectures") or []
    if checkpoint.base or not kinds or not isinstance(kinds[0], str):
        return
    missing = missing_tensors(checkpoint.name, str(checkpoint.source), kinds[0])
    check_missing(checkpoint.name, missing)


def open_checkpoint(name: str, room: Path) -> Checkpoint:
    """Find a model and read what its files hold, but not its weights yet."""
    source = Path(whole_folder(name, resolve_model(name)))
    check_tokenizer(name, str(source))
    folder, weights, base = _opened(name, source, room)
    config = _without_code(read_settings(name, folder, CONFIG))
    if config.get("quantization_config"):
        raise ModelError(f"model '{name}': is quantized, and an average of codes means nothing; dequantize it first")
    files = [read_tensor_file(file) for file in weights]
    checkpoint = Checkpoint(name, source, folder, config, files, base)
    for path in checkpoint.beside():
        if path.suffix in MORE_WEIGHTS:
            raise ModelError(f"model '{name}': has weights in {path} too; only models with all of them at the top")
    for tensor in checkpoint.tensors.values():
        if tensor.dtype is None and tensor.kind.dtype.startswith("F"):
            raise ModelError(
                f"model '{name}': tensor '{tensor.name}' is {tensor.kind.dtype}; only float64, float32, float16 and "
                "bfloat16 are averaged"
            )
    return checkpoint


def hash_weights(checkpoint: Checkpoint, is_over: Callable[[], bool] = lambda: False) -> dict[str, str]:
    """Hash the files that the user gave: for an adapter, the adapter's."""
    find = find_adapter_weights if checkpoint.base else find_weights
    return {path.name: sha256_of(path, is_over) for path in find(checkpoint.name, checkpoint.source).files}


def copy_beside(checkpoint: Checkpoint, folder: Path) -> None:
    """Copy everything but the weights."""
    for path in checkpoint.beside():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(checkpoint.folder / path, folder / path)
        if path.suffix == ".json":
            _drop_code(folder / path)


def _drop_code(path: Path) -> None:
    """Drop the names of code from a copied settings file: the code is not copied."""
    data = path.read_bytes()
    if b"auto_map" in data:
        content = json.loads(data)
        if isinstance(content, dict) and content.pop("auto_map", None) is not None:
            path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _opened(name: str, source: Path, room: Path) -> tuple[Path, list[Path], Base | None]:
    """Find the folder to read and its weights; adapters and pickled weights are converted first."""
    if is_adapter(str(source)):
        base = _merge_adapter(name, source, room)
        return room, find_weights(name, room).files, base
    weights = check_folder(name, str(source))
    if weights is None:
        raise ModelError(f"model '{name}': the folder has no {CONFIG}; {GIVE_ANOTHER}")
    if not weights.is_pickled:
        return source, weights.files, None
    return source, [_unpickled(name, weights.files, room)], None


def _unpickled(name: str, files: list[Path], room: Path) -> Path:
    """Write the tensors of pickled weights as safetensors."""
    import torch
    from safetensors.torch import save_file

    room.mkdir()
    tensors: dict[str, torch.Tensor] = {}
    with loading(name):
        for file in files:
            tensors |= torch.load(file, map_location="cpu", weights_only=True, mmap=is_zipfile(file))
        kept: dict[int, torch.Tensor] = {}
        for key, tensor in tensors.items():  # safetensors refuses two names for one storage
            shared = kept.setdefault(tensor.data_ptr(), tensor)
            tensors[key] = (
                tensor.contiguous() if shared is tensor else tensor.clone(memory_format=torch.contiguous_format)
            )
        save_file(tensors, room / WEIGHTS, metadata={"format": "pt"})
    return room / WEIGHTS


def full_config(checkpoint: Checkpoint) -> dict[str, Any]:
    """Read a config with all fields of its kind: versions of transformers differ in those they write."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    if checkpoint.config.get("model_type") not in CONFIG_MAPPING_NAMES:
        return checkpoint.config
    return _without_code(dict(load_config(checkpoint.name, str(checkpoint.folder)).to_dict()))


def _without_code(config: dict[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in config.items() if field != "auto_map"}


def _merge_adapter(name: str, folder: Path, room: Path) -> Base:
    """Save an adapter with its base as one model.

    The product of averages is not the average of products: the factors of two adapters cannot be averaged themselves.
    """
    import torch

    base = find_base(name, folder)
    has_tokenizer = (folder / "tokenizer_config.json").is_file()
    with loading(name):
        # The sum is rounded once: to the base's format, when the average is.
        load_adapted(name, str(folder), base, dtype=torch.float32).merge_and_unload().save_pretrained(room)
        load_tokenizer(name, str(folder) if has_tokenizer else base.path).save_pretrained(room)
    config = load_config(base.name, base.path)
    return Base(base.name, str(config.dtype or torch.float32).removeprefix("torch."))
