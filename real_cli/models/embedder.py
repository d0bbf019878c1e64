"""Records to records with embeddings, a window at a time."""

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from real_cli.core.names import Encoding, Field
from real_cli.core.records import Record, to_candidates
from real_cli.core.texts import plain_text
from real_cli.core.vectors import encode_embedding
from real_cli.errors import RealError
from real_cli.models.batching import Budget
from real_cli.models.encoders import Encoder

WINDOW_TEXTS = 4096


class Embedder:
    """Add an `embedding` to each response (or to each record, for its prompt).

    A window of a few thousand texts is in memory at a time: equal texts are embedded once, sorted by length, batched by
    a token budget and put back in order.

    Attributes:
        num_texts: Texts seen.
        num_distinct: Texts embedded; equal ones of a window count once.
        num_truncated: Distinct texts longer than the model's limit.
        num_empty: Texts without a word.
    """

    def __init__(
        self,
        load: Callable[[], Encoder],
        *,
        field: Field = Field.responses,
        encoding: Encoding = Encoding.array,
        batch_tokens: int = 8192,
        window_texts: int = WINDOW_TEXTS,
        told: Callable[[str], None] = lambda message: None,
    ) -> None:
        self._load = load
        self._field = field
        self._encoding = encoding
        self._window_texts = window_texts
        self._budget = Budget(batch_tokens, told)
        self.num_texts = self.num_distinct = self.num_truncated = self.num_empty = 0

    @cached_property
    def _encoder(self) -> Encoder:
        # At the first text, not before: an empty stream needs no model, and a pickled embedder carries no weights.
        return self._load()

    def __call__(self, records: Iterable[Record]) -> Iterator[Record]:
        """Embed a stream of records.

        Args:
            records: Candidates or preference records, checked.

        Yields:
            Candidates with embeddings (for the prompt: the record itself with one), in order.
        """
        for window in self._windows(records):
            texts = [text for record in window for text in self._texts(record)]
            vectors = iter(self._embed(texts))
            for record in window:
                yield self._with_embeddings(record, vectors)

    def sentence(self) -> str:
        """Tell what was embedded, in one line.

        Returns:
            Counts; what was cut or empty is named.
        """
        text = f"{self.num_texts:,} texts embedded ({self.num_distinct:,} distinct in their windows)"
        if self.num_truncated:
            text += f"; {self.num_truncated:,} cut to {self._encoder.max_length} tokens"
        return text + (f"; {self.num_empty:,} empty" if self.num_empty else "")

    def _windows(self, records: Iterable[Record]) -> Iterator[list[Record]]:
        window: list[Record] = []
        num_texts = 0
        for record in records:
            prepared = to_candidates(record) if self._field is Field.responses else record
            window.append(prepared)
            num_texts += len(self._texts(prepared))
            if num_texts >= self._window_texts:
                yield window
                window, num_texts = [], 0
        if window:
            yield window

    def _texts(self, record: Record) -> list[str]:
        if self._field is Field.prompt:
            return [plain_text(record["prompt"])]
        return [plain_text(response["text"]) for response in record["responses"]]

    def _embed(self, texts: list[str]) -> list[NDArray[np.float32]]:
        distinct = list(dict.fromkeys(texts))
        lengths = self._encoder.count_tokens(distinct) if distinct else []
        limit = self._encoder.max_length
        self.num_texts += len(texts)
        self.num_distinct += len(distinct)
        self.num_truncated += sum(length > limit for length in lengths)
        self.num_empty += sum(not text.strip() for text in texts)
        vectors = self._budget.run(
            [min(length, limit) for length in lengths],
            lambda batch: list(self._encoder.encode([distinct[index] for index in batch])),
        )
        for text, vector in zip(distinct, vectors, strict=True):
            if not np.isfinite(vector).all():
                raise RealError(f"the model's embedding of {text[:40]!r} is not finite; try --dtype float32")
        by_text = dict(zip(distinct, vectors, strict=True))
        return [by_text[text] for text in texts]

    def _with_embeddings(self, record: Record, vectors: Iterator[NDArray[np.float32]]) -> Record:
        if self._field is Field.prompt:
            return record | encode_embedding(next(vectors), self._encoding)
        own = islice(vectors, len(record["responses"]))
        responses = [
            {name: value for name, value in response.items() if name != "embedding_dtype"}
            | encode_embedding(vector, self._encoding)
            for response, vector in zip(record["responses"], own, strict=True)
        ]
        return record | {"responses": responses}
