"""What an earlier run wrote, and evidence that this run would have written the same."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.embed.choices import Field
from real_cli.errors import RealError, RecordError
from real_cli.records.choices import Encoding
from real_cli.records.record import Record
from real_cli.records.vectors import decode_embedding, encode_embedding, row_norms

# Number formats and batches move a vector by less; other models, layers and poolings by more.
LEAST_COSINE = 0.99


class WrittenBefore:
    """Records with embeddings that an earlier run wrote: each has this run's form, and one is embedded again.

    Args:
        field: What this run embeds.
        encoding: How it writes vectors.
        texts_of: The texts of a record that it embeds.
    """

    def __init__(self, field: Field, encoding: Encoding, texts_of: Callable[[Record], list[str]]) -> None:
        self._field = field
        self._form = {name: type(value) for name, value in encode_embedding(np.zeros(1, np.float32), encoding).items()}
        if encoding is Encoding.array:
            self._form = {"embedding": list}
        self._texts_of = texts_of
        self._sample: tuple[str, NDArray[np.floating[Any]]] | None = None

    def check(self, record: Record) -> None:
        """Check the form of one record; RecordError if this run would have written another."""
        carriers = [record] if self._field is Field.prompt else record["responses"]
        for carrier in carriers:
            form = {name: type(carrier[name]) for name in ("embedding", "embedding_dtype") if name in carrier}
            if "embedding" not in form:
                raise RecordError("has no embedding, so no such run wrote it")
            if form != self._form:
                raise RecordError("has embeddings in another --encoding")
        if self._sample is None and carriers:
            self._sample = (self._texts_of(record)[0], decode_embedding(carriers[0]))

    @property
    def texts(self) -> list[str]:
        """The text that is to be embedded again; none where nothing was written, or it was compared."""
        return [] if self._sample is None else [self._sample[0]]

    def compare(self, embed: Callable[[str], NDArray[np.float32]]) -> None:
        """Embed one text again; RealError if its vector differs."""
        if self._sample is None:
            return
        (text, written), self._sample = self._sample, None
        vector = embed(text)
        pair = [np.asarray(each, dtype=np.float64) for each in (written, vector)]
        norms = [float(row_norms(each[None])[0, 0]) for each in pair]
        if pair[0].shape != pair[1].shape or (all(norms) and pair[0] @ pair[1] < LEAST_COSINE * norms[0] * norms[1]):
            raise RealError(
                "--resume: the file has vectors of another model, --layer, --pooling or --max-length; give the same "
                "options, or name another file"
            )
