"""Limits of time and memory for a model's chat template: it is a program of whoever made the model."""

import resource
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from real_cli.errors import RecordError

# A template renders a long conversation in milliseconds.
SECONDS = 10.0
MEMORY_BYTES = 1 << 30
PAGES = Path("/proc/self/statm")


class TookTooLongError(BaseException):
    """The time is up; no library's `except Exception` catches this."""


@contextmanager
def within_limits() -> Iterator[None]:
    """Bound what happens inside; only the main thread can be interrupted."""
    with ExitStack() as stack:
        if threading.current_thread() is threading.main_thread():
            stack.enter_context(_timer())
            stack.enter_context(_less_memory())
        try:
            yield
        except TookTooLongError:
            raise RecordError(
                f"the model's chat template runs on it for more than {SECONDS:g} seconds; give a model whose template "
                "ends"
            ) from None
        except MemoryError:
            raise RecordError(
                f"the model's chat template wants more than {MEMORY_BYTES >> 20:,} MiB for it; give another model"
            ) from None


@contextmanager
def _timer() -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, _interrupt)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise TookTooLongError


@contextmanager
def _less_memory() -> Iterator[None]:
    """Let the process grow by so much and no more, where the system reports its size."""
    if sys.platform != "linux" or not PAGES.exists():
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = int(PAGES.read_text().split()[0]) * resource.getpagesize() + MEMORY_BYTES
    if soft not in (resource.RLIM_INFINITY, -1):
        limit = min(limit, soft)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
