"""One command's work on a window of lines, for any process on any machine."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Generic, NamedTuple, Protocol, TypeVar

from real_cli.cluster.counts import Counts, clear_counts, read_counts, set_counts
from real_cli.cluster.windows import PlacedLine, replay
from real_cli.errors import RecordError
from real_cli.io.job import Job, Located
from real_cli.io.jsonl import parse_record
from real_cli.io.progress import heard, say
from real_cli.io.sources import Item
from real_cli.models.load.resolve import adapters_on
from real_cli.records.choices import OnError
from real_cli.records.layouts import Adapted
from real_cli.records.record import Record


class RecordFilter(Protocol):
    """What a command does to records; it can be pickled, and then carries no weights.

    Attributes:
        limit: The size of a window.
    """

    limit: int

    def read(self, record: Record) -> Adapted:
        """Read one record of any layout."""
        ...

    def size(self, record: Record) -> int:
        """Return how much a record adds to a window."""
        ...

    def run(self, job: Job, located: Iterable[Located]) -> None:
        """Work on records, and give the job what becomes of them."""
        ...

    def load(self) -> None:
        """Load the model, and whatever else counts."""
        ...

    @property
    def counted(self) -> Mapping[str, object]:
        """What counts, by name, as far as it is there."""
        ...

    def sentence(self) -> str:
        """Tell in one line what was done."""
        ...


Work = TypeVar("Work", bound=RecordFilter)
Work_co = TypeVar("Work_co", bound=RecordFilter, covariant=True)


class FilterOptions(Protocol[Work_co]):
    """The options of a command whose work can be done anywhere."""

    @property
    def quiet(self) -> bool:
        """Whether nothing is told."""
        ...

    @property
    def on_error(self) -> OnError:
        """What a bad record does."""
        ...

    @property
    def rejects(self) -> Path | None:
        """Where refused records go."""
        ...

    def record_filter(self) -> Work_co:
        """Set up the work, without a model yet."""
        ...


class FilteredWindow(NamedTuple):
    """What became of a window.

    Attributes:
        output: Records as lines of JSON, each with its newline, in order.
        rejects: Lines for the file of --rejects: `place`, `reason` and the record.
        num_done: Records that are done, rejected ones too.
        num_rejected: Records that were rejected.
        num_dropped: Sound records that were left out, by reason.
        num_noted: Records that something is to be told of, by what.
        words: What is to be told, each once a run.
        counts: What the work counted in this window.
        error: What ended the run, after what is in `output`; None for nothing.
    """

    output: bytes
    rejects: bytes
    num_done: int
    num_rejected: int
    num_dropped: dict[str, int]
    num_noted: dict[str, int]
    words: list[str]
    counts: Counts
    error: BaseException | None

    @property
    def lines(self) -> list[bytes]:
        """The records of `output`."""
        return self.output.splitlines(keepends=True)


class WindowJob(Job):
    """Keeps in memory what a command does with a window."""

    def __init__(
        self, options: FilterOptions[RecordFilter], lines: Sequence[PlacedLine], *, keeps_rejects: bool
    ) -> None:
        super().__init__([os.devnull], on_error=options.on_error, quiet=True)
        self.quiet = options.quiet
        self.output, self.refused = BytesIO(), BytesIO()
        self._output = self.output
        self.rejects_file = self.refused if keeps_rejects else None
        self._lines = lines

    def _items(self, ahead: Callable[[Record], None] | None) -> Iterator[Item]:
        for data, place, _ in self._lines:
            try:
                yield Item(place, parse_record(data), data)
            except RecordError as error:
                yield Item(place, None, data, str(error))

    def finish(self, words: list[str], counts: Counts, error: BaseException | None) -> FilteredWindow:
        """Return what became of the window."""
        return FilteredWindow(
            self.output.getvalue(),
            self.refused.getvalue(),
            self.counter.num_done,
            self.num_rejected,
            dict(self.num_dropped),
            dict(self.joined_rows.num_noted),
            words,
            counts,
            error,
        )


class LineFilter(Generic[Work]):
    """What a command does to a window of lines, exactly as the command does it.

    It is made of the command's own options and can be pickled: a process of Ray or Spark gets one, loads the model at
    the first window and keeps it. Equal windows give equal bytes; a command's own windows have `limit` by `size`.

    Attributes:
        work: What is done to the records.

    Args:
        options: Of `embed`, `sample`, `relabel reward` or `relabel implicit`; input and output that they name are not
            opened.

    Example:
        >>> from real_cli.embed.command import EmbedOptions
        >>> LineFilter(EmbedOptions(model="minilm"))([]).lines
        []
    """

    def __init__(self, options: FilterOptions[Work]) -> None:
        self.work: Work = options.record_filter()
        self._options = options

    def __call__(self, lines: Iterable[PlacedLine]) -> FilteredWindow:
        """Filter a window of lines of any layout; rows of one response are joined where they are in one window.

        Args:
            lines: Records as JSON, each with the place that errors name.

        Returns:
            Output, rejects and counts.

        Raises:
            RealError: If a record is bad and the options do not skip it, or the model cannot be loaded.
        """
        job = WindowJob(self._options, list(lines), keeps_rejects=True)
        done = self._run(job, job.records(self.work.read))
        if done.error is not None:
            raise done.error
        return done

    def filter_read(self, window: Sequence[PlacedLine]) -> FilteredWindow:
        """Filter a window that a command has read and cut; an error is part of what comes back."""
        job = WindowJob(self._options, window, keeps_rejects=self._options.rejects is not None)
        return self._run(job, replay(job, window))

    def _run(self, job: WindowJob, located: Iterator[Located]) -> FilteredWindow:
        clear_counts(self.work.counted)
        error: BaseException | None = None
        with heard() as words, _noted(), adapters_on(getattr(self._options, "base", None)):
            try:
                self.work.run(job, located)
            except Exception as fault:
                error = fault
        return job.finish(words, read_counts(self.work.counted), error)

    def sentence(self, counts: Counts) -> str:
        """Tell in one line what several processes counted."""
        with heard(), _noted(), adapters_on(getattr(self._options, "base", None)):
            if counts.keys() - self.work.counted.keys():
                self.work.load()
            set_counts(self.work.counted, counts)
            return self.work.sentence()


class _NoteSayer(logging.Handler):
    """Says notes about models."""

    def emit(self, record: logging.LogRecord) -> None:
        say(record.getMessage())


@contextmanager
def _noted() -> Iterator[None]:
    """Say the notes that modules log."""
    notes, handler = logging.getLogger("real_cli.notes"), _NoteSayer()
    before = notes.level, notes.propagate
    notes.setLevel(logging.INFO)
    notes.propagate = False
    notes.addHandler(handler)
    try:
        yield
    finally:
        notes.removeHandler(handler)
        notes.level, notes.propagate = before
