"""How a process of a larger run behaves: the lead alone is heard, and of errors the first one."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import typer

from real_cli.cli.guard import flush_stdout
from real_cli.cli.stopping import OURS, is_ours, stop_signals
from real_cli.errors import RealError, Status, Terminated, UsageError
from real_cli.train.devices.count import share_threads
from real_cli.train.world import OF_THE_LEAD, EndedElsewhereError, World, object_group, run_store

# The status of a process that lost another and knows no reason; whoever started both knows more.
LOST = 71
END = "real/end"
PR_SET_PDEATHSIG = 1  # from prctl.h


def run_process(command: Callable[[], Status], world: World) -> Status:
    """Run a command as a process of a run; all of them end with the same status, and end together."""
    if world.size == 1:
        return command()
    _check_environment()
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # what the libraries would say of networks
    share_threads(os.environ, world.local_size)
    if is_ours():
        _stop_with_parent()
    standard_error = None if world.is_lead else _silence()
    try:
        if is_ours():
            _join()
        status = command()
        flush_stdout()
        status = world.share(lambda: status)
    except BaseException as error:
        _let_stops_pass()
        last_word = _last_word(error, standard_error)
        if last_word is error:
            raise
        raise last_word from error
    _let_stops_pass()
    import torch.distributed as dist

    dist.destroy_process_group()
    return status


def _check_environment() -> None:
    for name in ("MASTER_ADDR", "MASTER_PORT"):
        if name not in os.environ:
            raise UsageError(
                f"RANK is set and {name} is not; start with torchrun, accelerate launch or srun, or unset RANK"
            )
    port = os.environ["MASTER_PORT"]
    if not (port.isascii() and port.isdecimal() and 0 < int(port) < 2**16):
        raise UsageError(f"MASTER_PORT is {port!r}; a port from 1 to 65535 is needed")


def _stop_with_parent() -> None:
    """Have the system send SIGTERM when the process that started this one is killed; on Linux, elsewhere nothing."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))
    starter = os.environ["TORCHELASTIC_RUN_ID"].removeprefix(OURS).partition("-")[0]
    try:
        os.kill(int(starter), 0)
    except ProcessLookupError:  # killed before the system was asked to tell
        raise typer.Exit(int(Status.terminated)) from None


def _join() -> None:
    """Meet the other processes. A stop ends this one at once, and the one that started it tells.

    Nothing needs cleaning up yet, and torch, which is imported here, crashes where an exception ends its import.
    """
    before = {number: signal.signal(number, signal.SIG_DFL) for number in stop_signals()}
    try:
        object_group()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _silence() -> int:
    """Send the standard streams to nowhere; returns where standard error was."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nowhere, number)
    os.close(nowhere)
    return kept


def _let_stops_pass() -> None:
    """Ignore signals: all is done but to end, and a launcher may end the last process because another has ended."""
    for number in stop_signals():
        signal.signal(number, signal.SIG_IGN)


def _last_word(error: BaseException, standard_error: int | None) -> BaseException:
    """Choose what a process that fails ends with: the first one's error is told, the others only have its status."""
    if OF_THE_LEAD in getattr(error, "__notes__", ()):
        return typer.Exit(int(_status(error)))
    if is_ours() and isinstance(error, KeyboardInterrupt) and not _has_joined():
        return typer.Exit(LOST)  # the one that started it has the signal too
    if _is_loss(error):
        if not _has_joined():
            return RealError(
                f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}: the processes of the run cannot meet there; "
                "start with torchrun, accelerate launch or srun, or set MASTER_ADDR and MASTER_PORT"
            )
        ended = _first_end()
        if ended is not None:
            return typer.Exit(ended)
        if is_ours():
            return typer.Exit(LOST)
        error = RealError(
            "another process of this run has ended without a word; checkpoints stay: go on from the last with --resume"
        )
    ended = _first_end(error)
    if ended is not None:
        return typer.Exit(ended)
    if standard_error is not None:
        os.dup2(standard_error, 2)
    return error


def _status(error: BaseException) -> int:
    """Return the status with which the guard ends a run after an error."""
    if isinstance(error, RealError | Terminated):
        return int(error.status)
    if isinstance(error, KeyboardInterrupt):
        return int(Status.interrupted)
    return int(Status.done if isinstance(error, BrokenPipeError) else Status.failed)


def _has_joined() -> bool:
    """Tell whether this process has met the others; it may end before torch is imported."""
    is_initialized = getattr(sys.modules.get("torch.distributed"), "is_initialized", None)
    return is_initialized is not None and bool(is_initialized())


def _is_loss(error: BaseException) -> bool:
    """Tell an error of a connection to another process, which has ended."""
    if "torch.distributed" not in sys.modules or isinstance(error, KeyboardInterrupt):
        return False  # a stop may come while torch is being imported, when nothing of it can be used
    import torch.distributed as dist

    words = str(error)
    return isinstance(error, EndedElsewhereError | dist.DistError) or (
        isinstance(error, RuntimeError) and ("gloo" in words or "NCCL" in words)
    )


def _first_end(error: BaseException | None = None) -> int | None:
    """Return the status of the process that failed first; None if that is this one, or none is known.

    With an error, this process failed: the first to leave a note at the run's store is the one that tells.
    """
    if not _has_joined():
        return None
    import torch.distributed as dist

    try:
        store: Any = run_store()
        if error is None and not store.check([END]):
            return None
        note = f"{dist.get_rank()} {_status(error)}" if error else None
        first = (store.compare_set(END, "", note) if note else store.get(END)).decode()
    except (RuntimeError, KeyError):  # the store was the lead's, and is gone with it
        return None if error is not None and dist.get_rank() == 0 else int(Status.failed)
    return None if first == note else int(first.partition(" ")[2])
