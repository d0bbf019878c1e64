"""Workers on this machine: a process for each device.

Each has as many threads as one process alone would: on a CPU the last digits of some models depend on their number.
Two that share two cores so take the CPU-seconds of one thread each, within 3%.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

from real_cli.cluster.crew import LostWorkerError
from real_cli.cluster.remote import Parcel, RemoteWorker

MODULE = "real_cli.cluster.worker"


class ProcessWorker(RemoteWorker):
    """A process of this machine, in a group of its own: a stop reaches the command, which ends its workers.

    However the command ends, its end of the pipe is closed then, and the worker ends too.

    Args:
        parcel: Gives the pickled LineFilter.
        environment: Variables that choose its device.
    """

    def __init__(self, parcel: Parcel, environment: Mapping[str, str]) -> None:
        super().__init__(parcel)
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection[Any, Any] | None = None

    def exchange(self, question: bytes) -> bytes:
        """Have a question answered."""
        try:
            pipe = self._started()
            pipe.send_bytes(question)
            return pipe.recv_bytes()
        except (EOFError, OSError):
            raise LostWorkerError(self._how_it_ended()) from None

    def end(self) -> None:
        """End the process; the next window starts another one."""
        with self._lock:
            process, self._process = self._process, None
            if process is not None:
                process.kill()
                process.wait()

    def _started(self) -> "Connection[Any, Any]":
        with self._lock:
            if self._process is not None and self._pipe is not None:
                return self._pipe
            if self._is_closed:
                raise LostWorkerError("were stopped")
            self._pipe, theirs = Pipe()
            with theirs:
                self._process = subprocess.Popen(
                    # -P: a file of the working folder that is called as a library is not imported.
                    [sys.executable, "-P", "-m", MODULE, str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=2,
                    pass_fds=[theirs.fileno()],
                    process_group=0,
                    env={**os.environ, "PYTHONPATH": _search_path(), **self._environment},
                )
            pipe = self._pipe
        pipe.send_bytes(self._parcel())
        return pipe

    def _how_it_ended(self) -> str:
        process = self._process
        status = process.wait() if process is not None else 0
        return f"were killed by signal {-status}" if status < 0 else f"ended with status {status}"


def _search_path() -> str:
    """Return where this process finds modules, for another one."""
    package = str(Path(__file__).resolve().parents[2])
    return os.pathsep.join(dict.fromkeys([*(os.path.abspath(path) for path in sys.path if path), package]))
