"""What `real relabel reward` does to records, here or in a worker."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from real_cli.io.job import Job, Located
from real_cli.io.progress import speaker
from real_cli.models.reward.reward_models import load_reward_model
from real_cli.models.reward.reward_texts import check_template
from real_cli.models.reward.rewards import (
    WINDOW_SEQUENCES,
    PairwiseRewards,
    PointwiseRewards,
    SequenceScorer,
    difference_matrix,
)
from real_cli.records.layouts import Adapted, adapt
from real_cli.records.record import Record
from real_cli.records.response_fields import responses_of
from real_cli.relabel.label_check import LabelCheck
from real_cli.relabel.reward.scores import add_differences, antisymmetrize
from real_cli.relabel.scored import add_scores, check_field, write_scored

if TYPE_CHECKING:
    from real_cli.relabel.reward.command import RewardOptions


class RewardFilter:
    """Scores responses by a reward model and writes their records."""

    limit = WINDOW_SEQUENCES

    def __init__(self, options: "RewardOptions") -> None:
        self._field = check_field(options.field)
        self._is_pairwise = options.pairwise
        check_template(options.template)
        load = partial(
            load_reward_model,
            options.model,
            device=options.device,
            precision=options.dtype,
            max_length=options.max_length,
            label=options.label,
        )
        self._scorer = SequenceScorer(load, batch_tokens=options.batch_tokens, tell=speaker(options.quiet))
        self._rewards: PointwiseRewards | PairwiseRewards = (
            PairwiseRewards(self._scorer, template=options.template)
            if options.pairwise
            else PointwiseRewards(self._scorer, chat_template=not options.no_chat_template)
        )
        self._check = LabelCheck()

    def read(self, record: Record) -> Adapted:
        """Read one record of any layout."""
        return adapt(record)

    def size(self, record: Record) -> int:
        """Count the sequences of a record."""
        number = len(responses_of(record))
        return number * (number - 1) if self._is_pairwise else number

    def run(self, job: Job, located: Iterable[Located]) -> None:
        """Score records, and write them."""
        mark = self._mark_pairwise if self._is_pairwise else self._mark_pointwise
        write_scored(job, self._scorer(job.apply(self._rewards.read, located)), mark)

    def load(self) -> None:
        """Load the model."""
        self._rewards.reader  # noqa: B018 - loads what it is made of

    @property
    def counted(self) -> Mapping[str, object]:
        """What counts."""
        reader = {"reader": self._rewards.reader} if self._rewards.has_reader else {}
        return {"scorer": self._scorer, "check": self._check, **reader}

    def sentence(self) -> str:
        """Tell in one line what was scored."""
        return "; ".join(filter(None, (self._rewards.sentence(), self._check.sentence())))

    def _mark_pointwise(self, record: Record, logits: list[float]) -> Record:
        scored = add_scores(record, logits, self._field)
        self._check.add(record, logits, self._field)
        return scored

    def _mark_pairwise(self, record: Record, logits: list[float]) -> Record:
        differences = difference_matrix(len(responses_of(record)), logits)
        scored = add_differences(record, differences)
        self._check.add(record, antisymmetrize(differences).sum(axis=1).tolist())
        return scored
