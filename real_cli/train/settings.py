"""The settings of a training run, and what is wrong with them."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from real_cli.errors import UsageError
from real_cli.train.choices import Preset, StageReference
from real_cli.train.examples import ExampleReader
from real_cli.train.losses import KNOBS, OBJECTIVES
from real_cli.train.mixture import Mixture
from real_cli.train.objective import Column, Need, Responses
from real_cli.train.options import TrainOptions
from real_cli.train.presets import PRESETS
from real_cli.train.shared.settings import RunSettings, number_complaints, run_complaints, shared_settings

# A number of an example that belongs to the run and not to its objective.
STAGE = "stage"
NO_REFERENCE = "none"


@dataclass(frozen=True, kw_only=True)
class TrainingSettings(RunSettings):
    """Everything that decides a trajectory, beside the data and the models.

    Attributes:
        loss: Objectives, summed.
        loss_weights: One for each of them; none for 1 each.
        knobs: Settings of objectives that differ from their defaults.
    """

    loss: tuple[str, ...] = ("dpo",)
    loss_weights: tuple[float, ...] = ()
    knobs: dict[str, float] = field(default_factory=dict)
    offset_field: str | None = None
    stages: bool = False
    stage_reference: StageReference | None = None
    max_length: int = TrainOptions.max_length
    qlora: bool = False

    @property
    def mixture(self) -> Mixture:
        """The objectives, checked."""
        return Mixture(self.loss, self.loss_weights, self.knobs)

    @property
    def adapts(self) -> bool:
        """Whether an adapter is trained, and not the weights."""
        return self.lora or self.qlora

    @property
    def number_fields(self) -> list[str]:
        """The fields that options name, and that are read as numbers."""
        return [*super().number_fields, *([self.offset_field] if self.offset_field else [])]

    @property
    def is_unpaired(self) -> bool:
        """Whether single completions with a label are read, and no pairs."""
        return not self.mixture.has_pairs

    def reader(self, *, held_out: bool = False) -> ExampleReader:
        """Build the reader that turns this run's records into examples; held-out ones have no training order."""
        mixture = self.mixture
        columns = [*mixture.columns, *self.columns_of_run(held_out=held_out)]
        columns += [Column(STAGE)] * (self.stages and not held_out)
        named = self.named_fields(offset=self.offset_field)
        return ExampleReader(mixture.responses, columns, named, mixture.knobs.get("levels"))

    @property
    def reference_of_stages(self) -> StageReference:
        """The reference of a stage: the policy at its start, unless another one is asked for."""
        return self.stage_reference or StageReference.previous

    @property
    def is_moving(self) -> bool:
        """Whether the reference is another one in each stage."""
        is_previous = self.reference_of_stages is StageReference.previous
        return self.stages and is_previous and Need.reference in self.mixture.needs

    @property
    def uses_given_scores(self) -> bool:
        """Whether reference log-probabilities that a record carries are what the objective needs."""
        mixture = self.mixture
        asks_more = mixture.needs & (Need.tokens | Need.decoupled) or mixture.responses is not Responses.pair
        return Need.reference in mixture.needs and not asks_more and not self.is_moving


def check_settings(settings: TrainingSettings, options: TrainOptions, num_devices: int = 1) -> None:
    """Refuse settings that conflict, would be ignored, or that devices cannot share, all in one message."""
    complaints: list[str] = []
    try:
        mixture: Mixture | None = settings.mixture
    except UsageError as error:
        complaints.append(str(error))
        known = [name for name in settings.loss if name in OBJECTIVES]
        mixture = Mixture(known[:1]) if known else None
        settings = replace(settings, loss=tuple(known[:1]), loss_weights=(), knobs={})
    if mixture is not None:
        complaints += _objective_complaints(settings, mixture, options)
        complaints += _completion_complaints(settings, mixture)
    complaints += _stage_complaints(settings)
    complaints += run_complaints(settings, options)
    complaints += _adapter_complaints(settings, merges=options.merge)
    complaints += number_complaints(settings, num_devices)
    if complaints:
        raise UsageError("; ".join(complaints))


