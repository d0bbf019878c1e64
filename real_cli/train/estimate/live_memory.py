"""Follow every tensor of a computation that runs without numbers, and keep what lived at the peak."""

import weakref
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from real_cli.train.estimate.heap import Heap


class MemoryPart(StrEnum):
    """What memory is taken by."""

    weights = "weights"
    reference = "reference"
    gradients = "gradients"
    optimizer = "optimizer"
    activations = "activations"
    logits = "logits"
    gaps = "gaps"
    loading = "loading"
    framework = "framework"


class LiveMemory(TorchDispatchMode):  # type: ignore[misc]  # torch is not followed
    """Count the bytes of tensors while they live, by what they are; `peak` is the moment that took most.

    It sees the storages of operations that run inside it, under FakeTensorMode: their sizes are right, and nothing
    is computed. `vocabulary` recognizes logits.

    Attributes:
        peak: Bytes of each part at the moment when the heap was largest.
        live: Bytes of each part now.
        most: The most bytes that ever lived at once, gaps not counted.
    """

    def __init__(self, vocabulary: int, *, has_gaps: bool) -> None:
        super().__init__()
        self.heap = Heap()
        self.live: Counter[MemoryPart] = Counter()
        self.peak: Counter[MemoryPart] = Counter()
        self.most = 0
        self._has_gaps = has_gaps
        self._vocabulary = vocabulary
        self._part = MemoryPart.activations
        self._blocks: dict[int, tuple[int, MemoryPart, int]] = {}
        self._elsewhere: set[int] = set()

    @contextmanager
    def counting_as(self, part: MemoryPart) -> Iterator[None]:
        """Count what is allocated inside as this part."""
        before, self._part = self._part, part
        try:
            yield
        finally:
            self._part = before

    def leave_out(self, tensors: Iterable[Any]) -> None:
        """Leave tensors out that were there before, such as weights: whoever knows them adds them."""
        self._elsewhere |= {tensor.untyped_storage()._cdata for tensor in tensors}

    def relabel(self, tensor: Any, part: MemoryPart) -> None:
        """Count a tensor as another part from now on."""
        key = tensor.untyped_storage()._cdata
        if key in self._blocks:
            num_bytes, before, start = self._blocks[key]
            self._blocks[key] = num_bytes, part, start
            self.live[before] -= num_bytes
            self.live[part] += num_bytes

    def pass_through(self, sizes: Iterable[int], part: MemoryPart) -> None:
        """Allocate blocks and free them again, all together: a copy that some step makes."""
        starts = [(size, self._allocate(size, part)) for size in sizes]
        for size, start in starts:
            self.heap.release(start)
            self.live[part] -= size

    def hold(self, sizes: Iterable[int], part: MemoryPart) -> None:
        """Allocate blocks for good."""
        for size in sizes:
            self._allocate(size, part)

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run an operation and note what it allocates."""
        result = function(*args, **(kwargs or {}))
        for value in tree_iter(result):
            if isinstance(value, torch.Tensor):
                self._note(value)
        return result

    def _note(self, tensor: Any) -> None:
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self._blocks or key in self._elsewhere:
            return
        is_logits = tensor.dim() == 2 and tensor.shape[1] == self._vocabulary and self._part is MemoryPart.activations
        part = MemoryPart.logits if is_logits else self._part
        num_bytes = storage.nbytes()
        self._blocks[key] = num_bytes, part, self._allocate(num_bytes, part)
        weakref.finalize(storage, self._free, key)

    def _allocate(self, num_bytes: int, part: MemoryPart) -> int:
        high = self.heap.high
        start = self.heap.allocate(num_bytes)
        self.live[part] += num_bytes
        is_new_peak = self.heap.high > high if self._has_gaps else self.heap.used > self.most
        self.most = max(self.most, self.heap.used)
        if is_new_peak:
            self.peak = Counter(self.live)
            self.peak[MemoryPart.gaps] = self.heap.high - self.live.total() if self._has_gaps else 0
        return start

    def _free(self, key: int) -> None:
        num_bytes, part, start = self._blocks.pop(key)
        self.heap.release(start)
        self.live[part] -= num_bytes
