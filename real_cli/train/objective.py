"""What a row of the table of objectives says: its function, and what a trainer must gather for it."""

from collections.abc import Callable
from enum import Flag, StrEnum, auto
from typing import NamedTuple

from torch import Tensor

from real_cli.train.knobs import defaults_of


class Need(Flag):
    """What an objective needs beside the policy's summed log-probabilities."""

    nothing = 0
    reference = auto()
    """Log-probabilities of the responses under the reference."""
    tokens = auto()
    """Log-probabilities token by token, and which tokens differ."""
    code_marks = auto()
    """That these are marked as BMC's official code marks them."""
    degrees = auto()
    """A head on the states of each response that names its degree."""
    decoupled = auto()
    """Log-probabilities under the policy extrapolated away from the reference."""
    whole_batch = auto()
    """All examples of a batch at once: it compares them with each other."""


class Responses(StrEnum):
    """Which responses of a record an objective reads, in the order of the columns."""

    pair = "chosen, rejected"
    triple = "chosen, rejected, reference"
    ranking = "responses with scores, best first"
    copies = "chosen, rejected, degraded copies of chosen"
    unpaired = "one completion with a label"


class Column(NamedTuple):
    """A number of each example: its name, which is also its field's unless the user names another, and its range."""

    name: str
    low: float = -float("inf")
    high: float = float("inf")


class Objective(NamedTuple):
    """One row.

    Attributes:
        loss: From `Logps` to one value an example, shape (batch,), no reduction. Its keyword arguments are its knobs,
            each with a default, and with a `Knob` beside its type; the command offers each as an option.
        needs: What is gathered for it.
        responses: Which responses it reads.
        columns: Which numbers of a record it reads.
        remembers: One value an example that the trainer keeps of the last batches and hands back as `Logps.recent`.
        shows: One value an example for `--dump`, by name.
        measures: One value an example for the metrics, by name, that only the whole batch tells.
        positive: Knobs that must not be 0, where others may take it.
        averages: Whether its rewards are log-probabilities per token, as the metrics then are.
    """

    loss: Callable[..., Tensor]
    needs: Need = Need.reference
    responses: Responses = Responses.pair
    columns: tuple[Column, ...] = ()
    remembers: Callable[..., Tensor] | None = None
    shows: tuple[tuple[str, Callable[..., Tensor]], ...] = ()
    measures: tuple[tuple[str, Callable[..., Tensor]], ...] = ()
    positive: tuple[str, ...] = ()
    averages: bool = False

    @property
    def knobs(self) -> dict[str, float]:
        """The loss's own settings and their defaults."""
        return defaults_of(self.loss)
