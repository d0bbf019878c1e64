"""Workers on a Ray cluster: an actor each, which holds a model.

Ray's core and not Ray Data: its tasks keep the command's own windows, in which alone bytes are equal, and give them
back in any order that the command asks for, while Ray Data cuts blocks of its own, writes Arrow tables, and holds what
is out of order until its turn comes.
"""

import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout, suppress
from typing import Any

from real_cli.cluster.crew import LostWorkerError
from real_cli.cluster.devices import AUTO, parse_devices
from real_cli.cluster.remote import Parcel, RemoteWorker
from real_cli.cluster.worker import LineServer, calm_libraries
from real_cli.errors import RealError, UsageError
from real_cli.installing import install_extra
from real_cli.io.parts import STOPS
from real_cli.io.terminal.stream import PrintableStream, silence
from real_cli.text.terminal_safe import printable_line

# Of a cluster that is started for a command: a window in and a window out for each actor, no more.
OBJECT_STORE_BYTES = 256 << 20
# Before Ray is imported: it reports no usage and draws no bars, unless the user says otherwise.
SETTINGS = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_TQDM": "0"}
# Ray gives up on a wrong token after 20 seconds; on a server that is no Ray and stays silent, it never does.
JOIN_SECONDS = 60.0
NONE_RUNS = 3  # a status
# Joins a cluster and leaves it. Where that cannot be done Ray may end the process from C++, or wait for ever.
TRIAL = f"""
import ray, sys
try:
    ray.init(sys.argv[1], log_to_driver=False, configure_logging=False)
except ConnectionError as error:
    sys.exit(1 if str(error).startswith("Failed to connect") else {NONE_RUNS})
"""


class LineActor(LineServer):
    """What an actor runs, in the folder that the command was started in where there is such a one."""

    def __init__(self, lines: bytes, folder: str, threads: str | None) -> None:
        calm_libraries()
        # Ray gives an actor as many as it has cores; the command would have its own number, and other last digits.
        os.environ.pop("OMP_NUM_THREADS", None)
        if threads is not None:
            os.environ["OMP_NUM_THREADS"] = threads
        with suppress(OSError):
            os.chdir(folder)
        super().__init__(lines)


class RayWorker(RemoteWorker):
    """An actor of a cluster.

    Args:
        parcel: Gives the pickled LineFilter.
        ray: The library.
        needs: What it needs of a node: num_cpus, num_gpus.
    """

    def __init__(self, parcel: Parcel, ray: Any, needs: Mapping[str, float]) -> None:
        super().__init__(parcel)
        self._ray = ray
        self._needs = needs
        self._actor: Any = None

    def exchange(self, question: bytes) -> bytes:
        """Have a question answered."""
        try:
            return bytes(self._ray.get(self._started().answer.remote(question)))
        except self._ray.exceptions.RayError as error:
            raise LostWorkerError(f"were lost ({type(error).__name__})") from None

    def end(self) -> None:
        """End the actor; the next window starts another one."""
        with self._lock:
            actor, self._actor = self._actor, None
            if actor is not None:
                with suppress(Exception):
                    self._ray.kill(actor)

    def _started(self) -> Any:
        data = self._parcel()
        with self._lock:
            if self._actor is None:
                if self._is_closed:
                    raise LostWorkerError("were stopped")
                remote = self._ray.remote(LineActor).options(scheduling_strategy="SPREAD", **self._needs)
                self._actor = remote.remote(data, os.getcwd(), os.environ.get("OMP_NUM_THREADS"))
            return self._actor


@contextmanager
def ray_workers(on: str, device: str, devices: str, parcel: Parcel) -> Iterator[list[RayWorker]]:
    """Join a cluster, or start one on this machine, and give a worker for each device."""
    address = _address(on)
    number = None if devices == AUTO else parse_devices(devices)
    with only_ours_on_stderr() as ours, last_word(on, ours):
        ray = _import_ray()
        try:
            _join(ray, address)
            yield [RayWorker(parcel, ray, needs) for needs in _share(ray, device, number)]
        finally:
            ray.shutdown()


