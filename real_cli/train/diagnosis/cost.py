"""What a training run cost, for its manifest: seconds, and the most memory that it held."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class RunCost:
    """Measure one run; what a resumed run took before it was stopped is not known."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._train_seconds = 0.0

    @property
    def seconds(self) -> float:
        """Return the seconds since the run began."""
        return round(time.monotonic() - self._started, 3)

    @contextmanager
    def training(self) -> Iterator[None]:
        """Count the seconds of the steps, apart from loading, tokenizing and the reference."""
        started = time.monotonic()
        yield
        self._train_seconds += time.monotonic() - started

    def fields(self, is_resumed: bool) -> dict[str, Any]:
        """Name the numbers: of the first process, where there are several."""
        return {
            "train_seconds": None if is_resumed else round(self._train_seconds, 3),
            "peak_memory_bytes": _peak_memory(),
            "peak_device_bytes": _peak_device_memory(),
        }


def _peak_memory() -> int | None:
    """Return the most memory that the process had resident, in bytes; None where the system does not say."""
    if sys.platform == "win32":
        return None
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _peak_device_memory() -> int | None:
    """Return the most memory of the accelerator that tensors took, in bytes; None on a processor."""
    import torch

    if not torch.accelerator.is_available():
        return None
    peak = int(torch.accelerator.max_memory_allocated())
    return peak or None  # 0 where the run was on the processor all the same
