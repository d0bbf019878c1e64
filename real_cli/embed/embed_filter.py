"""What `real embed` does to records, here or in a worker."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from real_cli.embed.choices import Field
from real_cli.embed.embedder import WINDOW_TEXTS, Embedder
from real_cli.embed.encoders import load_encoder
from real_cli.io.job import Job, Located
from real_cli.io.progress import speaker
from real_cli.io.resume import remaining
from real_cli.records.layouts import Adapted, adapt, adapt_prompt
from real_cli.records.record import Record

if TYPE_CHECKING:
    from real_cli.embed.command import EmbedOptions


class EmbedFilter:
    """Embeds records and writes them.

    Attributes:
        embedder: What embeds.
        before: What an earlier run wrote that this one goes on with.
    """

    limit = WINDOW_TEXTS

    def __init__(self, options: "EmbedOptions") -> None:
        load = partial(
            load_encoder,
            options.model,
            device=options.device,
            precision=options.dtype,
            max_length=options.max_length,
            pooling=options.pooling,
            layer=options.layer,
            backend=options.backend,
        )
        self._is_of_prompts = options.field is Field.prompt
        self.embedder = Embedder(
            load,
            field=options.field,
            encoding=options.encoding,
            batch_tokens=options.batch_tokens,
            tell=speaker(options.quiet),
        )
        self.before = self.embedder.before

    def left(self, job: Job, resume: Path | None) -> Iterator[Located]:
        """Read the records that an earlier run did not write."""
        left = remaining(job.records(self.read), resume, self.before.check, skip=job.counter.skip)
        return (Located("", record) for record in left)

    def read(self, record: Record) -> Adapted:
        """Read one record of any layout."""
        return adapt_prompt(record) if self._is_of_prompts else adapt(record)

    def size(self, record: Record) -> int:
        """Count the texts of a record."""
        return self.embedder.count_texts(record)

    def run(self, job: Job, located: Iterable[Located]) -> None:
        """Embed records, and write them."""
        for record in job.counter.finished(self.embedder(item.record for item in located)):
            job.write(record)

    def load(self) -> None:
        """Load nothing: the sentence loads what it needs."""

    @property
    def counted(self) -> Mapping[str, object]:
        """What counts."""
        return {"embedder": self.embedder}

    def sentence(self) -> str:
        """Tell in one line what was embedded."""
        return self.embedder.sentence()
