"""One objective, or several summed with weights, with their settings checked: what a trainer minimizes."""

import math
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from typing import NamedTuple

from torch import Tensor

from real_cli.errors import UsageError, none_of
from real_cli.train.knobs import defaults_of
from real_cli.train.logps import Logps
from real_cli.train.losses import KNOBS, OBJECTIVES
from real_cli.train.objective import Column, Need, Objective, Responses


class Part(NamedTuple):
    """One objective of a mixture."""

    name: str
    objective: Objective
    weight: float
    knobs: dict[str, float]


class Mixture:
    """A weighted sum of objectives; what does not fit is refused on making one, all complaints in one message.

    Args:
        names: Of rows of OBJECTIVES.
        weights: One a name; none for 1 each.
        given: Knobs that differ from their defaults, for all objectives that read them.

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> Mixture(["dpo", "sft"], [1, 0.001])(made_up_logps([5.0]))
        tensor([0.4691])
    """

    def __init__(
        self, names: Sequence[str], weights: Sequence[float] = (), given: Mapping[str, float] | None = None
    ) -> None:
        given = given or {}
        complaints = _name_complaints(names)
        if not complaints:
            complaints = _weight_complaints(names, weights)
            used = [1.0] * len(names) if complaints or not weights else weights
            self.parts = [
                Part(name, OBJECTIVES[name], weight, _with_defaults(OBJECTIVES[name].knobs, given))
                for name, weight in zip(names, used, strict=True)
            ]
            complaints += self._complaints(given)
        if complaints:
            raise UsageError("; ".join(complaints))

    @property
    def name(self) -> str:
        """The names of the objectives as the user writes them."""
        return ",".join(part.name for part in self.parts)

    @property
    def needs(self) -> Need:
        """What must be gathered."""
        needs = reduce(or_, (part.objective.needs for part in self.parts))
        # Without extrapolation the detector reads the policy itself, and nobody has to run the reference again.
        return needs if self.knobs.get("extrapolate") else needs & ~Need.decoupled

    @property
    def responses(self) -> Responses:
        """Which responses of a record are read; pairs are the first two columns of everything."""
        others = [part.objective.responses for part in self.parts if part.objective.responses is not Responses.pair]
        return others[0] if others else Responses.pair

    @property
    def has_pairs(self) -> bool:
        """Whether the first two columns are chosen and rejected."""
        return self.responses is not Responses.unpaired

    @property
    def columns(self) -> tuple[Column, ...]:
        """Which numbers of a record are read."""
        return tuple(dict.fromkeys(column for part in self.parts for column in part.objective.columns))

    @property
    def knobs(self) -> dict[str, float]:
        """Every setting that is read; of one that several objectives read, the first one's value."""
        return {name: value for part in reversed(self.parts) for name, value in part.knobs.items()}

    @property
    def beta(self) -> float:
        """Scale of the implicit rewards in the metrics: the first beta that is read, else 1."""
        return self.knobs.get("beta", 1.0)

    def rewards(self, logps: Logps) -> Tensor:
        """Work out the implicit rewards for the metrics, those of the first objective."""
        return self.beta * (logps.averages if self.parts[0].objective.averages else logps.logratios)

    def values(self, logps: Logps) -> dict[str, Tensor]:
        """Work out each objective, and what the metrics need of the whole batch."""
        values = {part.name: part.objective.loss(logps, **part.knobs) for part in self.parts}
        measures = (pair for part in self.parts for pair in part.objective.measures)
        return values | {name: function(logps).detach() for name, function in measures}

    def __call__(self, logps: Logps) -> Tensor:
        """Sum the objectives with their weights."""
        return self.total(self.values(logps))

    def total(self, values: Mapping[str, Tensor]) -> Tensor:
        """Sum what `values` gave."""
        total = sum(part.weight * values[part.name] for part in self.parts)
        assert isinstance(total, Tensor)
        return total

    @property
    def remembers(self) -> bool:
        """Whether an objective looks back at earlier batches."""
        return any(part.objective.remembers is not None for part in self.parts)

    def remember(self, logps: Logps) -> Tensor | None:
        """Work out what is to be handed back as `Logps.recent` in later batches."""
        for part in self.parts:
            if part.objective.remembers is not None:
                function = part.objective.remembers
                return function(logps, **_with_defaults(defaults_of(function), part.knobs)).detach()
        return None

    def shows(self, logps: Logps) -> dict[str, Tensor]:
        """Work out what `--dump` writes of each example beside loss and margin."""
        return {
            name: function(logps, **_with_defaults(defaults_of(function), part.knobs)).detach()
            for part in self.parts
            for name, function in part.objective.shows
        }

    def _complaints(self, given: Mapping[str, float]) -> list[str]:
        complaints = [_unread(name, self.name) for name in given if name not in self.knobs]
        for name, value in {**self.knobs, **{name: given[name] for name in given if name in KNOBS}}.items():
            if complaint := KNOBS[name].range.complaint(value):
                complaints.append(f"--{name.replace('_', '-')} {value}: {complaint}")
        for low, high in [(name, KNOBS[name].at_most) for name in self.knobs if KNOBS[name].at_most]:
            if self.knobs[low] > self.knobs[high]:
                complaints.append(f"--{low.replace('_', '-')} {self.knobs[low]}: is above --{high.replace('_', '-')}")
        for part in self.parts:
            complaints += [
                f"--loss {part.name}: --{name.replace('_', '-')} must be greater than 0"
                for name in part.objective.positive
                if part.knobs[name] == 0
            ]
        complaints += self._shape_complaints()
        marked = {Need.code_marks in part.objective.needs for part in self.parts if Need.tokens in part.objective.needs}
        if len(marked) > 1:
            complaints.append(f"--loss {self.name}: they mark other tokens as different; train with one of them")
        if Need.whole_batch in self.needs and self.needs & (Need.tokens | Need.degrees | Need.decoupled):
            complaints.append(
                f"--loss {self.name}: an objective that sorts a batch cannot be summed with one on tokens"
            )
        return complaints

    def _shape_complaints(self) -> list[str]:
        """Say that the objectives do not read the same records."""
        kinds = {part.objective.responses for part in self.parts} - {Responses.pair}
        if Responses.ranking in kinds and len(self.parts) > 1:
            return [f"--loss {self.name}: a ranking has no rejected response; its objective stands alone"]
        if Responses.unpaired in kinds and len(self.parts) > 1:
            return [f"--loss {self.name}: kto reads single completions and no pairs; it stands alone"]
        if len(kinds) > 1:
            return [f"--loss {self.name}: they read records of different shapes ({'; '.join(sorted(kinds))})"]
        return []