def _objective_complaints(settings: TrainingSettings, mixture: Mixture, options: TrainOptions) -> Iterator[str]:
    reference = options.reference
    if Need.reference in mixture.needs and reference == NO_REFERENCE:
        yield f"--reference none: {mixture.name} needs a reference; leave the option out, or name one"
    if Need.reference not in mixture.needs and reference not in (None, NO_REFERENCE):
        yield f"--reference {reference}: {mixture.name} reads no reference; leave the option out"
    if settings.weight_field is not None and Need.whole_batch in mixture.needs and mixture.has_pairs:
        yield f"--weight-field: {mixture.name} sorts the pairs of a batch, none has a value of its own"
    if settings.offset_field is not None and "offset" not in [column.name for column in mixture.columns]:
        yield f"--offset-field: {mixture.name} does not read it; dlma does"
    if options.export_logps is not None and not settings.uses_given_scores:
        yield f"--export-logps: {mixture.name} has none, here, that a later run could read; leave it out"
    if settings.stage_reference is not None and Need.reference not in mixture.needs:
        yield f"--stage-reference: {mixture.name} reads no reference; leave it out"
    if settings.is_moving and reference is not None:
        yield f"--reference {reference}: --stages compare with the previous one; add --stage-reference initial"
    if Need.decoupled in mixture.needs and settings.is_moving:
        yield f"--stages: {mixture.name} asks the reference in every step; add --stage-reference initial"
    if Need.degrees in mixture.needs and settings.adapts:
        yield f"--lora, --qlora: {mixture.name} trains a head beside the policy, which an adapter cannot hold"


def _completion_complaints(settings: TrainingSettings, mixture: Mixture) -> Iterator[str]:
    if mixture.has_pairs:
        return
    if settings.batch_size < 2:
        yield f"--batch-size {settings.batch_size}: {mixture.name} compares with others of the batch; give 2 or more"
    if not any(mixture.knobs[name] for name in ("desirable_weight", "undesirable_weight")):
        yield "--desirable-weight, --undesirable-weight: both are 0; there is nothing to learn"


def _stage_complaints(settings: TrainingSettings) -> Iterator[str]:
    if settings.stage_reference is not None and not settings.stages:
        yield "--stage-reference: there are no --stages"


def _adapter_complaints(settings: TrainingSettings, *, merges: bool) -> Iterator[str]:
    if settings.lora and settings.qlora:
        yield "--lora, --qlora: choose one of them"
    if not settings.adapts and (settings.lora_rank is not None or settings.lora_alpha is not None or merges):
        yield "--lora-rank, --lora-alpha, --merge: there is no --lora or --qlora"


def settings_from(options: TrainOptions) -> TrainingSettings:
    """Put options and a preset together, not checked yet; UsageError if the weights of the losses are no numbers."""
    merged = _with_preset(options)
    return TrainingSettings(
        loss=tuple(name.strip() for name in merged.loss.split(",")),
        loss_weights=_numbers(merged.loss_weights),
        knobs=merged.knobs,
        offset_field=merged.offset_field,
        stages=merged.stages,
        stage_reference=merged.stage_reference,
        qlora=merged.qlora,
        **shared_settings(merged, merged.max_length),
    )


def _with_preset(options: TrainOptions) -> TrainOptions:
    """Set what a preset sets and the user did not."""
    preset: dict[str, Any] = dict(PRESETS[options.preset]) if options.preset else {}
    if "loss" in options.given and options.loss != preset.get("loss"):
        # Weights and knobs belong to the preset's own objectives: alpha is another thing in each.
        preset = {name: value for name, value in preset.items() if name not in KNOBS and name != "loss_weights"}
    return replace(options, **{name: value for name, value in preset.items() if name not in options.given})


def _numbers(text: str | None) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(",")) if text else ()
    except ValueError:
        raise UsageError(f"--loss-weights {text}: numbers separated by commas are needed") from None


def describe_settings(settings: TrainingSettings, preset: Preset | None) -> dict[str, Any]:
    """List the settings that will run, with the value of every knob, for `--show-config` and the manifest."""
    knobs = {part.name: part.knobs for part in settings.mixture.parts}
    return {"preset": preset, **asdict(settings), "knobs": knobs}
