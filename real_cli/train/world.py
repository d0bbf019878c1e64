"""The processes of one training run, and what they tell each other."""

import os
import pickle
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any, TypeVar

from real_cli.errors import RealError, Terminated, UsageError

Shared = TypeVar("Shared")

# A process waits for the lead as long as the lead reads its input, and a pipe may be slow. Nobody waits for a process
# that has ended: its connections close.
PATIENCE = timedelta(days=7)
# Marks an error that the lead raised, and tells.
OF_THE_LEAD = "of the lead"
SHORTEST_SLEEP, LONGEST_SLEEP = 2e-5, 0.02  # seconds


class EndedElsewhereError(RealError):
    """Another process of this run has failed, and tells why."""

    def __init__(self, message: str = "another process of this run failed; its line says why") -> None:
        super().__init__(message)


@dataclass(frozen=True)
class World:
    """The processes of a run. Every process makes the same calls in the same order; a world of one just goes on.

    Attributes:
        rank: The number of this process, from 0.
        local_rank: Its number on this machine, which is that of its device.
        size: How many there are, on all machines.
        local_size: How many there are on this machine.
    """

    rank: int = 0
    local_rank: int = 0
    size: int = 1
    local_size: int = 1

    @property
    def is_lead(self) -> bool:
        """Whether this process reads, writes and tells."""
        return self.rank == 0

    def share(self, function: Callable[[], Shared]) -> Shared:
        """Run a function in the lead; every process gets its value, or raises its error."""
        if self.size == 1:
            return function()
        if not self.is_lead:
            is_error, value = pickle.loads(_broadcast(None))
            if is_error:
                value.add_note(OF_THE_LEAD)
                raise value
            return value  # type: ignore[no-any-return]  # what the lead's function returned
        try:
            value = function()
        except BaseException as error:
            with suppress(RuntimeError):  # the others are gone already: this error is what matters
                _broadcast(pickle.dumps((True, _portable(error))))
            raise
        _broadcast(pickle.dumps((False, value)))
        return value

    def in_turn(self, function: Callable[[], Shared]) -> Shared:
        """Run a function in the lead, then in all others; each gets its result, and the lead's error is everybody's."""
        results: list[Shared] = []
        self.share(lambda: results.append(function()))
        return results[0] if results else function()

    def gather(self, value: Shared) -> list[Shared]:
        """Collect a value of every process, by rank; every process gets all of them."""
        if self.size == 1:
            return [value]
        import torch
        import torch.distributed as dist

        data = torch.frombuffer(bytearray(pickle.dumps(value)), dtype=torch.uint8)
        widest = self.largest(len(data))
        padded = torch.zeros(widest + 8, dtype=torch.uint8)
        padded[:8] = torch.frombuffer(bytearray(len(data).to_bytes(8, "big")), dtype=torch.uint8)
        padded[8 : 8 + len(data)] = data
        parts = [torch.empty_like(padded) for _ in range(self.size)]
        _finish(dist.all_gather(parts, padded, group=object_group(), async_op=True))
        lengths = [int.from_bytes(bytes(part[:8].tolist()), "big") for part in parts]
        return [
            pickle.loads(part[8 : 8 + length].numpy().tobytes()) for part, length in zip(parts, lengths, strict=True)
        ]

    def largest(self, number: int) -> int:
        """Return the largest of the numbers that the processes give."""
        if self.size == 1:
            return number
        import torch
        import torch.distributed as dist

        largest = torch.tensor([number], dtype=torch.int64)
        _finish(dist.all_reduce(largest, dist.ReduceOp.MAX, group=object_group(), async_op=True))
        return int(largest)

    def wait(self) -> None:
        """Wait until every process is here."""
        self.largest(0)


ALONE = World()


def is_launched() -> bool:
    """Tell whether a launcher started this process, and maybe others; a rank of nothing is left from elsewhere."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def this_world() -> World:
    """Read which process this is from what a launcher left in the environment; alone without one."""
    if not is_launched():
        return ALONE
    rank, local_rank, size, local_size = (
        _number_of_launcher(name, default)
        for name, default in (("RANK", 0), ("LOCAL_RANK", 0), ("WORLD_SIZE", 1), ("LOCAL_WORLD_SIZE", 1))
    )
    if rank >= size:
        raise UsageError(
            f"RANK is {rank} of a WORLD_SIZE of {size}; ranks begin at 0: start with a launcher, or unset both"
        )
    return World(rank, local_rank, size, local_size) if size > 1 else ALONE


def _number_of_launcher(name: str, default: int) -> int:
    value = os.environ.get(name, str(default))
    if not (value.isascii() and value.isdecimal()):
        raise UsageError(
            f"{name} is {value!r}; a number is needed: start with a launcher, or unset RANK and WORLD_SIZE"
        )
    return int(value)


@cache
def run_store() -> Any:
    """Return where the processes of a run leave notes: the launcher's store, or the lead's."""
    import torch.distributed as dist

    store, _, _ = next(iter(dist.rendezvous("env://")))
    return store


@cache
def object_group() -> Any:
    """Return the group that tensors on the CPU travel in: gloo, beside what a device has. Joins the run's processes."""
    import torch
    import torch.distributed as dist

    if not dist.is_initialized():
        has_cuda = torch.cuda.is_available() and dist.is_nccl_available()
        backend, world = "cpu:gloo,cuda:nccl" if has_cuda else "gloo", this_world()
        dist.init_process_group(backend, store=run_store(), rank=world.rank, world_size=world.size, timeout=PATIENCE)
        return dist.group.WORLD
    if "gloo" in str(dist.get_backend_config()):
        return dist.group.WORLD
    return dist.new_group(backend="gloo", timeout=PATIENCE)


def _broadcast(data: bytes | None) -> bytes:
    """Send the lead's bytes to everybody."""
    import torch
    import torch.distributed as dist

    size = torch.tensor([len(data or b"")], dtype=torch.int64)
    _finish(dist.broadcast(size, 0, group=object_group(), async_op=True))
    content = bytearray(int(size)) if data is None else bytearray(data)
    _finish(dist.broadcast(torch.frombuffer(content, dtype=torch.uint8), 0, group=object_group(), async_op=True))
    return bytes(content)


def _finish(work: Any) -> None:
    """Wait for what is under way, in naps: a handler of signals runs between them."""
    nap = SHORTEST_SLEEP
    while not work.is_completed():
        time.sleep(nap)
        nap = min(2 * nap, LONGEST_SLEEP)
    work.wait()


def _portable(error: BaseException) -> BaseException:
    """Make an error that every process can raise: a stop and a line for the user are everybody's, all else is told."""
    if isinstance(error, Terminated):
        return Terminated()
    if isinstance(error, RealError | KeyboardInterrupt):
        return error
    return EndedElsewhereError()
