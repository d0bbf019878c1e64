"""Records to records with embeddings, a window at a time."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from functools import cached_property
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.embed.carriers import prepared, texts_of, with_embeddings
from real_cli.embed.choices import Field
from real_cli.embed.encoders import Encoder
from real_cli.embed.written import WrittenBefore
from real_cli.errors import RealError, RecordError
from real_cli.io.progress import keep_silent, running_counter
from real_cli.models.load.device import default_batch_tokens, is_slower
from real_cli.models.score.batching import TokenBudget
from real_cli.records.choices import Encoding
from real_cli.records.record import Record, to_candidates
from real_cli.text.phrases import say_count

WINDOW_TEXTS = 4096
# Of what computes in another, that is told: nobody may have asked for it.
DEFAULT_FORMAT = "float32"
# Told after a minute's work or so, where it holds.
FASTER = "; this processor computes faster with --dtype bfloat16, which changes vectors by less than 0.002 in cosine"


class Embedder:
    """Add an `embedding` to each response (or to each record, for its prompt without system messages).

    In a window of a few thousand texts equal ones are embedded once, sorted by length, batched by a token budget and
    put back in order. The model works in a thread of its own: while it has one window, the next is read and the one
    before is written, so two or three windows are in memory.

    Attributes:
        num_texts: Texts seen.
        num_distinct: Texts embedded; equal ones of a window count once.
        num_truncated: Distinct texts longer than the model's limit.
        num_empty: Texts without a word.
        before: What an earlier run wrote that this one goes on with.
    """

    def __init__(
        self,
        load: Callable[[], Encoder],
        *,
        field: Field = Field.responses,
        encoding: Encoding = Encoding.array,
        batch_tokens: int | None = None,
        window_texts: int = WINDOW_TEXTS,
        tell: Callable[[str], None] = keep_silent,
    ) -> None:
        self._load = load
        self._field = field
        self._encoding = encoding
        self._window_texts = window_texts
        self._batch_tokens = batch_tokens
        self._tell = tell
        self.num_texts = self.num_distinct = self.num_truncated = self.num_empty = 0
        self.before = WrittenBefore(field, encoding, self._texts)

    @cached_property
    def _encoder(self) -> Encoder:
        # At the first text, not before: an empty stream needs no model, and a pickled embedder carries no weights.
        return self._load()

    @cached_property
    def _budget(self) -> TokenBudget:
        device = self._encoder.place.device
        return TokenBudget(self._batch_tokens or default_batch_tokens(device), self._tell)

    def __call__(self, records: Iterable[Record]) -> Iterator[Record]:
        """Embed a stream of checked records, in order: responses as candidates, prompts on their records."""
        pending: deque[tuple[list[Record], Future[list[NDArray[np.float32]]]]] = deque()
        worker = ThreadPoolExecutor(max_workers=1)
        stopped = Event()
        windows = self._windows(records)
        try:
            while (window := self._next_window(windows)) and not isinstance(window, RecordError):
                texts = [text for record in window for text in self._texts(record)]
                pending.append((window, worker.submit(self._work, texts, stopped, len(window))))
                if len(pending) > 1:
                    yield from self._finish(*pending.popleft())
            while pending:
                yield from self._finish(*pending.popleft())
        finally:
            stopped.set()
            worker.shutdown(cancel_futures=True)
        if isinstance(window, RecordError):
            raise window

    def _next_window(self, windows: Iterator[list[Record]]) -> list[Record] | RecordError | None:
        """Read a window; a bad record ends the run only once the windows before it are written."""
        try:
            return next(windows, None)
        except RecordError as error:
            return error

    def _finish(self, window: list[Record], embedded: Future[list[NDArray[np.float32]]]) -> Iterator[Record]:
        vectors = iter(embedded.result())
        for record in window:
            yield with_embeddings(record, vectors, self._field, self._encoding)

    def count_texts(self, record: Record) -> int:
        """Count the texts of a record that are embedded."""
        return 1 if self._field is Field.prompt else len(to_candidates(record)["responses"])

    def sentence(self) -> str:
        """Tell in one line what was embedded, cut or empty."""
        text = f"{say_count(self.num_texts, 'text')} embedded ({self.num_distinct:,} distinct in their windows)"
        if self.num_truncated:
            text += f"; {self.num_truncated:,} cut to {self._encoder.max_length} tokens"
        text += f"; {self.num_empty:,} empty" if self.num_empty else ""
        dtype = str(self._encoder.place.dtype).removeprefix("torch.") if self.num_distinct else DEFAULT_FORMAT
        text += f"; computed in {dtype}" if dtype != DEFAULT_FORMAT else ""
        return text + (FASTER if self.num_distinct >= self._window_texts and is_slower(self._encoder.place) else "")

    def _windows(self, records: Iterable[Record]) -> Iterator[list[Record]]:
        window: list[Record] = []
        num_texts = 0
        for record in records:
            window.append(prepared(record, self._field))
            num_texts += len(self._texts(window[-1]))
            if num_texts >= self._window_texts:
                yield window
                window, num_texts = [], 0
        if window:
            yield window

    def _texts(self, record: Record) -> list[str]:
        return texts_of(record, self._field)

    def _work(self, texts: list[str], stopped: Event, num_records: int) -> list[NDArray[np.float32]]:
        running_counter().begin_window(num_records)
        try:
            return self._embed(texts, stopped)
        except BaseException:
            stopped.set()  # the next window would load the model again, or fail alike
            raise

    def _embed(self, texts: list[str], stopped: Event) -> list[NDArray[np.float32]]:
        distinct = list(dict.fromkeys(texts))
        if not distinct or stopped.is_set():
            return []
        self.before.compare(lambda text: self._encoder.encode(self._encoder.prepare([text]).inputs)[0])
        ready = self._encoder.prepare(distinct)
        self.num_texts += len(texts)
        self.num_distinct += len(distinct)
        self.num_truncated += ready.num_cut
        self.num_empty += sum(not text.strip() for text in texts)
        vectors = self._budget.run(
            ready.lengths, lambda batch: self._encode([ready.inputs[index] for index in batch], stopped)
        )
        for text, vector in zip(distinct, vectors, strict=True):
            if not np.isfinite(vector).all():
                raise RealError(f"the model's embedding of {text[:40]!r} is not finite; try --dtype float32")
        by_text = dict(zip(distinct, vectors, strict=True))
        return [by_text[text] for text in texts]

    def _encode(self, inputs: Sequence[Any], stopped: Event) -> list[NDArray[np.float32]]:
        if stopped.is_set():
            raise CancelledError  # nobody waits for the rest of the window
        return list(self._encoder.encode(inputs))
