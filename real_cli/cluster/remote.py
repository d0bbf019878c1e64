"""What workers share, wherever they are: a LineFilter that is pickled once, and questions that are."""

import pickle
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from real_cli.cluster.counts import Counts
from real_cli.cluster.line_filter import FilteredWindow, LineFilter
from real_cli.cluster.windows import PlacedLine


class Parcel:
    """A LineFilter, pickled when the first window is there: then it knows what it goes on with."""

    def __init__(self, lines: LineFilter[Any]) -> None:
        self._lines = lines
        self._lock = threading.Lock()
        self._data = b""

    def __call__(self) -> bytes:
        """Return its bytes, the same each time."""
        with self._lock:
            self._data = self._data or pickle.dumps(self._lines)
        return self._data


class RemoteWorker(ABC):
    """A worker that takes and gives bytes.

    Args:
        parcel: Gives the pickled LineFilter.
    """

    def __init__(self, parcel: Parcel) -> None:
        self._parcel = parcel
        self._lock = threading.Lock()
        self._is_closed = False

    @abstractmethod
    def exchange(self, question: bytes) -> bytes:
        """Have a question answered, by a process that is started where there is none; LostWorkerError if it ends."""

    @abstractmethod
    def end(self) -> None:
        """End the process; the next window starts another one."""

    def close(self) -> None:
        """End the process for good."""
        self._is_closed = True
        self.end()

    def filter_read(self, window: Sequence[PlacedLine]) -> FilteredWindow:
        """Filter a window."""
        done: FilteredWindow = self._ask("filter_read", list(window))
        return done

    def sentence(self, counts: Counts) -> str:
        """Tell in one line what all workers counted."""
        return str(self._ask("sentence", counts))

    def _ask(self, method: str, argument: object) -> Any:
        answer = pickle.loads(self.exchange(pickle.dumps((method, argument))))
        if isinstance(answer, BaseException):
            raise answer
        return answer
