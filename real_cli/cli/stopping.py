"""Signals that end a run: each raises what no `except Exception` catches, and none shows a traceback."""

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

# Delay before a stop that could not be raised is raised again.
SOON_SECONDS = 0.01
# A run that `train-dpo --devices` started has an id that begins so; see real_cli.train.devices.launch.
OURS = "real-"


def is_ours() -> bool:
    """Tell whether `--devices` started this process: then its starter tells of one that is lost."""
    return os.environ.get("TORCHELASTIC_RUN_ID", "").startswith(OURS)


def stop_signals() -> list[signal.Signals]:
    """List the signals that end this run; those that its parent made it ignore (nohup) stay ignored."""
    return [number for number in STOPS if signal.getsignal(number) is not signal.SIG_IGN]


@contextmanager
def stopping() -> Iterator[None]:
    """Let signals end the code inside in good order."""
    before = {number: signal.signal(number, _raise) for number in stop_signals()}
    hook = sys.unraisablehook
    sys.unraisablehook = _raise_again(hook)
    try:
        yield
    finally:
        sys.unraisablehook = hook
        for number, handler in before.items():
            if signal.getsignal(number) is not signal.SIG_IGN:  # a closed terminal may hang up repeatedly
                signal.signal(number, handler)


def leave_at_once() -> None:
    """Let signals end the process at once, before a command begins or after it is done: nothing needs cleaning up."""
    for number in [] if is_ours() else stop_signals():
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
    """Make a hook for unraisable exceptions: a stop inside a finalizer would be printed and lost."""

    def hook(unraisable: Any) -> None:
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            is_terminated = isinstance(unraisable.exc_value, Terminated)
            number = signal.SIGTERM if is_terminated else signal.SIGINT
            thread = threading.main_thread().ident
            threading.Timer(
                SOON_SECONDS, signal.pthread_kill, [thread, number]
            ).start()  # raised in here it would be lost, too
        else:
            otherwise(unraisable)

    return hook
