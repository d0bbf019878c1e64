"""Records read in a thread, so that a silent pipe blocks neither a person who goes back nor an answer that came."""

import contextlib
import os
import select
import threading
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

Made = TypeVar("Made")

# Enough to show what is left of a session's work, little enough for any memory.
LOOKAHEAD = 500


class ReadAhead(Generic[Made]):
    """The next items of an iterator, taken before they are needed; `descriptor` is readable when something changed."""

    def __init__(self, items: Iterator[Made], num_ahead: int = LOOKAHEAD) -> None:
        self.waiting: deque[Made] = deque()
        self.ended = False
        self.descriptor, self._signal = os.pipe()
        os.set_blocking(self._signal, False)
        os.set_blocking(self.descriptor, False)
        self._items = items
        self._error: BaseException | None = None
        self._room = threading.Semaphore(num_ahead)
        # A thread that waits for a silent pipe must not keep the process alive.
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            for item in self._items:
                self._room.acquire()
                self.waiting.append(item)
                self.wake()
        except BaseException as error:  # raised in the thread that takes the items, after those before it
            self._error = error
        self.ended = True
        self.wake()

    def wake(self) -> None:
        """Wake whoever waits: something other than the items changed."""
        with contextlib.suppress(BlockingIOError):  # it is readable already
            os.write(self._signal, b"!")

    def take(self) -> Made | None:
        """Take the next item; None if it has not come, or, once `ended`, if none will.

        Raises what reading raised.
        """
        self.acknowledge()
        ended = self.ended  # before looking: what comes in between is taken next time
        if self.waiting:
            self._room.release()
            return self.waiting.popleft()
        if ended and self._error is not None:
            raise self._error
        return None

    def acknowledge(self) -> None:
        """Make the descriptor wait for the next change."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.descriptor, 1 << 16)

    def wait(self) -> None:
        """Wait until something changed."""
        select.select([self.descriptor], [], [])

    @property
    def is_done(self) -> bool:
        """Whether everything was taken."""
        return self.ended and not self.waiting and self._error is None
