"""What a knob of a loss is, and the knobs that many losses have. A loss's own stand in its file, in the same way.

A knob is declared once, in the signature of a loss: its name and default are the keyword's, help and range stand beside
its type. Command line, refusals and man pages follow from that (`python -m real_cli.docs`):

    Warp = Annotated[float, Knob("How far warped pairs are bent.", SHARE)]

    def warped_loss(logps: Logps, *, beta: Beta = 0.1, warp: Warp = 0.3) -> Tensor:
"""

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, NamedTuple, get_type_hints


class Range(NamedTuple):
    """What a knob may be: at least `low` (above it if `open_low`) and at most `high` (below it if `open_high`).

    `whole` wants a whole number; none may be infinite.
    """

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    whole: bool = False

    def complaint(self, value: float) -> str:
        """Say what is wrong with a value.

        >>> Range(0, 0.5, open_high=True).complaint(0.5)
        'must be at least 0 and below 0.5'
        """
        above = value > self.low if self.open_low else value >= self.low
        below = value < self.high if self.open_high else value <= self.high
        if above and below and math.isfinite(value) and (not self.whole or value == int(value)):
            return ""
        parts = [f"{'greater than' if self.open_low else 'at least'} {self.low:.6g}"] * math.isfinite(self.low)
        parts += [f"{'below' if self.open_high else 'at most'} {self.high:.6g}"] * math.isfinite(self.high)
        if self.whole:
            parts.insert(0, "a whole number")
        return f"must be {' and '.join(parts) or 'a finite number'}"


ANY, POSITIVE, NOT_NEGATIVE, SHARE = Range(), Range(0, open_low=True), Range(0), Range(0, 1)


class Knob(NamedTuple):
    """What stands beside a knob's type.

    Attributes:
        help: What it does: a sentence of `real train-dpo --help`.
        range: What it may be.
        at_most: The name of a knob of the same losses that it must not be above; empty for none.
    """

    help: str
    range: Range = ANY
    at_most: str = ""


Beta = Annotated[float, Knob("Strength of the pull towards the reference, or of the margin.", POSITIVE)]
LabelSmoothing = Annotated[
    float, Knob("Share of labels thought to be flipped; of spa, of those it flags.", Range(0, 0.5, open_high=True))
]
Alpha = Annotated[float, Knob("Weight of an objective's second term (sft, optimism, degrees).", NOT_NEGATIVE)]
Gamma = Annotated[float, Knob("Margin that simpo and tpo-l demand.")]


def defaults_of(function: Callable[..., Any]) -> dict[str, float]:
    """List the knobs of a function with their defaults.

    >>> def warped(logps, *, beta: Beta = 0.1): ...
    >>> defaults_of(warped)
    {'beta': 0.1}
    """
    parameters = inspect.signature(function).parameters.values()
    return {item.name: item.default for item in parameters if item.kind is item.KEYWORD_ONLY}


def knobs_of(function: Callable[..., Any]) -> dict[str, Knob]:
    """List the knobs that a function declares.

    >>> def warped(logps, *, gamma: Gamma = 0.1): ...
    >>> knobs_of(warped)["gamma"].help
    'Margin that simpo and tpo-l demand.'
    """
    hints = get_type_hints(function, include_extras=True)
    beside = {name: getattr(hints.get(name), "__metadata__", ()) for name in defaults_of(function)}
    return {name: item for name, items in beside.items() for item in items if isinstance(item, Knob)}


def declared_knobs(functions: Mapping[str, Callable[..., Any]]) -> dict[str, Knob]:
    """List the knobs of all losses."""
    declared: dict[str, Knob] = {}
    for loss, function in functions.items():
        for name, knob in knobs_of(function).items():
            if knob.at_most and knob.at_most not in defaults_of(function):
                raise TypeError(f"{loss}: compares the knob '{name}' with '{knob.at_most}', which it does not read")
            if declared.setdefault(name, knob) != knob:
                raise TypeError(f"{loss}: declares the knob '{name}' otherwise than another loss; use that one's")
    for loss, function in functions.items():
        if missing := defaults_of(function).keys() - declared.keys():
            raise TypeError(f"{loss}: the knob '{min(missing)}' has no Knob beside its type")
    return declared
