"""Start a process for each device, by torch's elastic launch, and end as they end."""

import logging
import os
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from real_cli.cli.stopping import OURS, stop_signals
from real_cli.errors import RealError, Status, Terminated
from real_cli.io.parts import must_wait
from real_cli.train.devices.count import share_threads
from real_cli.train.devices.process import LOST

LOOPBACK = "127.0.0.1"
# Read by gloo, which otherwise asks what the machine's name leads to: in a container that may be nowhere.
INTERFACE = "GLOO_SOCKET_IFNAME"


def launch(num_processes: int) -> Status:
    """Run this very command in a process for each device; returns the status that they agreed on."""
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    share_threads(os.environ, num_processes)
    _stay_on_this_machine()
    with tempfile.TemporaryDirectory(prefix="real-") as folder, _signals_go_on() as passed_on, _nothing_logged():
        config = LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=num_processes,
            run_id=f"{OURS}{os.getpid()}-{secrets.token_hex(8)}",
            rdzv_backend="c10d",
            rdzv_endpoint=f"{LOOPBACK}:0",
            local_addr=LOOPBACK,
            max_restarts=0,
            logs_specs=DefaultLogsSpecs(log_dir=folder),
            signals_to_handle="SIGQUIT",  # stops are ours: elastic kills a process that takes 30 s to save
        )
        program, *words = command_words()
        try:
            elastic_launch(config, program)(*words)
        except ChildFailedError as error:
            return _status(error.failures, num_processes, passed_on)
    return Status.done


def command_words() -> list[str]:
    """Return the words that start this command again."""
    return [sys.executable, "-P", "-m", "real_cli", *sys.argv[1:]]


def _stay_on_this_machine() -> None:
    loopback = next((name for _, name in socket.if_nameindex() if name in ("lo", "lo0")), None)
    if loopback is not None:
        os.environ.setdefault(INTERFACE, loopback)


@contextmanager
def _nothing_logged() -> Iterator[None]:
    """Keep to ourselves what elastic logs of processes that end: they tell why in a line of ours."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def _signals_go_on() -> Iterator[list[int]]:
    """Pass signals on to the processes, which have sessions of their own; before there are any, a signal ends this.

    Gives what was passed on.
    """
    import psutil

    passed_on: list[int] = []

    def pass_on(signum: int, frame: FrameType | None) -> None:
        if must_wait(signum):
            return
        children = psutil.Process().children()
        for child in children:
            child.send_signal(signum if _catches_stops(child.pid) else signal.SIGKILL)
        passed_on.append(signum)
        if not children:
            raise KeyboardInterrupt if signum == signal.SIGINT else Terminated

    before = {number: signal.signal(number, pass_on) for number in stop_signals()}
    try:
        yield passed_on
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _catches_stops(pid: int) -> bool:
    """Tell whether a process has got to where it handles signals; a Python that starts shows SIGINT as a traceback.

    Where the system does not tell (it is Linux that has /proc), it counts as one that does.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True
    caught = next((int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt:")), -1)
    return bool(caught >> (signal.SIGTERM - 1) & 1)


def _status(failures: Mapping[int, Any], num_processes: int, passed_on: Sequence[int] = ()) -> Status:
    """Return the status of the processes; RealError for one that a signal ended, and so did not say why."""
    for rank, failure in sorted(failures.items()):
        if failure.exitcode < 0:
            was_starting = passed_on and failure.exitcode == -signal.SIGKILL
            _tell_signal(rank, passed_on[0] if was_starting else -failure.exitcode, num_processes)
    codes = [failure.exitcode for _, failure in sorted(failures.items()) if failure.exitcode != LOST]
    if not codes and passed_on:
        _tell_signal(0, passed_on[0], num_processes)
    if not codes:
        raise RealError(f"a process of {num_processes} has ended without a word; go on with --resume from a checkpoint")
    return Status(codes[0]) if codes[0] in list(Status) else Status.failed


def _tell_signal(rank: int, signum: int, num_processes: int) -> None:
    """Raise what a signal from outside makes of the run."""
    if signum == signal.SIGINT:
        raise KeyboardInterrupt
    if signum in (signal.SIGTERM, signal.SIGHUP):
        raise Terminated
    reason = ", as the system does when memory is short" if signum == signal.SIGKILL else ""
    raise RealError(
        f"process {rank + 1} of {num_processes} was ended by {signal.Signals(signum).name}{reason}; checkpoints stay: "
        "go on from the last with --resume"
    )
