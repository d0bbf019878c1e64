"""The settings of a reward model's training, and what is wrong with them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from real_cli.errors import UsageError
from real_cli.train.examples import ExampleReader
from real_cli.train.objective import Column, Responses
from real_cli.train.reward.options import CENTER_OF_ENSEMBLE, SCORES, TrainRewardOptions
from real_cli.train.shared.settings import RunSettings, number_complaints, run_complaints, shared_settings

# Names of the columns that a margin is read from.
MARGIN = "margin"
SCORE_FIELDS = ("score_chosen", "score_rejected")


@dataclass(frozen=True, kw_only=True)
class RewardSettings(RunSettings):
    """Everything that decides a trajectory, beside the data and the model.

    Attributes:
        margin: The field of what chosen is to win by; `scores` for the gap between the scores, None for 0.
        center: Weight of the squared sum of the two rewards.
        ensemble: How many heads there are.
        no_chat_template: Whether prompt and response are read as a text pair in any case.
    """

    margin: str | None = None
    center: float = 0.0
    ensemble: int = 1
    no_chat_template: bool = False
    learning_rate: float = TrainRewardOptions.learning_rate
    max_length: int = TrainRewardOptions.max_length

    @property
    def margin_columns(self) -> tuple[str, ...]:
        """The columns that a margin is worked out from: none, itself, or two scores."""
        if self.margin is None:
            return ()
        return SCORE_FIELDS if self.margin == SCORES else (MARGIN,)

    @property
    def number_fields(self) -> list[str]:
        """The fields that options name, and that are read as numbers."""
        return [*super().number_fields, *([self.margin] if self.margin and self.margin != SCORES else [])]

    def reader(self, *, held_out: bool = False) -> ExampleReader:
        """Build the reader that turns this run's records into examples; held-out ones have no training order."""
        columns = [*map(Column, self.margin_columns), *self.columns_of_run(held_out=held_out)]
        return ExampleReader(Responses.pair, columns, self.named_fields(margin=self.margin))


def reward_settings_from(options: TrainRewardOptions) -> RewardSettings:
    """Put the options together, not checked yet."""
    default = CENTER_OF_ENSEMBLE if options.ensemble > 1 else 0.0
    return RewardSettings(
        margin=options.margin,
        center=default if options.center is None else options.center,
        ensemble=options.ensemble,
        no_chat_template=options.no_chat_template,
        **shared_settings(options, options.max_length),
    )


def check_reward_settings(settings: RewardSettings, options: TrainRewardOptions, num_devices: int = 1) -> None:
    """Refuse settings that conflict, would be ignored, or that devices cannot share, all in one message."""
    complaints = [*_objective_complaints(settings), *run_complaints(settings, options)]
    complaints += number_complaints(settings, num_devices)
    if complaints:
        raise UsageError("; ".join(complaints))


def _objective_complaints(settings: RewardSettings) -> Iterator[str]:
    if settings.margin == "":
        yield "--margin: scores or the name of a field is needed"
    if not 0 <= settings.center < math.inf:
        yield f"--center {settings.center}: must be at least 0, and finite"
    if not settings.lora and (settings.lora_rank is not None or settings.lora_alpha is not None):
        yield "--lora-rank, --lora-alpha: there is no --lora"
