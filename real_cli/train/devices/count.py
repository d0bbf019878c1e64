"""How many processes a run starts, and which device and how many threads each of them takes."""

import os
from collections.abc import MutableMapping

from real_cli.cluster.devices import ALL, AUTO, parse_devices
from real_cli.errors import RealError, UsageError
from real_cli.models.load.device import Place
from real_cli.train.world import World

THREADS = "OMP_NUM_THREADS"
# Processes that share cores wait for each other, and each holds the whole model: more than this is a slip of the pen.
MOST_A_CORE, ALWAYS_ALLOWED = 4, 8


def check_devices(devices: str, device: str) -> None:
    """Refuse a value of --devices that is none, and a device with a number beside several."""
    if parse_devices(devices) != 1 and ":" in device:
        kind = device.partition(":")[0]
        raise UsageError(
            f"--device {device}, --devices {devices}: the first names one device; write --device {kind} for several"
        )


def check_launched(devices: str, device: str, world: World) -> None:
    """Refuse another number of devices than a launcher started processes, and one device for all of them."""
    if devices not in (AUTO, ALL) and int(devices) != world.size:
        raise UsageError(
            f"--devices {devices}: the launcher started {world.size}; leave --devices out, or start {devices} with it"
        )
    if world.size > 1 and ":" in device:
        raise UsageError(
            f"--device {device}: {world.size} processes cannot share it; write --device {device.partition(':')[0]}"
        )


def processes_wanted(devices: str, device: str) -> int:
    """Say how many processes to start; UsageError if there are not so many accelerators."""
    number = parse_devices(devices)
    if number == 1:
        return 1
    available = num_accelerators(device)
    if number is None:
        return available or 1
    if available is not None and number > available:
        raise UsageError(f"--devices {devices}: there {'is' if available == 1 else 'are'} {available}; or write all")
    most = max(ALWAYS_ALLOWED, MOST_A_CORE * num_cores())
    if available is None and number > most:
        raise UsageError(f"--devices {devices}: a CPU of {num_cores()} cores takes at most {most} processes")
    return number


def num_accelerators(device: str) -> int | None:
    """Count the accelerators that a kind of device, or auto, may mean; None where it is the CPU."""
    import torch

    if device.startswith("cpu") or not torch.accelerator.is_available():
        return None
    return int(torch.accelerator.device_count())


def device_of(device: str, world: World) -> str:
    """Name the device of a process: that of its number on this machine."""
    available = num_accelerators(device) if world.size > 1 else None
    if available is None:
        return device
    if 1 < available < world.local_size:
        raise RealError(
            f"{world.local_size} processes and {available} devices on this machine; start no more processes than "
            "there are devices"
        )
    import torch

    kind = torch.accelerator.current_accelerator().type if device == AUTO else device
    return f"{kind}:{world.local_rank % available}"


def say_devices(place: Place, world: World) -> str:
    """Say where a run trains, and what there is beside."""
    if world.size > 1:
        kind = place.device.type
        what = "CPU processes" if kind == "cpu" else f"{kind} devices"
        return f"{world.size} {what}, {str(place.dtype).removeprefix('torch.')}"
    available = num_accelerators(place.device.type) or 1
    return f"{place}" + (f", the freest of {available} (--devices all takes all)" if available > 1 else "")


def share_threads(environment: MutableMapping[str, str], num_processes: int) -> None:
    """Give each process of this machine its share of the cores, unless the user says; before torch is imported."""
    threads = environment.setdefault(THREADS, str(max(1, num_cores() // num_processes)))
    if not (threads.isascii() and threads.isdecimal() and int(threads)):  # accelerate reads it as a number
        raise UsageError(f"{THREADS} is {threads!r}; with several processes a number from 1 is needed, or unset it")


def num_cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
