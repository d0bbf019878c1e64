"""A worker's process: answers the command that started it, over a pipe, and ends when that is closed."""

import logging
import os
import pickle
import queue
import signal
import sys
import threading
import warnings
from multiprocessing.connection import Connection
from typing import Any

from real_cli.errors import RealError
from real_cli.io.parts import STOPS
from real_cli.io.progress import make_stderr_printable


class LineServer:
    """Answers pickled questions by a pickled LineFilter: what crosses the border of a process is bytes alone."""

    def __init__(self, lines: bytes) -> None:
        self._lines = pickle.loads(lines)

    def answer(self, question: bytes) -> bytes:
        """Call a method of the filter; an error is an answer too, in its words where it cannot travel."""
        method, argument = pickle.loads(question)
        try:
            answer = getattr(self._lines, method)(argument)
        except Exception as fault:
            answer = fault
        error = answer if isinstance(answer, BaseException) else getattr(answer, "error", None)
        if error is not None and not _travels(error):
            words = RealError(f"{type(error).__name__}: {' '.join(str(error).splitlines()[:1])}")
            answer = words if answer is error else answer._replace(error=words)
        return pickle.dumps(answer)


def _travels(error: BaseException) -> bool:
    try:
        return type(pickle.loads(pickle.dumps(error))) is type(error)
    except Exception:
        return False


def calm_libraries() -> None:
    """Keep libraries from writing to standard error, as the command line does."""
    warnings.simplefilter("ignore")
    logging.getLogger().addHandler(logging.NullHandler())


def main() -> None:
    """Load the LineFilter that comes first, then answer questions until the pipe is closed."""
    for number in STOPS:  # the command decides when to stop
        signal.signal(number, signal.SIG_IGN)
    make_stderr_printable()
    calm_libraries()
    pipe: Connection[Any, Any] = Connection(int(sys.argv[1]))
    inbox: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(pipe, inbox), daemon=True).start()
    server = LineServer(inbox.get())
    while True:
        pipe.send_bytes(server.answer(inbox.get()))


def _receive(pipe: "Connection[Any, Any]", inbox: "queue.SimpleQueue[bytes]") -> None:
    """Receive in a thread: whoever works on a window sees that nobody waits for it."""
    try:
        while True:
            inbox.put(pipe.recv_bytes())
    except (EOFError, OSError):
        os._exit(0)


if __name__ == "__main__":
    main()
