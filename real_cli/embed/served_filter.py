"""What `real embed --endpoint` does to records: a server embeds their texts."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from real_cli.cli.served import BatchAsking
from real_cli.embed.carriers import prepared, texts_of, with_embeddings
from real_cli.embed.written import WrittenBefore
from real_cli.errors import RealError, RecordError
from real_cli.io.job import Job, Located
from real_cli.io.resume import unfinished
from real_cli.llm.served.vectors import VectorReader, embeddings_wire
from real_cli.records.layouts import Adapted, adapt, adapt_prompt
from real_cli.records.questions import Inquiry, Question
from real_cli.records.record import Record, content_key
from real_cli.text.phrases import say_count

if TYPE_CHECKING:
    from real_cli.embed.command import EmbedOptions

WINDOW_TEXTS = 4096


class EmbeddedTally:
    """Counts texts."""

    def __init__(self) -> None:
        self.num_texts = self.num_empty = 0

    def add(self, texts: list[str]) -> None:
        """Count the texts of one record."""
        self.num_texts += len(texts)
        self.num_empty += sum(not text.strip() for text in texts)


class ServedEmbedFilter:
    """Has a server embed records, and writes them.

    Attributes:
        before: What an earlier run wrote that this one goes on with.
    """

    limit = WINDOW_TEXTS

    def __init__(self, options: "EmbedOptions") -> None:
        self._field, self._encoding, self._resume = options.field, options.encoding, options.resume
        wire = embeddings_wire(options.dimensions)
        self._asking = BatchAsking(options, options.model, wire, options.per_request)
        self._read_vector = VectorReader(options.dimensions)
        self._tally = EmbeddedTally()
        self.before = WrittenBefore(options.field, options.encoding, self._texts)

    def _texts(self, record: Record) -> list[str]:
        return texts_of(record, self._field)

    def left(self, job: Job, resume: Path | None) -> Iterator[Located]:
        """Read the records that an earlier run did not write, those that failed then first."""
        return unfinished(job.records(self.read), resume, content_key, self._written_key, skip=job.counter.skip)

    def _written_key(self, written: Record) -> bytes:
        try:
            self.before.check(written)
        except RecordError as error:
            raise RealError(f"{self._resume}: a record {error}; resume with the same input and options") from None
        return content_key(written)

    def read(self, record: Record) -> Adapted:
        """Read one record of any layout."""
        return (adapt if self._field == "responses" else adapt_prompt)(record)

    def size(self, record: Record) -> int:
        """Count the texts of a record."""
        return len(self._texts(prepared(record, self._field)))

    def run(self, job: Job, located: Iterable[Located]) -> None:
        """Have records embedded, and write them."""
        for _, _, embedded in job.counter.finished(self._asking(job, self._begin, located)):
            self._tally.add(self._texts(embedded))
            job.write(embedded)
            job.flush()

    def _begin(self, record: Record) -> Inquiry[Record]:
        """Ask for the vectors of a record, and first for that of a text that an earlier run wrote."""
        carrier = prepared(record, self._field)
        texts, again = self._texts(carrier), self.before.texts
        answers = yield [Question(text, self._read_vector) for text in [*texts, *again]]
        vectors = [answer.value for answer in answers]
        if again:
            self.before.compare(lambda _: vectors[-1])
        return with_embeddings(carrier, iter(vectors[: len(texts)]), self._field, self._encoding)

    def load(self) -> None:
        """Load nothing: the server is asked as records come."""

    @property
    def counted(self) -> Mapping[str, object]:
        """What counts."""
        return {"tally": self._tally, "asked": self._asking.counts}

    def sentence(self) -> str:
        """Tell in one line what was embedded, and what it cost."""
        text = f"{say_count(self._tally.num_texts, 'text')} embedded"
        text += f"; {self._tally.num_empty:,} empty" if self._tally.num_empty else ""
        return text + self._asking.sentence()
