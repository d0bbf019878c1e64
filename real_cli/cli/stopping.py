"""Signals that end a run: each raises, once, what no `except Exception` takes, and none shows a traceback."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from real_cli.errors import Status, Terminated
from real_cli.io.parts import STOPS, must_wait

# When a stop that could not be raised is raised again.
SOON_SECONDS = 0.01


def stop_signals() -> list[signal.Signals]:
    """List the signals that end this run; those that whoever started it has it ignore (nohup) stay ignored."""
    return [number for number in STOPS if signal.getsignal(number) is not signal.SIG_IGN]


@contextmanager
def stopping() -> Iterator[None]:
    """Let signals end what runs inside, in good order."""
    before = {number: signal.signal(number, _raise) for number in stop_signals()}
    hook = sys.unraisablehook
    sys.unraisablehook = _raise_again(hook)
    try:
        yield
    finally:
        sys.unraisablehook = hook
        for number, handler in before.items():
            if signal.getsignal(number) is not signal.SIG_IGN:  # a terminal that is gone may hang up many times
                signal.signal(number, handler)


def leave_at_once() -> None:
    """Let signals end the process at once: before a command begins and after it is done, all is in order."""
    for number in stop_signals():
        signal.signal(number, _leave)


def _raise(signum: int, frame: FrameType | None) -> None:
    if must_wait(signum):
        return
    raise KeyboardInterrupt if signum == signal.SIGINT else Terminated


def _leave(signum: int, frame: FrameType | None) -> None:
    is_interrupted = signum == signal.SIGINT
    with contextlib.suppress(OSError):
        os.write(2, b"real: interrupted\n" if is_interrupted else b"real: terminated\n")
    os._exit(Status.interrupted if is_interrupted else Status.terminated)


def _raise_again(otherwise: Callable[[Any], object]) -> Callable[[Any], None]:
    """Make a hook for what was raised where nothing can be: a stop in a finalizer would be printed and forgotten."""

    def hook(unraisable: Any) -> None:
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            is_terminated = isinstance(unraisable.exc_value, Terminated)
            number = signal.SIGTERM if is_terminated else signal.SIGINT
            thread = threading.main_thread().ident
            threading.Timer(
                SOON_SECONDS, signal.pthread_kill, [thread, number]
            ).start()  # not in here: it would be lost too
        else:
            otherwise(unraisable)

    return hook
