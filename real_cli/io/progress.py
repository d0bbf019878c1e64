"""What a run says on standard error: lines, and how far it is while it works."""

import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import ClassVar, Self, TextIO, TypeVar

from real_cli.errors import show_name
from real_cli.io.terminal.gauge import InputGauge
from real_cli.io.terminal.line import ProgressLine, can_show_progress
from real_cli.io.terminal.stream import PrintableStream, silence
from real_cli.text.progress_words import RunState
from real_cli.text.secrets import mask_addresses
from real_cli.text.terminal_safe import printable_line

NAME_OF_STDOUT = "standard output"
Made = TypeVar("Made")
# Rates are of the last minute, or of the last few records where they take longer.
RECENT_SECONDS, RECENT_COUNT = 60.0, 5
SMALLEST_SHARE = 1e-9
# Who waits longer for the next record lets another command of the pipe draw.
PATIENCE_SECONDS = 2.0


def make_stderr_printable() -> None:
    """Keep a terminal from obeying anything written to standard error from now on."""
    if sys.stderr is None:  # it was closed: nobody listens
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - lives as long as the process
    if hasattr(sys.stderr, "buffer") and not isinstance(sys.stderr, PrintableStream):
        sys.stderr = PrintableStream(sys.stderr)


def obeyed_stderr() -> TextIO:
    """Return the stream that the terminal obeys: for our own bars and tables, printable in every cell."""
    return getattr(sys.stderr, "obeyed", sys.stderr)


def say(message: str) -> None:
    """Write one line to standard error; control characters are shown, not obeyed, and secrets of addresses hidden."""
    if Heard.lines is not None:
        Heard.lines.append(message)
        return
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(f"real: {printable_line(mask_addresses(show_name(message)))}\n")
        sys.stderr.flush()
    except OSError:
        silence(2)  # having nobody to tell is no reason to stop


class Heard:
    """What `say` was given to say elsewhere."""

    lines: ClassVar[list[str] | None] = None


@contextmanager
def heard() -> Iterator[list[str]]:
    """Collect what `say` is given in place of writing it."""
    before, lines = Heard.lines, list[str]()
    Heard.lines = lines
    try:
        yield lines
    finally:
        Heard.lines = before


def keep_silent(message: str) -> None:
    """Say nothing."""


def speaker(quiet: bool) -> Callable[[str], None]:
    """Return `say`, or with `quiet` a function that says nothing; either can be pickled."""
    return keep_silent if quiet else say


