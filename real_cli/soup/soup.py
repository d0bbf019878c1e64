"""Average checkpoints: compare what they hold, then write the average piece by piece."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import orjson
import torch
from torch import Tensor

from real_cli.errors import ModelError
from real_cli.models.load.checkpoints import CONFIG, Checkpoint, check_whole, copy_beside, full_config, hash_weights
from real_cli.models.load.loading import load_tokenizer
from real_cli.models.load.tensor_files import PIECE, StoredTensor, TensorFile, retyped, write_tensor_file
from real_cli.models.load.weight_files import INDEX, WEIGHTS
from real_cli.soup.average import average, config_differences, enumerate_problems, new_room, tensor_differences

# Vocabulary files, by the libraries that write them.
VOCABULARIES = ("tokenizer.json", "tokenizer.model", "spiece.model", "vocab.json", "vocab.txt")


class Soup:
    """A weighted average of checkpoints."""

    def __init__(
        self, checkpoints: Sequence[Checkpoint], weights: Sequence[float], *, dtype: str | None = None
    ) -> None:
        self._checkpoints = checkpoints
        self._weights = weights
        base = checkpoints[0].base
        self._dtype = dtype or (base.dtype if base else None)
        self._tensors = [checkpoint.tensors for checkpoint in checkpoints]
        self.num_tensors = len(self._tensors[0])
        self._room = new_room(PIECE)

    def check(self) -> list[str]:
        """Refuse models of different architectures, shapes or vocabularies, or that all lack a tensor.

        Returns the copied files of the first model that differ elsewhere. The message names up to eight
        differences of each model, and counts more.
        """
        first = self._checkpoints[0]
        kinds = [{name: tensor.kind for name, tensor in tensors.items()} for tensors in self._tensors]
        different: dict[str, None] = {}
        refused = []
        for number, other in enumerate(self._checkpoints[1:], 1):
            problems = _config_differences(first, other) + tensor_differences(kinds[0], kinds[number])
            differing = _differing_files(first, other)
            different |= dict.fromkeys(differing)
            if set(differing) & set(VOCABULARIES):
                problems += _vocabulary_differences(first, other)
            if problems:
                refused.append(f"{first.name} and {other.name}: {enumerate_problems(problems)}")
        if refused:
            raise ModelError(f"no average of different models; {'; '.join(refused)}")
        check_whole(first)  # the others have the same tensors
        return list(different)

    def write(self, folder: Path, count: Callable[[], None] = lambda: None) -> dict[str, Any]:
        """Write the average into an empty folder; returns a summary of what was averaged and written.

        `count` is called for each tensor. A result that is not finite is refused.
        """
        first = self._checkpoints[0]
        copy_beside(first, folder)
        if self._dtype:
            _rename_dtype(folder / CONFIG, self._dtype)
        with _one_thread(), _hashing(self._checkpoints) as hashes:
            written = {file.path.name: self._write_file(file, folder, count) for file in first.files}
        if [*written] != [WEIGHTS]:
            self._write_index(folder)
        floats = [tensor for tensor in self._tensors[0].values() if tensor.dtype]
        return {
            "models": [
                {
                    "model": checkpoint.name,
                    "path": str(checkpoint.source),
                    **({"base": checkpoint.base.name} if checkpoint.base else {}),
                    "weight": weight,
                    "sha256": digests.result(),
                }
                for checkpoint, weight, digests in zip(self._checkpoints, self._weights, hashes, strict=True)
            ],
            "dtypes": sorted({str(self._written_dtype(tensor)).removeprefix("torch.") for tensor in floats}),
            "num_tensors": self.num_tensors,
            "num_parameters": sum(_size(tensor) for tensor in floats),
            "sha256": written,
        }

    def _write_file(self, file: TensorFile, folder: Path, count: Callable[[], None]) -> str:
        planned = [retyped(tensor, self._written_dtype(tensor)) for tensor in file.tensors]

        def pieces() -> Iterator[Tensor]:
            for tensor in file.tensors:
                yield from self._averaged(tensor.name) if tensor.dtype else self._alike(tensor.name)
                count()

        return write_tensor_file(folder / file.path.name, planned, file.metadata, pieces())

    def _averaged(self, name: str) -> Iterator[Tensor]:
        counted = [number for number, weight in enumerate(self._weights) if weight]
        weights = [self._weights[number] for number in counted]
        dtype = self._written_dtype(self._tensors[0][name])
        assert dtype is not None
        for parts in zip(*(self._tensors[number][name].pieces() for number in counted), strict=True):
            averaged = average(parts, weights, dtype, self._room)
            # A sum of finite numbers may be infinite, never the other way round.
            if not averaged.sum().isfinite() and not averaged.isfinite().all():
                self._refuse_infinite(name, parts, counted, dtype)
            yield averaged

    def _refuse_infinite(self, name: str, parts: Sequence[Tensor], numbers: list[int], dtype: torch.dtype) -> None:
        for part, number in zip(parts, numbers, strict=True):
            if not torch.isfinite(part).all():
                if len(parts) == 1:
                    return  # a single model is copied, whatever it holds
                raise ModelError(f"model '{self._checkpoints[number].name}': tensor '{name}' is not finite")
        short = str(dtype).removeprefix("torch.")
        raise ModelError(f"tensor '{name}': the average is beyond what {short} holds; try --dtype float32")

    def _alike(self, name: str) -> Iterator[Tensor]:
        """Read what cannot be averaged, and see that all models have the same."""
        for parts in zip(*(tensors[name].pieces() for tensors in self._tensors), strict=True):
            for part, checkpoint in zip(parts, self._checkpoints, strict=True):
                if not torch.equal(part, parts[0]):
                    raise ModelError(
                        f"tensor '{name}' is {self._tensors[0][name].kind.dtype}, which is not averaged, and differs "
                        f"in {self._checkpoints[0].name} and {checkpoint.name}"
                    )
            yield parts[0]

    def _written_dtype(self, tensor: StoredTensor) -> torch.dtype | None:
        return getattr(torch, self._dtype) if self._dtype and tensor.dtype else tensor.dtype

    def _write_index(self, folder: Path) -> None:
        files = self._checkpoints[0].files
        sizes = [retyped(tensor, self._written_dtype(tensor)).num_bytes for file in files for tensor in file.tensors]
        places = {tensor.name: file.path.name for file in files for tensor in file.tensors}
        index = {"metadata": {"total_size": sum(sizes)}, "weight_map": dict(sorted(places.items()))}
        (folder / INDEX).write_bytes(orjson.dumps(index, option=orjson.OPT_INDENT_2))


def _config_differences(first: Checkpoint, other: Checkpoint) -> list[str]:
    if not config_differences(first.config, other.config):
        return []  # as written: filling them in loads transformers
    return config_differences(full_config(first), full_config(other))


@contextmanager
def _hashing(checkpoints: Sequence[Checkpoint]) -> Iterator[list[Future[dict[str, str]]]]:
    """Hash weights in a parallel thread; if this one fails, the rest is given up."""
    is_over = Event()
    with ThreadPoolExecutor(1) as beside:
        try:
            yield [beside.submit(hash_weights, checkpoint, is_over.is_set) for checkpoint in checkpoints]
        except BaseException:
            is_over.set()
            raise


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute in one thread: on pieces this small, several would mostly wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _differing_files(first: Checkpoint, other: Checkpoint) -> list[str]:
    """Name the files beside the weights, but the config, that one of two models lacks or has otherwise."""
    names = {str(path) for checkpoint in (first, other) for path in checkpoint.beside()} - {CONFIG}
    return sorted(name for name in names if _content(first.folder / name) != _content(other.folder / name))


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _vocabulary_differences(first: Checkpoint, other: Checkpoint) -> list[str]:
    known, others = (_read_vocabulary(checkpoint) for checkpoint in (first, other))
    if known is None or others is None:
        return []  # nothing to compare; the differing files are reported
    differing = sorted(token for token in {**known, **others} if known.get(token) != others.get(token))
    return [f"{len(differing):,} tokens of the vocabularies, '{differing[0]}' for one"] if differing else []


def _read_vocabulary(checkpoint: Checkpoint) -> dict[str, int] | None:
    if not any((checkpoint.folder / name).is_file() for name in VOCABULARIES):
        return None
    return dict(load_tokenizer(checkpoint.name, str(checkpoint.folder)).get_vocab())


def _rename_dtype(path: Path, dtype: str) -> None:
    """Write the weights' new number format into a config."""
    config = orjson.loads(path.read_bytes())
    config["torch_dtype" if "torch_dtype" in config else "dtype"] = dtype
    path.write_bytes(orjson.dumps(config, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def _size(tensor: StoredTensor) -> int:
    return tensor.num_bytes // tensor.dtype.itemsize if tensor.dtype else 0
