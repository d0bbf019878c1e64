"""`real.json`: what a checkpoint folder was made from, and by what."""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import orjson

from real_cli import __version__
from real_cli.errors import show_names
from real_cli.io.checkpoint_marks import MANIFEST
from real_cli.io.durable import write_whole

PACKAGES = ("torch", "transformers", "trl", "accelerate", "datasets", "peft", "tokenizers", "safetensors")


def installed_versions() -> dict[str, str]:
    """List the versions of everything that decides a training run."""
    versions = {"real-cli": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def write_manifest(folder: Path, content: dict[str, Any]) -> None:
    """Write the manifest, the last file: a folder that has it is complete."""
    data = content | {"versions": installed_versions()}
    write_whole(
        folder / MANIFEST, orjson.dumps(show_names(data), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    )
