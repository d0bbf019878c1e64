"""The settings of a training run, and what is wrong with them."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from importlib.util import find_spec
from typing import Any

from real_cli.errors import ModelError, UsageError, none_of
from real_cli.installing import install_extra, install_package
from real_cli.train.choices import Optimizer, Preset, Schedule, StageReference
from real_cli.train.examples import ExampleReader
from real_cli.train.losses import KNOBS, OBJECTIVES
from real_cli.train.mixture import Mixture
from real_cli.train.objective import Column, Need, Responses
from real_cli.train.options import TrainOptions
from real_cli.train.presets import PRESETS

# Numbers of an example that belong to the run and not to its objective.
WEIGHT, STAGE, PLACE_IN_ORDER = "weight", "stage", "order"
NO_REFERENCE = "none"
MOST_WEIGHT = 1e30  # more of them could not be summed
# Trackers, and the packages of which each needs one.
TRACKERS = {"tensorboard": ("tensorboard", "tensorboardX"), "wandb": ("wandb",), "trackio": ("trackio",)}


@dataclass(frozen=True)
class TrainingSettings:
    """Everything that decides a trajectory, beside the data and the models.

    Attributes:
        loss: Objectives, summed.
        loss_weights: One for each of them; none for 1 each.
        knobs: Settings of objectives that differ from their defaults.
        order: `shuffle`, `given`, or a field to sort by, with a minus sign before it from the highest down.
        warmup: Steps of warm-up; below 1 a share of all steps.
        patience: Stop after so many evaluations without a lower loss; 0 never.
    """

    loss: tuple[str, ...] = ("dpo",)
    loss_weights: tuple[float, ...] = ()
    knobs: dict[str, float] = field(default_factory=dict)
    weight_field: str | None = None
    normalize_weights: bool = True
    offset_field: str | None = None
    order: str = TrainOptions.order
    stages: bool = False
    stage_reference: StageReference | None = None
    learning_rate: float = TrainOptions.learning_rate
    schedule: Schedule = TrainOptions.schedule
    warmup: float = TrainOptions.warmup
    optimizer: Optimizer = TrainOptions.optimizer
    weight_decay: float = TrainOptions.weight_decay
    max_grad_norm: float = TrainOptions.max_grad_norm
    epochs: float = TrainOptions.epochs
    max_steps: int = -1
    batch_size: int = TrainOptions.batch_size
    gradient_accumulation: int = TrainOptions.gradient_accumulation
    max_length: int = TrainOptions.max_length
    lora: bool = False
    lora_rank: int | None = None
    lora_alpha: float | None = None
    qlora: bool = False
    eval_steps: int = TrainOptions.eval_steps
    patience: int = TrainOptions.patience
    seed: int = TrainOptions.seed

    @property
    def mixture(self) -> Mixture:
        """The objectives, checked."""
        return Mixture(self.loss, self.loss_weights, self.knobs)

    @property
    def adapts(self) -> bool:
        """Whether an adapter is trained, and not the weights."""
        return self.lora or self.qlora

    @property
    def order_field(self) -> str | None:
        """The field to sort by; None if it is the order in which records come, or chance."""
        return None if self.order in ("shuffle", "given") else self.order.removeprefix("-")

    @property
    def number_fields(self) -> list[str]:
        """The fields that options name, and that are read as numbers."""
        return [name for name in (self.weight_field, self.offset_field, self.order_field) if name]

    @property
    def is_unpaired(self) -> bool:
        """Whether single completions with a label are read, and no pairs."""
        return self.mixture.responses is Responses.unpaired

    @property
    def noun(self) -> str:
        """What is trained on, in a word."""
        return "completion" if self.is_unpaired else "pair"

    @property
    def shuffles(self) -> bool:
        """Whether each epoch has an order of its own; completions keep their batches, and so what they are held to."""
        return self.order == "shuffle" and not self.is_unpaired

    def reader(self, *, held_out: bool = False) -> ExampleReader:
        """Build the reader that turns this run's records into examples; held-out ones have no training order."""
        mixture = self.mixture
        columns = [*mixture.columns]
        columns += [Column(WEIGHT, 0, MOST_WEIGHT)] * (self.weight_field is not None)
        if not held_out:
            columns += [Column(STAGE)] * self.stages + [Column(PLACE_IN_ORDER)] * (self.order_field is not None)
        fields = {"offset": self.offset_field, WEIGHT: self.weight_field, PLACE_IN_ORDER: self.order_field}
        named = {column: name for column, name in fields.items() if name}
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
    complaints += _routine_complaints(settings, options)
    complaints += _number_complaints(settings, num_devices)
    if complaints:
        raise UsageError("; ".join(complaints))


