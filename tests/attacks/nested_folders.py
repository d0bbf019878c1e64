"""Hostile folders in folders: of sentence-transformers, and of the hub's cache."""

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file

from tests.attacks.model_folders import with_fields

COMMIT = "a" * 40
KINDS = "sentence_transformers.models."


def sentence_folder(
    sound: Path, target: Path, sub: str = "0_Transformer", kinds: tuple[str, ...] = (f"{KINDS}Transformer",)
) -> Path:
    """Make a model of sentence-transformers: a transformer in a folder of its own, and a pooling."""
    shutil.copytree(sound, target / sub)
    with_fields(target / sub, "sentence_bert_config.json", max_seq_length=64)
    (target / "1_Pooling").mkdir()
    with_fields(target, "1_Pooling/config.json", word_embedding_dimension=16, pooling_mode_mean_tokens=True)
    paths = [(sub, kinds[0]), ("1_Pooling", f"{KINDS}Pooling"), *((str(n), kind) for n, kind in enumerate(kinds[1:]))]
    modules = [{"idx": n, "name": str(n), "path": path, "type": kind} for n, (path, kind) in enumerate(paths)]
    (target / "modules.json").write_text(json.dumps(modules))
    return target


def with_dense(folder: Path, activation: str) -> Path:
    """Add a dense layer to such a model."""
    modules = json.loads((folder / "modules.json").read_text())
    modules.append({"idx": 2, "name": "2", "path": "2_Dense", "type": f"{KINDS}Dense"})
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "2_Dense").mkdir()
    with_fields(
        folder, "2_Dense/config.json", in_features=16, out_features=4, bias=True, activation_function=activation
    )
    weights = {"linear.weight": torch.ones(4, 16), "linear.bias": torch.zeros(4)}
    save_file(weights, folder / "2_Dense" / "model.safetensors", metadata={"format": "pt"})
    return folder


def in_cache(home: Path, name: str, folder: Path) -> str:
    """Put a folder into the hub's cache as if it had been downloaded under a name; returns the name."""
    place = home / f"models--{name.replace('/', '--')}"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text(COMMIT)
    (place / "blobs").mkdir()
    for file in folder.rglob("*"):  # the hub keeps what it downloads as blobs, and links to them
        if file.is_file():
            link = place / "snapshots" / COMMIT / file.relative_to(folder)
            link.parent.mkdir(parents=True, exist_ok=True)
            blob = place / "blobs" / "-".join(file.relative_to(folder).parts)
            shutil.copyfile(file, blob)
            link.symlink_to(blob)
    return name
