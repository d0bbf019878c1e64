"""The settings of training that do not depend on what is trained, and what is wrong with them."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from real_cli.errors import ModelError, UsageError, none_of
from real_cli.installing import install_extra, install_package
from real_cli.train.choices import Optimizer, Schedule
from real_cli.train.examples import ExampleReader
from real_cli.train.objective import Column
from real_cli.train.shared.options import RunOptions

# Numbers of an example that belong to the run and not to its objective.
WEIGHT, PLACE_IN_ORDER = "weight", "order"
MOST_WEIGHT = 1e30  # more of them could not be summed
# Trackers, and the packages of which each needs one.
TRACKERS = {"tensorboard": ("tensorboard", "tensorboardX"), "wandb": ("wandb",), "trackio": ("trackio",)}


@dataclass(frozen=True, kw_only=True)
class RunSettings(ABC):
    """What decides a trajectory, whatever is trained.

    Attributes:
        order: `shuffle`, `given`, or a field to sort by, with a minus sign before it from the highest down.
        warmup: Steps of warm-up; below 1 a share of all steps.
        patience: Stop after so many evaluations without a lower loss; 0 never.
    """

    weight_field: str | None = None
    normalize_weights: bool = True
    order: str = RunOptions.order
    learning_rate: float = RunOptions.learning_rate
    schedule: Schedule = RunOptions.schedule
    warmup: float = RunOptions.warmup
    optimizer: Optimizer = RunOptions.optimizer
    weight_decay: float = RunOptions.weight_decay
    max_grad_norm: float = RunOptions.max_grad_norm
    epochs: float = RunOptions.epochs
    max_steps: int = -1
    batch_size: int = RunOptions.batch_size
    gradient_accumulation: int = RunOptions.gradient_accumulation
    max_length: int
    lora: bool = False
    lora_rank: int | None = None
    lora_alpha: float | None = None
    eval_steps: int = RunOptions.eval_steps
    patience: int = RunOptions.patience
    seed: int = RunOptions.seed

    @property
    def adapts(self) -> bool:
        """Whether an adapter is trained, and not the weights."""
        return self.lora

    @property
    def is_unpaired(self) -> bool:
        """Whether single completions with a label are read, and no pairs."""
        return False

    @property
    def noun(self) -> str:
        """What is trained on, in a word."""
        return "completion" if self.is_unpaired else "pair"

    @property
    def shuffles(self) -> bool:
        """Whether each epoch has an order of its own; completions keep their batches, and so what they are held to."""
        return self.order == "shuffle" and not self.is_unpaired

    @property
    def order_field(self) -> str | None:
        """The field to sort by; None if it is the order in which records come, or chance."""
        return None if self.order in ("shuffle", "given") else self.order.removeprefix("-")

    @property
    def number_fields(self) -> list[str]:
        """The fields that options name, and that are read as numbers."""
        return [name for name in (self.weight_field, self.order_field) if name]

    @abstractmethod
    def reader(self, *, held_out: bool = False) -> ExampleReader:
        """Build the reader that turns this run's records into examples; held-out ones have no training order."""

    def columns_of_run(self, *, held_out: bool) -> list[Column]:
        """List the numbers of a record that the run reads, whatever is trained; held-out ones have no order."""
        columns = [Column(WEIGHT, 0, MOST_WEIGHT)] * (self.weight_field is not None)
        return columns + [Column(PLACE_IN_ORDER)] * (self.order_field is not None and not held_out)

    def named_fields(self, **others: str | None) -> dict[str, str]:
        """Name the fields that columns come from, where they are the user's to name."""
        fields = {**others, WEIGHT: self.weight_field, PLACE_IN_ORDER: self.order_field}
        return {column: name for column, name in fields.items() if name}


def shared_settings(options: RunOptions, max_length: int) -> dict[str, Any]:
    """Take the settings of every run from its options."""
    return dict(
        weight_field=options.weight_field,
        normalize_weights=not options.raw_weights,
        order=options.order,
        learning_rate=options.learning_rate,
        schedule=options.schedule,
        warmup=options.warmup,
        optimizer=options.optimizer,
        weight_decay=options.weight_decay,
        max_grad_norm=options.max_grad_norm,
        epochs=options.epochs,
        max_steps=options.max_steps or -1,
        batch_size=options.batch_size,
        gradient_accumulation=options.gradient_accumulation,
        max_length=max_length,
        lora=options.lora,
        lora_rank=options.lora_rank,
        lora_alpha=options.lora_alpha,
        eval_steps=options.eval_steps,
        patience=options.patience,
        seed=options.seed,
    )


def check_packages(settings: RunSettings, report_to: str, *, in_4_bits: bool = False) -> None:
    """Refuse what needs a package that is not installed, before anything is read or loaded."""
    if settings.adapts and find_spec("peft") is None:
        raise ModelError(f"{'--qlora' if in_4_bits else '--lora'} needs the package peft: {install_extra('lora')}")
    if in_4_bits and find_spec("bitsandbytes") is None:
        raise ModelError(f"--qlora needs the package bitsandbytes: {install_extra('qlora')}")
    for tracker in set(report_to.split(",")) & set(TRACKERS):
        packages = TRACKERS[tracker]
        if not any(map(find_spec, packages)):
            raise UsageError(f"--report-to {tracker}: is not installed; {install_package(packages[0])}")


def run_complaints(settings: RunSettings, options: RunOptions) -> Iterator[str]:
    """Say what of a run's options conflicts or would be ignored."""
    if settings.weight_field is None and not settings.normalize_weights:
        yield "--raw-weights: there is no --weight-field"
    if settings.order_field == "":
        yield f"--order {settings.order}: shuffle, given or the name of a field is needed"
    if options.eval_file is None and (settings.eval_steps or settings.patience):
        yield "--eval-steps, --patience: there is no --eval-file to measure"
    if settings.patience and options.save_steps:
        yield "--save-steps: with --patience there is a checkpoint of each measurement; leave it out"
    trackers = options.report_to.split(",")
    for name in trackers if trackers != ["none"] else []:
        if name not in TRACKERS:
            yield f"--report-to: {none_of(name, (*TRACKERS, 'none'))}"
            break


def number_complaints(settings: RunSettings, size: int) -> Iterator[str]:
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