class Counter:
    """How far a run is; shown on a terminal, without --quiet.

    A run counts what it reads, or, where it works in batches, what is done (`finished`, `add`). Its phases are shown on
    one line, one after another.

    Attributes:
        num_done: How many are done in this phase, where they are counted one by one.
        gauge: Of the input, for a total; None where a phase reads none.
        note: Says what else is worth a few words.
        counts_windows: Whether a window that is worked on counts as far as it is done; not where records go through
            several, one after another.
    """

    command: ClassVar[str] = ""
    running: ClassVar["Counter | None"] = None

    def __init__(self, what: str, *, quiet: bool, total: int | None = None) -> None:
        self._line = ProgressLine(self.state) if not quiet and can_show_progress() else None
        self._began = time.monotonic()
        self.counts_windows = True
        self.begin(what, total)

    def begin(self, what: str, total: int | None = None, *, unit: str = "", scale: float = 1.0) -> None:
        """Begin a phase; its rate is told in `unit`, of which each that is counted has `scale`."""
        self.gauge: InputGauge | None = None
        self.num_done = self._num_skipped = 0
        self.note: Callable[[], str] = lambda: ""
        self._what, self._total, self._unit, self._scale = what, total, unit, scale
        self._counts_done = False
        self._most = 0
        self.begin_window(0)
        self._history: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])

    def __enter__(self) -> Self:
        self._outer, Counter.running = Counter.running, self
        if self._line:
            self._line.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        Counter.running = self._outer
        if self._line:
            self._line.end()

    def add(self, count: int = 1) -> None:
        """Count what is done."""
        self._counts_done = True
        self.num_done += count

    def skip(self) -> None:
        """Count a record that needs no work; it tells nothing of the rate."""
        self.add()
        self._num_skipped += 1

    def only(self, items: Iterable[Made], is_wanted: Callable[[Made], bool]) -> Iterator[Made]:
        """Pass on the items that are wanted; the others need no work."""
        for item in items:
            if is_wanted(item):
                yield item
            else:
                self.skip()

    def finished(self, items: Iterable[Made]) -> Iterator[Made]:
        """Pass on what batches gave, and count it; what was read and not yet given is not done."""
        self._counts_done = True
        for item in items:
            self.num_done += 1
            yield item

    def begin_window(self, num_records: int, num_passes: int = 1) -> None:
        """Begin to work on some records at once, under one model after another if there are several passes."""
        self._window, self._num_passes, self._num_passed = num_records * self.counts_windows, num_passes, 0
        self._share, self._batch, self._is_passed = 0.0, (0.0, 1.0), False

    def begin_batch(self, share_before: float, share: float) -> None:
        """Begin a batch of the window: which share of the pass was done before it, and which it is itself."""
        if not share_before and self._is_passed:
            self._num_passed += 1
            self._is_passed = False
        self._batch = share_before, share
        self.tell_part(0)

    def tell_part(self, part: float) -> None:
        """Note which part of the batch is done; a window never goes back."""
        before, share = self._batch
        self._is_passed = part == 1 and before + share > 1 - SMALLEST_SHARE
        self._share = min(1.0, max(self._share, (self._num_passed + before + part * share) / self._num_passes))

    def refuse(self) -> None:
        """Count a record that was refused, where others are counted when they are done."""
        if self._counts_done:
            self.skip()

    def position(self) -> tuple[int, int | None, bool]:
        """Return how many are done, how many there will be (None if nobody knows), and whether that is estimated."""
        if self.gauge is None or self._total is not None:
            done = self.num_done + int(self._share * self._window)
            return (done if self._total is None else min(done, self._total)), self._total, False
        num_read, fraction = self.gauge.num_records, self.gauge.fraction()
        done = self.num_done + int(self._share * self._window) if self._counts_done or self._window else num_read
        # A window is done before its records are written: what was shown once stands.
        done = self._most = max(self._most, min(done, num_read))
        if not fraction or not num_read:
            return done, None, False
        return done, round(num_read / fraction), fraction < 1

    def state(self) -> RunState:
        """Say how far the run is now; to be asked again and again, by one thread."""
        now = time.monotonic()
        done, total, is_estimate = self.position()
        rate = self._rate(now, done - self._num_skipped)
        left = None if rate is None or total is None or not rate else (total - done) / rate
        scaled = None if rate is None else rate * self._scale
        return RunState(
            command=self.command,
            what=self._what,
            num_done=done,
            total=total,
            is_estimate=is_estimate,
            seconds=now - self._began,
            rate=scaled,
            unit=self._unit,
            seconds_left=left,
            note=self.note(),
            is_counted=self.gauge is not None or total is not None or self._counts_done,
            is_waiting=self._is_waiting(now),
        )

    def _is_waiting(self, now: float) -> bool:
        """Tell whether nothing can be done until the input gives more: it gave nothing yet, or nothing for a while."""
        gauge = self.gauge
        since = None if gauge is None else gauge.waits_since
        if gauge is None or since is None or (self._window and self._share < 1):
            return False
        if gauge.reads_ahead and self._counts_done and self.num_done < gauge.num_records:
            return False
        return not gauge.num_records or now - since >= PATIENCE_SECONDS

    def _rate(self, now: float, done: int) -> float | None:
        history = self._history
        if not history[-1][1] and not done:
            history[-1] = now, 0  # the model is loading; that tells nothing of the rate
            return None
        history.append((now, done))
        while now - history[1][0] > RECENT_SECONDS and done - history[1][1] >= RECENT_COUNT:
            history.popleft()
        since, before = history[0]
        seconds = now - since
        return (done - before) / seconds if done > before and seconds > 0 else None


def running_counter() -> Counter:
    """Return the counter of the run that is shown; one that nobody sees where there is none."""
    return Counter.running or Counter("records", quiet=True)