def check_packages(settings: TrainingSettings, report_to: str) -> None:
    """Refuse what needs a package that is not installed, before anything is read or loaded."""
    if settings.adapts and find_spec("peft") is None:
        raise ModelError(f"{'--qlora' if settings.qlora else '--lora'} needs the package peft: {install_extra('lora')}")
    if settings.qlora and find_spec("bitsandbytes") is None:
        raise ModelError(f"--qlora needs the package bitsandbytes: {install_extra('qlora')}")
    for tracker in set(report_to.split(",")) & set(TRACKERS):
        packages = TRACKERS[tracker]
        if not any(map(find_spec, packages)):
            raise UsageError(f"--report-to {tracker}: is not installed; {install_package(packages[0])}")


def _objective_complaints(settings: TrainingSettings, mixture: Mixture, options: TrainOptions) -> Iterator[str]:
    reference = options.reference
    if Need.reference in mixture.needs and reference == NO_REFERENCE:
        yield f"--reference none: {mixture.name} needs a reference; leave the option out, or name one"
    if Need.reference not in mixture.needs and reference not in (None, NO_REFERENCE):
        yield f"--reference {reference}: {mixture.name} reads no reference; leave the option out"
    if settings.weight_field is not None and Need.whole_batch in mixture.needs and mixture.responses is Responses.pair:
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


def _routine_complaints(settings: TrainingSettings, options: TrainOptions) -> Iterator[str]:
    if settings.weight_field is None and not settings.normalize_weights:
        yield "--raw-weights: there is no --weight-field"
    if settings.stage_reference is not None and not settings.stages:
        yield "--stage-reference: there are no --stages"
    if settings.order_field == "":
        yield f"--order {settings.order}: shuffle, given or the name of a field is needed"
    if options.eval_file is None and (settings.eval_steps or settings.patience):
        yield "--eval-steps, --patience: there is no --eval-file to measure"
    if settings.lora and settings.qlora:
        yield "--lora, --qlora: choose one of them"
    if not settings.adapts and (settings.lora_rank is not None or settings.lora_alpha is not None or options.merge):
        yield "--lora-rank, --lora-alpha, --merge: there is no --lora or --qlora"
    if settings.patience and options.save_steps:
        yield "--save-steps: with --patience there is a checkpoint of each measurement; leave it out"
    trackers = options.report_to.split(",")
    for name in trackers if trackers != ["none"] else []:
        if name not in TRACKERS:
            yield f"--report-to: {none_of(name, (*TRACKERS, 'none'))}"
            break


def _number_complaints(settings: TrainingSettings, size: int) -> Iterator[str]:
    """What typer's ranges let through: NaN, infinity, a 0 that would train nothing, and what devices cannot share."""
    if settings.batch_size % size:
        lower = settings.batch_size // size * size
        able = f"{lower} or {lower + size} does" if lower else f"{size} does"
        yield f"--batch-size {settings.batch_size}: does not divide among {size} devices; {able}"
    for name, low in (("learning_rate", 0), ("epochs", 0), ("lora_alpha", 0)):
        value = getattr(settings, name)
        if value is not None and not low < value < math.inf:
            yield f"--{name.replace('_', '-')} {value}: must be greater than {low}, and finite"
    for name in ("warmup", "weight_decay", "max_grad_norm"):
        if not 0 <= getattr(settings, name) < math.inf:
            yield f"--{name.replace('_', '-')} {getattr(settings, name)}: must be at least 0, and finite"


def settings_from(options: TrainOptions) -> TrainingSettings:
    """Put options and a preset together, not checked yet; UsageError if the weights of the losses are no numbers."""
    merged = _with_preset(options)
    return TrainingSettings(
        loss=tuple(name.strip() for name in merged.loss.split(",")),
        loss_weights=_numbers(merged.loss_weights),
        knobs=merged.knobs,
        weight_field=merged.weight_field,
        normalize_weights=not merged.raw_weights,
        offset_field=merged.offset_field,
        order=merged.order,
        stages=merged.stages,
        stage_reference=merged.stage_reference,
        learning_rate=merged.learning_rate,
        schedule=merged.schedule,
        warmup=merged.warmup,
        optimizer=merged.optimizer,
        weight_decay=merged.weight_decay,
        max_grad_norm=merged.max_grad_norm,
        epochs=merged.epochs,
        max_steps=merged.max_steps or -1,
        batch_size=merged.batch_size,
        gradient_accumulation=merged.gradient_accumulation,
        max_length=merged.max_length,
        lora=merged.lora,
        lora_rank=merged.lora_rank,
        lora_alpha=merged.lora_alpha,
        qlora=merged.qlora,
        eval_steps=merged.eval_steps,
        patience=merged.patience,
        seed=merged.seed,
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