# What TRL calls objectives, where it is not what we do.
OTHERS_NAMES = {
    "sigmoid": "dpo",
    "logistic": "dpo",
    "exo_pair": "exo",
    "nca_pair": "nca",
    "bco_pair": "bco",
    "sppo_hard": "sppo",
    "aot_pair": "aot",
    "nll": "sft",
    "kto_pair": "kto",
}


def _name_complaints(names: Sequence[str]) -> list[str]:
    unknown = [name for name in names if name not in OBJECTIVES]
    complaints = [f"--loss: {none_of(name, OBJECTIVES, OTHERS_NAMES)}" for name in unknown[:1]]
    complaints += [
        f"--loss: {name} twice; name it once" for name in dict.fromkeys(names) if list(names).count(name) > 1
    ]
    return complaints


def _weight_complaints(names: Sequence[str], weights: Sequence[float]) -> list[str]:
    if weights and len(weights) != len(names):
        return [f"--loss-weights: {len(weights)} numbers for {len(names)} objectives; one for each is needed"]
    complaints = [f"--loss-weights {weight}: must be at least 0" for weight in weights if not 0 <= weight < math.inf]
    return complaints + ["--loss-weights: all are 0; there is nothing to learn"] * (bool(weights) and not any(weights))


def _unread(knob: str, losses: str) -> str:
    able = [name for name, objective in OBJECTIVES.items() if knob in objective.knobs]
    verb = "does" if len(able) == 1 else "do"
    return f"--loss {losses} does not read --{knob.replace('_', '-')}; {', '.join(able)} {verb}"


def _with_defaults(defaults: Mapping[str, float], given: Mapping[str, float]) -> dict[str, float]:
    return {name: given.get(name, value) for name, value in defaults.items()}
