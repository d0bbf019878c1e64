"""Tokenizers and configurations without weights, for a machine that has neither the packages nor a network.

`python -m tests.gpu.assets` copies them from the offline packages into .gpu-assets, 5 MB.
"""

import shutil
from pathlib import Path

ASSETS = Path(__file__).parents[2] / ".gpu-assets"
NAMES = ("smollm2", "minilm")
WEIGHTS = (".safetensors", ".bin", ".gguf", ".onnx")
BESIDE = (".md", ".gitattributes", "data_config.json")


def asset(name):
    """Find the tokenizer and the configuration that stand for a short name: carried here, or the package's own."""
    if (ASSETS / name / "tokenizer.json").is_file():
        return ASSETS / name
    from real_cli.models.load.resolve import resolve_model

    return Path(resolve_model(name))


def leave_out(folder, names):
    """Choose what is not copied: weights, and what no model reads."""
    return [name for name in names if name.endswith((*WEIGHTS, *BESIDE))]


def main():
    """Copy everything but the weights."""
    from real_cli.models.load.resolve import resolve_model

    for name in NAMES:
        shutil.copytree(resolve_model(name), ASSETS / name, ignore=leave_out, dirs_exist_ok=True)
        print(ASSETS / name)


if __name__ == "__main__":
    main()