@contextmanager
def last_word(on: str, descriptor: int) -> Iterator[None]:
    """Have a line written should this process end within: Ray ends it from C++ where a cluster's head is lost."""
    line = (
        f"real: --on {on}: the command was ended, as Ray does when it loses the head of a cluster; check that the "
        "cluster runs, and start again"
    )
    words = ["sh", "-c", 'read -r _ || printf "%s\\n" "$1" >&2', "sh", printable_line(line)]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=descriptor, process_group=0
    ) as watcher:
        try:
            yield
        finally:
            watcher.communicate(b"\n")


@contextmanager
def only_ours_on_stderr() -> Iterator[int]:
    """Keep standard error for our lines, and give its descriptor.

    Ray writes to its descriptor from C++, and to sys.stdout from a thread.
    """
    before = sys.stderr
    try:
        is_shared = before.fileno() == 2
    except (OSError, ValueError, AttributeError):
        is_shared = False
    if not is_shared:  # a test's own stream
        yield 2
        return
    before.flush()
    ours = os.dup(2)
    silence(2)
    stream = open(ours, "w", encoding=before.encoding, errors="backslashreplace")  # noqa: SIM115 - a thread may still write
    shown = PrintableStream(stream)  # closes `ours` when nobody holds it any more
    sys.stderr = shown
    try:
        with open(os.devnull, "w", encoding="utf-8") as nothing, redirect_stdout(nothing):
            yield ours
    finally:
        sys.stderr = before
        os.dup2(ours, 2)
        shown.flush()


def _address(on: str) -> str:
    engine, colon, address = on.partition(":")
    if engine != "ray" or (colon and not address):
        raise UsageError(f"--on {on}: ray, or ray:ADDRESS, is needed")
    return address or os.environ.get("RAY_ADDRESS", "")


def _import_ray() -> Any:
    os.environ |= {name: os.environ.get(name, value) for name, value in SETTINGS.items()}
    try:
        import ray
    except ImportError:
        raise RealError(f"--on ray: Ray is not installed; {install_extra('cluster')}") from None
    logging.getLogger("ray").setLevel(logging.CRITICAL + 1)
    return ray


def _join(ray: Any, address: str) -> None:
    handlers = {signum: signal.getsignal(signum) for signum in STOPS}
    try:
        _init(ray, address)
    finally:
        for signum, handler in handlers.items():  # Ray would leave in its own way
            signal.signal(signum, handler)


def _init(ray: Any, address: str) -> None:
    quiet = {"log_to_driver": False, "configure_logging": False}
    try:
        is_there = _try_to_join(address or "auto")
        if is_there or address:
            ray.init(address=address or "auto", **quiet)
    except Exception:
        where = f"ray:{address}" if address else "ray: a cluster of this machine"
        raise RealError(
            f"--on {where}: cannot be joined; check that the cluster runs there, with this version of Python and "
            "of Ray, and that RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH has its token"
        ) from None
    if not is_there and not address:  # none runs here
        ray.init(address="local", include_dashboard=False, object_store_memory=OBJECT_STORE_BYTES, **quiet)


def _try_to_join(address: str) -> bool:
    """Join a cluster in a process that may be lost; tells whether there is one, and raises if it lets nobody in."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), JOIN_SECONDS).close()
    done = subprocess.run(
        # -P: a file of the working folder that is called as a library is not imported.
        [sys.executable, "-P", "-c", TRIAL, address],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=JOIN_SECONDS,
        check=False,
    )
    if done.returncode not in (0, NONE_RUNS):
        raise ConnectionError
    return done.returncode == 0


def _share(ray: Any, device: str, number: int | None) -> list[dict[str, float]]:
    """Say what each worker needs of a node: a GPU where there are some, else a share of its cores."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    num_gpus = 0 if device == "cpu" else int(sum(node.get("GPU", 0) for node in nodes))
    if num_gpus:
        _check(number, num_gpus, "GPUs")
        return [{"num_gpus": 1, "num_cpus": 0}] * (number or num_gpus)
    cores = [int(node["CPU"]) for node in nodes if node.get("CPU", 0) >= 1]
    _check(number or 1, sum(cores), "cores")
    number = number or len(cores)
    share = max(1, min(cores) * len(cores) // max(number, len(cores)))
    while share > 1 and sum(each // share for each in cores) < number:
        share -= 1
    return [{"num_gpus": 0, "num_cpus": share}] * number


def _check(number: int | None, most: int, what: str) -> None:
    if number is not None and number > most:
        raise UsageError(f"--devices {number}: the cluster has {most:,} {what}; give fewer")
