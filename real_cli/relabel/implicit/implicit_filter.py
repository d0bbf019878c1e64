"""What `real relabel implicit` does to records, here or in a worker."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from real_cli.errors import UsageError
from real_cli.io.job import Job, Located
from real_cli.io.progress import speaker
from real_cli.io.word_files import read_words
from real_cli.models.score.model_pair import ModelPair
from real_cli.records.layouts import Adapted, adapt
from real_cli.records.place_words import check_contrast
from real_cli.records.record import Record
from real_cli.records.response_fields import responses_of
from real_cli.relabel.implicit.measure import (
    TOO_LONG,
    WINDOW_RESPONSES,
    ContrastMeter,
    ImplicitMeter,
    ReferenceMeter,
)
from real_cli.relabel.implicit.rewards import add_contrast, add_implicit, check_beta
from real_cli.relabel.label_check import LabelCheck
from real_cli.relabel.scored import check_field, write_scored

if TYPE_CHECKING:
    from real_cli.relabel.implicit.command import ImplicitOptions


class ImplicitFilter:
    """Scores responses by a policy's log-probabilities and writes their records."""

    limit = WINDOW_RESPONSES

    def __init__(self, options: "ImplicitOptions") -> None:
        self._field = check_field(options.field)
        models = ModelPair(
            options.policy,
            options.reference,
            device=options.device,
            precision=options.dtype,
            attention=options.attention,
            layout=options.layout,
            batch_tokens=options.batch_tokens,
            max_length=options.max_length,
            tell=speaker(options.quiet),
        )
        self._is_contrast = options.contrast is not None
        self._meter: ImplicitMeter = (
            _against_opposite(models, options)
            if self._is_contrast
            else ReferenceMeter(models, beta=check_beta(options.beta))
        )
        self._check = LabelCheck()

    def read(self, record: Record) -> Adapted:
        """Read one record of any layout."""
        return adapt(record)

    def size(self, record: Record) -> int:
        """Count the sequences of a record."""
        return len(responses_of(record)) * (2 if self._is_contrast else 1)

    def run(self, job: Job, located: Iterable[Located]) -> None:
        """Score records, and write them."""
        write_scored(job, self._meter(job.apply(self._meter.read, located)), self._mark, TOO_LONG)

    def load(self) -> None:
        """Load the tokenizer, which counts."""
        self._meter.load()

    @property
    def counted(self) -> Mapping[str, object]:
        """What counts."""
        return {"check": self._check, **self._meter.counted}

    def sentence(self) -> str:
        """Tell in one line what was scored."""
        return "; ".join(filter(None, (self._meter.sentence(), self._check.sentence())))

    def _mark(self, record: Record, rewards: list[float]) -> Record:
        add = add_contrast if self._is_contrast else add_implicit
        scored = add(record, rewards, self._field)
        self._check.add(record, rewards, self._field)
        return scored


def _against_opposite(models: ModelPair, options: "ImplicitOptions") -> ImplicitMeter:
    if options.reference is not None:
        raise UsageError("--contrast: compares two prompts under the policy alone; leave out --reference")
    if "beta" in options.given:
        raise UsageError("--contrast: the score is in nats, without beta; leave out --beta")
    positive, negative = (check_contrast(read_words(words)) for words in options.contrast or ())
    return ContrastMeter(models, positive=positive, negative=negative)
