"""Workers that filter windows, each with the model of its own; one that is lost is replaced, once a window."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import LifoQueue
from types import TracebackType
from typing import Protocol, Self

from real_cli.cluster.counts import Counts
from real_cli.cluster.line_filter import FilteredWindow
from real_cli.cluster.windows import PlacedLine
from real_cli.errors import RealError


class LostWorkerError(Exception):
    """A worker ended before it answered; the message says how."""


class Worker(Protocol):
    """A process, here or elsewhere, that filters one window at a time. It is started when it is first needed."""

    def filter_read(self, window: Sequence[PlacedLine]) -> FilteredWindow:
        """Filter a window; LostWorkerError if the process ends meanwhile."""
        ...

    def sentence(self, counts: Counts) -> str:
        """Tell in one line what all workers counted."""
        ...

    def end(self) -> None:
        """End the process; the next window starts another one."""
        ...

    def close(self) -> None:
        """End the process for good."""
        ...


class Crew:
    """Gives windows to workers that are free: as few as there is work for.

    Args:
        workers: The workers.
    """

    def __init__(self, workers: Sequence[Worker]) -> None:
        self.num_workers = len(workers)
        self._workers = workers
        # The worker that was busy last comes first, since it has its model.
        self._free: LifoQueue[Worker] = LifoQueue()
        for worker in reversed(workers):
            self._free.put(worker)
        self._threads = ThreadPoolExecutor(len(workers))
        self._is_ending = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_ending = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            with suppress(Exception):
                worker.close()
        self._threads.shutdown()

    def submit(self, window: Sequence[PlacedLine]) -> "Future[FilteredWindow]":
        """Have a window filtered, in the order of the calls as far as workers are free."""
        return self._threads.submit(self._filter, window)

    def sentence(self, counts: Counts) -> str:
        """Ask a worker to tell in one line what all of them counted."""
        worker = self._free.get()
        try:
            return worker.sentence(counts)
        except LostWorkerError:
            worker.end()
            return worker.sentence(counts)

    def _filter(self, window: Sequence[PlacedLine]) -> FilteredWindow:
        worker = self._free.get()
        try:
            return worker.filter_read(window)
        except LostWorkerError:
            if self._is_ending:
                raise
            return self._filter_again(worker, window)
        finally:
            self._free.put(worker)

    def _filter_again(self, worker: Worker, window: Sequence[PlacedLine]) -> FilteredWindow:
        """Filter a window whose worker was lost by a new one: the fault may have been the machine's."""
        worker.end()
        try:
            return worker.filter_read(window)
        except LostWorkerError as lost:
            places = [line.place for line in window if line.place]
            between = f"{places[0]} to {places[-1]}: " if places else ""
            raise RealError(
                f"{between}two workers {lost} at these records; lower --batch-tokens, or give fewer --devices"
            ) from None
