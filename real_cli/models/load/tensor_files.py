"""Read and write safetensors files in pieces, so that memory holds neither a file nor its largest tensor.

The library checks a file when it opens it, but maps what it reads, and mapped pages count as memory in use. A file is 8
bytes with the length of the header, the header (JSON: name, dtype, shape, offsets), and the tensors' bytes.
"""

import hashlib
import math
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import orjson
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from real_cli.errors import ModelError

# Numbers of a tensor in memory at once: few enough to stay in a processor's cache from reading to writing.
PIECE = 1 << 17
FLOATS = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
DTYPE_NAMES = {dtype: name for name, dtype in FLOATS.items()}
HASHED_AT_ONCE = 1 << 20
# Written pieces that may wait in memory to be hashed.
MOST_UNHASHED = 4
# The library pads the header to align the numbers behind it.
ALIGNMENT = 8


class TensorShape(NamedTuple):
    """What a checkpoint's header says of a tensor: safetensors' name of its number format, and its sizes."""

    dtype: str
    shape: tuple[int, ...]


class StoredTensor(NamedTuple):
    """Where a tensor lies."""

    path: Path
    name: str
    kind: TensorShape
    start: int  # in bytes, from the beginning of the file
    num_bytes: int

    @property
    def dtype(self) -> torch.dtype | None:
        """Its number format; None if it cannot be averaged."""
        return FLOATS.get(self.kind.dtype)

    def pieces(self) -> Iterator[Tensor]:
        """Read it in pieces."""
        dtype = self.dtype or torch.uint8
        left = self.num_bytes
        with self.path.open("rb") as file:
            file.seek(self.start)
            while left:
                data = bytearray(min(left, PIECE * dtype.itemsize))
                if file.readinto(data) < len(data):
                    raise ModelError(f"{self.path}: ends within tensor '{self.name}'")
                left -= len(data)
                yield torch.frombuffer(data, dtype=dtype)


class TensorFile(NamedTuple):
    """A safetensors file: its tensors in the order of their bytes, and the metadata of its header."""

    path: Path
    tensors: list[StoredTensor]
    metadata: dict[str, str]


class PlannedTensor(NamedTuple):
    """A tensor to write."""

    name: str
    kind: TensorShape
    num_bytes: int


def read_tensor_file(path: Path) -> TensorFile:
    """Read a file's header."""
    try:
        with safe_open(path, framework="pt"):
            pass  # checks the header, and that tensors fill the file
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path}: is no whole safetensors file: {str(error).splitlines()[0]}") from None
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = orjson.loads(file.read(length))
    metadata = header.pop("__metadata__", None) or {}
    tensors = []
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        kind = TensorShape(entry["dtype"], tuple(entry["shape"]))
        tensors.append(StoredTensor(path, name, kind, 8 + length + start, end - start))
    return TensorFile(path, sorted(tensors, key=lambda tensor: tensor.start), metadata)


def retyped(tensor: StoredTensor, dtype: torch.dtype | None) -> PlannedTensor:
    """Plan to write a tensor, in `dtype` if that is given and it holds floats."""
    if dtype is None or tensor.dtype is None:
        return PlannedTensor(tensor.name, tensor.kind, tensor.num_bytes)
    kind = tensor.kind._replace(dtype=DTYPE_NAMES[dtype])
    return PlannedTensor(tensor.name, kind, math.prod(kind.shape) * dtype.itemsize)


def write_tensor_file(
    path: Path, planned: Sequence[PlannedTensor], metadata: dict[str, str], pieces: Iterable[Tensor]
) -> str:
    """Write a file whose tensors come in pieces."""
    header: dict[str, object] = {"__metadata__": metadata} if metadata else {}
    offset = 0
    for name, kind, num_bytes in planned:
        header[name] = {"dtype": kind.dtype, "shape": kind.shape, "data_offsets": [offset, offset + num_bytes]}
        offset += num_bytes
    written = orjson.dumps(header)
    written += b" " * (-len(written) % ALIGNMENT)
    digest = hashlib.sha256()
    hashed: deque[Future[None]] = deque()
    with path.open("wb") as file, ThreadPoolExecutor(1) as beside:  # hashing lets other threads compute
        for data in _bytes_of(written, pieces):
            file.write(data)
            hashed.append(beside.submit(digest.update, data))
            if len(hashed) > MOST_UNHASHED:
                hashed.popleft().result()
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _bytes_of(header: bytes, pieces: Iterable[Tensor]) -> Iterator[bytes | memoryview]:
    yield len(header).to_bytes(8, "little")
    yield header
    for piece in pieces:
        yield memoryview(piece.contiguous().view(torch.uint8).numpy())


def sha256_of(path: Path, is_over: Callable[[], bool] = lambda: False) -> str:
    """Hash a file; give up once `is_over` says so, and return nothing."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(HASHED_AT_ONCE):
            if is_over():
                return ""
            digest.update(data)
    return digest.hexdigest()
