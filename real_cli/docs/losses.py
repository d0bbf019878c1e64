"""The objectives and presets of real-losses(7), made from their tables."""

import inspect
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from real_cli.docs.roff import joined
from real_cli.train.losses import KNOBS, OBJECTIVES
from real_cli.train.mixture import Mixture
from real_cli.train.objective import Column, Need, Objective, Responses
from real_cli.train.presets import PRESETS
from real_cli.train.settings import TrainingSettings

# Read instead of a pair, or beside it.
FIELDS: dict[Responses, str] = {
    Responses.pair: "`chosen`, `rejected`",
    Responses.triple: "`chosen`, `rejected`, `reference`",
    Responses.ranking: "`responses`: [{`text`, `score`}]",
    Responses.copies: "`chosen`, `rejected`, `degraded`: [{`text`, `degree`}]",
    Responses.unpaired: "`completion`, `label`",
}


class Description(NamedTuple):
    """The docstring of an objective's function.

    Attributes:
        formula: Its first sentence, without "Return".
        paragraphs: What follows, up to Args.
        source: Its references.
    """

    formula: str
    paragraphs: list[str]
    source: str


def describe(row: Objective) -> Description:
    """Read the docstring of an objective, each part joined to one line."""
    text = inspect.getdoc(row.loss) or ""
    head, _, rest = text.partition("\nArgs:\n")
    summary, *paragraphs = [joined(paragraph) for paragraph in re.split(r"\n\s*\n", head.strip())]
    return Description(summary.removeprefix("Return "), paragraphs, joined(rest.partition("References:\n")[2]))


def objectives_list() -> str:
    """List the objectives in Markdown: formula, what each reads, options and paper."""
    items = []
    for name, row in OBJECTIVES.items():
        described = describe(row)
        facts = [
            f"Reads {_fields(row)}.",
            f"Reference model: {_reference(row)}.",
            f"Options: {_knobs(row.knobs) or 'none'}.",
            f"Source: {plain_markdown(described.source)}",
        ]
        texts = [
            f"- `{name}`: `{described.formula.rstrip(chr(46))}`",
            *map(plain_markdown, described.paragraphs),
            "\\\n  ".join(facts),
        ]
        items.append("\n\n  ".join(texts))
    return "\n\n".join(items)


def presets_list() -> str:
    """List the presets in Markdown, each with the options that it stands for."""
    return "\n".join(f"- `{name}`: `{' '.join(_differences(preset))}`" for name, preset in PRESETS.items())


def plain_markdown(text: str) -> str:
    """Keep Markdown from reading a formula as markup; code stays code."""
    return re.sub(r"(`[^`]*`)|([*<\\])", lambda match: match[1] or f"\\{match[2]}", text)


def _fields(row: Objective) -> str:
    return ", ".join([FIELDS[row.responses], *map(_column, row.columns)])


def _column(column: Column) -> str:
    has_range = column.high != float("inf")
    return f"`{column.name}` ({column.low:g} to {column.high:g})" if has_range else f"`{column.name}` (a number)"


def _reference(row: Objective) -> str:
    if Need.reference not in row.needs:
        return "no"
    return "yes, in every step" if Need.decoupled in row.needs else "yes"


def _knobs(knobs: Mapping[str, float]) -> str:
    return ", ".join(f"`{_option(name, value)}`" for name, value in knobs.items())


def _option(name: str, value: Any) -> str:
    return f"--{name.replace('_', '-')} {f'{value:g}' if isinstance(value, float) else value}"


def _differences(preset: Mapping[str, Any]) -> list[str]:
    """List the options that a preset stands for, objective first, less the defaults."""
    mixture = Mixture(preset["loss"].split(","))
    usual = TrainingSettings()
    of_objective = ("loss", "loss_weights", *KNOBS)
    return [
        _option(name, preset[name])
        for name in sorted(preset, key=lambda name: name not in of_objective)
        if name == "loss" or preset[name] != mixture.knobs.get(name, getattr(usual, name, None))
    ]
