"""What this machine has to give, and what the process holds already."""

import os
import time
from pathlib import Path

import psutil
import torch

# Of a control group: what it may hold at most, and what it holds, files that it can drop at any time included.
GROUP = Path("/sys/fs/cgroup")
# What CUDA itself and the libraries of its kernels keep on a device; torch counts none of it.
CUDA_BYTES = 500 << 20
# Beside what is imported, a run on a CPU keeps the buffers of its matrix kernels and of its threads.
WORKING_BYTES = 120 << 20


def resident_bytes() -> int:
    """Return what this process holds in memory."""
    return int(psutil.Process().memory_info().rss)


def available_bytes(device: torch.device) -> int:
    """Return what a process could still get: on a device that is not the CPU, of its own memory."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    free = int(psutil.virtual_memory().available)
    try:
        limit, used = ((GROUP / f"memory.{name}").read_text().strip() for name in ("max", "current"))
        cached = dict(line.split() for line in (GROUP / "memory.stat").read_text().splitlines()).get("inactive_file")
    except (OSError, ValueError):
        return free
    return free if limit == "max" else min(free, int(limit) - int(used) + int(cached or 0))


def write_rate(folder: Path) -> float:
    """Measure how many bytes a second a folder takes."""
    data, path = bytes(32 << 20), folder / "rate"
    started = time.perf_counter()
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    return len(data) / max(1e-6, time.perf_counter() - started)
