"""Which devices of this machine a command takes, by --device and --devices."""

import os
import sys
from typing import Any

from real_cli.errors import UsageError, clip
from real_cli.models.load.device import choose_device, is_built_for_cpus

AUTO, ALL = "auto", "all"
MOST_DEVICES = 1024
# What tells a process which devices there are.
VISIBLE = {"cuda": "CUDA_VISIBLE_DEVICES", "xpu": "ZE_AFFINITY_MASK", "npu": "ASCEND_RT_VISIBLE_DEVICES"}


def parse_devices(text: str) -> int | None:
    """Read --devices: 1 for auto, None for all.

    >>> parse_devices("auto"), parse_devices("all"), parse_devices("4")
    (1, None, 4)
    """
    if text in (AUTO, ALL):
        return 1 if text == AUTO else None
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:5]) <= MOST_DEVICES and len(text) < 5):
        raise UsageError(f"--devices {clip(text)}: auto, all, or a number from 1 to {MOST_DEVICES:,} is needed")
    return int(text)


def worker_environments(device: str, devices: str) -> list[dict[str, str]]:
    """Return the environment of each worker, with the device that it sees; none where this process does the work."""
    number = parse_devices(devices)
    if number == 1:
        return []
    kind, _, index = device.partition(":")
    if index:
        raise UsageError(f"--device {device}: is one device; leave out the number, or --devices")
    is_cpu = kind == "cpu" or (kind == AUTO and is_built_for_cpus() and sys.platform != "darwin")
    kind = "cpu" if is_cpu else choose_device(device).type
    if kind == "cpu":
        return [{}] * number if number else []
    count = _count(kind)
    if number is not None and number > count:
        raise UsageError(f"--devices {number}: {count} of {kind} here; give fewer, or --device cpu")
    number = number or count
    if number == 1:
        return []
    if kind not in VISIBLE:
        raise UsageError(f"--devices {devices}: a process a device is not offered for {kind}; leave it out")
    variable = VISIBLE[kind]
    names = [name for name in os.environ.get(variable, "").split(",") if name] or [str(i) for i in range(count)]
    return [{variable: name} for name in names[:number]]


def _count(kind: str) -> int:
    import torch

    module: Any = getattr(torch, kind, None)
    return int(module.device_count()) if module is not None and hasattr(module, "device_count") else 1
