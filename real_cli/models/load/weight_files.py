"""Which files hold a model's weights, and what their headers say: read before a library maps or builds anything."""

import math
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from real_cli.errors import ModelError

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
PICKLE = "pytorch_model.bin"
PICKLE_INDEX = "pytorch_model.bin.index.json"
ADAPTER = "adapter_model.safetensors"
PICKLED_ADAPTER = "adapter_model.bin"
# The library's limit for a header.
MAX_HEADER_BYTES = 100_000_000
LFS_POINTER = b"version https://git-lfs"
AGAIN = "copy or download it again"
BITS = {"F4": 4, "F8": 8, "BF16": 16, "F16": 16, "F32": 32, "F64": 64, "BOOL": 8, "C64": 64}
BITS |= {f"{kind}{bits}": bits for kind in "IU" for bits in (8, 16, 32, 64)}


class Weights(NamedTuple):
    """The weights of a folder.

    Attributes:
        files: Where they are.
        shapes: Of each tensor by its name; empty where they are pickled.
    """

    files: list[Path]
    shapes: dict[str, tuple[int, ...]]

    @property
    def is_pickled(self) -> bool:
        """Whether they are pickled."""
        return self.files[0].suffix != ".safetensors"


def find_weights(name: str, folder: Path) -> Weights:
    """Find a model's weights and read the headers of their files."""
    for single, index in ((WEIGHTS, INDEX), (PICKLE, PICKLE_INDEX)):
        if (folder / single).is_file():
            return _read(name, [folder / single])
        if (folder / index).is_file():
            return _read(name, _indexed(name, folder, index))
    raise ModelError(f"model '{name}': the folder has no weights: neither {WEIGHTS} nor {INDEX} nor {PICKLE}")


def find_adapter_weights(name: str, folder: Path) -> Weights:
    """Find the weights of an adapter, as `find_weights` does a model's."""
    for file in (ADAPTER, PICKLED_ADAPTER):
        if (folder / file).is_file():
            return _read(name, [folder / file])
    raise ModelError(f"model '{name}': is an adapter without weights: neither {ADAPTER} nor {PICKLED_ADAPTER}")


def _read(name: str, files: list[Path]) -> Weights:
    shapes = {}
    for file in files:
        if file.suffix == ".safetensors":
            shapes.update({tensor: tuple(entry["shape"]) for tensor, entry in read_header(name, file).items()})
        elif not file.stat().st_size:
            raise ModelError(f"model '{name}': {file.name} is empty; {AGAIN}")
    return Weights(files, shapes)


def _indexed(name: str, folder: Path, index: str) -> list[Path]:
    try:
        files = sorted(set(orjson.loads((folder / index).read_bytes())["weight_map"].values()))
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        files = []
    if not files or not all(isinstance(file, str) for file in files):
        raise ModelError(f"model '{name}': {index} names no files of weights; {AGAIN}")
    for file in files:
        if Path(file).name != file:
            raise ModelError(f"model '{name}': {index} names {file!r}, which is outside the folder; give another model")
        if not (folder / file).is_file():
            raise ModelError(f"model '{name}': {index} names {file!r}, which is not there; {AGAIN}")
    return [folder / file for file in files]


def read_header(name: str, path: Path) -> dict[str, Any]:
    """Read the header of a safetensors file, and check that its tensors fill the file."""
    problem, header = _header_problem(path)
    if problem:
        raise ModelError(f"model '{name}': {path.name} is no whole safetensors file: {problem}")
    return header


def _header_problem(path: Path) -> tuple[str, dict[str, Any]]:
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(len(LFS_POINTER))
        if start == LFS_POINTER:
            return "it is a pointer of Git LFS; fetch the weights with 'git lfs pull'", {}
        length = int.from_bytes(start[:8], "little")
        if size < 8 or length + 8 > size or length > MAX_HEADER_BYTES:
            what = "it is empty" if not size else f"it has {size:,} bytes, and its header alone would have {length:,}"
            return f"{what}; {AGAIN}", {}
        file.seek(8)
        data = file.read(length)
    try:
        header = orjson.loads(data)
        header.pop("__metadata__", None)
        end = _end_of(header)
    except (ValueError, TypeError, KeyError, AttributeError):
        return f"its header is damaged; {AGAIN}", {}
    if end != size - 8 - length:
        return f"its tensors have {end:,} bytes, and the file holds {size - 8 - length:,}; {AGAIN}", {}
    return "", header


def _end_of(header: dict[str, Any]) -> int:
    """Return where the last tensor ends; ValueError if they leave gaps or overlap."""
    end = 0
    for entry in sorted(header.values(), key=lambda entry: tuple(entry["data_offsets"])):
        start, stop = entry["data_offsets"]
        numbers = entry["shape"]
        if start != end or any(not isinstance(number, int) or number < 0 for number in (stop, *numbers)):
            raise ValueError
        bits = next((BITS[kind] for kind in (entry["dtype"], entry["dtype"].split("_")[0]) if kind in BITS), 0)
        if bits and math.prod(numbers) * bits != (stop - start) * 8:
            raise ValueError
        end = stop
    return end
